// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Steps a to k of AttentionBlock.h.
#include "compiler/tile/AttentionBlock.h"

#include "llvm/ADT/bit.h"
#include <cmath>
#include <limits>

namespace mlir::tile {

static constexpr int64_t pageTokens = AttentionShape::pageTokens;

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

} // namespace mlir::tile
