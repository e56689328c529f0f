// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// llama-fuse-qkv: three linears of one input become one op over stacked rows.
//
// Before:
//   %q = llama.linear %n, %wq
//   %k = llama.linear %n, %wk
//   %v = llama.linear %n, %wv
// After:
//   %q, %k, %v = llama.fused_qkv %n, %wq, %wk, %wv
// Biases, which all three have or none, are stacked like the rows.
//
// Tests: test/fuse/fuse-qkv.mlir, test/fuse/fuse-qkv-execute.mlir
#include "compiler/fuse/Passes.h"
#include "dialects/llama/Llama.h"

#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::llama {
#define GEN_PASS_DEF_FUSEQKVPASS
#include "compiler/fuse/Passes.h.inc"

namespace {
/// The product behind `key`, which may have been turned since.
LinearOp getKeyProduct(Value key) {
  if (auto rope = key.getDefiningOp<RopeOp>())
    key = rope.getInput();
  return key.getDefiningOp<LinearOp>();
}

/// The root is where key and value meet: it tells which product is which.
struct QkvFusion : OpRewritePattern<KvAppendOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(KvAppendOp append,
                                PatternRewriter &rewriter) const override {
    LinearOp key = getKeyProduct(append.getKey());
    auto value = append.getValue().getDefiningOp<LinearOp>();
    if (!key || !value || key == value)
      return rewriter.notifyMatchFailure(
          append, "key and value are not two llama.linear");
    Value input = value.getInput();
    if (key.getInput() != input)
      return rewriter.notifyMatchFailure(append,
                                         "key and value have different inputs");

    LinearOp query, first = key;
    for (Operation *user : input.getUsers()) {
      auto product = dyn_cast<LinearOp>(user);
      if (!product)
        continue;
      if (product->getBlock() != key->getBlock())
        return rewriter.notifyMatchFailure(
            product, "a product of the input is in another block");
      if (product->isBeforeInBlock(first))
        first = product;
      if (product == key || product == value)
        continue;
      if (query)
        return rewriter.notifyMatchFailure(
            product, "the input has more than three products");
      query = product;
    }
    if (!query)
      return rewriter.notifyMatchFailure(append,
                                         "the input has no third product");

    DominanceInfo dominance;
    for (LinearOp product : {query, key, value}) {
      if (!dominance.properlyDominates(product.getWeight(), first))
        return rewriter.notifyMatchFailure(
            product, "its weight is defined after the first product");
      if (product.getWeight().getType().getElementType() !=
          query.getWeight().getType().getElementType())
        return rewriter.notifyMatchFailure(
            product, "the weights have different element types");
      if (bool(product.getBias()) != bool(query.getBias()))
        return rewriter.notifyMatchFailure(
            product, "some of the three have a bias and some have none");
      if (product.getBias() &&
          !dominance.properlyDominates(product.getBias(), first))
        return rewriter.notifyMatchFailure(
            product, "its bias is defined after the first product");
    }

    rewriter.setInsertionPoint(first);
    auto fused = FusedQkvOp::create(
        rewriter,
        rewriter.getFusedLoc({query.getLoc(), key.getLoc(), value.getLoc()}),
        TypeRange{query.getType(), key.getType(), value.getType()}, input,
        query.getWeight(), key.getWeight(), value.getWeight(),
        /*gamma=*/Value(), query.getBias(), key.getBias(), value.getBias(),
        /*key_cache=*/Value(), /*value_cache=*/Value(), /*positions=*/Value(),
        /*lengths=*/Value(), /*eps=*/FloatAttr(), /*rope=*/RopeAttr());
    rewriter.replaceOp(query, fused.getQuery());
    rewriter.replaceOp(key, fused.getKey());
    rewriter.replaceOp(value, fused.getValue());
    return success();
  }
};

struct FuseQkvPass : impl::FuseQkvPassBase<FuseQkvPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<QkvFusion>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
} // namespace mlir::llama
