// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// llama-fuse-rope: rotation and cache write enter the product of query, key and
// value.
//
//   %q, %k, %v = llama.fused_qkv %x, ...         %qr, %kc1, %vc1 =
//   %qr = llama.rope %q at %p            ->          llama.fused_qkv %x, ...
//   %kr = llama.rope %k at %p                            cache %kc, %vc at %p
//   %kc1, %vc1 = llama.kv_append %kc, %vc, %kr, %v at %p
//
// Tests: test/fuse/fuse-rope.mlir, test/fuse/fuse-rope-execute.mlir
#include "compiler/fuse/Passes.h"
#include "dialects/llama/Llama.h"

#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::llama {
#define GEN_PASS_DEF_FUSEROPEPASS
#include "compiler/fuse/Passes.h.inc"

namespace {
struct RopeFusion : OpRewritePattern<KvAppendOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(KvAppendOp append,
                                PatternRewriter &rewriter) const override {
    auto keyRope = append.getKey().getDefiningOp<RopeOp>();
    auto qkv = append.getValue().getDefiningOp<FusedQkvOp>();
    if (!keyRope || !qkv || keyRope.getInput() != qkv.getKey() ||
        append.getValue() != qkv.getValue())
      return rewriter.notifyMatchFailure(
          append, "key and value are not those of one llama.fused_qkv");
    if (!keyRope->hasOneUse())
      return rewriter.notifyMatchFailure(keyRope, "its result has another use");
    for (OpResult product : qkv->getResults())
      if (!product.hasOneUse())
        return rewriter.notifyMatchFailure(qkv, "a result has another use");
    auto queryRope = dyn_cast<RopeOp>(*qkv.getQuery().user_begin());
    if (!queryRope)
      return rewriter.notifyMatchFailure(qkv, "its query is not turned");
    if (queryRope.getRope() != keyRope.getRope() ||
        queryRope.getHeadDim() != keyRope.getHeadDim() ||
        int64_t(keyRope.getHeadDim()) !=
            append.getKeyCache().getType().getDimSize(3))
      return rewriter.notifyMatchFailure(
          queryRope, "query, key and cache differ in rope or head size");
    Value positions = append.getPositions();
    if (queryRope.getPositions() != positions ||
        keyRope.getPositions() != positions)
      return rewriter.notifyMatchFailure(
          append, "query, key and cache have different positions");
    // The turned query may be used before the cache is: the fused op must stand
    // where the product stood.
    DominanceInfo dominance;
    Value operands[] = {append.getKeyCache(), append.getValueCache(),
                        positions};
    for (Value operand : operands)
      if (!dominance.properlyDominates(operand, qkv))
        return rewriter.notifyMatchFailure(
            append, "a cache or the positions are defined after the product");

    rewriter.setInsertionPoint(qkv);
    auto fused = FusedQkvOp::create(
        rewriter,
        rewriter.getFusedLoc({qkv.getLoc(), queryRope.getLoc(),
                              keyRope.getLoc(), append.getLoc()}),
        TypeRange{qkv.getQuery().getType(), append.getKeyCache().getType(),
                  append.getValueCache().getType()},
        qkv.getInput(), qkv.getQueryWeight(), qkv.getKeyWeight(),
        qkv.getValueWeight(), qkv.getGamma(), qkv.getQueryBias(),
        qkv.getKeyBias(), qkv.getValueBias(), append.getKeyCache(),
        append.getValueCache(), positions, qkv.getEpsAttr(),
        keyRope.getRopeAttr());
    rewriter.replaceOp(append, {fused.getKey(), fused.getValue()});
    rewriter.replaceOp(queryRope, fused.getQuery());
    rewriter.eraseOp(keyRope);
    rewriter.eraseOp(qkv);
    return success();
  }
};

struct FuseRopePass : impl::FuseRopePassBase<FuseRopePass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RopeFusion>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
} // namespace mlir::llama
