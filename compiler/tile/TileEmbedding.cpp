// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The embedding kernel. In: token ids and the packed table. Out: one row of x
// for each, exact. Test: test/tile/ProductTest.cpp.
#include "compiler/tile/KernelBuilder.h"
#include "compiler/tile/Products.h"

using namespace mlir;
using namespace mlir::tile;

gpu::GPUFuncOp tile::buildEmbedding(OpBuilder &builder, Type storage,
                                    int64_t hidden, int64_t stride,
                                    StringRef name) {
  constexpr int64_t threads = 128;
  KernelBuilder k(builder.getUnknownLoc(), builder);
  gpu::GPUFuncOp kernel = k.startKernel(
      name, {Parameter::Pointer, Parameter::Weights, Parameter::Pointer},
      threads);
  AwaitPreviousOp::create(k);
  Value ids = kernel.getArgument(0), table = kernel.getArgument(1),
        x = kernel.getArgument(2);
  int64_t elements = 128 / storage.getIntOrFloatBitWidth(); // of a chunk
  int64_t tileK = 8 * elements, kTiles = (hidden + tileK - 1) / tileK;

  Value token = k.block();
  Value id = k.load(k.i32(), k.address(ids, k.shl(token, 2)));
  // Row id % 64 of row tile id / 64.
  Value line = k.address(k.address(table, k.mul(k.widen(k.shr(id, 6)),
                                                kTiles * StreamOp::tileBytes)),
                         k.shl(k.bitAnd(id, 63), 7));
  Value out = k.address(x, k.mul(k.widen(token), stride * 4));
  k.loop(k.thread(), k.constant(8 * kTiles), threads, [&](Value chunk) {
    Value swizzled = k.bitXor(k.bitAnd(chunk, 7), k.bitAnd(id, 7));
    Value offset =
        k.add(k.mul(k.shr(chunk, 3), StreamOp::tileBytes), k.shl(swizzled, 4));
    Value packed = k.load(k.vector(4, k.i32()), k.address(line, offset));
    SmallVector<Value> values;
    for (int64_t index = 0; index < 4; ++index) {
      Value word = k.element(packed, index);
      if (storage.isF32()) {
        values.push_back(k.bits(word, k.f32()));
        continue;
      }
      auto [low, high] = k.widenPair(word, storage);
      values.push_back(low);
      values.push_back(high);
    }
    Value place = k.address(out, k.mul(chunk, elements * 4));
    for (int64_t part = 0; part < elements; part += 4)
      k.store(k.pack(ArrayRef(values).slice(part, 4)),
              k.address(place, part * 4));
  });
  k.finishKernel(kernel);
  builder.setInsertionPointAfter(kernel);
  return kernel;
}
