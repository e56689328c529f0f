// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What --info shows of an executable, as JSON text.
//
//   {"llamac": version, "model": {sizes}, "sources": [{name, bytes,
//    xxh3}], "gpu": {row, chip, multiprocessors}, "storage", "conversions",
//    "chat_template": {name, source}, "passes", "bytes": {weights, workspace, kv_page, ...}, "kernels": [{name,
//    launches, registers, spill_bytes, static_shared_bytes}],
//    "runtime_kernels": [the same without launches]}
//
// It names no folder, time, user or machine, and so not the model's folder
// either: the same input gives the same bytes wherever it lies.
#ifndef LLAMAC_COMPILER_EMIT_PASSPORT_H
#define LLAMAC_COMPILER_EMIT_PASSPORT_H

#include "compiler/emit/Assemble.h"
#include "compiler/emit/LaunchPlan.h"
#include "compiler/import/Checkpoint.h"
#include "runtime/GpuTable.h"

namespace mlir::llama {

struct PassportFacts {
  std::string version;
  const llrt::GpuRow *gpu = nullptr;
  int64_t blocks = 0; ///< --blocks; 0: not given
  int64_t pooledFrom = 0; ///< KV heads before --pool-kv-heads; 0: not given
  LlamacWeightsPlace place = LLAMAC_WEIGHTS_INSIDE;
  std::vector<std::string> conversions, passes;
  std::string chatTemplateSource; ///< a file, an option, or "" for no template
  /// As the assembler says; empty without one.
  std::vector<KernelResources> resources, runtimeKernels;
};

std::string makePassport(const Checkpoint &checkpoint, const LaunchPlan &plan,
                         const PassportFacts &facts);

} // namespace mlir::llama

#endif
