// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// ldmatrix and mma.sync: what a whole warp does with 8 x 8 matrices.
//
// Layout. A register of 32 lanes, as it lies in memory, is eight rows of 16
// bytes: lane 4*r + q holds elements 2*q and 2*q + 1 of row r. ldmatrix fills
// it row by row, and each quarter of mma's A (16 x 16), each half of B (as
// 8 columns of 8) is one such register. C and D hold row r of the product in
// lanes 4*r to 4*r + 3 of two registers, even columns and odd ones.
//
// Order of the sum. Hardware does not say; here D[i][j] starts at C[i][j] and
// takes k = 0, 1, ..., 15 by one fused multiply-add each. The products are
// exact in f32, so every step rounds once, to nearest even.
#include "runtime/device/emulator/Access.h"

using namespace llrt::emu;

namespace {

/// 8 x 8 elements of 16 bits, transposed.
LLRT_INLINE void transpose(__m128i (&rows)[8]) {
  __m128i a[8], b[8];
  for (unsigned i = 0; i < 4; ++i) {
    a[2 * i] = _mm_unpacklo_epi16(rows[i], rows[i + 4]);
    a[2 * i + 1] = _mm_unpackhi_epi16(rows[i], rows[i + 4]);
  }
  for (unsigned i = 0; i < 4; ++i) {
    b[2 * i] = _mm_unpacklo_epi16(a[i], a[i + 4]);
    b[2 * i + 1] = _mm_unpackhi_epi16(a[i], a[i + 4]);
  }
  for (unsigned i = 0; i < 4; ++i) {
    rows[2 * i] = _mm_unpacklo_epi16(b[i], b[i + 4]);
    rows[2 * i + 1] = _mm_unpackhi_epi16(b[i], b[i + 4]);
  }
}

/// op[0]: address; op[1] to op[N]: registers. Lane 8*m + r has row r of matrix m.
template <class A, unsigned N, bool Transposed>
const Inst *runLoadMatrix(const Inst *inst, Warp &warp, uint32_t mask) {
  if (!aligned(inst, warp, mask))
    return nullptr;
  if (mask != ~0u)
    fault(inst, -1, "ldmatrix needs all 32 lanes of the warp");
  Addresses address;
  constexpr uint32_t lanes = N == 4 ? ~0u : (1u << (8 * N)) - 1;
  resolve<Space::Shared, A>(inst, warp, lanes, AccessKind::Load, 16, address);
  __m128i rows[N][8];
  for (unsigned m = 0; m < N; ++m)
    for (unsigned r = 0; r < 8; ++r)
      rows[m][r] = _mm_loadu_si128(reinterpret_cast<const __m128i *>(address.at[8 * m + r]));
  for (unsigned m = 0; m < N; ++m) {
    if constexpr (Transposed)
      transpose(rows[m]);
    auto *to = reinterpret_cast<__m128i *>(warp.out<uint32_t>(inst->op[1 + m]));
    for (unsigned r = 0; r < 8; ++r)
      _mm_storeu_si128(to + r, rows[m][r]);
  }
  return inst + 1;
}

template <class A, unsigned N> Handler loadMatrixHandler(bool transposed) {
  return transposed ? runLoadMatrix<A, N, true> : runLoadMatrix<A, N, false>;
}

template <class A> Handler loadMatrixHandler(unsigned matrices, bool transposed) {
  return matrices == 1   ? loadMatrixHandler<A, 1>(transposed)
         : matrices == 2 ? loadMatrixHandler<A, 2>(transposed)
                         : loadMatrixHandler<A, 4>(transposed);
}

void decodeLoadMatrix(Decoding &d) {
  if (!d.take("sync") || !d.take("aligned") || !d.take("m8n8"))
    d.unsupported();
  unsigned matrices = d.take("x1") ? 1 : d.take("x2") ? 2 : d.take("x4") ? 4 : 0;
  bool transposed = d.take("trans");
  if (!matrices || d.takeSpace() != Space::Shared || d.takeType() != Type::B16)
    d.unsupported();
  d.expectOperands(2, 2);
  const Operand &registers = d.operand(0), &memory = d.operand(1);
  if (memory.kind != Operand::Memory)
    d.fail("an address in brackets is expected");
  bool isVector = registers.kind == Operand::Vector;
  if ((isVector ? registers.elements.size() : 1) != matrices)
    d.fail("a vector of " + std::to_string(matrices) + " is expected");
  const Operand &base = memory.elements[0];
  bool wide = !(base.kind == Operand::Register && d.registerBits(base) == 32);
  d.emit(wide ? loadMatrixHandler<uint64_t>(matrices, transposed)
              : loadMatrixHandler<uint32_t>(matrices, transposed));
  d.address(0, memory, Space::Shared);
  for (unsigned m = 0; m < matrices; ++m)
    d.def(1 + m, isVector ? registers.elements[m] : registers, 32);
  d.mayStop();
}

/// Eight elements of 16 bits as f32.
template <bool Brain> LLRT_INLINE __m256 widen(const uint32_t *from) {
  __m128i packed = _mm_loadu_si128(reinterpret_cast<const __m128i *>(from));
  if constexpr (Brain)
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(packed), 16));
  else
    return _mm256_cvtph_ps(packed);
}

