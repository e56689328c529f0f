// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The products of attention: on the tensor cores for bf16 and f16, by fused
// multiply-adds for f32.
//
// A panel is 64 rows (tokens) of 128 bytes, and the 16-byte chunk c of row r
// lies at chunk c ^ (r % 8). Where c is a constant plus a part that depends on
// the lane only, the constant moves out of the XOR: a lane has one base per
// constant, and all the rest is an immediate offset. Test:
// test/tile/AttentionTest.cpp.
#include "compiler/tile/AttentionProducts.h"

namespace mlir::tile {

static constexpr int64_t rowBytes = 128;
static constexpr int64_t chunkBytes = 16;
static constexpr int64_t pageTokens = AttentionShape::pageTokens;
static constexpr int64_t panelBytes = AttentionShape::panelBytes;

Value AttentionProducts::product(Value a, Value b, Value accumulator) {
  return ProductOp::create(k, accumulator.getType(), a, b, accumulator,
                           shape.storageType);
}

namespace {

//===----------------------------------------------------------------------===//
// bf16 and f16: 16 x 16 times 16 x 8
//===----------------------------------------------------------------------===//

/// Queries stay in registers, 4 for 16 dims. Heads of more than 128 dims need
/// those for O; there a lane keeps its queries in scratch, 16 bytes a step.
class MatrixProducts : public AttentionProducts {
public:
  MatrixProducts(KernelBuilder &k, const AttentionShape &shape, Value scratch)
      : AttentionProducts(k, shape),
        keptQueries(k.add(scratch, k.mul(lane, 16))) {
    Value row = k.bitAnd(lane, 7);
    // K: matrix m = lane / 8 is chunk m of eight tokens.
    Value keyChunk = k.bitXor(k.shr(lane, 3), row);
    keyBase = k.add(k.mul(row, rowBytes), k.mul(keyChunk, chunkBytes));
    // V: matrices 0 and 1 are tokens 0-7 and 8-15 of one chunk, 2 and 3 of the
    // next one.
    Value valueChunk = k.bitXor(k.shr(lane, 4), row);
    valueBase = k.add(k.mul(k.bitAnd(lane, 15), rowBytes),
                      k.mul(valueChunk, chunkBytes));
  }

  void loadQueries(llvm::function_ref<Value(Value)> queryRow) override {
    Value pointers[2] = {queryRow(quadRow), queryRow(k.add(quadRow, 8))};
    for (int64_t dim = 0; dim < shape.headDim; dim += 16) {
      SmallVector<Value> registers;
      for (int64_t first : {dim, dim + 8})
        for (Value pointer : pointers)
          registers.push_back(loadQueryPair(pointer, first));
      queries.push_back(k.pack(registers));
      if (keepsQueries(shape))
        k.storeShared(queries.back(), keptQuery(queries.size() - 1));
    }
  }

  static bool keepsQueries(const AttentionShape &shape) {
    return shape.headDim > 128;
  }
  static int64_t keptBytes(const AttentionShape &shape) {
    return keepsQueries(shape) ? (shape.headDim + 15) / 16 * keptStep : 0;
  }

  SmallVector<Value> scores(Value keys) override {
    SmallVector<Value> result(scoreFragments, k.zeros(4));
    // One load brings 32 dims of 8 tokens: two steps of k.
    for (size_t step = 0; step < queries.size(); step += 2) {
      int64_t dim = step * 16;
      int64_t panel = dim / 64;
      Value first = getQuery(step), second;
      if (step + 1 < queries.size())
        second = getQuery(step + 1);
      Value base = k.add(keys, k.bitXor(keyBase, dim % 64 / 8 * chunkBytes));
      for (int64_t n = 0; n < scoreFragments; ++n) {
        Value offset = k.add(base, panel * panelBytes + n * 8 * rowBytes);
        auto [low, high] = loadPairs(offset, /*transposed=*/false);
        result[n] = product(first, low, result[n]);
        if (second)
          result[n] = product(second, high, result[n]);
      }
    }
    return result;
  }

  /// The scores of 16 tokens are, rounded, the A operand of one step of k.
  SmallVector<Value> keep(ValueRange probabilities) override {
    SmallVector<Value> weights;
    for (int64_t n = 0; n < scoreFragments; n += 2)
      weights.push_back(k.pack({roundHalf(probabilities[n], 0),
                                roundHalf(probabilities[n], 2),
                                roundHalf(probabilities[n + 1], 0),
                                roundHalf(probabilities[n + 1], 2)}));
    return weights;
  }

