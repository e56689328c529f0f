// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The greedy choice. In: rows of logits. Out: the id of each row's highest,
// ties to the lowest id. What is not a number counts as -inf.
//
//   a. A thread takes the best of its logits, in ascending ids.
//   b. A logit becomes the i32 whose unsigned order is its own, both zeros one.
//      The best of a warp is the largest of these, and then the lowest id of
//      the lanes that have it; so is the best of a block.
//   c. Where several blocks share a row: its first thread puts (that i32, ~id)
//      as one i64 into the row's `best`, by an atomic max, then counts itself
//      in `arrived`. Whose count is the last takes `best`, leaves 0 there for
//      the next launch and stores the id; the count goes back to 0 by itself.
//
// A maximum is the same in whatever order the blocks come. 0 is below every
// logit's i64, so a row's state that was filled with zeros is one at rest. A
// fence stands between a block's maximum and its count, and one between the
// last count and the taking of `best`: so all maxima are in it.
//
// Test: test/tile/GreedyTest.cpp.
#include "compiler/tile/KernelBuilder.h"
#include "compiler/tile/Products.h"

#include <algorithm>
#include <limits>

using namespace mlir;
using namespace mlir::tile;

/// Logits that a thread reads at once.
static constexpr int64_t atOnce = greedyLogits / greedyThreads;

int64_t tile::greedyBlocks(int64_t pieces) {
  return std::min<int64_t>(llvm::divideCeil(pieces, greedyLogits), 64);
}

/// (a) Of every `stride`-th logit from `first` up to `pieces`. Later ones win
/// only by being higher; of nothing but -inf and NaN the first is the best.
static std::pair<Value, Value> bestOfThread(KernelBuilder &k, Value logits,
                                            Value first, int64_t stride,
                                            int64_t pieces) {
  Value lowest = k.constantF32(-std::numeric_limits<float>::infinity());
  Value last = k.constant(pieces - 1);
  SmallVector<Value> best =
      k.loop(first, k.constant(pieces), stride, {lowest, k.umin(first, last)},
             [&](Value id, ValueRange carried) {
               // All are asked for before the first is there. Past the end
               // stands the last one, which wins against itself never.
               SmallVector<Value> ids, values;
               for (int64_t i = 0; i < atOnce; ++i) {
                 ids.push_back(k.umin(k.add(id, i * greedyThreads), last));
                 values.push_back(
                     k.load(k.f32(), k.address(logits, k.shl(ids[i], 2))));
               }
               SmallVector<Value> best(carried);
               for (int64_t i = 0; i < atOnce; ++i) {
                 Value higher =
                     k.compareF(arith::CmpFPredicate::OGT, values[i], best[0]);
                 best = {k.select(higher, values[i], best[0]),
                         k.select(higher, ids[i], best[1])};
               }
               return best;
             });
  return {best[0], best[1]};
}

/// (b) Of two positive floats the higher has the higher bits, of two negative
/// ones the lower; -0 + 0 is +0.
static Value ordered(KernelBuilder &k, Value logit) {
  Value word = k.bits(k.addf(logit, k.constantF32(0)), k.i32());
  Value sign = arith::ShRSIOp::create(k, word, k.constant(31));
  return k.bitXor(word, k.bitOr(sign, k.constant(0x80000000)));
}

/// (b) In every lane.
static std::pair<Value, Value> bestOfWarp(KernelBuilder &k, Value order,
                                          Value id) {
  auto reduce = [&](Value value, NVVM::ReduxKind kind) -> Value {
    return NVVM::ReduxOp::create(k, k.i32(), value, kind, k.constant(-1));
  };
  Value highest = reduce(order, NVVM::ReduxKind::UMAX);
  Value own = k.select(k.equal(order, highest), id, k.constant(-1));
  return {highest, reduce(own, NVVM::ReduxKind::UMIN)};
}

/// (c) By one thread of each of `blocks` blocks. `state`: best : i64,
/// arrived : i32. Fences, because PTX gets an atomic without its ordering.
static void combine(KernelBuilder &k, Value order, Value id, int64_t blocks,
                    Value state, Value nextToken) {
  auto atomic = [&](LLVM::AtomicBinOp op, Value to, Value value) -> Value {
    return LLVM::AtomicRMWOp::create(k, op, to, value,
                                     LLVM::AtomicOrdering::monotonic, "device");
  };
  auto fence = [&] {
    LLVM::FenceOp::create(k, LLVM::AtomicOrdering::acq_rel, "device");
  };
  Value high = arith::ShLIOp::create(k, k.widen(order), k.constant64(32));
  Value key = k.bitOr(high, k.widen(k.bitXor(id, k.constant(-1))));
  atomic(LLVM::AtomicBinOp::umax, state, key);
  fence();
  Value before = atomic(LLVM::AtomicBinOp::uinc_wrap, k.address(state, 8),
                        k.constant(blocks - 1));
  k.when(k.equal(before, blocks - 1), [&] {
    fence();
    Value best = atomic(LLVM::AtomicBinOp::xchg, state, k.constant64(0));
    k.store(k.bitXor(k.narrow(best), k.constant(-1)), nextToken);
  });
}

gpu::GPUFuncOp tile::buildGreedy(OpBuilder &builder, int64_t vocabulary,
                                 int64_t pieces, StringRef name) {
  KernelBuilder k(builder.getUnknownLoc(), builder);
  SmallVector<Parameter> parameters(3, Parameter::Pointer);
  gpu::GPUFuncOp kernel = k.startKernel(name, parameters, greedyThreads);
  AwaitPreviousOp::create(k);
  int64_t blocks = greedyBlocks(pieces);
  Value line = k.block();
  Value logits =
      k.address(kernel.getArgument(0), k.mul(k.widen(line), vocabulary * 4));
  Value nextToken = k.address(kernel.getArgument(1), k.shl(line, 2));
  Value state = k.address(kernel.getArgument(2), k.mul(line, greedyStateBytes));

  Value start = k.mul(k.block(gpu::Dimension::y), greedyLogits);
  auto [logit, id] = bestOfThread(k, logits, k.add(start, k.thread()),
                                  blocks * greedyLogits, pieces);
  auto [order, lowest] = bestOfWarp(k, ordered(k, logit), id);
  Value lane = k.lane();
  k.when(k.equal(lane, 0), [&, order = order, lowest = lowest] {
    k.storeShared(k.pack({order, lowest}), k.shl(k.warp(), 3));
  });
  k.syncBlock();
  static_assert(greedyThreads <= 32 * 32, "a lane for each warp");
  k.when(k.equal(k.warp(), 0), [&] {
    // The lanes past the warps take a warp's best once more.
    Value of = k.bitAnd(lane, greedyThreads / 32 - 1);
    Value pair = k.loadShared(k.vector(2, k.i32()), k.shl(of, 3));
    auto [order, id] = bestOfWarp(k, k.element(pair, 0), k.element(pair, 1));
    k.when(k.equal(lane, 0), [&, order = order, id = id] {
      if (blocks == 1)
        k.store(id, nextToken);
      else
        combine(k, order, id, blocks, state, nextToken);
    });
  });
  k.finishKernel(kernel);
  builder.setInsertionPointAfter(kernel);
  return kernel;
}
