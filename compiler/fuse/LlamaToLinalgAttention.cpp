// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// llama-to-linalg: rotation, cache and attention.
#include "compiler/fuse/IndexNotation.h"
#include "compiler/fuse/LlamaToLinalg.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

#include <cmath>
#include <limits>

namespace mlir::llama {
namespace {

/// The position of token `token` of sequence `sequence`, as an index.
Value buildPosition(ImplicitLocOpBuilder &b, Value positions, Value sequence,
                    Value token) {
  Value first = arith::IndexCastOp::create(
      b, b.getIndexType(), buildElement(b, positions, {sequence}));
  return arith::AddIOp::create(b, first, token);
}

struct RopeLowering : OpRewritePattern<RopeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(RopeOp op,
                                PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op, buildRope(b, op.getInput(), op.getPositions(),
                                     op.getLengths(), op.getHeadDim(),
                                     op.getRope()));
    return success();
  }
};

struct KvAppendLowering : OpRewritePattern<KvAppendOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(KvAppendOp op,
                                PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(
        op,
        {buildAppend(b, op.getKeyCache(), op.getKey(), op.getPositions()),
         buildAppend(b, op.getValueCache(), op.getValue(), op.getPositions())});
    return success();
  }
};

/// [kv_heads, group]: the slope of each query head; null without `alibi`.
Value buildSlopes(ImplicitLocOpBuilder &b, AlibiAttr alibi, int64_t kvHeads,
                  int64_t group) {
  if (!alibi)
    return {};
  SmallVector<float> slopes;
  for (int64_t head = 0; head < kvHeads * group; ++head)
    slopes.push_back(float(alibi.getSlope(head, kvHeads * group)));
  return arith::ConstantOp::create(
      b, DenseElementsAttr::get(
             RankedTensorType::get({kvHeads, group}, b.getF32Type()),
             ArrayRef(slopes)));
}

/// The frequency of pair `pair` (index) in a sequence of `lengths[sequence]`
/// tokens: `plain` times s^(-2 pair / (D - 2)), where s = factor * length /
/// original - (factor - 1), or 1 for a length up to original.
Value buildDynamic(ImplicitLocOpBuilder &b, Value plain, Value pair,
                   Value lengths, Value sequence, int64_t headDim,
                   RopeScalingAttr scaling) {
  Type f64 = b.getF64Type();
  auto constant = [&](double value) -> Value {
    return arith::ConstantOp::create(b, b.getF64FloatAttr(value));
  };
  double factor = scaling.getFactor().getValueAsDouble();
  Value length =
      arith::SIToFPOp::create(b, f64, buildElement(b, lengths, {sequence}));
  Value stretch = arith::AddFOp::create(
      b,
      arith::MulFOp::create(b, length,
                            constant(factor / double(scaling.getOriginal()))),
      constant(1 - factor));
  stretch = arith::MaximumFOp::create(b, stretch, constant(1));
  Value power = arith::MulFOp::create(
      b,
      arith::SIToFPOp::create(
          b, f64, arith::IndexCastOp::create(b, b.getI64Type(), pair)),
      constant(-2.0 / double(headDim - 2)));
  return arith::MulFOp::create(b, plain,
                               math::PowFOp::create(b, stretch, power));
}

