// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The last step of `emit`: the runtime and the sections become one executable.
#ifndef LLAMAC_COMPILER_EMIT_EMITEXECUTABLE_H
#define LLAMAC_COMPILER_EMIT_EMITEXECUTABLE_H

#include "compiler/emit/LaunchPlan.h"
#include "compiler/emit/WeightPacker.h"

namespace mlir::llama {

struct ExecutableParts {
  const Checkpoint &checkpoint;
  LaunchPlan plan;
  std::string ptx;        // without the NUL
  std::string kernelsPtx; // without the NUL
  std::string passport;
  std::vector<PackedStream> streams;
  bool weightsInside = true;
  unsigned threads = 1;
};

/// Writes `output` from `runtime`, the prebuilt executable. The plan is the
/// last section, so that it holds the hashes of all others in one pass.
llrt::Error emitExecutable(const std::string &runtime,
                           const std::string &output, ExecutableParts &parts,
                           uint64_t &outputBytes,
                           std::vector<std::string> &warnings);

} // namespace mlir::llama

#endif
