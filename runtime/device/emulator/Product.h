// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products of 16-row by 8-column fragments, which mma.sync and wgmma share.
//
// Fragments need no shuffling in of rows: register 0 of A, read as 32 words in
// lane order, is the 8x8 matrix of rows 0-7 and columns 0-7 (a pair of columns
// a word), register 1 rows 8-15, and so on; B's registers are the transposed
// 8x8 matrices; C's registers 0 and 1 hold the even and odd columns of rows
// 0-7. A row of D is kept as one vector, even columns first.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_PRODUCT_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_PRODUCT_H

#include "runtime/device/emulator/Control.h"
#include "runtime/device/emulator/Decoding.h"
#include "runtime/device/emulator/FloatValue.h"

namespace llrt::emu {

/// Eight words of two 16-bit floats each: the low ones and the high ones.
template <class T>
LLRT_INLINE void split(__m256i words, __m256 &even, __m256 &odd);
template <>
LLRT_INLINE void split<Brain>(__m256i words, __m256 &even, __m256 &odd) {
  even = _mm256_castsi256_ps(_mm256_slli_epi32(words, 16));
  odd = _mm256_castsi256_ps(
      _mm256_and_si256(words, _mm256_set1_epi32(static_cast<int>(0xffff0000))));
}
LLRT_INLINE __m256 widened(__m256i lowHalves) {
  __m128i packed = _mm_packus_epi32(_mm256_castsi256_si128(lowHalves),
                                    _mm256_extracti128_si256(lowHalves, 1));
  return _mm256_cvtph_ps(packed);
}
template <>
LLRT_INLINE void split<Half>(__m256i words, __m256 &even, __m256 &odd) {
  even = widened(_mm256_and_si256(words, _mm256_set1_epi32(0xffff)));
  odd = widened(_mm256_srli_epi32(words, 16));
}
/// tf32: one value a word, whose 13 low bits do not count.
template <>
LLRT_INLINE void split<float>(__m256i words, __m256 &even, __m256 &odd) {
  even = _mm256_castsi256_ps(
      _mm256_and_si256(words, _mm256_set1_epi32(static_cast<int>(0xffffe000))));
  odd = even;
}

/// Groups of (A rows 0-7, A rows 8-15, B) registers: 4 k-pairs (or 4 k) each.
template <class T, unsigned Groups> struct Product {
  static constexpr unsigned parts = std::is_same_v<T, float> ? 1 : 2;

  /// c and d: the lanes of four registers. They may be the same.
  static void run(const uint32_t *const *a, const uint32_t *const *b,
                  const float *const *c, float *const *d) {
    alignas(32) float left[Groups][2][2]
                          [32]; // [group][half of rows][part][row*4+pair]
    __m256 right[Groups][4][2]; // [group][pair][part], even columns first
    for (unsigned g = 0; g < Groups; ++g) {
      for (unsigned half = 0; half < 2; ++half)
        for (unsigned i = 0; i < 4; ++i) {
          __m256 even, odd;
          split<T>(_mm256_loadu_si256(
                       reinterpret_cast<const __m256i *>(a[g * 2 + half]) + i),
                   even, odd);
          _mm256_store_ps(left[g][half][0] + i * 8, even);
          if (parts == 2)
            _mm256_store_ps(left[g][half][1] + i * 8, odd);
        }
      __m256 row[4];
      for (unsigned i = 0; i < 4; ++i)
        row[i] = _mm256_loadu_ps(reinterpret_cast<const float *>(b[g]) + i * 8);
      __m256 t0 = _mm256_unpacklo_ps(row[0], row[1]),
             t1 = _mm256_unpackhi_ps(row[0], row[1]);
      __m256 t2 = _mm256_unpacklo_ps(row[2], row[3]),
             t3 = _mm256_unpackhi_ps(row[2], row[3]);
      __m256 pair[4] = {
          _mm256_shuffle_ps(t0, t2, 0x44), _mm256_shuffle_ps(t0, t2, 0xee),
          _mm256_shuffle_ps(t1, t3, 0x44), _mm256_shuffle_ps(t1, t3, 0xee)};
      for (unsigned t = 0; t < 4; ++t)
        split<T>(_mm256_castps_si256(pair[t]), right[g][t][0], right[g][t][1]);
    }
    for (unsigned half = 0; half < 2; ++half) {
      __m256 sum[8];
      for (unsigned r = 0; r < 8; ++r)
        sum[r] = _mm256_insertf128_ps(
            _mm256_castps128_ps256(_mm_loadu_ps(c[half * 2] + r * 4)),
            _mm_loadu_ps(c[half * 2 + 1] + r * 4), 1);
      for (unsigned g = 0; g < Groups; ++g)
        for (unsigned t = 0; t < 4; ++t)
          for (unsigned part = 0; part < parts; ++part) {
            __m256 factor = right[g][t][part];
            const float *column = left[g][half][part] + t;
            for (unsigned r = 0; r < 8; ++r)
              sum[r] = _mm256_fmadd_ps(_mm256_broadcast_ss(column + r * 4),
                                       factor, sum[r]);
          }
      for (unsigned r = 0; r < 8; ++r) {
        _mm_storeu_ps(d[half * 2] + r * 4, _mm256_castps256_ps128(sum[r]));
        _mm_storeu_ps(d[half * 2 + 1] + r * 4,
                      _mm256_extractf128_ps(sum[r], 1));
      }
    }
  }
};

/// False: the split waits for the warp's other lanes. Lanes that have exited
/// are a fault.
bool wholeWarp(const Inst *inst, Warp &warp, uint32_t mask);
/// Operand i as a vector of `count`; a lone register is a vector of one, which
/// `single` then holds.
const Operand &vectorOf(Decoding &d, size_t i, size_t count, Operand &single);

} // namespace llrt::emu

#endif
