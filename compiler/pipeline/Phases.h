// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What holds after each phase. The pipeline runs the check of every stage that
// it reaches; a failed one is a fault of llamac, not of the model.
#ifndef LLAMAC_COMPILER_PIPELINE_PHASES_H
#define LLAMAC_COMPILER_PIPELINE_PHASES_H

#include "compiler/pipeline/CompileRequest.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::llama {
class PhaseDump;

/// llama: only llama, func and arith ops; static tensors; @prefill, @decode.
/// fused: the same.
/// tiled: no llama op but the weight symbols; every weight is packed by a
///        stream; kernels and the host functions @prefill, @decode, @head.
/// nvvm:  only llvm and nvvm ops inside a gpu.module.
LogicalResult checkStage(ModuleOp module, Stage stage);

struct PhaseOptions {
  std::string gpu;         // row of the GPU table
  int64_t blocks = 0;      // 0: what the GPU holds at once
  int64_t poolKvHeads = 0; // 0: KV heads stay as they are
};

/// Runs the passes that lead to `stage` from the stage before it, then its
/// check. Llama is where a module starts; from Ptx on there are no passes.
LogicalResult runPhase(ModuleOp module, Stage stage,
                       const PhaseOptions &options, PhaseDump *dump = nullptr);

/// The flags of all passes of `fuse`, `tile` and `lower` in order, for --info.
std::vector<std::string> getPassNames(const PhaseOptions &options);

} // namespace mlir::llama

#endif
