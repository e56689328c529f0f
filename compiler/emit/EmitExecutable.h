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
  std::string cubin;      // "": none, and then no other
  std::string kernelsCubin;
  std::function<std::string()> makePassport; // called after the weights
  std::vector<PackedStream> streams;
  std::vector<uint8_t> selftest; // the section; empty: none
  LlamacWeightsPlace place = LLAMAC_WEIGHTS_INSIDE;
  unsigned threads = 1;
  std::function<void(uint64_t)> progress; // bytes packed so far; may be empty
};

/// What was written.
struct WrittenBytes {
  uint64_t executable = 0, weightsFile = 0;
};

/// Writes `output` from `runtime`, the prebuilt executable, and with
/// LLAMAC_WEIGHTS_BESIDE the file with the weights; both or neither. The plan
/// is the last section, so that it holds the hashes of all others in one pass.
llrt::Error emitExecutable(const std::string &runtime,
                           const std::string &output, ExecutableParts &parts,
                           WrittenBytes &written,
                           std::vector<std::string> &warnings);

} // namespace mlir::llama

#endif
