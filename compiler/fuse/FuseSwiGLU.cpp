// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// llama-fuse-swiglu: gate, up, silu and mul become one op.
//
// Before:
//   %g = llama.linear %n, %wg
//   %u = llama.linear %n, %wu
//   %s = llama.silu %g
//   %m = llama.mul %s, %u
// After:
//   %m = llama.fused_gate_up %n, %wg, %wu
//
// Tests: test/fuse/fuse-swiglu.mlir, test/fuse/fuse-swiglu-execute.mlir
#include "compiler/fuse/Passes.h"
#include "dialects/llama/Llama.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::llama {
#define GEN_PASS_DEF_FUSESWIGLUPASS
#include "compiler/fuse/Passes.h.inc"

namespace {
struct SwiGLUFusion : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MulOp mul,
                                PatternRewriter &rewriter) const override {
    auto silu = mul.getLhs().getDefiningOp<SiluOp>();
    auto up = mul.getRhs().getDefiningOp<LinearOp>();
    if (!silu || !up) { // the factors commute
      silu = mul.getRhs().getDefiningOp<SiluOp>();
      up = mul.getLhs().getDefiningOp<LinearOp>();
    }
    if (!silu || !up)
      return rewriter.notifyMatchFailure(
          mul, "the factors are not a llama.silu and a llama.linear");
    auto gate = silu.getInput().getDefiningOp<LinearOp>();
    if (!gate)
      return rewriter.notifyMatchFailure(silu,
                                         "its input is not a llama.linear");
    if (gate.getInput() != up.getInput())
      return rewriter.notifyMatchFailure(mul,
                                         "gate and up have different inputs");
    if (gate.getWeight().getType() != up.getWeight().getType())
      return rewriter.notifyMatchFailure(
          mul, "the weights of gate and up have different types");
    if (bool(gate.getBias()) != bool(up.getBias()))
      return rewriter.notifyMatchFailure(mul,
                                         "one of gate and up has a bias alone");
    for (Operation *inner :
         {gate.getOperation(), up.getOperation(), silu.getOperation()})
      if (!inner->hasOneUse())
        return rewriter.notifyMatchFailure(inner, "its result has another use");

    rewriter.replaceOpWithNewOp<FusedGateUpOp>(
        mul, mul.getType(), gate.getInput(), gate.getWeight(), up.getWeight(),
        /*gamma=*/Value(), gate.getBias(), up.getBias(), /*eps=*/FloatAttr());
    for (Operation *inner :
         {silu.getOperation(), gate.getOperation(), up.getOperation()})
      rewriter.eraseOp(inner);
    return success();
  }
};

struct FuseSwiGLUPass : impl::FuseSwiGLUPassBase<FuseSwiGLUPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<SwiGLUFusion>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
} // namespace mlir::llama
