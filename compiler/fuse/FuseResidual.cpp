// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// llama-fuse-residual: a residual enters the product that is added to it.
//
//   %o = llama.linear %a, %w                     %y = llama.fused_linear %a, %w
//   %y = llama.add %x, %o                ->               residual %x
//
// Tests: test/fuse/fuse-residual.mlir, test/fuse/fuse-residual-execute.mlir
#include "compiler/fuse/Passes.h"
#include "dialects/llama/Llama.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::llama {
#define GEN_PASS_DEF_FUSERESIDUALPASS
#include "compiler/fuse/Passes.h.inc"

namespace {
/// Whether `value` is a product, used once, that has no residual yet.
bool canTakeResidual(Value value) {
  if (!value.hasOneUse())
    return false;
  if (auto fused = value.getDefiningOp<FusedLinearOp>())
    return !fused.getResidual();
  return value.getDefiningOp<LinearOp>() != nullptr;
}

struct ResidualFusion : OpRewritePattern<AddOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AddOp add,
                                PatternRewriter &rewriter) const override {
    Value residual = add.getLhs(), product = add.getRhs();
    if (!canTakeResidual(product)) // the terms commute
      std::swap(residual, product);
    if (!canTakeResidual(product))
      return rewriter.notifyMatchFailure(
          add, "no term is a product that has no other use and no residual");

    Operation *inner = product.getDefiningOp();
    if (auto linear = dyn_cast<LinearOp>(inner)) {
      rewriter.replaceOpWithNewOp<FusedLinearOp>(
          add, add.getType(), linear.getInput(), linear.getWeight(),
          /*gamma=*/Value(), linear.getBias(), residual, /*eps=*/FloatAttr());
    } else {
      auto fused = cast<FusedLinearOp>(inner);
      rewriter.replaceOpWithNewOp<FusedLinearOp>(
          add, add.getType(), fused.getInput(), fused.getWeight(),
          fused.getGamma(), fused.getBias(), residual, fused.getEpsAttr());
    }
    rewriter.eraseOp(inner);
    return success();
  }
};

struct FuseResidualPass : impl::FuseResidualPassBase<FuseResidualPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ResidualFusion>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
} // namespace mlir::llama
