// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The parts of a product kernel, as one object that emits them in order. What
// each lane holds is said in TileDialect.td under "fragment".
#ifndef LLAMAC_COMPILER_TILE_PRODUCTEMITTER_H
#define LLAMAC_COMPILER_TILE_PRODUCTEMITTER_H

#include "compiler/tile/KernelBuilder.h"
#include "compiler/tile/Products.h"

namespace mlir::tile {

class ProductEmitter {
public:
  ProductEmitter(KernelBuilder &k, const ProductShape &shape);
  void emit(gpu::GPUFuncOp kernel);

private:
  /// Finished sums of one lane: rows 16*group + row (values 0, 1) and that + 8
  /// (values 2, 3), of `token` (0, 2) and the next (1, 3).
  struct Fragment {
    Value token;
    Value group;
    Value values[4];
  };

  void startStream();
  void fill(Value step, Value wanted);
  Value rowsInStream(Value block);
  Value roundOf(Value step);
  void computeScales();
  void locateInputs();
  void multiply();
  void multiplyStep(Value step, Value stage);
  void multiplyStage(Value step, Value stage, int64_t count);
  void exchangeSums();
  void storeSquares();
  void finish(Value total, Value group, Value column);

  Value inputOffset(Value token);
  Value loadRows(Value offset);
  SmallVector<Value> loadGamma(Value pointer, int64_t part);
  Value loadNarrow(ArrayRef<Value> pointers, ArrayRef<Value> gammas,
                   int64_t column, int64_t part);
  Value loadWide(ArrayRef<Value> pointers, ArrayRef<Value> gammas,
                 int64_t column, int64_t part);

  // TileEpilogues.cpp
  /// What an epilogue reads for one token of a fragment.
  struct Operands {
    Value residual[2];          ///< of its two rows
    Value position, page, turn; ///< of rope; turn: cosine and sine
  };
  bool readsEarly() const;
  void readEarly();
  Operands readOperands(Value group, Value token);
  void addBias(Fragment &fragment);
  // Of token `half` of the fragment, if it is one of the step.
  void store(const Fragment &fragment, int64_t half);
  void storeRows(const Fragment &fragment, int64_t half, Value token);
  void storeGateUp(const Fragment &fragment, int64_t half, Value token);
  void storeRope(const Fragment &fragment, int64_t half, Value token);
  /// Of the rope epilogue, behind the rotation's table.
  enum CacheArgument { Query, Cache, Positions, Slots, BlockTable };
  Value get(CacheArgument argument) const {
    return arguments[arguments.size() - (bias ? 7 : 6) + argument];
  }
  Value cacheAddress(Value head, Value pair, Value position, Value page);
  void storePair(Value first, Value second, Value pointer);

  KernelBuilder &k;
  const ProductShape &shape;
  const bool wide;       ///< f32: products by fma
  const int64_t groups;  ///< of 16 rows
  const int64_t columns; ///< of 8 tokens

  SmallVector<Value> arguments;
  Value input, gamma, weights, bias, tokens;
  Value thread, lane, warp;
  Value quad, row;             ///< lane % 4, lane / 4
  Value firstToken;            ///< of this block
  Value rowBlock;              ///< whose sums are made
  Value firstStep;             ///< of the stream, for rowBlock; null: 0
  Value tokensLeft;            ///< from the first on
  Value ring, source;          ///< of this warp
  Value steps;                 ///< of this warp, for one row block
  Value allSteps;              ///< the same, for all of this block
  Value laneOffset;            ///< in a stage
  SmallVector<Value> inputs;   ///< by column; f32: two each
  SmallVector<Value> scales;   ///< the same; f16 with norm only
  SmallVector<Value> sums;     ///< [column][group]
  SmallVector<Value> squares;  ///< as inputs
  SmallVector<Operands> early; ///< of both tokens; none: read when needed
};

} // namespace mlir::tile

#endif
