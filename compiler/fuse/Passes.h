// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The phase fuse: llama -> fused. Each pass is described in Passes.td.
#ifndef LLAMAC_COMPILER_FUSE_PASSES_H
#define LLAMAC_COMPILER_FUSE_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir {
class ModuleOp;
class OpPassManager;
} // namespace mlir

namespace mlir::llama {

#define GEN_PASS_DECL
#include "compiler/fuse/Passes.h.inc"

/// Adds the five fusions, in the order in which they must run, and the check of
/// what holds afterwards. A layer is then five ops: fused_qkv, attention,
/// fused_linear, fused_gate_up, fused_linear. `poolKvHeads` other than 0: KV
/// heads are first pooled to that many.
void buildFusePipeline(OpPassManager &pm, int64_t poolKvHeads = 0);

/// Makes the passes known to llama-opt, and the whole phase as `--fuse`.
void registerFusePasses();

} // namespace mlir::llama

#endif // LLAMAC_COMPILER_FUSE_PASSES_H
