// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// llama-to-linalg: norm, products and what is done element by element. The
// fused ops are computed as their descriptions say, product first and scale
// after, and not by taking them apart into what they were made of.
#include "compiler/fuse/IndexNotation.h"
#include "compiler/fuse/LlamaToLinalg.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::llama {
namespace {

using Tensor = RankedTensorType;

/// rsqrt(mean(input^2) + eps) of each row: [batch, tokens].
Value buildRowScale(ImplicitLocOpBuilder &b, Value input, FloatAttr eps) {
  auto type = cast<Tensor>(input.getType());
  auto rowsType = Tensor::get(type.getShape().drop_back(), b.getF32Type());
  AffineExpr seq, tok, feature;
  bindDims(b.getContext(), seq, tok, feature);
  Value squares = buildReduction(
      b, rowsType, {seq, tok}, {{input, {seq, tok, feature}}}, 0.0,
      [](ImplicitLocOpBuilder &b, ValueRange elements, Value soFar) -> Value {
        Value square = arith::MulFOp::create(b, elements[0], elements[0]);
        return arith::AddFOp::create(b, soFar, square);
      });
  return buildMap(
      b, rowsType, [&](ImplicitLocOpBuilder &b, ValueRange i) -> Value {
        Value mean = arith::DivFOp::create(b, buildElement(b, squares, i),
                                           buildF32(b, type.getDimSize(2)));
        Value shifted =
            arith::AddFOp::create(b, mean, buildF32(b, eps.getValueAsDouble()));
        return math::RsqrtOp::create(b, shifted);
      });
}

/// sum over i of round(input[b, t, i]) * weight[o, i].
Value buildProduct(ImplicitLocOpBuilder &b, Value input, Value weight) {
  auto type = cast<Tensor>(input.getType());
  auto matrix = cast<Tensor>(weight.getType());
  Value rounded = buildMap(b, type, [&](ImplicitLocOpBuilder &b, ValueRange i) {
    return buildRounded(b, buildElement(b, input, i), matrix.getElementType());
  });
  AffineExpr seq, tok, out, in;
  bindDims(b.getContext(), seq, tok, out, in);
  auto resultType = Tensor::get(
      {type.getDimSize(0), type.getDimSize(1), matrix.getDimSize(0)},
      b.getF32Type());
  return buildReduction(
      b, resultType, {seq, tok, out},
      {{rounded, {seq, tok, in}}, {weight, {out, in}}}, 0.0,
      [](ImplicitLocOpBuilder &b, ValueRange elements, Value soFar) -> Value {
        Value product =
            arith::MulFOp::create(b, elements[0], buildAsF32(b, elements[1]));
        return arith::AddFOp::create(b, soFar, product);
      });
}

/// The exponent bits e of each row's largest |input|, so that 2^(127-e) brings
/// it into [1, 2); kept where both that power and its inverse are normal.
Value buildRowExponent(ImplicitLocOpBuilder &b, Value input) {
  auto type = cast<Tensor>(input.getType());
  AffineExpr seq, tok, feature;
  bindDims(b.getContext(), seq, tok, feature);
  Value largest = buildReduction(
      b, Tensor::get(type.getShape().drop_back(), b.getF32Type()), {seq, tok},
      {{input, {seq, tok, feature}}}, 0.0,
      [](ImplicitLocOpBuilder &b, ValueRange elements, Value soFar) -> Value {
        return arith::MaximumFOp::create(
            b, math::AbsFOp::create(b, elements[0]), soFar);
      });
  auto bitsType = Tensor::get(type.getShape().drop_back(), b.getI32Type());
  return buildMap(
      b, bitsType, [&](ImplicitLocOpBuilder &b, ValueRange i) -> Value {
        auto constant = [&](int32_t value) -> Value {
          return arith::ConstantOp::create(b, b.getI32IntegerAttr(value));
        };
        Value bits = arith::BitcastOp::create(b, b.getI32Type(),
                                              buildElement(b, largest, i));
        Value exponent = arith::ShRUIOp::create(b, bits, constant(23));
        Value atLeast = arith::MaxUIOp::create(b, exponent, constant(1));
        return arith::MinUIOp::create(b, atLeast, constant(253));
      });
}

/// 2^(e - 127) where `inverse` is not set, else 2^(127 - e).
Value buildPowerOfTwo(ImplicitLocOpBuilder &b, Value exponent, bool inverse) {
  auto constant = [&](int32_t value) -> Value {
    return arith::ConstantOp::create(b, b.getI32IntegerAttr(value));
  };
  if (inverse)
    exponent = arith::SubIOp::create(b, constant(254), exponent);
  Value bits = arith::ShLIOp::create(b, exponent, constant(23));
  return arith::BitcastOp::create(b, b.getF32Type(), bits);
}

/// The input of a fused product: as it is, or gamma * x and what is owed to
/// every row of the product for it.
struct ProductInput {
  Value operand;  // [batch, tokens, features]
  Value rowScale; // [batch, tokens]; null without a norm

