// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The attention kernels: what they take, what they are launched with, and the
// functions that build them.
//
// Buffers, as all kernels see them (T tokens in this step, D = head_dim,
// group = heads / kv_heads, "storage" = bf16, f16 or f32):
//
//   q            storage [T][heads][D]          dims in pair order, as in K
//   kv           the KV pool, at this layer of page 0. A page is
//                [layer][kv head][K, V][panel][64 tokens][128 bytes]: a panel
//                holds 64 dims (f32: 32), the 16-byte chunk c of row r lies at
//                chunk c ^ (r % 8), and dims past D are zero.
//   positions    i32 [T]                        of each token in its sequence
//   slots        i32 [T]                        row of block_table
//   block_table  i32 [max_batch][max_pages]     page numbers
//   output       storage [T][paddedWidth()]     columns past heads*D untouched
//   partials     f32 [T][heads][max_splits][D + 2]: O (not yet divided by l),
//                then m (base-2 logarithm) and l; of tokens with more than one
//                split, and there are none where max_splits is 1
//
// The query heads of one KV head share the rows of a tile: flattened row
// r = token * group + head_in_group.
#ifndef LLAMAC_COMPILER_TILE_ATTENTION_H
#define LLAMAC_COMPILER_TILE_ATTENTION_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Builders.h"

#include <cstdint>

namespace mlir::tile {
class KernelBuilder;

/// Everything that an attention kernel is specialised for. Equal shapes share
/// kernels: nothing here depends on the layer.
struct AttentionShape {
  Type storageType; ///< bf16, f16 or f32
  int64_t heads = 0;
  int64_t kvHeads = 0;
  int64_t headDim = 0; ///< even, at most 256
  int64_t layers = 0;
  int64_t maxSeqLen = 0;
  int64_t window = 0; ///< tokens that a token sees, itself included; 0: all
  double alibiMaxBias = 0; ///< of #llama.alibi; 0: no biases
  /// What a block may have; decides stages and warps, never a value.
  int64_t sharedBytes = 227 * 1024;

  static constexpr int64_t pageTokens = 64;
  static constexpr int64_t splitTokens = 256;
  static constexpr int64_t panelBytes = 8192;

  bool hasBiases() const { return alibiMaxBias != 0; }
  int64_t group() const { return heads / kvHeads; }
  int64_t elementBytes() const {
    return storageType.getIntOrFloatBitWidth() / 8;
  }
  /// Panels of K (and as many of V) in a page, for one KV head.
  int64_t panels() const { return (headDim * elementBytes() + 127) / 128; }
  /// From one KV head to the next; K first, V after `panels()` panels.
  int64_t kvHeadBytes() const { return 2 * panels() * panelBytes; }
  /// From one layer to the next: `kv` is the pool + layer * layerBytes().
  int64_t layerBytes() const { return kvHeads * kvHeadBytes(); }
  int64_t pageBytes() const { return layers * layerBytes(); }
  int64_t maxPages() const { return (maxSeqLen + pageTokens - 1) / pageTokens; }
  int64_t maxSplits() const {
    return (maxSeqLen + splitTokens - 1) / splitTokens;
  }
  /// Elements between two tokens of `output`.
  int64_t paddedWidth() const { return (heads * headDim + 63) / 64 * 64; }
  /// Bytes of `partials` for a batch of `tokens`.
  int64_t partialBytes(int64_t tokens) const {
    return maxSplits() == 1 ? 0
                            : tokens * heads * maxSplits() * (headDim + 2) * 4;
  }
};

/// The first token that a row at `position` sees, of a shape with a window.
Value firstSeen(KernelBuilder &k, const AttentionShape &shape, Value position);

/// One grid dimension: ceil(variable * multiplier / divisor), as in
/// LlamacExpression.
struct AttentionGrid {
  enum Variable { One, Tokens, Splits, SeveralSplits } variable = One;
  int64_t multiplier = 1;
  int64_t divisor = 1;
};

struct AttentionLaunch {
  AttentionGrid grid[3];
  int64_t threads = 0;
  int64_t dynamicSharedBytes = 0;
};

/// How the kernels of `shape` are launched.
AttentionLaunch getAttentionPrefillLaunch(const AttentionShape &shape);
AttentionLaunch getAttentionSplitLaunch(const AttentionShape &shape);
AttentionLaunch getAttentionMergeLaunch(const AttentionShape &shape);

// Each builds a gpu.func (a kernel) called `name` at the builder's insertion
// point, which is inside a gpu.module, and leaves the insertion point behind
// it. Pointers are !llvm.ptr<1>.

/// T tokens of one sequence (all slots equal, positions ascending):
///   (q, kv, positions, slots, block_table, output, tokens : i32)
gpu::GPUFuncOp buildAttentionPrefill(OpBuilder &builder,
                                     const AttentionShape &shape,
                                     StringRef name);

/// One token per sequence; one block reads splitTokens of the KV cache:
///   (q, kv, positions, slots, block_table, partials, output)
/// A token with one split gets its output, others their partials.
gpu::GPUFuncOp buildAttentionSplit(OpBuilder &builder,
                                   const AttentionShape &shape, StringRef name);

/// The splits of each (token, head) that has several into one:
///   (partials, positions, output)
gpu::GPUFuncOp buildAttentionMerge(OpBuilder &builder,
                                   const AttentionShape &shape, StringRef name);

} // namespace mlir::tile

#endif
