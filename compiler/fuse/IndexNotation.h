// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tensors written as formulas over indices, which become linalg.generic.
//
//   map:      result[i, j]  = f(i, j)                    buildMap
//   reduce:   result[i, j] += f(a[i, k], b[j, k])        buildReduction
//
// llama-to-linalg is written with these two.
#ifndef LLAMAC_COMPILER_FUSE_INDEXNOTATION_H
#define LLAMAC_COMPILER_FUSE_INDEXNOTATION_H

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::llama {

/// The tensor of `type` whose element at `indices` (one per dimension, of type
/// index) is what `element` yields.
Value buildMap(
    ImplicitLocOpBuilder &b, RankedTensorType type,
    function_ref<Value(ImplicitLocOpBuilder &, ValueRange indices)> element);

/// An operand of a reduction and the loops that index it: {q, {d0, d2}} is
/// q[d0, d2].
struct Indexed {
  Value tensor;
  SmallVector<AffineExpr, 4> indices;
};

/// The tensor of `type`, indexed by `indices`, that starts as `init` and to
/// which `step` is applied once per point of the loops; it gets the elements of
/// `operands` and the value so far. Loops that `indices` lacks are reduced, in
/// ascending order.
Value buildReduction(ImplicitLocOpBuilder &b, RankedTensorType type,
                     ArrayRef<AffineExpr> indices, ArrayRef<Indexed> operands,
                     double init,
                     function_ref<Value(ImplicitLocOpBuilder &,
                                        ValueRange elements, Value soFar)>
                         step);

/// The element of `tensor` at `indices`, of its own type.
Value buildElement(ImplicitLocOpBuilder &b, Value tensor, ValueRange indices);

/// The same as f32, whatever float type the tensor has.
Value buildElementAsF32(ImplicitLocOpBuilder &b, Value tensor,
                        ValueRange indices);

/// `scalar`, an f32, rounded to nearest even to `type` and back.
Value buildRounded(ImplicitLocOpBuilder &b, Value scalar, Type type);

/// `scalar`, of any float type, as f32.
Value buildAsF32(ImplicitLocOpBuilder &b, Value scalar);

/// Constants.
Value buildF32(ImplicitLocOpBuilder &b, double value);
Value buildIndex(ImplicitLocOpBuilder &b, int64_t value);

} // namespace mlir::llama

#endif // LLAMAC_COMPILER_FUSE_INDEXNOTATION_H
