// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// llama-check-fused: what holds after the phase fuse. Changes nothing.
//
// Test: test/fuse/check-fused.mlir
#include "compiler/fuse/Passes.h"
#include "dialects/llama/Llama.h"

namespace mlir::llama {
#define GEN_PASS_DEF_CHECKFUSEDPASS
#include "compiler/fuse/Passes.h.inc"

namespace {
struct CheckFusedPass : impl::CheckFusedPassBase<CheckFusedPass> {
  void runOnOperation() override {
    bool holds = true;
    getOperation()->walk([&](Operation *op) {
      if (isa<RmsNormOp, LinearOp, RopeOp, KvAppendOp, SiluOp, MulOp, AddOp>(
              op)) {
        op->emitOpError("is left after the fusions: none of them took it");
        holds = false;
      }
      if (auto qkv = dyn_cast<FusedQkvOp>(op); qkv && !qkv.getKeyCache()) {
        qkv.emitOpError("does not reach the cache: llama-fuse-rope did not "
                        "find its rope and kv_append");
        holds = false;
      }
    });
    if (!holds)
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
} // namespace mlir::llama
