// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The product kernels up to their finished sums. In: a packed stream, the
// activations of the step, a norm's gamma. Out: one fragment of finished sums
// at a time, for the epilogues in TileEpilogues.cpp. Test:
// test/tile/ProductTest.cpp.
#include "compiler/tile/ProductEmitter.h"

using namespace mlir;
using namespace mlir::tile;

ProductEmitter::ProductEmitter(KernelBuilder &k, const ProductShape &shape)
    : k(k), shape(shape), wide(shape.storage.isF32()),
      groups(shape.rowsPerBlock / 16), columns(shape.tokensPerBlock / 8) {}

static SmallVector<Parameter> parametersWithoutBias(const ProductShape &shape) {
  constexpr Parameter pointer = Parameter::Pointer,
                      weights = Parameter::Weights, scalar = Parameter::Scalar;
  switch (shape.epilogue) {
  case Epilogue::Rope:
    if (shape.heads.rotation == Rotation::None)
      return {pointer, weights, weights, pointer, pointer,
              pointer, pointer, pointer, scalar};
    return {pointer, weights, weights, weights, pointer,
            pointer, pointer, pointer, pointer, scalar};
  case Epilogue::Residual:
    return {pointer, weights, pointer, scalar};
  case Epilogue::GateUp:
    return {pointer, weights, weights, pointer, scalar};
  case Epilogue::Logits:
    return {pointer, weights, weights, pointer, scalar, scalar};
  }
  llvm_unreachable("four epilogues");
}

static SmallVector<Parameter> parametersOf(const ProductShape &shape) {
  SmallVector<Parameter> parameters = parametersWithoutBias(shape);
  if (shape.hasBias)
    parameters.insert(parameters.end() - 1, Parameter::Weights);
  return parameters;
}

gpu::GPUFuncOp tile::buildProduct(OpBuilder &builder, const ProductShape &shape,
                                  StringRef name) {
  KernelBuilder k(shape.weightsTensors.value_or(builder.getUnknownLoc()),
                  builder);
  gpu::GPUFuncOp kernel =
      k.startKernel(name, parametersOf(shape), shape.threads());
  ProductEmitter(k, shape).emit(kernel);
  k.finishKernel(kernel);
  builder.setInsertionPointAfter(kernel);
  return kernel;
}

void ProductEmitter::emit(gpu::GPUFuncOp kernel) {
  arguments = llvm::to_vector_of<Value>(kernel.getArguments());
  int64_t next = 0;
  input = arguments[next++];
  gamma = shape.hasNorm() ? arguments[next++] : Value();
  weights = arguments[next++];
  tokens = arguments.back();
  bias = shape.hasBias ? arguments[arguments.size() - 2] : Value();
  thread = k.thread();
  lane = k.bitAnd(thread, 31);
  // By shuffle: the same in all lanes for certain, and no number of steps that
  // LLVM could fold; a loop that it unrolls away holds too many registers.
  warp = k.shuffleFrom(k.shr(thread, 5), k.constant(0));
  quad = k.bitAnd(lane, 3);
  row = k.shr(lane, 2);
  firstToken = k.mul(k.block(gpu::Dimension::x), shape.tokensPerBlock);
  tokensLeft = k.sub(tokens, firstToken);
  rowBlock = k.block(gpu::Dimension::y);

  startStream();
  AwaitPreviousOp::create(k);
  if (shape.storage.isF16() && shape.hasNorm())
    computeScales();
  locateInputs();
  readEarly();
  if (!shape.isPersistent()) {
    multiply();
    exchangeSums();
    return;
  }
  // The ring fills on across the edges between row blocks.
  k.loop(rowBlock, k.constant(shape.rowBlocks()), shape.gridRows(),
         {k.constant(0)},
         [&](Value block, ValueRange carried) -> SmallVector<Value> {
           rowBlock = block;
           firstStep = carried[0];
           multiply();
           exchangeSums();
           k.syncBlock(); // before the next sums go where these lie
           return {k.add(firstStep, steps)};
         });
}

//===----------------------------------------------------------------------===//
// The stream of weights
//===----------------------------------------------------------------------===//

