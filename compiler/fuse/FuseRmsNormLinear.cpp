// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// llama-fuse-rms-norm-linear: a norm enters the one product that uses it.
// ROUNDING CHANGES: gamma * x is rounded, not gamma * x * scale.
//
//   %n = llama.rms_norm %x, %gamma eps 1e-5      %y = llama.fused_linear %x, %w
//   %y = llama.linear %n, %w             ->               gamma %gamma eps 1e-5
//
// likewise into fused_linear, fused_qkv, fused_gate_up and lm_head.
//
// Tests: test/fuse/fuse-rms-norm-linear.mlir,
// test/fuse/fuse-rms-norm-linear-execute.mlir
#include "compiler/fuse/Passes.h"
#include "dialects/llama/Llama.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::llama {
#define GEN_PASS_DEF_FUSERMSNORMLINEARPASS
#include "compiler/fuse/Passes.h.inc"

namespace {
struct RmsNormFusion : OpRewritePattern<RmsNormOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RmsNormOp norm,
                                PatternRewriter &rewriter) const override {
    if (!norm->hasOneUse())
      return rewriter.notifyMatchFailure(norm, "it has not exactly one use");
    OpOperand &use = *norm->use_begin();
    if (use.getOperandNumber() != 0)
      return rewriter.notifyMatchFailure(
          use.getOwner(), "it uses the norm otherwise than as its input");

    return TypeSwitch<Operation *, LogicalResult>(use.getOwner())
        .Case([&](LinearOp linear) {
          rewriter.setInsertionPoint(linear);
          rewriter.replaceOpWithNewOp<FusedLinearOp>(
              linear, linear.getType(), norm.getInput(), linear.getWeight(),
              norm.getGamma(), linear.getBias(), /*residual=*/Value(),
              norm.getEpsAttr());
          rewriter.eraseOp(norm);
          return success();
        })
        .Case<FusedLinearOp, FusedQkvOp, FusedGateUpOp, LmHeadOp>(
            [&](auto user) {
              if (user.getGamma())
                return rewriter.notifyMatchFailure(user,
                                                   "it has a norm already");
              rewriter.modifyOpInPlace(user, [&] {
                user.getInputMutable().assign(norm.getInput());
                user.getGammaMutable().assign(norm.getGamma());
                user.setEpsAttr(norm.getEpsAttr());
              });
              rewriter.eraseOp(norm);
              return success();
            })
        .Default([&](Operation *user) {
          return rewriter.notifyMatchFailure(user, "it is no product");
        });
  }
};

struct FuseRmsNormLinearPass
    : impl::FuseRmsNormLinearPassBase<FuseRmsNormLinearPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RmsNormFusion>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
} // namespace mlir::llama
