// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// llama-to-linalg: weights, and the two ends of a model.
#include "compiler/fuse/IndexNotation.h"
#include "compiler/fuse/LlamaToLinalg.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/PatternMatch.h"

#include <limits>

namespace mlir::llama {
namespace {

MemRefType getMemRefType(Type tensor) {
  auto type = cast<RankedTensorType>(tensor);
  return MemRefType::get(type.getShape(), type.getElementType());
}

struct WeightLowering : OpRewritePattern<WeightOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(WeightOp op,
                                PatternRewriter &rewriter) const override {
    // Without an initial value the global is external.
    rewriter.replaceOpWithNewOp<memref::GlobalOp>(
        op, op.getSymNameAttr(), /*sym_visibility=*/StringAttr(),
        TypeAttr::get(getMemRefType(op.getType())), op.getValueAttr(),
        /*constant=*/rewriter.getUnitAttr(),
        /*alignment=*/IntegerAttr());
    return success();
  }
};

struct GetWeightLowering : OpRewritePattern<GetWeightOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(GetWeightOp op,
                                PatternRewriter &rewriter) const override {
    Value memref = memref::GetGlobalOp::create(
        rewriter, op.getLoc(), getMemRefType(op.getType()), op.getName());
    rewriter.replaceOpWithNewOp<bufferization::ToTensorOp>(
        op, op.getType(), memref, /*restrict=*/true);
    return success();
  }
};

struct EmbedLowering : OpRewritePattern<EmbedOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(EmbedOp op,
                                PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(
        op,
        buildMap(b, op.getType(), [&](ImplicitLocOpBuilder &b, ValueRange i) {
          Value token = buildElement(b, op.getTokens(), {i[0], i[1]});
          Value row = arith::IndexCastOp::create(b, b.getIndexType(), token);
          return buildElementAsF32(b, op.getTable(), {row, i[2]});
        }));
    return success();
  }
};

/// The highest logit first, then the lowest id that has it.
struct SampleLowering : OpRewritePattern<SampleOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SampleOp op,
                                PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto logits = op.getLogits().getType();
    int64_t batch = logits.getDimSize(0), pieces = op.getPieces();
    Type f32 = b.getF32Type(), i32 = b.getI32Type();
    auto rowsType = RankedTensorType::get({batch, pieces}, f32);
    Value last = buildIndex(b, logits.getDimSize(1) - 1);
    Value rows =
        buildMap(b, rowsType, [&](ImplicitLocOpBuilder &b, ValueRange i) {
          return buildElement(b, op.getLogits(), {i[0], last, i[1]});
        });
    AffineExpr sequence = b.getAffineDimExpr(0), id = b.getAffineDimExpr(1);
    Value best = buildReduction(
        b, RankedTensorType::get({batch}, f32), {sequence},
        {{rows, {sequence, id}}}, -std::numeric_limits<double>::infinity(),
        [](ImplicitLocOpBuilder &b, ValueRange elements, Value soFar) -> Value {
          return arith::MaximumFOp::create(b, elements[0], soFar);
        });
    // Ids are exact in f32 up to 2^24.
    Value ids = buildMap(
        b, rowsType, [&](ImplicitLocOpBuilder &b, ValueRange i) -> Value {
          Value isBest = arith::CmpFOp::create(
              b, arith::CmpFPredicate::OEQ, buildElement(b, rows, {i[0], i[1]}),
              buildElement(b, best, {i[0]}));
          Value id = arith::UIToFPOp::create(
              b, b.getF32Type(),
              arith::IndexCastOp::create(b, b.getI32Type(), i[1]));
          return arith::SelectOp::create(b, isBest, id, buildF32(b, pieces));
        });
    Value lowest = buildReduction(
        b, RankedTensorType::get({batch}, f32), {sequence},
        {{ids, {sequence, id}}}, pieces,
        [](ImplicitLocOpBuilder &b, ValueRange elements, Value soFar) -> Value {
          return arith::MinimumFOp::create(b, elements[0], soFar);
        });
    rewriter.replaceOp(
        op, buildMap(b, op.getType(),
                     [&](ImplicitLocOpBuilder &b, ValueRange i) -> Value {
                       return arith::FPToSIOp::create(
                           b, i32, buildElement(b, lowest, {i[0]}));
                     }));
    return success();
  }
};
} // namespace

void populateLlamaToLinalgEndsPatterns(RewritePatternSet &patterns) {
  patterns
      .add<WeightLowering, GetWeightLowering, EmbedLowering, SampleLowering>(
          patterns.getContext());
}
} // namespace mlir::llama
