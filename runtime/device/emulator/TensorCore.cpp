// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// ldmatrix, stmatrix and mma.sync.
//
// The order of a product, which is part of the emulator's contract:
//   d[i][j] = c[i][j]; for k = 0, 1, ..: d = fma(a[i][k], b[k][j], d)
// each step rounded to nearest even in f32. Products of f16, bf16 and tf32
// values are exact in f32, so every step is one rounding of an exact sum. (The
// chip adds in blocks with truncation; no order of its is documented.)
#include "runtime/device/emulator/Access.h"
#include "runtime/device/emulator/Product.h"
#include "runtime/device/emulator/TensorForms.h"
#include "runtime/device/emulator/check/CheckKind.h"

using namespace llrt::emu;

bool llrt::emu::wholeWarp(const Inst *inst, Warp &warp, uint32_t mask) {
  if (mask == ~0u)
    return true;
  if (!aligned(inst, warp, mask))
    return false;
  fault(inst, -1, CheckKind::MissingLanes,
        "an instruction for whole warps, of which some threads have exited or "
        "never existed");
}

const Operand &llrt::emu::vectorOf(Decoding &d, size_t i, size_t count,
                                   Operand &single) {
  const Operand &operand = d.operand(i);
  if (operand.kind == Operand::Vector && operand.elements.size() == count)
    return operand;
  if (count == 1 && operand.kind == Operand::Register) {
    single.kind = Operand::Vector;
    single.elements = {operand};
    return single;
  }
  d.fail("operand " + std::to_string(i + 1) + " has to be a vector of " +
         std::to_string(count));
}

