// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the product kernels do with finished sums: residual add, logits,
// silu(gate) * up, rope with the write to the KV cache. In: one fragment. Out:
// stores of the tokens that the step has. Test: test/tile/ProductTest.cpp.
#include "compiler/tile/ProductEmitter.h"

#include "compiler/tile/Attention.h"

using namespace mlir;
using namespace mlir::tile;

/// A warp that finishes one fragment at most knows before the products which,
/// and so what its epilogue reads: asked for then, it is there when the sums
/// are. A step of few tokens consists of such waits, one after the other.
bool ProductEmitter::readsEarly() const {
  const HeadLayout &heads = shape.heads;
  bool rope = shape.epilogue == Epilogue::Rope;
  int64_t outputs =
      rope ? (heads.heads + 2 * heads.kvHeads) * heads.headDim : shape.outputs;
  return (rope || shape.epilogue == Epilogue::Residual) &&
         !shape.isPersistent() && groups * columns <= shape.warps &&
         outputs % shape.rowsPerBlock == 0;
}

void ProductEmitter::readEarly() {
  if (!readsEarly())
    return;
  // As exchangeSums() will have it of `index` = warp.
  Value group = k.add(k.mul(rowBlock, groups), k.bitAnd(warp, groups - 1));
  Value column = k.shr(warp, llvm::Log2_64(groups));
  Value first = k.add(firstToken, k.add(k.shl(column, 3), k.shl(quad, 1)));
  Value last = k.sub(tokens, 1);
  for (int64_t half = 0; half < 2; ++half)
    early.push_back(readOperands(group, k.umin(k.add(first, half), last)));
}

ProductEmitter::Operands ProductEmitter::readOperands(Value group,
                                                      Value token) {
  Operands read;
  if (shape.epilogue == Epilogue::Residual) {
    Value line =
        k.address(arguments[2], k.mul(k.widen(token), shape.outputStride * 4));
    for (int64_t part = 0; part < 2; ++part) {
      Value index = k.add(k.add(k.shl(group, 4), row), 8 * part);
      read.residual[part] = k.load(k.f32(), k.address(line, k.shl(index, 2)));
    }
  }
  if (shape.epilogue == Epilogue::Rope) {
    const HeadLayout &heads = shape.heads;
    Value at = k.shl(token, 2);
    read.position = k.load(k.i32(), k.address(get(Positions), at));
    Value slot = k.load(k.i32(), k.address(get(Slots), at));
    Value entry = k.add(k.mul(slot, heads.maxPages), k.shr(read.position, 6));
    read.page = k.load(k.i32(), k.address(get(BlockTable), k.shl(entry, 2)));
    if (heads.rotation != Rotation::None) {
      int64_t pairsOfHead = heads.headDim / 2;
      Value pair = k.urem(k.add(k.shl(group, 3), row), pairsOfHead);
      Value line = heads.rotation == Rotation::ByToken ? token : read.position;
      read.turn =
          k.load(k.vector(2, k.f32()),
                 k.address(arguments[3],
                           k.shl(k.add(k.mul(line, pairsOfHead), pair), 3)));
    }
  }
  return read;
}

/// Each of the two rows' element, to the sums of both tokens.
void ProductEmitter::addBias(Fragment &fragment) {
  LocationScope scope(k, shape.biasTensor);
  Value first = k.add(k.shl(fragment.group, 4), row);
  Value pointer = k.address(bias, k.mul(first, shape.elementBytes()));
  for (int64_t part = 0; part < 2; ++part) {
    Value stored = k.load(shape.storage,
                          k.address(pointer, 8 * part * shape.elementBytes()));
    Value element = wide ? stored : k.widenElement(stored);
    for (int64_t half = 0; half < 2; ++half) {
      Value &value = fragment.values[2 * part + half];
      value = k.addf(value, element);
    }
  }
}

void ProductEmitter::store(const Fragment &fragment, int64_t half) {
  Value token = k.add(fragment.token, half);
  k.when(k.ult(token, tokens), [&] {
    switch (shape.epilogue) {
    case Epilogue::Residual:
    case Epilogue::Logits:
      return storeRows(fragment, half, token);
    case Epilogue::GateUp:
      return storeGateUp(fragment, half, token);
    case Epilogue::Rope:
      return storeRope(fragment, half, token);
    }
  });
}

/// Residual: x[token][r] += value. Logits: logits[token][r] = value.
void ProductEmitter::storeRows(const Fragment &fragment, int64_t half,
                               Value token) {
  bool residual = shape.epilogue == Epilogue::Residual;
  Value output = arguments[residual ? 2 : 3];
  Value line = k.address(output, k.mul(k.widen(token), shape.outputStride * 4));
  for (int64_t part = 0; part < 2; ++part) {
    Value index = k.add(k.add(k.shl(fragment.group, 4), row), 8 * part);
    auto storeOne = [&] {
      Value pointer = k.address(line, k.shl(index, 2));
      Value value = fragment.values[2 * part + half];
      if (residual)
        value = k.addf(early.empty() ? k.load(k.f32(), pointer)
                                     : early[half].residual[part],
                       value);
      k.store(value, pointer);
    };
    if (shape.outputs % shape.rowsPerBlock == 0)
      storeOne();
    else
      k.when(k.ult(index, shape.outputs), storeOne);
  }
}

