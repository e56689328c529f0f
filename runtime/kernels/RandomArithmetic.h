// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The arithmetic of random weights (runtime/RandomWeights.h says what it
// means), in integers, so that host and device get the same bits. Read by
// NVRTC too.
#ifndef LLAMAC_RUNTIME_KERNELS_RANDOMARITHMETIC_H
#define LLAMAC_RUNTIME_KERNELS_RANDOMARITHMETIC_H

namespace llrt {

enum RandomConstant : unsigned long long { randomStep = 0x9e3779b97f4a7c15ull };

inline unsigned long long randomMix(unsigned long long z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

/// Twelve 16-bit numbers less their mean, in units of 2^-16.
inline long long randomNormal(unsigned long long key,
                              unsigned long long index) {
  // Two sums of 16-bit parts side by side in each word.
  const unsigned long long even = 0x0000ffff0000ffffull;
  unsigned long long sums = 0;
  for (unsigned j = 1; j <= 3; ++j) {
    unsigned long long word = randomMix(key + (3 * index + j) * randomStep);
    sums += (word & even) + ((word >> 16) & even);
  }
  return static_cast<long long>((sums & 0xffffffffull) + (sums >> 32)) -
         6 * 65535;
}

inline int randomBitCount(unsigned long long value) {
#ifdef __CUDACC_RTC__
  return 64 - __clzll(static_cast<long long>(value));
#else
  return 64 - __builtin_clzll(value);
#endif
}

/// The bits of `value` (units of 2^-40) as bf16 (dtype 0), f16 (1) or f32 (2),
/// rounded to nearest even.
inline unsigned randomBits(long long value, unsigned dtype) {
  if (value == 0)
    return 0;
  // Significant bits, what the exponent field is where the significand's lowest
  // bit stands for 2^-40, and the least shift: f16 has no bit below 2^-24.
  const int digits = dtype == 0 ? 8 : dtype == 1 ? 11 : 24;
  const int bias = dtype == 0 ? 94 : dtype == 1 ? -15 : 110;
  const int least = dtype == 1 ? 16 : -64;
  unsigned long long magnitude =
      static_cast<unsigned long long>(value < 0 ? -value : value);
  int shift = randomBitCount(magnitude) - digits;
  if (shift < least)
    shift = least;
  if (shift > 0) {
    magnitude += (1ull << (shift - 1)) - 1 + ((magnitude >> shift) & 1);
    magnitude >>= shift;
  } else {
    magnitude <<= -shift;
  }
  // A significand that rounding carried up, or an f16 subnormal, moves the
  // exponent by itself.
  unsigned result = (static_cast<unsigned>(shift + bias) << (digits - 1)) +
                    static_cast<unsigned>(magnitude) - (1u << (digits - 1));
  return value < 0 ? result | (dtype == 2 ? 0x80000000u : 0x8000u) : result;
}

} // namespace llrt

#endif
