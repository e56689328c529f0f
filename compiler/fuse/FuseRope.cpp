// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// llama-fuse-rope: rotation and cache write enter the product of query, key and
// value.
//
//   %q, %k, %v = llama.fused_qkv %x, ...         %qr, %kc1, %vc1 =
//   %qr = llama.rope %q at %p            ->          llama.fused_qkv %x, ...
//   %kr = llama.rope %k at %p                            cache %kc, %vc at %p
//   %kc1, %vc1 = llama.kv_append %kc, %vc, %kr, %v at %p
//
// Without the two rotations (ALiBi) the cache write enters alone.
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
    Value key = keyRope ? keyRope.getInput() : append.getKey();
    if (!qkv || key != qkv.getKey() || append.getValue() != qkv.getValue())
      return rewriter.notifyMatchFailure(
          append, "key and value are not those of one llama.fused_qkv");
    if (keyRope && !keyRope->hasOneUse())
      return rewriter.notifyMatchFailure(keyRope, "its result has another use");
    for (OpResult product : qkv->getResults())
      if (!product.hasOneUse())
        return rewriter.notifyMatchFailure(qkv, "a result has another use");
    auto queryRope = dyn_cast<RopeOp>(*qkv.getQuery().user_begin());
    if (bool(queryRope) != bool(keyRope))
      return rewriter.notifyMatchFailure(
          qkv, "one of its query and key is turned and the other is not");
    Value positions = append.getPositions(), lengths;
    if (keyRope) {
      lengths = keyRope.getLengths();
      if (queryRope.getRope() != keyRope.getRope() ||
          queryRope.getHeadDim() != keyRope.getHeadDim() ||
          int64_t(keyRope.getHeadDim()) !=
              append.getKeyCache().getType().getDimSize(3))
        return rewriter.notifyMatchFailure(
            queryRope, "query, key and cache differ in rope or head size");
      if (queryRope.getPositions() != positions ||
          keyRope.getPositions() != positions ||
          queryRope.getLengths() != lengths)
        return rewriter.notifyMatchFailure(
            append, "query, key and cache have different positions or lengths");
    }
    // The turned query may be used before the cache is: the fused op must stand
    // where the product stood.
    DominanceInfo dominance;
    SmallVector<Value> operands = {append.getKeyCache(), append.getValueCache(),
                                   positions};
    if (lengths)
      operands.push_back(lengths);
    for (Value operand : operands)
      if (!dominance.properlyDominates(operand, qkv))
        return rewriter.notifyMatchFailure(
            append, "a cache, the positions or the lengths are defined after "
                    "the product");

    SmallVector<Location> locations = {qkv.getLoc()};
    if (keyRope)
      locations.append({queryRope.getLoc(), keyRope.getLoc()});
    locations.push_back(append.getLoc());
    rewriter.setInsertionPoint(qkv);
    auto fused = FusedQkvOp::create(
        rewriter, rewriter.getFusedLoc(locations),
        TypeRange{qkv.getQuery().getType(), append.getKeyCache().getType(),
                  append.getValueCache().getType()},
        qkv.getInput(), qkv.getQueryWeight(), qkv.getKeyWeight(),
        qkv.getValueWeight(), qkv.getGamma(), qkv.getQueryBias(),
        qkv.getKeyBias(), qkv.getValueBias(), append.getKeyCache(),
        append.getValueCache(), positions, lengths, qkv.getEpsAttr(),
        keyRope ? keyRope.getRopeAttr() : RopeAttr());
    rewriter.replaceOp(append, {fused.getKey(), fused.getValue()});
    if (keyRope) {
      rewriter.replaceOp(queryRope, fused.getQuery());
      rewriter.eraseOp(keyRope);
    } else {
      rewriter.replaceAllUsesWith(qkv.getQuery(), fused.getQuery());
    }
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
