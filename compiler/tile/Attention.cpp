// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The attention kernels over the paged KV cache: prefill, and decode split
// over the KV length.
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
#include "compiler/tile/Attention.h"

#include "compiler/tile/AttentionProducts.h"
#include "compiler/tile/KernelBuilder.h"

#include "llvm/ADT/bit.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace mlir::tile {

static constexpr int64_t pageTokens = AttentionShape::pageTokens;
static constexpr int64_t warpRows = AttentionProducts::rows;
static constexpr int64_t prefillWarps = 4; ///< fewer where memory is short

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

namespace {
/// Byte offsets in shared memory: the ring's stages, its barriers, then scratch
/// for each warp. A stage is K and V of one page or, where two of these do not
/// fit, one of the two: then K and V are steps of their own. Where that is too
/// much, there are fewer stages, and then fewer warps; the last layout stands
/// even if it does not fit, and `lower` refuses it by name.
struct SharedLayout {
  int64_t warps, parts, stages; ///< parts: steps of a page
  int64_t stageBytes, barriers, scratch, scratchBytes, total;

  SharedLayout(const AttentionShape &shape, int64_t mostWarps)
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
} // namespace

static int64_t headTiles(const AttentionShape &shape) {
  return (shape.group() + warpRows - 1) / warpRows;
}

AttentionLaunch getAttentionPrefillLaunch(const AttentionShape &shape) {
  SharedLayout layout(shape, prefillWarps);
  return {{{AttentionGrid::Tokens, shape.group(), layout.warps * warpRows},
           {AttentionGrid::One, shape.kvHeads, 1},
           {}},
          layout.warps * 32,
          layout.total};
}

AttentionLaunch getAttentionSplitLaunch(const AttentionShape &shape) {
  return {{{AttentionGrid::Tokens, headTiles(shape), 1},
           {AttentionGrid::One, shape.kvHeads, 1},
           {AttentionGrid::Splits, 1, 1}},
          32,
          SharedLayout(shape, 1).total};
}

//===----------------------------------------------------------------------===//
// What both kernels do
//===----------------------------------------------------------------------===//

namespace {
/// One block of attention: a range of pages against a tile of query rows.
class AttentionBlock {
public:
  AttentionBlock(KernelBuilder &k, const AttentionShape &shape,
                 const SharedLayout &layout)
      : k(k), shape(shape), layout(layout), warps(layout.warps),
        kvHead(k.block(gpu::Dimension::y)) {
    Value scratch = k.add(k.mul(k.warp(), layout.scratchBytes), layout.scratch);
    products = AttentionProducts::create(k, shape, scratch);
  }

