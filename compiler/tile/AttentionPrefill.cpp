// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The attention of a chunk of one sequence's tokens. In: queries, the pages of
// the sequence. Out: its rows of the attention's output. Tests:
// test/tile/AttentionTest.cpp, attention-kernels.mlir.
#include "compiler/tile/AttentionBlock.h"

namespace mlir::tile {

static constexpr int64_t pageTokens = AttentionShape::pageTokens;
static constexpr int64_t warpRows = AttentionProducts::rows;
static constexpr int64_t prefillWarps = 4; ///< fewer where memory is short

AttentionLaunch getAttentionPrefillLaunch(const AttentionShape &shape) {
  AttentionLayout layout(shape, prefillWarps);
  return {{{AttentionGrid::Tokens, shape.group(), layout.warps * warpRows},
           {AttentionGrid::One, shape.kvHeads, 1},
           {}},
          layout.warps * 32,
          layout.total};
}

gpu::GPUFuncOp buildAttentionPrefill(OpBuilder &builder,
                                     const AttentionShape &shape,
                                     StringRef name) {
  KernelBuilder k(builder.getUnknownLoc(), builder);
  auto pointer = Parameter::Pointer;
  AttentionLayout layout(shape, prefillWarps);
  int64_t blockRows = layout.warps * warpRows;
  gpu::GPUFuncOp kernel = k.startKernel(
      name,
      {pointer, pointer, pointer, pointer, pointer, pointer, Parameter::Scalar},
      layout.warps * 32);
  AwaitPreviousOp::create(k);
  Value query = kernel.getArgument(0), kv = kernel.getArgument(1),
        positions = kernel.getArgument(2), slots = kernel.getArgument(3),
        blockTable = kernel.getArgument(4), output = kernel.getArgument(5),
        tokens = kernel.getArgument(6);
  int64_t group = shape.group(), dim = shape.headDim;

  // Flattened rows, token * group + head in group. Rows past the last one
  // compute the last one again and store nothing.
  Value kvHead = k.block(gpu::Dimension::y);
  Value rowCount = k.mul(tokens, group);
  Value lastRow = k.sub(rowCount, 1);
  Value blockRow = k.mul(k.block(), blockRows);
  Value warpRow = k.add(blockRow, k.mul(k.warp(), warpRows));
  auto tokenOf = [&](Value row) { return k.udiv(k.umin(row, lastRow), group); };
  auto positionOf = [&](Value row) {
    return k.load(k.i32(), k.address(positions, k.mul(tokenOf(row), 4)));
  };
  auto headOf = [&](Value row) {
    return k.add(k.mul(kvHead, group), k.urem(k.umin(row, lastRow), group));
  };

  AttentionBlock block(k, shape, layout);
  block.kv = kv;
  block.blockTable = k.address(
      blockTable, k.mul(k.load(k.i32(), slots), shape.maxPages() * 4));
  block.lastPosition = positionOf(k.add(blockRow, blockRows - 1));
  block.firstPage =
      shape.window
          ? k.udiv(firstSeen(k, shape, positionOf(blockRow)), pageTokens)
          : k.constant(0);
  block.endPage = k.add(k.udiv(block.lastPosition, pageTokens), 1);
  block.warpFirst = positionOf(warpRow);
  block.warpLast = positionOf(k.add(warpRow, warpRows - 1));
  block.warpHasRows = k.ult(warpRow, rowCount);
  Value rows[2];
  for (int64_t i = 0; i < 2; ++i) {
    rows[i] = k.add(warpRow, k.add(k.shr(k.lane(), 2), 8 * i));
    block.rowPositions[i] = positionOf(rows[i]);
    if (shape.hasBiases())
      block.rowHeads[i] = headOf(rows[i]);
  }

  auto state = block.run([&](Value inWarp) {
    Value row = k.add(warpRow, inWarp);
    Value place = k.add(k.mul(tokenOf(row), shape.heads), headOf(row));
    return k.address(query, k.mul(place, dim * shape.elementBytes()));
  });

  for (int64_t i = 0; i < 2; ++i) // (k)
    k.when(k.ult(rows[i], rowCount), [&] {
      block.store(state, i, output, tokenOf(rows[i]), headOf(rows[i]));
    });
  k.finishKernel(kernel);
  builder.setInsertionPointAfter(kernel);
  return kernel;
}

} // namespace mlir::tile
