// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One block of attention over the paged KV cache: what prefill
// (AttentionPrefill.cpp) and decode split over the KV length
// (AttentionSplit.cpp) have in common.
//
// softmax(Q K^T / sqrt(D)) V without the matrix of scores, as in
// FlashAttention-2 (Dao 2023, algorithm 1). A block has one KV head; the query
// heads that share it are the rows of its tile, 16 rows to a warp.
//
//   a. Read the warp's query rows; O = 0, l = 0, m = -inf for each row.
//   b. Start the copies of the first pages of K and V into the ring. A split
//      does so before tile.await_previous, but for the token's own page.
//   For each page of 64 tokens, in ascending order:
//   c.   Wait for its stage.
//   d.   On the last page, zero V's rows past the last position: a page that
//        was in use before still holds old values, and 0 x inf is not 0.
//   e.   S = Q K^T, times log2(e) / sqrt(D). With linear biases, plus
//        log2(e) slope (token - position).
//   f.   S = -inf where the token lies after the row's position or, with a
//        window, so far before it.
//   g.   m' = max(m, rowmax S);  P = exp2(S - m');  alpha = exp2(m - m').
//   h.   l = alpha l + rowsum P, before P is rounded.
//   i.   O = alpha O + round(P) V.
//   j.   Release the stage; start the copy of a later page into it.
//   k. Prefill stores O / l, and so does a split that is its token's only one.
//      Other splits store O, m and l, and the merge kernel does g to i once
//      more with splits in the place of pages, then k.
//
// exp2 and not exp, because the machine has exp2: log2(e) goes into the factor
// that the scores need anyway. The factor is applied to the scores in f32 and
// not to Q, which would round once more.
//
// With a window the pages are those that some row of the block sees; splits
// that lie before it do nothing, and the merge starts behind them.
//
// Splits start at multiples of 256 tokens and are merged from first to last.
// So a row's result depends on its own sequence alone: not on how many splits
// the longest sequence of the batch has, nor on which block came first. The
// token's own position alone says whether a split is its only one, too.
//
// Tests: test/tile/AttentionTest.cpp (values), attention-kernels.mlir (form).
#ifndef LLAMAC_COMPILER_TILE_ATTENTIONBLOCK_H
#define LLAMAC_COMPILER_TILE_ATTENTIONBLOCK_H

#include "compiler/tile/Attention.h"
#include "compiler/tile/AttentionProducts.h"
#include "compiler/tile/KernelBuilder.h"

#include <memory>
#include <utility>

namespace mlir::tile {

/// Byte offsets in shared memory: the ring's stages, its barriers, then scratch
/// for each warp. A stage is K and V of one page or, where two of these do not
/// fit, one of the two: then K and V are steps of their own. Where that is too
/// much, there are fewer stages, and then fewer warps; the last layout stands
/// even if it does not fit, and `lower` refuses it by name.
struct AttentionLayout {
  int64_t warps, parts, stages; ///< parts: steps of a page
  int64_t stageBytes, barriers, scratch, scratchBytes, total;

  AttentionLayout(const AttentionShape &shape, int64_t mostWarps)
      : scratchBytes(AttentionProducts::scratchBytes(shape)) {
    for (warps = mostWarps; warps; warps /= 2)
      for (auto [parts, stages] : {std::pair{1, 2}, {2, 2}, {2, 1}})
        if (place(shape, parts, stages))
          return;
    warps = 1;
  }

private:
  bool place(const AttentionShape &shape, int64_t parts, int64_t stages) {
    this->parts = parts;
    this->stages = stages;
    stageBytes = shape.kvHeadBytes() / parts;
    barriers = stages * stageBytes;
    scratch = barriers + 16;
    total = scratch + warps * scratchBytes;
    return total <= shape.sharedBytes;
  }
};

/// One block of attention: a range of pages against a tile of query rows.
class AttentionBlock {
public:
  AttentionBlock(KernelBuilder &k, const AttentionShape &shape,
                 const AttentionLayout &layout)
      : k(k), shape(shape), layout(layout), warps(layout.warps),
        kvHead(k.block(gpu::Dimension::y)) {
    Value scratch = k.add(k.mul(k.warp(), layout.scratchBytes), layout.scratch);
    products = AttentionProducts::create(k, shape, scratch);
  }

  // What the kernel says about its rows and pages.
  Value kv, blockTable; ///< the table's row of the sequence
  Value firstPage, endPage;
  Value freshPage;           ///< its step writes it; null: that is over
  Value lastPosition;        ///< of all rows of the block
  Value rowPositions[2];     ///< of this lane's two rows
  Value rowHeads[2];         ///< query heads of these; with linear biases only
  Value warpFirst, warpLast; ///< smallest and largest position in the warp
  Value warpHasRows;         ///< i1

  /// The state of this lane's two rows: O in fragments, m and l in pairs.
  struct Rows {
    SmallVector<Value> output;
    Value maximum, sum;
  };

  /// Steps a to j.
  Rows run(llvm::function_ref<Value(Value row)> queryRow);
  /// Step k, O / l, for row `i` of this lane's two: of `head` of `token`.
  void store(const Rows &state, int64_t i, Value output, Value token,
             Value head);
  /// O of that row, `convert`ed pair by pair, from element `place` of `buffer`.
  void storePairs(const Rows &state, int64_t i, Value buffer, Value place,
                  int64_t bytes,
                  llvm::function_ref<Value(Value low, Value high)> convert);

  Value vectorOf(Value low, Value high) {
    return k.pack({low, low, high, high});
  }

private:
  void fill(Value ring, Value step, Value page, int64_t part);
  void zeroPastEnd(Value values, Value page);
  SmallVector<Value> addScores(Value keys, Value page, ValueRange state);
  SmallVector<Value> addValues(Value values, ValueRange scored);
  void computeSlopes();
  SmallVector<Value> mask(ValueRange scores, Value page);
  void sync() { warps == 1 ? k.syncWarp() : k.syncBlock(); }

  KernelBuilder &k;
  const AttentionShape &shape;
  const AttentionLayout layout;
  const int64_t warps;
  Value kvHead;
  Value slopes; ///< times log2(e), of this lane's two rows; null: no biases
  std::unique_ptr<AttentionProducts> products;
};

} // namespace mlir::tile

#endif