/// With b, t, k, g, s, d for sequence, token, KV head, query head of that KV
/// head, row of the cache and feature of a head:
///
///   q[b,t,k,g,d]      = round(query[b, t, (k*G + g)*D + d])
///   score[b,t,k,g,s]  = sum d: q[b,t,k,g,d] * key[b,s,k,d]
///   masked[b,t,k,g,s] = s <= positions[b] + t ? score / sqrt(D) : -inf
///     with a window: only where s > positions[b] + t - window as well
///     with alibi: score / sqrt(D) + slope[k,g] * (s - positions[b] - t)
///   top[b,t,k,g]      = max s: masked
///   p[b,t,k,g,s]      = exp(masked - top)
///   total[b,t,k,g]    = sum s: p
///   sum[b,t,k,g,d]    = sum s: round(p) * value[b,s,k,d]
///   result            = sum / total, with k, g, d as one dimension
struct AttentionLowering : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Type f32 = b.getF32Type();
    RankedTensorType cache = op.getKeyCache().getType();
    Type storage = cache.getElementType();
    int64_t batch = op.getType().getDimSize(0),
            tokens = op.getType().getDimSize(1);
    int64_t rows = cache.getDimSize(1), kvHeads = op.getKvHeads();
    int64_t group = op.getHeads() / kvHeads, headDim = op.getHeadDim();
    auto headsType =
        RankedTensorType::get({batch, tokens, kvHeads, group}, f32);
    auto featuresType =
        RankedTensorType::get({batch, tokens, kvHeads, group, headDim}, f32);
    auto scoresType =
        RankedTensorType::get({batch, tokens, kvHeads, group, rows}, f32);
    const SmallVector<ReassociationIndices> joined = {{0}, {1}, {2, 3, 4}};
    AffineExpr seq, tok, kv, head, row, dim;
    bindDims(b.getContext(), seq, tok, kv, head, row, dim);

    Value heads =
        tensor::ExpandShapeOp::create(b, featuresType, op.getQuery(), joined);
    Value query =
        buildMap(b, featuresType, [&](ImplicitLocOpBuilder &b, ValueRange i) {
          return buildRounded(b, buildElement(b, heads, i), storage);
        });
    auto addProduct = [](ImplicitLocOpBuilder &b, ValueRange elements,
                         Value soFar) -> Value {
      Value product =
          arith::MulFOp::create(b, elements[0], buildAsF32(b, elements[1]));
      return arith::AddFOp::create(b, soFar, product);
    };
    Value score = buildReduction(b, scoresType, {seq, tok, kv, head, row},
                                 {{query, {seq, tok, kv, head, dim}},
                                  {op.getKeyCache(), {seq, row, kv, dim}}},
                                 0.0, addProduct);
    Value slopes = buildSlopes(b, op.getAlibiAttr(), kvHeads, group);
    Value masked = buildMap(
        b, scoresType, [&](ImplicitLocOpBuilder &b, ValueRange i) -> Value {
          Value position = buildPosition(b, op.getPositions(), i[0], i[1]);
          Value seen = arith::CmpIOp::create(b, arith::CmpIPredicate::sle, i[4],
                                             position);
          if (op.getWindow()) {
            Value end =
                arith::AddIOp::create(b, i[4], buildIndex(b, *op.getWindow()));
            seen = arith::AndIOp::create(
                b, seen,
                arith::CmpIOp::create(b, arith::CmpIPredicate::slt, position,
                                      end));
          }
          Value scaled = arith::MulFOp::create(
              b, buildElement(b, score, i),
              buildF32(b, 1.0 / std::sqrt(double(headDim))));
          if (slopes) {
            Value distance = arith::SIToFPOp::create(
                b, b.getF32Type(),
                arith::IndexCastOp::create(
                    b, b.getI64Type(),
                    arith::SubIOp::create(b, i[4], position)));
            Value slope = buildElement(b, slopes, {i[2], i[3]});
            scaled = arith::AddFOp::create(
                b, scaled, arith::MulFOp::create(b, slope, distance));
          }
          return arith::SelectOp::create(
              b, seen, scaled,
              buildF32(b, -std::numeric_limits<double>::infinity()));
        });
    Value top = buildReduction(
        b, headsType, {seq, tok, kv, head},
        {{masked, {seq, tok, kv, head, row}}},
        -std::numeric_limits<double>::infinity(),
        [](ImplicitLocOpBuilder &b, ValueRange elements, Value soFar) -> Value {
          return arith::MaximumFOp::create(b, elements[0], soFar);
        });
    Value p = buildMap(
        b, scoresType, [&](ImplicitLocOpBuilder &b, ValueRange i) -> Value {
          return math::ExpOp::create(
              b, arith::SubFOp::create(b, buildElement(b, masked, i),
                                       buildElement(b, top, i.drop_back())));
        });
    Value total = buildReduction(
        b, headsType, {seq, tok, kv, head}, {{p, {seq, tok, kv, head, row}}},
        0.0,
        [](ImplicitLocOpBuilder &b, ValueRange elements, Value soFar) -> Value {
          return arith::AddFOp::create(b, soFar, elements[0]);
        });
    Value rounded =
        buildMap(b, scoresType, [&](ImplicitLocOpBuilder &b, ValueRange i) {
          return buildRounded(b, buildElement(b, p, i), storage);
        });
    Value sum = buildReduction(b, featuresType, {seq, tok, kv, head, dim},
                               {{rounded, {seq, tok, kv, head, row}},
                                {op.getValueCache(), {seq, row, kv, dim}}},
                               0.0, addProduct);
    Value mean = buildMap(
        b, featuresType, [&](ImplicitLocOpBuilder &b, ValueRange i) -> Value {
          return arith::DivFOp::create(b, buildElement(b, sum, i),
                                       buildElement(b, total, i.drop_back()));
        });
    rewriter.replaceOpWithNewOp<tensor::CollapseShapeOp>(op, op.getType(), mean,
                                                         joined);
    return success();
  }
};
} // namespace