  ProductInput(ImplicitLocOpBuilder &b, Value input, Value gamma, FloatAttr eps,
               Type storage)
      : operand(input) {
    if (!gamma)
      return;
    auto type = cast<Tensor>(input.getType());
    rowScale = buildRowScale(b, input, eps);
    operand =
        buildMap(b, type, [&](ImplicitLocOpBuilder &b, ValueRange i) -> Value {
          return arith::MulFOp::create(b, buildElementAsF32(b, gamma, {i[2]}),
                                       buildElement(b, input, i));
        });
    if (!storage.isF16())
      return;
    Value exponent = buildRowExponent(b, operand), unscaled = operand,
          scale = rowScale;
    operand =
        buildMap(b, type, [&](ImplicitLocOpBuilder &b, ValueRange i) -> Value {
          Value power =
              buildPowerOfTwo(b, buildElement(b, exponent, i.drop_back()),
                              /*inverse=*/true);
          return arith::MulFOp::create(b, buildElement(b, unscaled, i), power);
        });
    rowScale = buildMap(
        b, cast<Tensor>(scale.getType()),
        [&](ImplicitLocOpBuilder &b, ValueRange i) -> Value {
          Value power = buildPowerOfTwo(b, buildElement(b, exponent, i),
                                        /*inverse=*/false);
          return arith::MulFOp::create(b, buildElement(b, scale, i), power);
        });
  }

  /// The product with `weight`, scaled.
  Value times(ImplicitLocOpBuilder &b, Value weight) const {
    Value product = buildProduct(b, operand, weight);
    if (!rowScale)
      return product;
    return buildMap(b, cast<Tensor>(product.getType()),
                    [&](ImplicitLocOpBuilder &b, ValueRange i) -> Value {
                      return arith::MulFOp::create(
                          b, buildElement(b, product, i),
                          buildElement(b, rowScale, i.drop_back()));
                    });
  }
};

/// product[b, t, o] + bias[o], in f32; the product itself without a bias.
Value buildBiased(ImplicitLocOpBuilder &b, Value product, Value bias) {
  if (!bias)
    return product;
  return buildMap(b, cast<Tensor>(product.getType()),
                  [&](ImplicitLocOpBuilder &b, ValueRange i) -> Value {
                    return arith::AddFOp::create(
                        b, buildElement(b, product, i),
                        buildElementAsF32(b, bias, {i[2]}));
                  });
}

Value buildSilu(ImplicitLocOpBuilder &b, Value x) {
  Value power = math::ExpOp::create(b, arith::NegFOp::create(b, x));
  return arith::DivFOp::create(
      b, x, arith::AddFOp::create(b, buildF32(b, 1.0), power));
}

//===----------------------------------------------------------------------===//
// As the paper writes it
//===----------------------------------------------------------------------===//

struct RmsNormLowering : OpRewritePattern<RmsNormOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(RmsNormOp op,
                                PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value scale = buildRowScale(b, op.getInput(), op.getEpsAttr());
    rewriter.replaceOp(
        op, buildMap(b, op.getType(),
                     [&](ImplicitLocOpBuilder &b, ValueRange i) -> Value {
                       Value product = arith::MulFOp::create(
                           b, buildElementAsF32(b, op.getGamma(), {i[2]}),
                           buildElement(b, op.getInput(), i));
                       return arith::MulFOp::create(
                           b, product, buildElement(b, scale, i.drop_back()));
                     }));
    return success();
  }
};

struct LinearLowering : OpRewritePattern<LinearOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LinearOp op,
                                PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value product = buildProduct(b, op.getInput(), op.getWeight());
    rewriter.replaceOp(op, buildBiased(b, product, op.getBias()));
    return success();
  }
};