void ProductEmitter::startStream() {
  int64_t stages = shape.stages();
  Value warpData = k.mul(warp, stages * shape.stageBytes());
  Value barriers = k.add(k.mul(warp, stages * 8), shape.barrierOffset());
  ring = RingOp::create(
      k, RingType::get(k.getContext(), stages, shape.stageBytes(), Scope::Warp),
      warpData, barriers);
  k.syncWarp();

  steps = k.shr(k.sub(k.constant(shape.kTiles() + shape.warps - 1), warp),
                llvm::Log2_64(shape.warps));
  allSteps = steps;
  source = k.address(weights, k.mul(warp, StreamOp::tileBytes));
  if (shape.isPersistent())
    allSteps =
        k.mul(steps,
              k.udiv(k.sub(k.constant(shape.rowBlocks() - 1 + shape.gridRows()),
                           rowBlock),
                     shape.gridRows()));
  else
    source = k.address(source, rowsInStream(rowBlock));

  for (int64_t stage = 0; stage < stages; ++stage)
    fill(k.constant(stage), k.ult(k.constant(stage), allSteps));
}

/// Bytes from the stream's start to the rows of a row block, in 64 bits.
Value ProductEmitter::rowsInStream(Value block) {
  Value firstRow = k.mul(block, shape.rowsPerBlock);
  Value tile = k.shr(firstRow, 6);
  Value offset = k.mul(k.widen(tile), shape.kTiles() * StreamOp::tileBytes);
  Value within = k.mul(k.bitAnd(firstRow, 63), StreamOp::tileRowBytes);
  return k.add(offset, k.widen(within));
}

/// step / steps, by the two constants that `steps` may be.
Value ProductEmitter::roundOf(Value step) {
  int64_t few = shape.kTiles() / shape.warps,
          rest = shape.kTiles() % shape.warps;
  Value round = k.udiv(step, std::max<int64_t>(few, 1));
  if (rest == 0)
    return round;
  return k.select(k.ult(warp, rest), k.udiv(step, few + 1), round);
}

/// K tile `warp` of a row block, then every one as many tiles on as there are
/// warps.
void ProductEmitter::fill(Value step, Value wanted) {
  Value from = source, inRows = step;
  if (shape.isPersistent()) {
    Value round = roundOf(step);
    inRows = k.sub(step, k.mul(round, steps));
    Value block =
        k.add(k.block(gpu::Dimension::y), k.mul(round, shape.gridRows()));
    from = k.address(from, rowsInStream(block));
  }
  Value offset = k.mul(inRows, shape.warps * StreamOp::tileBytes);
  RingFillOp::create(k, ring, step, k.address(from, offset), wanted,
                     IntegerAttr());
}

//===----------------------------------------------------------------------===//
// f16: a power of two for each token
//===----------------------------------------------------------------------===//