Value buildRope(ImplicitLocOpBuilder &b, Value input, Value positions,
                Value lengths, int64_t headDim, RopeAttr rope) {
  int64_t half = headDim / 2;
  SmallVector<double> frequencies;
  for (int64_t pair = 0; pair < half; ++pair)
    frequencies.push_back(rope.getInverseFrequency(pair, headDim));
  Value table = arith::ConstantOp::create(
      b, DenseElementsAttr::get(RankedTensorType::get({half}, b.getF64Type()),
                                ArrayRef(frequencies)));
  return buildMap(
      b, cast<RankedTensorType>(input.getType()),
      [&](ImplicitLocOpBuilder &b, ValueRange i) -> Value {
        Value inHead = arith::RemUIOp::create(b, i[2], buildIndex(b, headDim));
        Value pair = arith::RemUIOp::create(b, inHead, buildIndex(b, half));
        // The angle in float64: positions reach 1e5 and more.
        Value position = arith::SIToFPOp::create(
            b, b.getF64Type(),
            arith::IndexCastOp::create(
                b, b.getI64Type(), buildPosition(b, positions, i[0], i[1])));
        Value frequency = buildElement(b, table, {pair});
        if (lengths)
          frequency = buildDynamic(b, frequency, pair, lengths, i[0], headDim,
                                   rope.getScaling());
        Value angle = arith::MulFOp::create(b, position, frequency);
        auto narrow = [&](Value value) -> Value {
          if (double factor = rope.getAttentionFactor(); factor != 1)
            value = arith::MulFOp::create(
                b, value,
                arith::ConstantOp::create(b, b.getF64FloatAttr(factor)));
          return arith::TruncFOp::create(b, b.getF32Type(), value);
        };
        Value cosine = narrow(math::CosOp::create(b, angle));
        Value sine = narrow(math::SinOp::create(b, angle));
        // x[j] cos - x[j + D/2] sin and x[j + D/2] cos + x[j] sin.
        Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::ult,
                                              inHead, buildIndex(b, half));
        Value offset = buildIndex(b, half);
        // Both are computed; the one not chosen wraps and is never read.
        Value partner = arith::SelectOp::create(
            b, isFirst, arith::AddIOp::create(b, i[2], offset),
            arith::SubIOp::create(b, i[2], offset));
        Value signedSine = arith::SelectOp::create(
            b, isFirst, arith::NegFOp::create(b, sine), sine);
        Value own = arith::MulFOp::create(b, buildElement(b, input, i), cosine);
        Value other = arith::MulFOp::create(
            b, buildElement(b, input, {i[0], i[1], partner}), signedSine);
        return arith::AddFOp::create(b, own, other);
      });
}

Value buildAppend(ImplicitLocOpBuilder &b, Value cache, Value rows,
                  Value positions) {
  auto type = cast<RankedTensorType>(cache.getType());
  int64_t tokens = cast<RankedTensorType>(rows.getType()).getDimSize(1);
  return buildMap(b, type, [&](ImplicitLocOpBuilder &b, ValueRange i) -> Value {
    // Below the first position this wraps to a large number: outside as well.
    Value token = arith::SubIOp::create(
        b, i[1], buildPosition(b, positions, i[0], buildIndex(b, 0)));
    Value isNew = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, token,
                                        buildIndex(b, tokens));
    Value readable =
        arith::MinUIOp::create(b, token, buildIndex(b, tokens - 1));
    Value feature = arith::AddIOp::create(
        b, arith::MulIOp::create(b, i[2], buildIndex(b, type.getDimSize(3))),
        i[3]);
    Value entry = buildElement(b, rows, {i[0], readable, feature});
    if (!type.getElementType().isF32())
      entry = arith::TruncFOp::create(b, type.getElementType(), entry);
    return arith::SelectOp::create(b, isNew, entry, buildElement(b, cache, i));
  });
}

void populateLlamaToLinalgAttentionPatterns(RewritePatternSet &patterns) {
  patterns.add<RopeLowering, KvAppendLowering, AttentionLowering>(
      patterns.getContext());
}
} // namespace mlir::llama
