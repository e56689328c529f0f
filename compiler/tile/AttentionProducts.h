// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The two products of attention, scores and weighted values, as one warp does
// them for 16 query rows and one page of 64 tokens.
#ifndef LLAMAC_COMPILER_TILE_ATTENTIONPRODUCTS_H
#define LLAMAC_COMPILER_TILE_ATTENTIONPRODUCTS_H

#include "compiler/tile/Attention.h"
#include "compiler/tile/KernelBuilder.h"

#include <memory>

namespace mlir::tile {

/// Rows and columns lie in lanes as tile.product says: a fragment is four f32,
/// rows l/4 (elements 0, 1) and l/4 + 8 (elements 2, 3) of the columns 2*(l%4)
/// and 2*(l%4) + 1.
class AttentionProducts {
public:
  static constexpr int64_t rows = 16;
  /// Fragments of the scores of one page: 8 tokens each.
  static constexpr int64_t scoreFragments = AttentionShape::pageTokens / 8;

  /// For the storage type of `shape`; `scratch` is the offset of scratchBytes()
  /// of shared memory that this warp has for itself.
  static std::unique_ptr<AttentionProducts>
  create(KernelBuilder &k, const AttentionShape &shape, Value scratch);
  static int64_t scratchBytes(const AttentionShape &shape);

  virtual ~AttentionProducts() = default;

  /// Reads the 16 query rows; `queryRow(row)` gives the address of one.
  virtual void loadQueries(llvm::function_ref<Value(Value row)> queryRow) = 0;
  /// Q K^T: scoreFragments fragments. `keys` is the offset of K's panels.
  virtual SmallVector<Value> scores(Value keys) = 0;
  /// P as addValues takes it, rounded to the storage type: in vectors of four
  /// i32, of which there are none where P goes to scratch.
  virtual SmallVector<Value> keep(ValueRange probabilities) = 0;
  /// sums + P V: outputFragments() fragments of 8 dims, with the P that was
  /// kept last. `values` is the offset of V's panels.
  virtual SmallVector<Value> addValues(ValueRange kept, Value values,
                                       ValueRange sums) = 0;

  int64_t outputFragments() const { return (shape.headDim + 7) / 8; }

protected:
  AttentionProducts(KernelBuilder &k, const AttentionShape &shape)
      : k(k), shape(shape), lane(k.lane()), quadRow(k.shr(lane, 2)),
        quadColumn(k.bitAnd(lane, 3)) {}
  /// accumulator + a x b.
  Value product(Value a, Value b, Value accumulator);

  KernelBuilder &k;
  const AttentionShape &shape;
  Value lane;
  Value quadRow;    ///< lane / 4
  Value quadColumn; ///< lane % 4
};

} // namespace mlir::tile

#endif
