// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Builds the linalg.generic behind a formula over indices.
#include "compiler/fuse/IndexNotation.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::llama {

Value buildMap(
    ImplicitLocOpBuilder &b, RankedTensorType type,
    function_ref<Value(ImplicitLocOpBuilder &, ValueRange)> element) {
  int64_t rank = type.getRank();
  Value empty =
      tensor::EmptyOp::create(b, type.getShape(), type.getElementType());
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      b, type, ValueRange(), empty, b.getMultiDimIdentityMap(rank), loops,
      [&](OpBuilder &builder, Location loc, ValueRange) {
        ImplicitLocOpBuilder body(loc, builder);
        SmallVector<Value> indices;
        for (int64_t dim = 0; dim < rank; ++dim)
          indices.push_back(linalg::IndexOp::create(body, dim));
        linalg::YieldOp::create(body, element(body, indices));
      });
  return generic.getResult(0);
}

Value buildReduction(
    ImplicitLocOpBuilder &b, RankedTensorType type,
    ArrayRef<AffineExpr> indices, ArrayRef<Indexed> operands, double init,
    function_ref<Value(ImplicitLocOpBuilder &, ValueRange, Value)> step) {
  SmallVector<Value> tensors;
  SmallVector<SmallVector<AffineExpr, 4>> indexLists;
  for (const Indexed &operand : operands) {
    tensors.push_back(operand.tensor);
    indexLists.push_back(operand.indices);
  }
  indexLists.emplace_back(indices);
  SmallVector<AffineMap> maps =
      AffineMap::inferFromExprList(indexLists, b.getContext());
  SmallVector<utils::IteratorType> loops(maps.front().getNumDims(),
                                         utils::IteratorType::reduction);
  for (AffineExpr index : indices)
    loops[cast<AffineDimExpr>(index).getPosition()] =
        utils::IteratorType::parallel;

  Value start =
      arith::ConstantOp::create(b, b.getFloatAttr(type.getElementType(), init));
  Value empty =
      tensor::EmptyOp::create(b, type.getShape(), type.getElementType());
  Value filled = linalg::FillOp::create(b, start, empty).getResult(0);
  auto generic = linalg::GenericOp::create(
      b, type, tensors, filled, maps, loops,
      [&](OpBuilder &builder, Location loc, ValueRange elements) {
        ImplicitLocOpBuilder body(loc, builder);
        linalg::YieldOp::create(
            body, step(body, elements.drop_back(), elements.back()));
      });
  return generic.getResult(0);
}

Value buildElement(ImplicitLocOpBuilder &b, Value tensor, ValueRange indices) {
  return tensor::ExtractOp::create(b, tensor, indices);
}

Value buildElementAsF32(ImplicitLocOpBuilder &b, Value tensor,
                        ValueRange indices) {
  return buildAsF32(b, buildElement(b, tensor, indices));
}

Value buildAsF32(ImplicitLocOpBuilder &b, Value scalar) {
  if (scalar.getType().isF32())
    return scalar;
  return arith::ExtFOp::create(b, b.getF32Type(), scalar);
}

Value buildRounded(ImplicitLocOpBuilder &b, Value scalar, Type type) {
  if (type.isF32())
    return scalar;
  return buildAsF32(b, arith::TruncFOp::create(b, type, scalar));
}

Value buildF32(ImplicitLocOpBuilder &b, double value) {
  return arith::ConstantOp::create(b, b.getF32FloatAttr(float(value)));
}

Value buildIndex(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

} // namespace mlir::llama