  // What the kernel says about its rows and pages.
  Value kv, blockTable; ///< the table's row of the sequence
  Value firstPage, endPage;
  Value freshPage;       ///< the launch before writes it; null: that has ended
  Value lastPosition;    ///< of all rows of the block
  Value rowPositions[2]; ///< of this lane's two rows
  Value rowHeads[2];     ///< query heads of these; with linear biases only
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
  const SharedLayout layout;
  const int64_t warps;
  Value kvHead;
  Value slopes; ///< times log2(e), of this lane's two rows; null: no biases
  std::unique_ptr<AttentionProducts> products;
};
} // namespace

AttentionBlock::Rows
AttentionBlock::run(llvm::function_ref<Value(Value row)> queryRow) {
  int64_t parts = layout.parts;
  Scope scope = warps == 1 ? Scope::Warp : Scope::Block;
  Value ring = RingOp::create(
      k, RingType::get(k.getContext(), layout.stages, layout.stageBytes, scope),
      k.constant(0), k.constant(layout.barriers));
  for (int64_t step = 0; step < layout.stages; ++step) { // (b)
    Value page = k.add(firstPage, step / parts);
    if (freshPage)
      k.when(k.compare(arith::CmpIPredicate::uge, page, freshPage),
             [&] { AwaitPreviousOp::create(k); });
    fill(ring, k.constant(step), page, step % parts);
  }
  if (std::exchange(freshPage, Value()))
    AwaitPreviousOp::create(k);
  products->loadQueries(queryRow); // (a)
  if (shape.hasBiases())
    computeSlopes();
  SmallVector<Value> state(products->outputFragments(), k.zeros(4));
  Value infinity = k.constantF32(-std::numeric_limits<float>::infinity());
  state.push_back(k.pack({infinity, infinity}));
  state.push_back(k.zeros(2));
  sync();

  state = k.loop(firstPage, endPage, 1, state, [&](Value page, ValueRange in) {
    auto zeroOnLast = [&](Value values) {
      k.when(k.equal(page, k.sub(endPage, 1)),
             [&] { zeroPastEnd(values, page); });
    };
    auto release = [&](Value step, int64_t part) { // (j)
      RingReleaseOp::create(k, ring);
      fill(ring, k.add(step, layout.stages),
           k.add(page, (part + layout.stages) / parts),
           (part + layout.stages) % parts);
    };
    SmallVector<Value> out;
    Value step = k.mul(k.sub(page, firstPage), parts);
    Value keys = RingWaitOp::create(k, k.i32(), ring, step); // (c)
    if (parts == 2) {
      SmallVector<Value> scored = addScores(keys, page, in);
      release(step, 0);
      Value second = k.add(step, 1);
      Value values = RingWaitOp::create(k, k.i32(), ring, second);
      zeroOnLast(values);
      out = addValues(values, scored);
      release(second, 1);
      return out;
    }
    Value values = k.add(keys, shape.kvHeadBytes() / 2);
    zeroOnLast(values);
    auto work = [&] { return addValues(values, addScores(keys, page, in)); };
    if (warps == 1) {
      out = work();
    } else {
      // A warp sits out pages that all its rows would mask. Not with two parts:
      // the large heads that need those have no registers for a branch.
      Value start = k.mul(page, pageTokens);
      Value wanted = k.both(
          warpHasRows, k.compare(arith::CmpIPredicate::sle, start, warpLast));
      if (shape.window)
        wanted = k.both(wanted, k.ult(firstSeen(k, shape, warpFirst),
                                      k.add(start, pageTokens)));
      out = k.choose(wanted, in.getTypes(), work,
                     [&] { return SmallVector<Value>(in); });
    }
    release(step, 0);
    return out;
  });

  Value sum = state.pop_back_val(), maximum = state.pop_back_val();
  SmallVector<Value, 2> sums; // over the four lanes of a row
  for (int64_t i = 0; i < 2; ++i) {
    Value total = k.element(sum, i);
    total = k.addf(total, k.shuffleXor(total, 1));
    sums.push_back(k.addf(total, k.shuffleXor(total, 2)));
  }
  return {state, maximum, k.pack(sums)};
}

/// (b, j) K and V of a page lie one after the other: one copy, or one each.
void AttentionBlock::fill(Value ring, Value step, Value page, int64_t part) {
  Value last = k.sub(endPage, 1);
  Value entry = k.address(blockTable, k.mul(k.umin(page, last), 4));
  Value number =
      freshPage ? k.loadEarly(k.i32(), entry) : k.load(k.i32(), entry);
  Value offset = k.mul(k.widen(number), k.constant64(shape.pageBytes()));
  Value within =
      k.add(k.mul(kvHead, shape.kvHeadBytes()), part * layout.stageBytes);
  Value source = k.address(k.address(kv, offset), within);
  RingFillOp::create(k, ring, step, source, k.ult(page, endPage),
                     IntegerAttr());
}

/// (d)
void AttentionBlock::zeroPastEnd(Value values, Value page) {
  Value used = k.add(k.sub(lastPosition, k.mul(page, pageTokens)), 1);
  Value begin = k.add(k.mul(used, 128), k.mul(k.thread(), 16));
  Value zero = k.zeros(4);
  for (int64_t panel = 0; panel < shape.panels(); ++panel)
    k.loop(begin, k.constant(AttentionShape::panelBytes), warps * 32 * 16,
           [&](Value row) {
             Value place = k.add(values, panel * AttentionShape::panelBytes);
             k.storeShared(zero, k.add(place, row));
           });
  sync();
}

/// (e) to (h), and alpha O of (i): the kept probabilities and the new state.
SmallVector<Value> AttentionBlock::addScores(Value keys, Value page,
                                             ValueRange state) {
  Value factor = k.constantF32(
      static_cast<float>(1.4426950408889634 / std::sqrt(shape.headDim)));
  Value factors = k.pack({factor, factor, factor, factor});
  SmallVector<Value> scores = products->scores(keys); // (e)
  if (slopes) {
    // The distance of this lane's first token, as one f32 a row; the constant
    // from there to each other token joins it in the multiply-add.
    Value first =
        k.add(k.mul(page, pageTokens), k.mul(k.bitAnd(k.lane(), 3), 2));
    Value start[2];
    for (int64_t i = 0; i < 2; ++i)
      start[i] =
          k.mulf(k.toF32(k.sub(first, rowPositions[i])), k.element(slopes, i));
    Value starts = vectorOf(start[0], start[1]);
    Value each = vectorOf(k.element(slopes, 0), k.element(slopes, 1));
    for (auto [n, fragment] : llvm::enumerate(scores)) {
      Value even = k.constantF32(n * 8), odd = k.constantF32(n * 8 + 1);
      Value bias = k.fma(each, k.pack({even, odd, even, odd}), starts);
      fragment = k.fma(fragment, factors, bias);
    }
  } else {
    for (Value &fragment : scores)
      fragment = k.mulf(fragment, factors);
  }
  scores = mask(scores, page); // (f)

  Value maximum = state[state.size() - 2], sum = state.back();
  SmallVector<Type> fragments(scores.size(), scores[0].getType());
  auto update = SoftmaxUpdateOp::create( // (g, h)
      k, fragments, maximum.getType(), maximum.getType(), sum.getType(), scores,
      maximum, sum);

  Value scale = vectorOf(k.element(update.getScale(), 0),
                         k.element(update.getScale(), 1));
  SmallVector<Value> result = products->keep(update.getProbabilities());
  for (Value fragment : state.drop_back(2))
    result.push_back(k.mulf(fragment, scale));
  result.push_back(update.getNewMaximum());
  result.push_back(update.getNewSum());
  return result;
}

/// (i): from what addScores gave to the state after this page.
SmallVector<Value> AttentionBlock::addValues(Value values, ValueRange scored) {
  ValueRange state = scored.take_back(products->outputFragments() + 2);
  SmallVector<Value> result = products->addValues(
      scored.drop_back(state.size()), values, state.drop_back(2));
  llvm::append_range(result, state.take_back(2));
  return result;
}

/// (k)
void AttentionBlock::store(const Rows &state, int64_t i, Value output,
                           Value token, Value head) {
  Value place =
      k.add(k.mul(token, shape.paddedWidth()), k.mul(head, shape.headDim));
  Value sum = k.element(state.sum, i);
  storePairs(state, i, output, place, shape.elementBytes(),
             [&](Value low, Value high) {
               low = k.divide(low, sum);
               high = k.divide(high, sum);
               return shape.storageType.isF32()
                          ? k.pack({low, high})
                          : k.roundPair(low, high, shape.storageType);
             });
}

void AttentionBlock::storePairs(
    const Rows &state, int64_t i, Value buffer, Value place, int64_t bytes,
    llvm::function_ref<Value(Value low, Value high)> convert) {
  Value first = k.mul(k.bitAnd(k.lane(), 3), 2);
  Value to = k.address(buffer, k.mul(k.add(place, first), bytes));
  for (auto [n, fragment] : llvm::enumerate(state.output)) {
    Value pair =
        convert(k.element(fragment, 2 * i), k.element(fragment, 2 * i + 1));
    int64_t column = n * 8;
    auto store = [&] { k.store(pair, k.address(to, column * bytes)); };
    if (column + 8 <= shape.headDim)
      store();
    else
      k.when(k.ult(first, shape.headDim - column), store);
  }
}

/// The slopes of #llama.alibi: 2^e, e being linear in the head on each side of
/// the largest power of two.
void AttentionBlock::computeSlopes() {
  int64_t power = llvm::bit_floor(uint64_t(shape.heads));
  auto step = static_cast<float>(shape.alibiMaxBias / power);
  Value slope[2];
  for (int64_t i = 0; i < 2; ++i) {
    Value head = k.toF32(rowHeads[i]);
    Value exponent =
        k.mulf(k.addf(head, k.constantF32(1)), k.constantF32(-step));
    if (power != shape.heads) {
      Value late = k.addf(head, k.constantF32(0.5f - power));
      exponent = k.select(k.ult(rowHeads[i], power), exponent,
                          k.mulf(late, k.constantF32(-step)));
    }
    slope[i] = k.mulf(k.exp2(exponent), k.constantF32(1.44269504f));
  }
  slopes = k.pack({slope[0], slope[1]});
}

/// (f) Only pages that some row of the warp does not see whole.
SmallVector<Value> AttentionBlock::mask(ValueRange scores, Value page) {
  Value start = k.mul(page, pageTokens);
  Value needed = k.compare(arith::CmpIPredicate::sgt,
                           k.add(start, pageTokens - 1), warpFirst);
  if (shape.window)
    needed = k.bitOr(needed, k.ult(start, firstSeen(k, shape, warpLast)));
  return k.choose(
      needed, scores.getTypes(),
      [&] {
        Value infinity = k.constantF32(-std::numeric_limits<float>::infinity());
        Value hidden = k.pack({infinity, infinity, infinity, infinity});
        // The last visible column, counted from this lane's first one.
        Value mine = k.add(start, k.mul(k.bitAnd(k.lane(), 3), 2));
        Value limit = vectorOf(k.sub(rowPositions[0], mine),
                               k.sub(rowPositions[1], mine));
        // With a window, the last one before those that are seen.
        Value before;
        if (shape.window)
          before = vectorOf(k.sub(k.sub(rowPositions[0], mine), shape.window),
                            k.sub(k.sub(rowPositions[1], mine), shape.window));
        SmallVector<Value> result;
        for (auto [n, fragment] : llvm::enumerate(scores)) {
          Value even = k.constant(n * 8), odd = k.constant(n * 8 + 1);
          Value column = k.pack({even, odd, even, odd});
          Value seen = k.compare(arith::CmpIPredicate::sle, column, limit);
          if (before)
            seen = k.both(seen,
                          k.compare(arith::CmpIPredicate::sgt, column, before));
          result.push_back(k.select(seen, fragment, hidden));
        }
        return result;
      },
      [&] { return SmallVector<Value>(scores); });
}

//===----------------------------------------------------------------------===//
// Prefill
//===----------------------------------------------------------------------===//

gpu::GPUFuncOp buildAttentionPrefill(OpBuilder &builder,
                                     const AttentionShape &shape,
                                     StringRef name) {
  KernelBuilder k(builder.getUnknownLoc(), builder);
  auto pointer = Parameter::Pointer;
  SharedLayout layout(shape, prefillWarps);
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

//===----------------------------------------------------------------------===//
// Decode: one split
//===----------------------------------------------------------------------===//

// Of its step's kernels, qkv writes the queries and, in the KV cache, the
// token's own page alone. Positions, slots, block table and all other pages
// were there before the step's first launch; copies by the hardware pass the
// multiprocessor's own cache by, and so do the loads before the wait.

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

    AttentionBlock block(k, shape, SharedLayout(shape, 1));
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
