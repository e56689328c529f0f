// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The product kernels: one block multiplies a few rows of a packed weight
// stream with the activations of a few tokens.
//
// A block owns `rowsPerBlock` packed rows and `tokensPerBlock` tokens. Of its
// `warps` (W), warp w streams the k tiles w, w + W, w + 2 W, ... through its
// own ring of stages, for all rows of the block; the partial sums are then
// added in the order of the warps. So the order of every sum depends on the
// model and on whether many tokens are multiplied or few: not on the rows or
// tokens of a block, nor on the batch.
//
// The ring is filled before tile.await_previous: weights are on their way while
// the kernels before still work.
//
// The norm's prologue rounds gamma * x and keeps the sum of x^2 beside the
// product; rsqrt(mean + eps) multiplies the finished sums. f16 scales gamma * x
// by a power of two taken from the row's maximum, undone with the rsqrt. A
// bias, one element a packed row, is added to the scaled sums, in f32.
#ifndef LLAMAC_COMPILER_TILE_PRODUCTS_H
#define LLAMAC_COMPILER_TILE_PRODUCTS_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Builders.h"

#include <algorithm>
#include <optional>

namespace mlir::tile {

/// What happens to the finished sums; also fixes the kernel's parameters. Where
/// the product has a bias, it is the parameter before the last.
enum class Epilogue {
  /// (x, gamma, weights, rope, q, kv, positions, slots, block_table, tokens);
  /// without rotation there is no rope
  Rope,
  /// (input, weights, x, tokens): x += product
  Residual,
  /// (x, gamma, weights, ffn, tokens): silu(gate) * up
  GateUp,
  /// (x, gamma, weights, logits, first, tokens): rows from `first`
  Logits,
};

/// Which row of the table of cosines and sines turns a token.
enum class Rotation {
  None,       ///< not turned
  ByPosition, ///< that of its position
  ByToken     ///< its own: the table is of this step
};

/// What the rope epilogue and the KV cache need to know; see Attention.h.
struct HeadLayout {
  int64_t heads = 0;
  int64_t kvHeads = 0;
  int64_t headDim = 0;
  int64_t layers = 0;
  int64_t maxPages = 0;
  Rotation rotation = Rotation::ByPosition;
};

struct ProductShape {
  Epilogue epilogue = Epilogue::Residual;
  Type storage;                  ///< bf16, f16 or f32
  int64_t rows = 0;              ///< packed rows; pairs have two
  int64_t k = 0;                 ///< features of the input
  int64_t inputStride = 0;       ///< elements between two tokens of the input
  int64_t outputStride = 0;      ///< of the output; unused by Rope
  int64_t outputs = 0;           ///< features of the output; unused by Rope
  float eps = 0;                 ///< of the norm; unused by Residual
  HeadLayout heads;              ///< Rope only
  bool hasBias = false;          ///< of each packed row; not for Logits
  int64_t rowsPerBlock = 64;     ///< 16, 32 or 64
  int64_t tokensPerBlock = 8;    ///< a multiple of 8, at most 32
  int64_t warps = 4;             ///< a power of two, at most 16
  int64_t bytesInFlight = 16384; ///< per warp; at least two stages
  int64_t blocksLimit = 0;       ///< most blocks side by side over the rows
  /// Whose tensors the ops are of, for the debug lines: no part of the shape.
  std::optional<Location> weightsTensors, normTensor, biasTensor;

  bool hasNorm() const { return epilogue != Epilogue::Residual; }
  int64_t elementBytes() const { return storage.getIntOrFloatBitWidth() / 8; }
  int64_t tileK() const { return 128 / elementBytes(); }
  int64_t kTiles() const { return (k + tileK() - 1) / tileK(); }
  int64_t rowBlocks() const { return (rows + rowsPerBlock - 1) / rowsPerBlock; }
  /// The grid over the rows. Fewer than rowBlocks(): the blocks are persistent,
  /// each takes every gridRows()-th.
  int64_t gridRows() const {
    return blocksLimit ? std::min(blocksLimit, rowBlocks()) : rowBlocks();
  }
  bool isPersistent() const { return gridRows() < rowBlocks(); }

  int64_t threads() const { return 32 * warps; }
  int64_t stageBytes() const { return rowsPerBlock * 128; }
  int64_t stages() const { return bytesInFlight / stageBytes(); }
  // Shared memory: ring data [warp][stage], barriers [warp][stage] of 8 bytes,
  // sums of squares f32 [warp][token], scales f32 [token][2], partial sums f32
  // [warp][column][group][lane][4]: in the ring's stages, which have been read,
  // unless the ring goes on to the next rows.
  int64_t barrierOffset() const { return warps * stages() * stageBytes(); }
  int64_t squareOffset() const {
    return barrierOffset() + warps * stages() * 8;
  }
  int64_t scaleOffset() const {
    return squareOffset() + warps * tokensPerBlock * 4;
  }
  int64_t sumBytes() const { return rowsPerBlock * tokensPerBlock * 4; }
  int64_t sumOffset() const {
    return isPersistent() ? scaleOffset() + tokensPerBlock * 8 : 0;
  }
  int64_t sumStride() const {
    return isPersistent() ? sumBytes() : stages() * stageBytes();
  }
  int64_t sharedBytes() const {
    return scaleOffset() + tokensPerBlock * 8 +
           (isPersistent() ? warps * sumBytes() : 0);
  }
};

/// Builds the kernel at the insertion point, inside a gpu.module, and leaves
/// the insertion point behind it. Grid: ceil(tokens / tokensPerBlock) x
/// gridRows(), so that the blocks that run together share weights and the
/// weights leave memory once; block: threads(); shared memory: sharedBytes().
gpu::GPUFuncOp buildProduct(OpBuilder &builder, const ProductShape &shape,
                            StringRef name);

/// x f32 [tokens][stride] from rows of the packed table, by token id:
///   (tokens_in, table, x). Grid: one block a token; 128 threads.
gpu::GPUFuncOp buildEmbedding(OpBuilder &builder, Type storage, int64_t hidden,
                              int64_t stride, StringRef name);

/// The id below `pieces` with the highest logit, ties to the lowest:
///   (logits f32 [rows][vocabulary], next_token i32 [rows], state [rows]).
/// Grid: rows x greedyBlocks(); greedyThreads threads; greedySharedBytes of
/// shared memory. A row's state is best : i64 and arrived : i32, zeros before a
/// launch and after it.
constexpr int64_t greedyThreads = 512;
constexpr int64_t greedyLogits = 4096; ///< of a block, where 64 are enough
constexpr int64_t greedySharedBytes = greedyThreads / 32 * 8;
constexpr int64_t greedyStateBytes = 16;
int64_t greedyBlocks(int64_t pieces);
gpu::GPUFuncOp buildGreedy(OpBuilder &builder, int64_t vocabulary,
                           int64_t pieces, StringRef name);

} // namespace mlir::tile

#endif