/// ffn[token][i] = round(silu(gate) * up).
void ProductEmitter::storeGateUp(const Fragment &fragment, int64_t half,
                                 Value token) {
  Value index = k.add(k.shl(fragment.group, 3), row);
  auto storeOne = [&] {
    Value gate = fragment.values[half], up = fragment.values[2 + half];
    Value power = k.exp2(k.mulf(gate, k.constantF32(-1.44269504f)));
    Value sigmoid = k.reciprocal(k.addf(power, k.constantF32(1)));
    Value value = k.mulf(k.mulf(gate, sigmoid), up);
    Value position = k.add(k.mul(token, shape.outputStride), index);
    k.store(k.round(value, shape.storage),
            k.address(arguments[3], k.mul(position, shape.elementBytes())));
  };
  if (2 * shape.outputs % shape.rowsPerBlock == 0)
    storeOne();
  else
    k.when(k.ult(index, shape.outputs), storeOne);
}

/// Two elements of the storage type at once.
void ProductEmitter::storePair(Value first, Value second, Value pointer) {
  k.store(wide ? k.pack({first, second})
               : k.roundPair(first, second, shape.storage),
          pointer);
}

/// Elements 2*pair and 2*pair + 1 of a key (head < kvHeads) or value head.
Value ProductEmitter::cacheAddress(Value head, Value pair, Value position,
                                   Value page) {
  const HeadLayout &heads = shape.heads;
  AttentionShape layout;
  layout.storageType = shape.storage;
  layout.kvHeads = heads.kvHeads;
  layout.headDim = heads.headDim;
  layout.layers = heads.layers;
  Value isValue =
      k.compare(arith::CmpIPredicate::uge, head, k.constant(heads.kvHeads));
  // [kv head][K, V]
  Value matrix = k.select(
      isValue, k.add(k.shl(k.sub(head, heads.kvHeads), 1), 1), k.shl(head, 1));
  Value column = k.mul(pair, 2 * shape.elementBytes());
  Value panel = k.add(k.mul(matrix, layout.panels()), k.shr(column, 7));
  Value chunk = k.bitXor(k.bitAnd(k.shr(column, 4), 7), k.bitAnd(position, 7));
  Value within = k.add(k.shl(k.bitAnd(position, 63), 7),
                       k.add(k.shl(chunk, 4), k.bitAnd(column, 15)));
  Value offset = k.add(k.mul(panel, AttentionShape::panelBytes), within);
  Value start = k.address(get(Cache), k.mul(k.widen(page), layout.pageBytes()));
  return k.address(start, offset);
}

/// Query: rope, to q. Key: rope, to the cache. Value: to the cache. Without
/// rotation query and key are stored as they are.
void ProductEmitter::storeRope(const Fragment &fragment, int64_t half,
                               Value token) {
  const HeadLayout &heads = shape.heads;
  int64_t pairsOfHead = heads.headDim / 2;
  Value index = k.add(k.shl(fragment.group, 3), row);
  auto storeOne = [&] {
    Value head = k.udiv(index, pairsOfHead);
    Value pair = k.urem(index, pairsOfHead);
    Operands read =
        early.empty() ? readOperands(fragment.group, token) : early[half];
    Value first = fragment.values[half], second = fragment.values[2 + half];
    if (heads.rotation != Rotation::None) {
      Value cosine = k.element(read.turn, 0), sine = k.element(read.turn, 1);
      Value turnedFirst = k.subf(k.mulf(first, cosine), k.mulf(second, sine));
      Value turnedSecond = k.addf(k.mulf(second, cosine), k.mulf(first, sine));
      Value isTurned = k.ult(head, heads.heads + heads.kvHeads);
      first = k.select(isTurned, turnedFirst, first);
      second = k.select(isTurned, turnedSecond, second);
    }
    Value isQuery = k.ult(head, heads.heads);
    // No branch: a query's lanes find a cache address too and drop it.
    Value place =
        k.add(k.mul(token, heads.heads * heads.headDim), k.shl(index, 1));
    Value query = k.address(get(Query), k.mul(place, shape.elementBytes()));
    Value cache =
        cacheAddress(k.sub(head, heads.heads), pair, read.position, read.page);
    storePair(first, second, k.select(isQuery, query, cache));
  };
  int64_t pairs = (heads.heads + 2 * heads.kvHeads) * pairsOfHead;
  if (2 * pairs % shape.rowsPerBlock == 0)
    storeOne();
  else
    k.when(k.ult(index, pairs), storeOne);
}
