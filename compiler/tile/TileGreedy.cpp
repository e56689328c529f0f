// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The greedy choice. In: rows of logits. Out: the id of each row's highest,
// ties to the lowest id. Test: test/tile/ProductTest.cpp.
#include "compiler/tile/KernelBuilder.h"
#include "compiler/tile/Products.h"

#include <limits>

using namespace mlir;
using namespace mlir::tile;

/// The better of two (logit, id): the higher logit, at equals the lower id.
static std::pair<Value, Value> better(KernelBuilder &k, Value value, Value id,
                                      Value otherValue, Value otherId) {
  Value higher = k.compareF(arith::CmpFPredicate::OGT, otherValue, value);
  Value same = k.compareF(arith::CmpFPredicate::OEQ, otherValue, value);
  Value wins =
      arith::OrIOp::create(k, higher, k.both(same, k.ult(otherId, id)));
  return {k.select(wins, otherValue, value), k.select(wins, otherId, id)};
}

/// The best of a warp, in every lane.
static std::pair<Value, Value> betterOfWarp(KernelBuilder &k, Value value,
                                            Value id) {
  for (int64_t mask : {16, 8, 4, 2, 1})
    std::tie(value, id) =
        better(k, value, id, k.shuffleXor(value, mask), k.shuffleXor(id, mask));
  return {value, id};
}

/// Logits that a thread reads at once.
static constexpr int64_t atOnce = 8;

gpu::GPUFuncOp tile::buildGreedy(OpBuilder &builder, int64_t vocabulary,
                                 int64_t pieces, StringRef name) {
  KernelBuilder k(builder.getUnknownLoc(), builder);
  gpu::GPUFuncOp kernel = k.startKernel(
      name, {Parameter::Pointer, Parameter::Pointer}, greedyThreads);
  AwaitPreviousOp::create(k);
  Value line = k.block();
  Value logits =
      k.address(kernel.getArgument(0), k.mul(k.widen(line), vocabulary * 4));
  Value thread = k.thread();
  Value lowest = k.constantF32(-std::numeric_limits<float>::infinity());
  // Ascending ids: a later one wins only by a higher logit.
  SmallVector<Value> best =
      k.loop(thread, k.constant(pieces), atOnce * greedyThreads,
             {lowest, thread},
             [&](Value id, ValueRange carried) -> SmallVector<Value> {
               // All are asked for before the first is there. Past the end
               // stands the last one, which wins against itself never.
               SmallVector<Value> ids, values;
               for (int64_t i = 0; i < atOnce; ++i) {
                 ids.push_back(k.umin(k.add(id, i * greedyThreads),
                                      k.constant(pieces - 1)));
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
  auto [value, id] = betterOfWarp(k, best[0], best[1]);
  Value lane = k.lane();
  k.when(k.equal(lane, 0), [&, value = value, id = id] {
    k.storeShared(k.pack({k.bits(value, k.i32()), id}), k.shl(k.warp(), 3));
  });
  k.syncBlock();
  static_assert(greedyThreads == 32 * 32, "a lane for each warp");
  k.when(k.equal(k.warp(), 0), [&] {
    Value pair = k.loadShared(k.vector(2, k.i32()), k.shl(lane, 3));
    Value last =
        betterOfWarp(k, k.bits(k.element(pair, 0), k.f32()), k.element(pair, 1))
            .second;
    // A row of no numbers at all still gives an id that exists.
    last = k.umin(last, k.constant(pieces - 1));
    k.when(k.equal(lane, 0), [&] {
      k.store(last, k.address(kernel.getArgument(1), k.shl(line, 2)));
    });
  });
  k.finishKernel(kernel);
  builder.setInsertionPointAfter(kernel);
  return kernel;
}