LLRT_INLINE void transpose(__m256 (&rows)[8]) {
  __m256 a[8], b[8];
  for (unsigned i = 0; i < 4; ++i) {
    a[2 * i] = _mm256_unpacklo_ps(rows[2 * i], rows[2 * i + 1]);
    a[2 * i + 1] = _mm256_unpackhi_ps(rows[2 * i], rows[2 * i + 1]);
  }
  for (unsigned i = 0; i < 2; ++i) {
    b[4 * i] = _mm256_shuffle_ps(a[4 * i], a[4 * i + 2], 0x44);
    b[4 * i + 1] = _mm256_shuffle_ps(a[4 * i], a[4 * i + 2], 0xee);
    b[4 * i + 2] = _mm256_shuffle_ps(a[4 * i + 1], a[4 * i + 3], 0x44);
    b[4 * i + 3] = _mm256_shuffle_ps(a[4 * i + 1], a[4 * i + 3], 0xee);
  }
  for (unsigned i = 0; i < 4; ++i) {
    rows[i] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x20);
    rows[i + 4] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x31);
  }
}

/// op[0..3]: D; op[4..7]: A; extra[0..1]: B; extra[2..5]: C.
template <bool Brain> const Inst *runProduct(const Inst *inst, Warp &warp, uint32_t mask) {
  if (!aligned(inst, warp, mask))
    return nullptr;
  if (mask != ~0u)
    fault(inst, -1, "mma needs all 32 lanes of the warp");
  __m256 b[2][8]; // [half of k][k]: eight columns
  for (unsigned half = 0; half < 2; ++half) {
    const uint32_t *from = warp.in<uint32_t>(inst->extra[half]);
    for (unsigned column = 0; column < 8; ++column)
      b[half][column] = widen<Brain>(from + 4 * column);
    transpose(b[half]);
  }
  alignas(32) uint32_t result[4][32];
  for (unsigned top = 0; top < 2; ++top) { // rows 0-7, rows 8-15
    alignas(32) float a[2][8][8];          // [half of k][row][k]
    for (unsigned half = 0; half < 2; ++half) {
      const uint32_t *from = warp.in<uint32_t>(inst->op[4 + 2 * half + top]);
      for (unsigned row = 0; row < 8; ++row)
        _mm256_store_ps(a[half][row], widen<Brain>(from + 4 * row));
    }
    const float *even = warp.in<float>(inst->extra[2 + 2 * top]);
    const float *odd = warp.in<float>(inst->extra[3 + 2 * top]);
    __m256 sum[8];
    for (unsigned row = 0; row < 8; ++row) {
      __m128 e = _mm_loadu_ps(even + 4 * row), o = _mm_loadu_ps(odd + 4 * row);
      sum[row] = _mm256_set_m128(_mm_unpackhi_ps(e, o), _mm_unpacklo_ps(e, o));
    }
    for (unsigned half = 0; half < 2; ++half)
      for (unsigned k = 0; k < 8; ++k)
        for (unsigned row = 0; row < 8; ++row)
          sum[row] = _mm256_fmadd_ps(_mm256_broadcast_ss(&a[half][row][k]), b[half][k], sum[row]);
    const __m256 canonicalNan = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
    for (unsigned row = 0; row < 8; ++row) {
      __m256 value = _mm256_blendv_ps(sum[row], canonicalNan, _mm256_cmp_ps(sum[row], sum[row], _CMP_UNORD_Q));
      __m128 low = _mm256_castps256_ps128(value), high = _mm256_extractf128_ps(value, 1);
      _mm_store_ps(reinterpret_cast<float *>(result[2 * top] + 4 * row), _mm_shuffle_ps(low, high, 0x88));
      _mm_store_ps(reinterpret_cast<float *>(result[2 * top + 1] + 4 * row), _mm_shuffle_ps(low, high, 0xdd));
    }
  }
  for (unsigned i = 0; i < 4; ++i)
    std::memcpy(warp.out<uint32_t>(inst->op[i]), result[i], sizeof result[i]);
  return inst + 1;
}

void decodeProduct(Decoding &d) {
  if (!d.take("sync") || !d.take("aligned") || !d.take("m16n8k16") || !d.take("row") || !d.take("col"))
    d.unsupported();
  Type types[4]; // D, A, B, C
  for (Type &type : types)
    type = d.takeType();
  if (types[0] != Type::F32 || types[3] != Type::F32 || types[1] != types[2] ||
      (types[1] != Type::F16 && types[1] != Type::BF16))
    d.unsupported();
  d.expectOperands(4, 4);
  constexpr size_t counts[4] = {4, 4, 2, 4};
  for (unsigned i = 0; i < 4; ++i)
    if (d.operand(i).kind != Operand::Vector || d.operand(i).elements.size() != counts[i])
      d.fail("operand " + std::to_string(i + 1) + " has to be a vector of " + std::to_string(counts[i]));
  d.emit(types[1] == Type::BF16 ? runProduct<true> : runProduct<false>);
  d.extra(6);
  for (unsigned i = 0; i < 4; ++i) {
    d.use(4 + i, d.operand(1).elements[i], Type::B32);
    d.use(10 + i, d.operand(3).elements[i], Type::F32);
  }
  for (unsigned i = 0; i < 2; ++i)
    d.use(8 + i, d.operand(2).elements[i], Type::B32);
  for (unsigned i = 0; i < 4; ++i)
    d.def(i, d.operand(0).elements[i], 32);
  d.mayStop();
}

} // namespace

void llrt::emu::addTensorInstructions(InstructionTable &table) {
  table["ldmatrix"] = decodeLoadMatrix;
  table["mma"] = decodeProduct;
}