  SmallVector<Value> addValues(ValueRange weights, Value values,
                               ValueRange sums) override {
    SmallVector<Value> result(sums);
    for (int64_t n = 0; n < outputFragments(); n += 2) {
      int64_t panel = n / 8;
      Value base = k.add(values, k.bitXor(valueBase, n % 8 * chunkBytes));
      for (auto [step, weight] : llvm::enumerate(weights)) {
        Value offset = k.add(base, panel * panelBytes + step * 16 * rowBytes);
        auto [low, high] = loadPairs(offset, /*transposed=*/true);
        result[n] = product(weight, low, result[n]);
        if (n + 1 < outputFragments())
          result[n + 1] = product(weight, high, result[n + 1]);
      }
    }
    return result;
  }

private:
  static constexpr int64_t keptStep = 32 * 16; ///< 16 bytes a lane

  Value keptQuery(int64_t step) { return k.add(keptQueries, step * keptStep); }
  Value getQuery(int64_t step) {
    return keepsQueries(shape)
               ? k.loadShared(k.vector(4, k.i32()), keptQuery(step))
               : queries[step];
  }

  /// Dims first + 2*(l%4) and the next one; 0 past the head's.
  Value loadQueryPair(Value pointer, int64_t first) {
    if (first >= shape.headDim)
      return k.constant(0);
    Value offset = k.add(k.mul(quadColumn, 4), first * 2);
    if (first + 8 <= shape.headDim)
      return k.load(k.i32(), k.address(pointer, offset));
    Value inside = k.ult(offset, shape.headDim * 2);
    Value safe = k.select(inside, offset, k.constant(0));
    Value pair = k.load(k.i32(), k.address(pointer, safe));
    return k.select(inside, pair, k.constant(0));
  }

  std::pair<Value, Value> loadPairs(Value offset, bool transposed) {
    Value four =
        LoadMatricesOp::create(k, k.vector(4, k.i32()), offset, transposed);
    return {k.pack({k.element(four, 0), k.element(four, 1)}),
            k.pack({k.element(four, 2), k.element(four, 3)})};
  }

  /// Elements first and first + 1 of a fragment.
  Value roundHalf(Value fragment, int64_t first) {
    return k.roundPair(k.element(fragment, first),
                       k.element(fragment, first + 1), shape.storageType);
  }

  SmallVector<Value> queries; ///< the A operand of each 16 dims
  Value keptQueries;          ///< [steps][32 lanes][16 bytes]
  Value keyBase;
  Value valueBase;
};

//===----------------------------------------------------------------------===//
// f32: 16 x 4 times 4 x 8
//===----------------------------------------------------------------------===//

/// Queries and probabilities go through scratch: a lane needs four neighbours
/// of a row at once, and both are read in a loop (unrolled, a head of 256 dims
/// would be 16,000 instructions). Rows of scratch are 16 bytes longer than
/// their data, so that eight rows of one column touch all banks.
class FmaProducts : public AttentionProducts {
public:
  FmaProducts(KernelBuilder &k, const AttentionShape &shape, Value scratch)
      : AttentionProducts(k, shape), queries(scratch),
        weights(k.add(scratch, rows * queryStride(shape))) {}

  /// Dims up to a whole step of k, which is one chunk.
  static int64_t paddedDim(const AttentionShape &shape) {
    return (shape.headDim + 3) / 4 * 4;
  }
  static int64_t queryStride(const AttentionShape &shape) {
    return paddedDim(shape) * 4 + chunkBytes;
  }
  static constexpr int64_t weightStride = pageTokens * 4 + chunkBytes;

  void loadQueries(llvm::function_ref<Value(Value)> queryRow) override {
    auto pair = k.vector(2, k.f32());
    k.loop(k.constant(0), k.constant(rows), 1, [&](Value row) {
      Value from = queryRow(row);
      Value to = k.add(queries, k.mul(row, queryStride(shape)));
      for (int64_t first = 0; first < shape.headDim; first += 64) {
        Value offset = k.add(k.mul(lane, 8), first * 4);
        k.when(k.ult(offset, paddedDim(shape) * 4), [&] {
          Value inside = k.ult(offset, shape.headDim * 4);
          Value safe = k.select(inside, offset, k.constant(0));
          Value dims = k.load(pair, k.address(from, safe));
          dims = k.select(inside, dims, k.zeros(2));
          k.storeShared(dims, k.add(to, offset));
        });
      }
    });
    k.syncWarp();
  }

