// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The merge of a decode step's splits: one thread for two dims of one head
// adds up the partial results (O, m, l) by log-sum-exp, first split to last.
//
//   m' = max(m, m_s);  l = l 2^(m - m') + l_s 2^(m_s - m')
//                      O = O 2^(m - m') + O_s 2^(m_s - m')
//
// The number of splits is that of the token's own position, so a sequence gets
// the same bits in any batch. A token with one split has its output from that
// split already and is left alone; where the step has such tokens only, the
// grid is empty. With a window the first split is the first that is seen: those
// before it wrote nothing. Test: test/tile/AttentionTest.cpp.
#include "compiler/tile/Attention.h"

#include "compiler/tile/KernelBuilder.h"

#include <limits>

namespace mlir::tile {

static constexpr int64_t threads = 128;

AttentionLaunch getAttentionMergeLaunch(const AttentionShape &shape) {
  int64_t elements = shape.heads * shape.headDim;
  return {{{AttentionGrid::Tokens, 1, 1},
           {AttentionGrid::One, elements, 2 * threads},
           {AttentionGrid::SeveralSplits, 1, 1}},
          threads,
          0};
}

Value firstSeen(KernelBuilder &k, const AttentionShape &shape, Value position) {
  // Unsigned: before the first token there is none.
  return k.sub(k.umax(k.add(position, 1), k.constant(shape.window)),
               shape.window);
}

gpu::GPUFuncOp buildAttentionMerge(OpBuilder &builder,
                                   const AttentionShape &shape,
                                   StringRef name) {
  KernelBuilder k(builder.getUnknownLoc(), builder);
  SmallVector<Parameter> parameters(3, Parameter::Pointer);
  gpu::GPUFuncOp kernel = k.startKernel(name, parameters, threads);
  AwaitPreviousOp::create(k);
  Value partials = kernel.getArgument(0), positions = kernel.getArgument(1),
        output = kernel.getArgument(2);
  int64_t partialBytes = (shape.headDim + 2) * 4;

  Value token = k.block();
  Value blockStart = k.mul(k.block(gpu::Dimension::y), 2 * threads);
  Value element = k.add(blockStart, k.mul(k.thread(), 2));
  Value position = k.load(k.i32(), k.address(positions, k.mul(token, 4)));
  Value several = k.compare(arith::CmpIPredicate::uge, position,
                            k.constant(AttentionShape::splitTokens));
  Value exists = k.ult(element, shape.heads * shape.headDim);
  k.when(k.both(exists, several), [&] {
    Value splits = k.add(k.udiv(position, AttentionShape::splitTokens), 1);
    Value head = k.udiv(element, shape.headDim);
    Value place = k.widen(k.add(k.mul(token, shape.heads), head));
    Value row = k.address(
        partials, k.mul(place, k.constant64(shape.maxSplits() * partialBytes)));
    Value dims = k.mul(k.urem(element, shape.headDim), 4);

    Value infinity = k.constantF32(-std::numeric_limits<float>::infinity());
    Value zero = k.constantF32(0);
    auto pair = k.vector(2, k.f32());
    Value first = shape.window ? k.udiv(firstSeen(k, shape, position),
                                        AttentionShape::splitTokens)
                               : k.constant(0);
    SmallVector<Value> sums = k.loop(
        first, splits, 1, {infinity, zero, zero, zero},
        [&](Value split, ValueRange old) {
          Value from = k.address(row, k.mul(split, partialBytes));
          Value part = k.load(pair, k.address(from, dims));
          Value state = k.load(pair, k.address(from, shape.headDim * 4));
          Value maximum = k.maxf(old[0], k.element(state, 0));
          Value shrink = k.exp2(k.subf(old[0], maximum));
          Value weight = k.exp2(k.subf(k.element(state, 0), maximum));
          auto join = [&](Value sum, Value addend) {
            return k.fma(sum, shrink, k.mulf(addend, weight));
          };
          return SmallVector<Value>{maximum, join(old[1], k.element(state, 1)),
                                    join(old[2], k.element(part, 0)),
                                    join(old[3], k.element(part, 1))};
        });

    Value low = k.divide(sums[2], sums[1]), high = k.divide(sums[3], sums[1]);
    Value result = shape.storageType.isF32()
                       ? k.pack({low, high})
                       : k.roundPair(low, high, shape.storageType);
    Value to = k.add(k.mul(token, shape.paddedWidth()), element);
    k.store(result, k.address(output, k.mul(to, shape.elementBytes())));
  });
  k.finishKernel(kernel);
  builder.setInsertionPointAfter(kernel);
  return kernel;
}

} // namespace mlir::tile
