// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// tile.load_matrices -> nvvm.ldmatrix, tile.product -> nvvm.mma.sync or fma,
// tile.softmax_update -> shuffles, maxima and ex2. Test:
// test/lower/tile-to-nvvm.mlir.
#include "compiler/lower/TileToNVVM.h"

using namespace mlir;
using namespace mlir::tile;

namespace {
struct LoadMatricesLowering : OpConversionPattern<LoadMatricesOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(LoadMatricesOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    KernelBuilder k(op.getLoc(), rewriter);
    int64_t count = cast<VectorType>(op.getType()).getNumElements();
    auto shape = NVVM::LdStMatrixShapeAttr::get(getContext(), 8, 8);
    Type result = LLVM::LLVMStructType::getLiteral(
        getContext(), SmallVector<Type>(count, k.i32()));
    Value loaded = NVVM::LdMatrixOp::create(
        k, result, lower::getSharedAddress(k, adaptor.getOffset()), count,
        op.getTransposed() ? NVVM::MMALayout::col : NVVM::MMALayout::row, shape,
        NVVM::LdStMatrixEltType::B16);
    SmallVector<Value> registers;
    for (int64_t index = 0; index < count; ++index)
      registers.push_back(
          LLVM::ExtractValueOp::create(k, loaded, ArrayRef<int64_t>{index}));
    rewriter.replaceOp(op, k.pack(registers));
    return success();
  }
};

struct ProductLowering : OpConversionPattern<ProductOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(ProductOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    KernelBuilder k(op.getLoc(), rewriter);
    Value result = op.getElement().isF32() ? byFma(k, adaptor)
                                           : byMma(k, adaptor, op.getElement());
    rewriter.replaceOp(op, result);
    return success();
  }

  static SmallVector<Value> elements(KernelBuilder &k, Value vector) {
    SmallVector<Value> values;
    int64_t count = cast<VectorType>(vector.getType()).getNumElements();
    for (int64_t index = 0; index < count; ++index)
      values.push_back(k.element(vector, index));
    return values;
  }

  /// Element 2*i + j of the fragment is row i (of 2), column j (of 2).
  static Value byFma(KernelBuilder &k, OpAdaptor operands) {
    SmallVector<Value> a = elements(k, operands.getA()),
                       b = elements(k, operands.getB()),
                       sum = elements(k, operands.getAccumulator());
    for (int64_t step = 0; step < 4; ++step)
      for (int64_t index = 0; index < 4; ++index)
        sum[index] = k.fma(a[4 * (index / 2) + step], b[4 * (index % 2) + step],
                           sum[index]);
    return k.pack(sum);
  }

  static Value byMma(KernelBuilder &k, OpAdaptor operands, Type element) {
    SmallVector<Value> a = elements(k, operands.getA()),
                       b = elements(k, operands.getB()),
                       c = elements(k, operands.getAccumulator());
    NVVM::MMATypes type = NVVM::MMATypes::bf16;
    if (element.isF16()) {
      type = NVVM::MMATypes::f16;
      for (SmallVector<Value> *registers : {&a, &b})
        for (Value &value : *registers)
          value = k.bits(value, k.vector(2, element));
    }
    Type result = LLVM::LLVMStructType::getLiteral(
        k.getContext(), SmallVector<Type>(4, k.f32()));
    Value product = NVVM::MmaOp::create(
        k, result, a, b, c, ArrayRef<int64_t>{16, 8, 16}, std::nullopt,
        std::nullopt, std::array<NVVM::MMATypes, 2>{type, type},
        std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row,
                                       NVVM::MMALayout::col});
    SmallVector<Value> sum;
    for (int64_t index = 0; index < 4; ++index)
      sum.push_back(
          LLVM::ExtractValueOp::create(k, product, ArrayRef<int64_t>{index}));
    return k.pack(sum);
  }
};

struct SoftmaxUpdateLowering : OpConversionPattern<SoftmaxUpdateOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(SoftmaxUpdateOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    KernelBuilder k(op.getLoc(), rewriter);
    Value lowest = k.constantF32(-std::numeric_limits<float>::infinity());
    SmallVector<SmallVector<Value>> probabilities(adaptor.getScores().size(),
                                                  SmallVector<Value>(4));
    SmallVector<Value> scales, maxima, sums;
    for (int64_t row = 0; row < 2; ++row) {
      Value before = k.element(adaptor.getMaximum(), row);
      Value largest = before;
      for (Value score : adaptor.getScores())
        for (int64_t column = 0; column < 2; ++column)
          largest = k.maxf(largest, k.element(score, 2 * row + column));
      for (int64_t mask : {1, 2})
        largest = k.maxf(largest, k.shuffleXor(largest, mask));
      // Minus infinity less itself is no number; less 0 it stays.
      Value empty = k.compareF(arith::CmpFPredicate::OEQ, largest, lowest);
      Value shift = k.select(empty, k.constantF32(0), largest);
      Value scale =
          k.exp2(k.subf(k.select(empty, k.constantF32(0), before), shift));
      Value sum = k.mulf(k.element(adaptor.getSum(), row), scale);
      for (auto [index, score] : llvm::enumerate(adaptor.getScores()))
        for (int64_t column = 0; column < 2; ++column) {
          Value value =
              k.exp2(k.subf(k.element(score, 2 * row + column), shift));
          probabilities[index][2 * row + column] = value;
          sum = k.addf(sum, value);
        }
      scales.push_back(scale);
      maxima.push_back(largest);
      sums.push_back(sum);
    }
    SmallVector<Value> results;
    for (ArrayRef<Value> fragment : probabilities)
      results.push_back(k.pack(fragment));
    results.push_back(k.pack(scales));
    results.push_back(k.pack(maxima));
    results.push_back(k.pack(sums));
    rewriter.replaceOp(op, results);
    return success();
  }
};
} // namespace

void lower::populateTileProductsToNVVMPatterns(const TypeConverter &types,
                                               RewritePatternSet &patterns) {
  patterns.add<LoadMatricesLowering, ProductLowering, SoftmaxUpdateLowering>(
      types, patterns.getContext());
}