struct SiluLowering : OpRewritePattern<SiluOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SiluOp op,
                                PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(
        op,
        buildMap(b, op.getType(), [&](ImplicitLocOpBuilder &b, ValueRange i) {
          return buildSilu(b, buildElement(b, op.getInput(), i));
        }));
    return success();
  }
};

/// mul and add.
template <typename Op, typename ScalarOp>
struct BinaryLowering : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op,
                                PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(
        op, buildMap(b, op.getType(),
                     [&](ImplicitLocOpBuilder &b, ValueRange i) -> Value {
                       return ScalarOp::create(b,
                                               buildElement(b, op.getLhs(), i),
                                               buildElement(b, op.getRhs(), i));
                     }));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Fused
//===----------------------------------------------------------------------===//

struct LmHeadLowering : OpRewritePattern<LmHeadOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LmHeadOp op,
                                PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    ProductInput input(b, op.getInput(), op.getGamma(), op.getEpsAttr(),
                       op.getWeight().getType().getElementType());
    rewriter.replaceOp(op, input.times(b, op.getWeight()));
    return success();
  }
};

struct FusedLinearLowering : OpRewritePattern<FusedLinearOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(FusedLinearOp op,
                                PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    ProductInput input(b, op.getInput(), op.getGamma(), op.getEpsAttr(),
                       op.getWeight().getType().getElementType());
    Value result = buildBiased(b, input.times(b, op.getWeight()), op.getBias());
    if (Value residual = op.getResidual()) {
      Value product = result;
      result = buildMap(
          b, op.getType(), [&](ImplicitLocOpBuilder &b, ValueRange i) -> Value {
            return arith::AddFOp::create(b, buildElement(b, residual, i),
                                         buildElement(b, product, i));
          });
    }
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct FusedGateUpLowering : OpRewritePattern<FusedGateUpOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(FusedGateUpOp op,
                                PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    ProductInput input(b, op.getInput(), op.getGamma(), op.getEpsAttr(),
                       op.getGateWeight().getType().getElementType());
    Value gate =
        buildBiased(b, input.times(b, op.getGateWeight()), op.getGateBias());
    Value up = buildBiased(b, input.times(b, op.getUpWeight()), op.getUpBias());
    rewriter.replaceOp(
        op, buildMap(b, op.getType(),
                     [&](ImplicitLocOpBuilder &b, ValueRange i) -> Value {
                       return arith::MulFOp::create(
                           b, buildSilu(b, buildElement(b, gate, i)),
                           buildElement(b, up, i));
                     }));
    return success();
  }
};

struct FusedQkvLowering : OpRewritePattern<FusedQkvOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(FusedQkvOp op,
                                PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    ProductInput input(b, op.getInput(), op.getGamma(), op.getEpsAttr(),
                       op.getQueryWeight().getType().getElementType());
    Value query =
        buildBiased(b, input.times(b, op.getQueryWeight()), op.getQueryBias());
    Value key =
        buildBiased(b, input.times(b, op.getKeyWeight()), op.getKeyBias());
    Value value =
        buildBiased(b, input.times(b, op.getValueWeight()), op.getValueBias());
    if (op.getKeyCache()) {
      Value positions = op.getPositions();
      int64_t headDim = op.getKeyCache().getType().getDimSize(3);
      if (RopeAttr rope = op.getRopeAttr())
        for (Value *turned : {&query, &key})
          *turned =
              buildRope(b, *turned, positions, op.getLengths(), headDim, rope);
      key = buildAppend(b, op.getKeyCache(), key, positions);
      value = buildAppend(b, op.getValueCache(), value, positions);
    }
    rewriter.replaceOp(op, {query, key, value});
    return success();
  }
};
} // namespace

void populateLlamaToLinalgProductPatterns(RewritePatternSet &patterns) {
  patterns.add<RmsNormLowering, LinearLowering, SiluLowering,
               BinaryLowering<MulOp, arith::MulFOp>,
               BinaryLowering<AddOp, arith::AddFOp>, LmHeadLowering,
               FusedLinearLowering, FusedGateUpLowering, FusedQkvLowering>(
      patterns.getContext());
}
} // namespace mlir::llama