/// Warp w takes the tokens w, w + warps, ...; [scale, 1/scale] go to shared
/// memory.
void ProductEmitter::computeScales() {
  LocationScope scope(k, shape.normTensor);
  Type pair = k.vector(2, k.f32());
  int64_t pairs = (shape.k + 1) / 2;
  k.loop(warp, k.constant(shape.tokensPerBlock), shape.warps, [&](Value token) {
    Value base = k.address(input, inputOffset(token));
    SmallVector<Value> largest =
        k.loop(lane, k.constant(pairs), 32, {k.constantF32(0)},
               [&](Value index, ValueRange carried) -> SmallVector<Value> {
                 Value x = k.load(pair, k.address(base, k.shl(index, 3)));
                 Value packed =
                     k.load(k.i32(), k.address(gamma, k.shl(index, 2)));
                 auto [low, high] = k.widenPair(packed, shape.storage);
                 Value most = carried[0];
                 most = k.maxf(most, k.absf(k.mulf(k.element(x, 0), low)));
                 most = k.maxf(most, k.absf(k.mulf(k.element(x, 1), high)));
                 return {most};
               });
    Value most = largest[0];
    for (int64_t mask : {16, 8, 4, 2, 1})
      most = k.maxf(most, k.shuffleXor(most, mask));
    // The biased exponent e of the maximum: 2^(127-e) brings it into [1, 2).
    Value exponent = k.shr(k.bits(most, k.i32()), 23);
    exponent = k.umin(k.umax(exponent, k.constant(1)), k.constant(253));
    Value scale = k.bits(k.shl(k.sub(k.constant(254), exponent), 23), k.f32());
    Value undo = k.bits(k.shl(exponent, 23), k.f32());
    k.when(k.equal(lane, 0), [&] {
      k.storeShared(k.pack({scale, undo}),
                    k.add(k.shl(token, 3), shape.scaleOffset()));
    });
  });
  k.syncBlock();
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Bytes from the input's start to a token of this block. Lanes without a token
/// read the last one: no more lines of memory than there are tokens.
Value ProductEmitter::inputOffset(Value token) {
  Value index = k.add(firstToken, k.umin(token, k.sub(tokensLeft, 1)));
  if (shape.epilogue == Epilogue::Logits)
    index = k.add(index, arguments[4]);
  return k.mul(index, shape.inputStride *
                          (shape.hasNorm() ? 4 : shape.elementBytes()));
}

void ProductEmitter::locateInputs() {
  // What a lane reads of each 8 tokens: 16 bits token `row`, from element
  // 2*quad on; f32 tokens 2*quad and 2*quad + 1, all elements.
  int64_t inputBytes = shape.hasNorm() ? 4 : shape.elementBytes();
  Value lanePart = wide ? k.constant(0) : k.mul(quad, 2 * inputBytes);
  Value warpPart = k.add(k.mul(warp, shape.tileK() * inputBytes), lanePart);
  for (int64_t column = 0; column < columns; ++column)
    for (int64_t half = 0; half < (wide ? 2 : 1); ++half) {
      Value token = wide ? k.add(k.shl(quad, 1), 8 * column + half)
                         : k.add(row, 8 * column);
      inputs.push_back(k.address(input, k.add(inputOffset(token), warpPart)));
      if (shape.storage.isF16() && shape.hasNorm())
        scales.push_back(
            k.loadShared(k.f32(), k.add(k.shl(token, 3), shape.scaleOffset())));
    }
  int64_t gammaBytes = shape.elementBytes();
  if (gamma)
    gamma = k.address(gamma, k.add(k.mul(warp, shape.tileK() * gammaBytes),
                                   wide ? k.constant(0) : k.shl(quad, 2)));
  // Where a lane reads in a stage, before the exclusive or with the column.
  Value laneRow = wide ? row : k.bitAnd(lane, 15);
  Value swizzle = wide ? row : k.bitXor(k.shr(lane, 4), k.bitAnd(lane, 7));
  laneOffset = k.bitOr(k.shl(laneRow, 7), k.shl(swizzle, 4));
}

void ProductEmitter::multiply() {
  int64_t stages = shape.stages();
  Value refills = k.sub(k.umax(allSteps, k.constant(stages)), stages);
  SmallVector<Value> carried;
  carried.append(groups * columns, k.zeros(4));
  if (shape.hasNorm())
    carried.append(inputs.size(), k.constantF32(0));
  SmallVector<Value> results =
      k.loop(k.constant(0), steps, 1, carried,
             [&](Value step, ValueRange values) -> SmallVector<Value> {
               sums.assign(values.begin(), values.begin() + groups * columns);
               squares.assign(values.begin() + groups * columns, values.end());
               // The stage that the step before has released. Here, and not
               // behind its release: then the products stand in the loop's last
               // block, and nothing of them sinks past a branch with its
               // operands held.
               Value inStream = firstStep ? k.add(firstStep, step) : step;
               Value before = k.sub(inStream, 1);
               fill(k.add(before, stages), k.ult(before, refills));
               Value stage = RingWaitOp::create(k, k.i32(), ring, inStream);
               multiplyStep(step, stage);
               RingReleaseOp::create(k, ring);
               SmallVector<Value> next(sums);
               next.append(squares);
               return next;
             });
  sums.assign(results.begin(), results.begin() + groups * columns);
  squares.assign(results.begin() + groups * columns, results.end());
}

/// All columns, or only the first where the block has no more tokens: those of
/// the others would be computed and never stored.
void ProductEmitter::multiplyStep(Value step, Value stage) {
  if (columns == 1)
    return multiplyStage(step, stage, 1);
  SmallVector<Value> before(sums);
  before.append(squares);
  auto multiply = [&](int64_t count) {
    sums.assign(before.begin(), before.begin() + sums.size());
    squares.assign(before.begin() + sums.size(), before.end());
    multiplyStage(step, stage, count);
    SmallVector<Value> after(sums);
    after.append(squares);
    return after;
  };
  SmallVector<Value> after = k.choose(
      k.ult(tokensLeft, 9), TypeRange(ValueRange(before)),
      [&] { return multiply(1); }, [&] { return multiply(columns); });
  sums.assign(after.begin(), after.begin() + sums.size());
  squares.assign(after.begin() + sums.size(), after.end());
}

void ProductEmitter::multiplyStage(Value step, Value stage, int64_t count) {
  int64_t inputBytes = shape.hasNorm() ? 4 : shape.elementBytes();
  Value inputStep = k.mul(step, shape.warps * shape.tileK() * inputBytes);
  SmallVector<Value> here;
  for (Value pointer : inputs)
    here.push_back(k.address(pointer, inputStep));
  Value gammaHere;
  if (gamma)
    gammaHere =
        k.address(gamma, k.mul(step, shape.warps * StreamOp::tileRowBytes));
  Value base = k.add(stage, laneOffset);
  // Steps of 16 elements of 16 bits, or of 4 of f32.
  for (int64_t part = 0; part < (wide ? 8 : 4); ++part) {
    Value offset = k.bitXor(base, part * (wide ? 16 : 32));
    SmallVector<Value> rows;
    for (int64_t group = 0; group < groups; ++group)
      rows.push_back(loadRows(k.add(offset, 2048 * group)));
    SmallVector<Value> gammas = loadGamma(gammaHere, part);
    for (int64_t column = 0; column < count; ++column) {
      Value operand = wide ? loadWide(here, gammas, column, part)
                           : loadNarrow(here, gammas, column, part);
      for (int64_t group = 0; group < groups; ++group) {
        Value &sum = sums[column * groups + group];
        sum = ProductOp::create(k, sum.getType(), rows[group], operand, sum,
                                TypeAttr::get(shape.storage));
      }
    }
  }
}

/// 16 rows of this step's k.
Value ProductEmitter::loadRows(Value offset) {
  if (!wide)
    return LoadMatricesOp::create(k, k.vector(4, k.i32()), offset,
                                  /*transposed=*/false);
  SmallVector<Value> elements;
  for (int64_t half = 0; half < 2; ++half) {
    Value four = k.loadShared(k.vector(4, k.f32()), k.add(offset, 1024 * half));
    for (int64_t index = 0; index < 4; ++index)
      elements.push_back(k.element(four, index));
  }
  return k.pack(elements);
}

/// The four gammas of this lane's elements, or nothing.
SmallVector<Value> ProductEmitter::loadGamma(Value pointer, int64_t part) {
  SmallVector<Value> values;
  if (!pointer)
    return values;
  LocationScope scope(k, shape.normTensor);
  if (wide) {
    Value four = k.load(k.vector(4, k.f32()), k.address(pointer, 16 * part));
    for (int64_t index = 0; index < 4; ++index)
      values.push_back(k.element(four, index));
    return values;
  }
  for (int64_t half = 0; half < 2; ++half) {
    Value packed = k.load(k.i32(), k.address(pointer, 32 * part + 16 * half));
    auto [low, high] = k.widenPair(packed, shape.storage);
    values.push_back(low);
    values.push_back(high);
  }
  return values;
}

/// The operand of eight tokens: 4 elements of one token in each lane.
Value ProductEmitter::loadNarrow(ArrayRef<Value> pointers,
                                 ArrayRef<Value> gammas, int64_t column,
                                 int64_t part) {
  SmallVector<Value> registers;
  for (int64_t half = 0; half < 2; ++half) {
    if (!shape.hasNorm()) {
      registers.push_back(
          k.load(k.i32(), k.address(pointers[column], 32 * part + 16 * half)));
      continue;
    }
    LocationScope scope(k, shape.normTensor);
    Value x = k.load(k.vector(2, k.f32()),
                     k.address(pointers[column], 64 * part + 32 * half));
    Value scaled[2];
    for (int64_t index = 0; index < 2; ++index) {
      Value element = k.element(x, index);
      squares[column] = k.fma(element, element, squares[column]);
      scaled[index] = k.mulf(element, gammas[2 * half + index]);
      if (!scales.empty())
        scaled[index] = k.mulf(scaled[index], scales[column]);
    }
    registers.push_back(k.roundPair(scaled[0], scaled[1], shape.storage));
  }
  return k.pack(registers);
}

/// The same in f32: 4 elements of two tokens in each lane.
Value ProductEmitter::loadWide(ArrayRef<Value> pointers, ArrayRef<Value> gammas,
                               int64_t column, int64_t part) {
  SmallVector<Value> elements;
  for (int64_t half = 0; half < 2; ++half) {
    int64_t index = 2 * column + half;
    Value four =
        k.load(k.vector(4, k.f32()), k.address(pointers[index], 16 * part));
    for (int64_t position = 0; position < 4; ++position) {
      Value element = k.element(four, position);
      if (shape.hasNorm()) {
        LocationScope scope(k, shape.normTensor);
        squares[index] = k.fma(element, element, squares[index]);
        element = k.mulf(element, gammas[position]);
      }
      elements.push_back(element);
    }
  }
  return k.pack(elements);
}

//===----------------------------------------------------------------------===//
// From the warps' partial sums to one
//===----------------------------------------------------------------------===//

void ProductEmitter::exchangeSums() {
  Value mine = k.add(k.mul(warp, shape.sumStride()), shape.sumOffset());
  for (auto [index, sum] : llvm::enumerate(sums))
    k.storeShared(sum, k.add(k.add(mine, k.shl(lane, 4)), 512 * index));
  storeSquares();
  k.syncBlock();

  // Of the columns that have tokens.
  Value count = k.mul(
      k.umin(k.shr(k.add(tokensLeft, 7), 3), k.constant(columns)), groups);
  k.loop(warp, count, shape.warps, [&](Value index) {
    Value offset =
        k.add(k.add(k.shl(index, 9), k.shl(lane, 4)), shape.sumOffset());
    Value total = k.loadShared(k.vector(4, k.f32()), offset);
    for (int64_t other = 1; other < shape.warps; ++other)
      total =
          k.addf(total, k.loadShared(k.vector(4, k.f32()),
                                     k.add(offset, other * shape.sumStride())));
    Value group = k.bitAnd(index, groups - 1);
    Value column = k.shr(index, llvm::Log2_64(groups));
    finish(total, group, column);
  });
}

/// The sums of squares of each token, one from each warp.
void ProductEmitter::storeSquares() {
  if (!shape.hasNorm())
    return;
  LocationScope scope(k, shape.normTensor);
  Value base =
      k.add(k.mul(warp, shape.tokensPerBlock * 4), shape.squareOffset());
  if (wide) {
    // All eight lanes of a column hold the same two sums.
    k.when(k.equal(row, 0), [&] {
      for (int64_t column = 0; column < columns; ++column)
        k.storeShared(k.pack({squares[2 * column], squares[2 * column + 1]}),
                      k.add(k.add(base, k.shl(quad, 3)), 32 * column));
    });
    return;
  }
  for (Value &square : squares)
    for (int64_t mask : {1, 2})
      square = k.addf(square, k.shuffleXor(square, mask));
  k.when(k.equal(quad, 0), [&] {
    for (int64_t column = 0; column < columns; ++column)
      k.storeShared(squares[column],
                    k.add(k.add(base, k.shl(row, 2)), 32 * column));
  });
}

/// A finished fragment: times the norm's factor, and the bias, then the
/// epilogue.
void ProductEmitter::finish(Value total, Value group, Value column) {
  Value pairInBlock = k.add(k.shl(column, 3), k.shl(quad, 1));
  Fragment fragment;
  fragment.token = k.add(firstToken, pairInBlock);
  fragment.group = k.add(k.mul(rowBlock, groups), group);
  Type two = k.vector(2, k.f32());
  SmallVector<Value> factors;
  if (shape.hasNorm()) {
    LocationScope scope(k, shape.normTensor);
    Value offset = k.add(k.shl(pairInBlock, 2), shape.squareOffset());
    Value square = k.loadShared(two, offset);
    for (int64_t other = 1; other < shape.warps; ++other)
      square = k.addf(
          square,
          k.loadShared(two, k.add(offset, other * shape.tokensPerBlock * 4)));
    for (int64_t index = 0; index < 2; ++index) {
      Value mean =
          k.mulf(k.element(square, index), k.constantF32(1.0f / shape.k));
      Value factor = k.rsqrt(k.addf(mean, k.constantF32(shape.eps)));
      if (!scales.empty())
        factor = k.mulf(
            factor,
            k.loadShared(k.f32(), k.add(k.shl(pairInBlock, 3),
                                        shape.scaleOffset() + 8 * index + 4)));
      factors.push_back(factor);
    }
  }
  for (int64_t index = 0; index < 4; ++index) {
    Value value = k.element(total, index);
    fragment.values[index] =
        factors.empty() ? value : k.mulf(value, factors[index % 2]);
  }
  if (bias)
    addBias(fragment);
  for (int64_t half = 0; half < 2; ++half)
    store(fragment, half);
}