namespace {

/// op[0..3]: D, op[4..7]: A, extra[0..1]: B, extra[2..5]: C.
template <class T, unsigned Groups>
const Inst *runMma(const Inst *inst, Warp &warp, uint32_t mask) {
  if (__builtin_expect(!wholeWarp(inst, warp, mask), 0))
    return nullptr;
  const uint32_t *a[4] = {}, *b[2] = {};
  const float *c[4];
  float *d[4];
  for (unsigned i = 0; i < Groups * 2; ++i)
    a[i] = warp.in<uint32_t>(inst->op[4 + i]);
  for (unsigned i = 0; i < Groups; ++i)
    b[i] = warp.in<uint32_t>(inst->extra[i]);
  for (unsigned i = 0; i < 4; ++i) {
    c[i] = warp.in<float>(inst->extra[2 + i]);
    d[i] = warp.out<float>(inst->op[i]);
  }
  Product<T, Groups>::run(a, b, c, d);
  return inst + 1;
}

/// The same with f16 C and D in two registers each: sums in f32, rounded once.
template <unsigned Groups>
const Inst *runMmaHalf(const Inst *inst, Warp &warp, uint32_t mask) {
  if (!wholeWarp(inst, warp, mask))
    return nullptr;
  const uint32_t *a[4] = {}, *b[2] = {};
  for (unsigned i = 0; i < Groups * 2; ++i)
    a[i] = warp.in<uint32_t>(inst->op[4 + i]);
  for (unsigned i = 0; i < Groups; ++i)
    b[i] = warp.in<uint32_t>(inst->extra[i]);
  float sums[4][32];
  for (unsigned i = 0; i < 32; ++i)
    for (unsigned half = 0; half < 2; ++half) {
      uint32_t word = warp.in<uint32_t>(inst->extra[2 + half])[i];
      sums[half * 2][i] = toFloat(Half{static_cast<uint16_t>(word)});
      sums[half * 2 + 1][i] = toFloat(Half{static_cast<uint16_t>(word >> 16)});
    }
  const float *c[4] = {sums[0], sums[1], sums[2], sums[3]};
  float *d[4] = {sums[0], sums[1], sums[2], sums[3]};
  Product<Half, Groups>::run(a, b, c, d);
  for (unsigned half = 0; half < 2; ++half)
    for (unsigned i = 0; i < 32; ++i)
      warp.out<uint32_t>(inst->op[half])[i] =
          static_cast<uint32_t>(fromFloat<Half>(sums[half * 2 + 1][i]).bits)
              << 16 |
          fromFloat<Half>(sums[half * 2][i]).bits;
  return inst + 1;
}

void decodeMma(Decoding &d) {
  if (!d.take("sync") || !d.take("aligned"))
    d.unsupported();
  if (decodeWideMma(d))
    return;
  std::string_view shape = d.takeOneOf({"m16n8k16", "m16n8k8", "m16n8k4"});
  if (shape.empty() || !d.take("row") || !d.take("col"))
    d.unsupported();
  Type typeD = d.takeType(), typeA = d.takeType(), typeB = d.takeType(),
       typeC = d.takeType();
  bool half = typeD == Type::F16;
  if (typeA != typeB || typeC != typeD ||
      (half ? typeA != Type::F16 : typeD != Type::F32))
    d.unsupported();
  unsigned groups = 0;
  Handler handler = nullptr;
  if (typeA == Type::TF32) {
    groups = shape == "m16n8k8" ? 2 : shape == "m16n8k4" ? 1 : 0;
    handler = groups == 2   ? runMma<float, 2>
              : groups == 1 ? runMma<float, 1>
                            : nullptr;
  } else {
    groups = shape == "m16n8k16" ? 2 : shape == "m16n8k8" ? 1 : 0;
    if (groups && half)
      handler = groups == 2 ? runMmaHalf<2> : runMmaHalf<1>;
    else if (groups && typeA == Type::BF16)
      handler = groups == 2 ? runMma<Brain, 2> : runMma<Brain, 1>;
    else if (groups && typeA == Type::F16)
      handler = groups == 2 ? runMma<Half, 2> : runMma<Half, 1>;
  }
  d.expectOperands(4, 4);
  d.mayStop();
  d.emit(handler);
  d.extra(6);
  Operand single[4];
  unsigned sums = half ? 2 : 4;
  const Operand &to = vectorOf(d, 0, sums, single[0]),
                &a = vectorOf(d, 1, groups * 2, single[1]);
  const Operand &b = vectorOf(d, 2, groups, single[2]),
                &c = vectorOf(d, 3, sums, single[3]);
  for (unsigned i = 0; i < groups * 2; ++i)
    d.use(4 + i, a.elements[i], Type::B32);
  for (unsigned i = 0; i < groups; ++i)
    d.use(8 + i, b.elements[i], Type::B32);
  for (unsigned i = 0; i < sums; ++i)
    d.use(10 + i, c.elements[i], half ? Type::B32 : Type::F32);
  for (unsigned i = 0; i < sums; ++i)
    d.def(i, to.elements[i], 32);
}

/// op[0]: row addresses, op[1..N]: registers. Lanes 8m..8m+7 name matrix m's
/// rows.
template <class A, unsigned N, bool Transposed>
const Inst *runLoadMatrix(const Inst *inst, Warp &warp, uint32_t mask) {
  if (__builtin_expect(!wholeWarp(inst, warp, mask), 0))
    return nullptr;
  Addresses address;
  resolve<Space::Shared, A>(inst, warp, N == 4 ? ~0u : (1u << (8 * N % 32)) - 1,
                            AccessKind::Load, 16, address);
  for (unsigned m = 0; m < N; ++m) {
    uint32_t *to = warp.out<uint32_t>(inst->op[1 + m]);
    if (!Transposed) {
      for (unsigned row = 0; row < 8; ++row)
        std::memcpy(to + row * 4,
                    reinterpret_cast<const void *>(address.at[m * 8 + row]),
                    16);
      continue;
    }
    uint16_t matrix[8][8];
    for (unsigned row = 0; row < 8; ++row)
      std::memcpy(matrix[row],
                  reinterpret_cast<const void *>(address.at[m * 8 + row]), 16);
    for (unsigned column = 0; column < 8; ++column)
      for (unsigned pair = 0; pair < 4; ++pair)
        to[column * 4 + pair] =
            static_cast<uint32_t>(matrix[pair * 2 + 1][column]) << 16 |
            matrix[pair * 2][column];
  }
  return inst + 1;
}

template <class A, unsigned N, bool Transposed>
const Inst *runStoreMatrix(const Inst *inst, Warp &warp, uint32_t mask) {
  if (!wholeWarp(inst, warp, mask))
    return nullptr;
  Addresses address;
  resolve<Space::Shared, A>(inst, warp, N == 4 ? ~0u : (1u << (8 * N % 32)) - 1,
                            AccessKind::Store, 16, address);
  for (unsigned m = 0; m < N; ++m) {
    const uint32_t *from = warp.in<uint32_t>(inst->op[1 + m]);
    uint16_t matrix[8][8];
    for (unsigned i = 0; i < 8; ++i)
      for (unsigned pair = 0; pair < 4; ++pair) {
        uint32_t word = from[i * 4 + pair];
        (Transposed ? matrix[pair * 2][i] : matrix[i][pair * 2]) =
            static_cast<uint16_t>(word);
        (Transposed ? matrix[pair * 2 + 1][i] : matrix[i][pair * 2 + 1]) =
            static_cast<uint16_t>(word >> 16);
      }
    for (unsigned row = 0; row < 8; ++row)
      std::memcpy(reinterpret_cast<void *>(address.at[m * 8 + row]),
                  matrix[row], 16);
  }
  warp.block->effects += 1;
  return inst + 1;
}

template <bool Store, class A, bool Transposed>
Handler matrixHandler(unsigned count) {
  switch (count) {
  case 1:
    return Store ? runStoreMatrix<A, 1, Transposed>
                 : runLoadMatrix<A, 1, Transposed>;
  case 2:
    return Store ? runStoreMatrix<A, 2, Transposed>
                 : runLoadMatrix<A, 2, Transposed>;
  default:
    return Store ? runStoreMatrix<A, 4, Transposed>
                 : runLoadMatrix<A, 4, Transposed>;
  }
}

template <bool Store> void decodeMatrix(Decoding &d) {
  if (!d.take("sync") || !d.take("aligned") || !d.take("m8n8"))
    d.unsupported();
  unsigned count = d.take("x4") ? 4 : d.take("x2") ? 2 : d.take("x1") ? 1 : 0;
  bool transposed = d.take("trans");
  Space space = d.takeSpace();
  if (d.takeType() != Type::B16 || count == 0 ||
      (space != Space::Shared && space != Space::Generic))
    d.unsupported();
  d.expectOperands(2, 2);
  d.mayStop();
  const Operand &memory = d.operand(Store ? 0 : 1);
  bool wide = !(memory.kind == Operand::Memory &&
                memory.elements[0].kind == Operand::Register &&
                d.registerBits(memory.elements[0]) == 32);
  if (space == Space::Generic && !wide)
    d.fail("a generic address has 64 bits");
  d.emit(wide ? (transposed ? matrixHandler<Store, uint64_t, true>(count)
                            : matrixHandler<Store, uint64_t, false>(count))
              : (transposed ? matrixHandler<Store, uint32_t, true>(count)
                            : matrixHandler<Store, uint32_t, false>(count)));
  d.address(0, memory, Space::Shared);
  Operand single;
  const Operand &registers = vectorOf(d, Store ? 1 : 0, count, single);
  for (unsigned i = 0; i < count; ++i)
    Store ? d.use(1 + i, registers.elements[i], Type::B32)
          : d.def(1 + i, registers.elements[i], 32);
}

/// The rows of an 8x8 matrix of 16 bits become its columns.
const Inst *runMoveMatrix(const Inst *inst, Warp &warp, uint32_t mask) {
  if (!wholeWarp(inst, warp, mask))
    return nullptr;
  uint16_t matrix[8][8];
  std::memcpy(matrix, warp.in<uint32_t>(inst->op[1]), sizeof matrix);
  uint32_t *to = warp.out<uint32_t>(inst->op[0]);
  for (unsigned row = 0; row < 8; ++row)
    for (unsigned pair = 0; pair < 4; ++pair)
      to[row * 4 + pair] = static_cast<uint32_t>(matrix[pair * 2 + 1][row])
                               << 16 |
                           matrix[pair * 2][row];
  return inst + 1;
}

void decodeMoveMatrix(Decoding &d) {
  if (!d.take("sync") || !d.take("aligned") || !d.take("m8n8") ||
      !d.take("trans") || d.takeType() != Type::B16)
    d.unsupported();
  d.expectOperands(2, 2);
  d.mayStop();
  d.emit(runMoveMatrix);
  d.def(0, d.operand(0), 32);
  d.use(1, d.operand(1), Type::B32);
}

} // namespace

void llrt::emu::addTensorInstructions(InstructionTable &table) {
  table["mma"] = decodeMma;
  table["ldmatrix"] = decodeMatrix<false>;
  table["stmatrix"] = decodeMatrix<true>;
  table["movmatrix"] = decodeMoveMatrix;
}