  SmallVector<Value> scores(Value keys) override {
    // Two tokens a lane: rows 2*(l%4) and the next one of eight.
    Value token = k.mul(quadColumn, 2);
    Value query = k.add(queries, k.mul(quadRow, queryStride(shape)));
    SmallVector<Value> zero(scoreFragments, k.zeros(4));
    int64_t chunks = paddedDim(shape) / 4;
    return k.loop(k.constant(0), k.constant(chunks), 1, zero,
                  [&](Value chunk, ValueRange sums) {
                    SmallVector<Value> result(sums);
                    Value q = loadTwice(k.add(query, k.mul(chunk, chunkBytes)),
                                        8 * queryStride(shape));
                    Value panel =
                        k.add(keys, k.mul(k.shr(chunk, 3), panelBytes));
                    Value bases[2];
                    for (int64_t i = 0; i < 2; ++i) {
                      Value row = k.add(token, i);
                      Value place = k.bitXor(k.bitAnd(chunk, 7), row);
                      bases[i] = k.add(panel, k.add(k.mul(row, rowBytes),
                                                    k.mul(place, chunkBytes)));
                    }
                    for (int64_t n = 0; n < scoreFragments; ++n) {
                      int64_t more = n * 8 * rowBytes;
                      Value key = join(load(4, k.add(bases[0], more)),
                                       load(4, k.add(bases[1], more)));
                      result[n] = product(q, key, result[n]);
                    }
                    return result;
                  });
  }

  SmallVector<Value> keep(ValueRange probabilities) override {
    Value mine = k.add(
        weights, k.add(k.mul(quadRow, weightStride), k.mul(quadColumn, 8)));
    for (auto [n, fragment] : llvm::enumerate(probabilities))
      for (int64_t half = 0; half < 2; ++half) {
        Value pair = k.pack(
            {k.element(fragment, 2 * half), k.element(fragment, 2 * half + 1)});
        k.storeShared(pair, k.add(mine, half * 8 * weightStride + n * 32));
      }
    k.syncWarp();
    return {};
  }

  SmallVector<Value> addValues(ValueRange, Value values,
                               ValueRange sums) override {
    // Dims 2*(l%4) and the next one of eight: half of chunk (l%4)/2.
    Value chunk = k.shr(quadColumn, 1);
    Value within = k.mul(k.bitAnd(quadColumn, 1), 8);
    Value weight = k.add(weights, k.mul(quadRow, weightStride));
    SmallVector<Value> result = k.loop(
        k.constant(0), k.constant(pageTokens / 8), 1, sums,
        [&](Value eight, ValueRange carried) {
          SmallVector<Value> inner(carried);
          Value tokens = k.add(values, k.mul(eight, 8 * rowBytes));
          // By the constant part of chunk ^ (token % 8).
          SmallVector<Value> bases;
          for (int64_t place = 0; place < 8; ++place)
            bases.push_back(k.add(k.add(tokens, within),
                                  k.mul(k.bitXor(chunk, place), chunkBytes)));
          for (int64_t first = 0; first < 8; first += 4) {
            Value p =
                loadTwice(k.add(k.add(weight, k.mul(eight, 32)), first * 4),
                          8 * weightStride);
            for (int64_t n = 0; n < outputFragments(); ++n)
              inner[n] = product(p, loadValues(bases, n, first), inner[n]);
          }
          return inner;
        });
    k.syncWarp(); // before the next page's probabilities
    return result;
  }

private:
  Value load(int64_t count, Value offset) {
    return k.loadShared(k.vector(count, k.f32()), offset);
  }

  /// Tokens first to first + 3 of fragment n's two dims, dim by dim.
  Value loadValues(ArrayRef<Value> bases, int64_t n, int64_t first) {
    SmallVector<Value> even, odd;
    for (int64_t token = first; token < first + 4; ++token) {
      int64_t place = (n % 4 * 2) ^ token;
      Value pair =
          load(2, k.add(bases[place], n / 4 * panelBytes + token * rowBytes));
      even.push_back(k.element(pair, 0));
      odd.push_back(k.element(pair, 1));
    }
    even.append(odd);
    return k.pack(even);
  }

  Value join(Value low, Value high) {
    SmallVector<Value> parts;
    for (Value half : {low, high})
      for (int64_t i = 0; i < 4; ++i)
        parts.push_back(k.element(half, i));
    return k.pack(parts);
  }

  /// Four f32 of this lane's two rows.
  Value loadTwice(Value offset, int64_t distance) {
    return join(load(4, offset), load(4, k.add(offset, distance)));
  }

  Value queries; ///< [16][paddedDim + 4]
  Value weights; ///< [16][64 + 4]
};

} // namespace

std::unique_ptr<AttentionProducts>
AttentionProducts::create(KernelBuilder &k, const AttentionShape &shape,
                          Value scratch) {
  if (shape.storageType.isF32())
    return std::make_unique<FmaProducts>(k, shape, scratch);
  return std::make_unique<MatrixProducts>(k, shape, scratch);
}

int64_t AttentionProducts::scratchBytes(const AttentionShape &shape) {
  if (!shape.storageType.isF32())
    return MatrixProducts::keptBytes(shape);
  return rows * (FmaProducts::queryStride(shape) + FmaProducts::weightStride);
}

} // namespace mlir::tile
