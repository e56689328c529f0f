// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What --info shows of an executable, as JSON text.
//
//   {"llamac": version, "model": {name, sizes}, "sources": [{name, bytes,
//    xxh3}], "gpu": {row, chip, multiprocessors}, "storage", "conversions",
//    "passes", "bytes": {weights, workspace, kv_page, ...}, "kernels": [{name,
//    launches}]}
//
// It names no path, time, user or machine: the same input gives the same bytes.
#ifndef LLAMAC_COMPILER_EMIT_PASSPORT_H
#define LLAMAC_COMPILER_EMIT_PASSPORT_H

#include "compiler/emit/LaunchPlan.h"
#include "compiler/import/Checkpoint.h"

namespace mlir::llama {

struct PassportFacts {
  std::string version, gpu, chip;
  bool hasWeights = true;
  std::vector<std::string> conversions, passes;
};

std::string makePassport(const Checkpoint &checkpoint, const LaunchPlan &plan,
                         const PassportFacts &facts);

} // namespace mlir::llama

#endif
