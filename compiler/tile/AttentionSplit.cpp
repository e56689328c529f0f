// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The attention of a decode step, one token a sequence: one split of its KV
// length. In: queries, pages. Out: the token's output where it has one split,
// else what AttentionMerge.cpp merges. Tests: test/tile/AttentionTest.cpp,
// attention-kernels.mlir.
//
// Of its step's kernels, qkv writes the queries and, in the KV cache, the
// token's own page alone. Positions, slots, block table and all other pages
// were there before the step's first launch; copies by the hardware pass the
// multiprocessor's own cache by, and so do the loads before the wait.
#include "compiler/tile/AttentionBlock.h"

namespace mlir::tile {

static constexpr int64_t pageTokens = AttentionShape::pageTokens;
static constexpr int64_t warpRows = AttentionProducts::rows;

static int64_t headTiles(const AttentionShape &shape) {
  return (shape.group() + warpRows - 1) / warpRows;
}

AttentionLaunch getAttentionSplitLaunch(const AttentionShape &shape) {
  return {{{AttentionGrid::Tokens, headTiles(shape), 1},
           {AttentionGrid::One, shape.kvHeads, 1},
           {AttentionGrid::Splits, 1, 1}},
          32,
          AttentionLayout(shape, 1).total};
}

gpu::GPUFuncOp buildAttentionSplit(OpBuilder &builder,
                                   const AttentionShape &shape,
                                   StringRef name) {
  KernelBuilder k(builder.getUnknownLoc(), builder);
  SmallVector<Parameter> parameters(7, Parameter::Pointer);
  gpu::GPUFuncOp kernel = k.startKernel(name, parameters, 32);
  Value query = kernel.getArgument(0), kv = kernel.getArgument(1),
        positions = kernel.getArgument(2), slots = kernel.getArgument(3),
        blockTable = kernel.getArgument(4), partials = kernel.getArgument(5),
        output = kernel.getArgument(6);
  int64_t group = shape.group(), dim = shape.headDim;
  constexpr int64_t splitPages = AttentionShape::splitTokens / pageTokens;

  Value token = k.udiv(k.block(), headTiles(shape));
  Value firstHead = k.mul(k.urem(k.block(), headTiles(shape)), warpRows);
  Value kvHead = k.block(gpu::Dimension::y), split = k.block(gpu::Dimension::z);
  Value position = k.loadEarly(k.i32(), k.address(positions, k.mul(token, 4)));
  Value splitStart = k.mul(split, AttentionShape::splitTokens);
  Value wanted = k.compare(arith::CmpIPredicate::sle, splitStart, position);
  if (shape.window)
    wanted =
        k.both(wanted, k.ult(firstSeen(k, shape, position),
                             k.add(splitStart, AttentionShape::splitTokens)));
  k.when(k.bitXor(wanted, k.constantBool(true)),
         [&] { AwaitPreviousOp::create(k); });
  k.when(wanted, [&] {
    // Rows are query heads; those past the group's compute its last one again.
    Value tokenHead = k.add(k.mul(token, shape.heads), k.mul(kvHead, group));
    Value lastHead = k.constant(group - 1);

    AttentionBlock block(k, shape, AttentionLayout(shape, 1));
    block.kv = kv;
    Value slot = k.loadEarly(k.i32(), k.address(slots, k.mul(token, 4)));
    block.blockTable = k.address(blockTable, k.mul(slot, shape.maxPages() * 4));
    block.lastPosition = block.warpFirst = block.warpLast = position;
    block.rowPositions[0] = block.rowPositions[1] = position;
    for (int64_t i = 0; shape.hasBiases() && i < 2; ++i) {
      Value row = k.add(firstHead, k.add(k.shr(k.lane(), 2), 8 * i));
      block.rowHeads[i] = k.add(k.mul(kvHead, group), k.umin(row, lastHead));
    }
    block.firstPage = k.mul(split, splitPages);
    block.freshPage = k.udiv(position, pageTokens);
    block.endPage =
        k.umin(k.add(block.firstPage, splitPages), k.add(block.freshPage, 1));
    if (shape.window)
      block.firstPage = k.umax(
          block.firstPage, k.udiv(firstSeen(k, shape, position), pageTokens));
    auto state = block.run([&](Value row) {
      Value head = k.umin(k.add(firstHead, row), lastHead);
      return k.address(
          query, k.mul(k.add(tokenHead, head), dim * shape.elementBytes()));
    });

    // (k) Merging one split would multiply O and l by 2^0 and add 0: the same
    // but for the sign of a zero, which the next product's sums do not show.
    auto storePartial = [&](int64_t i, Value head) {
      Value place = k.widen(k.add(tokenHead, head));
      place =
          k.add(k.mul(place, k.constant64(shape.maxSplits())), k.widen(split));
      place = k.mul(place, k.constant64((dim + 2) * 4));
      Value to = k.address(partials, place);
      block.storePairs(
          state, i, to, k.constant(0), 4,
          [&](Value low, Value high) { return k.pack({low, high}); });
      k.when(k.equal(k.bitAnd(k.lane(), 3), 0), [&] {
        Value pair =
            k.pack({k.element(state.maximum, i), k.element(state.sum, i)});
        k.store(pair, k.address(to, dim * 4));
      });
    };
    Value only = k.ult(position, AttentionShape::splitTokens);
    Value several = k.bitXor(only, k.constantBool(true));
    for (int64_t i = 0; i < 2; ++i) {
      Value head = k.add(firstHead, k.add(k.shr(k.lane(), 2), 8 * i));
      Value exists = k.ult(head, group);
      k.when(k.both(exists, only), [&] {
        block.store(state, i, output, token, k.add(k.mul(kvHead, group), head));
      });
      if (shape.maxSplits() > 1)
        k.when(k.both(exists, several), [&] { storePartial(i, head); });
    }
  });
  k.finishKernel(kernel);
  builder.setInsertionPointAfter(kernel);
  return kernel;
}

} // namespace mlir::tile
