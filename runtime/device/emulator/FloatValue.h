// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Single values of PTX's float types: canonical NaN, flushing, 16-bit formats,
// approximations.
//
// Approximate functions are computed in double and rounded once, so they are
// within half a unit (plus 2^-20 of one) of the true value: inside every bound
// of the ISA document, and the same on every machine.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_FLOATVALUE_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_FLOATVALUE_H

#include "runtime/device/emulator/Lanes.h"

#include <cmath>

namespace llrt::emu {

LLRT_INLINE float bitsToFloat(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}
LLRT_INLINE uint32_t floatToBits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}
LLRT_INLINE double bitsToDouble(uint64_t bits) {
  double value;
  std::memcpy(&value, &bits, 8);
  return value;
}
LLRT_INLINE uint64_t doubleToBits(double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, 8);
  return bits;
}

/// A 16-bit float as it lies in a register. The tag tells the formats apart.
struct Half {
  uint16_t bits;
};
struct Brain {
  uint16_t bits;
};

template <> LLRT_INLINE Half fromLane<Half, uint32_t>(uint32_t lane) {
  return {static_cast<uint16_t>(lane)};
}
template <> LLRT_INLINE Brain fromLane<Brain, uint32_t>(uint32_t lane) {
  return {static_cast<uint16_t>(lane)};
}
template <> LLRT_INLINE uint32_t toLane<Half>(Half value) { return value.bits; }
template <> LLRT_INLINE uint32_t toLane<Brain>(Brain value) {
  return value.bits;
}

/// f32 operations that give a NaN give this one. On bits, because compilers
/// take one NaN to be as good as another.
LLRT_INLINE float canonical(float value) {
  uint32_t bits = floatToBits(value);
  return bitsToFloat((bits & 0x7fffffffu) > 0x7f800000u ? 0x7fffffffu : bits);
}
LLRT_INLINE double canonical(double value) { return value; }

LLRT_INLINE float flushed(float value) {
  uint32_t bits = floatToBits(value);
  return bitsToFloat(bits & 0x7f800000u ? bits : bits & 0x80000000u);
}
LLRT_INLINE float saturated(float value) {
  // NaN becomes 0.
  value = value > 0.0f ? value : 0.0f;
  return value < 1.0f ? value : 1.0f;
}
LLRT_INLINE double saturated(double value) {
  value = value > 0.0 ? value : 0.0;
  return value < 1.0 ? value : 1.0;
}

LLRT_INLINE float toFloat(Half value) {
  _Float16 half;
  std::memcpy(&half, &value.bits, 2);
  return static_cast<float>(half);
}
LLRT_INLINE float toFloat(Brain value) {
  return bitsToFloat(static_cast<uint32_t>(value.bits) << 16);
}
LLRT_INLINE float toFloat(float value) { return value; }

template <class T> T fromFloat(float value);
template <> LLRT_INLINE Half fromFloat<Half>(float value) {
  _Float16 half = static_cast<_Float16>(value);
  Half result;
  std::memcpy(&result.bits, &half, 2);
  return value != value ? Half{0x7fff} : result;
}
template <> LLRT_INLINE Brain fromFloat<Brain>(float value) {
  uint32_t bits = floatToBits(value);
  uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
  return {static_cast<uint16_t>(value != value ? 0x7fffu : rounded)};
}
template <> LLRT_INLINE float fromFloat<float>(float value) { return value; }

/// The float next to a double, odd if inexact: a later rounding to 16 bits is
/// then the rounding of the double.
LLRT_INLINE float oddFloat(double value) {
  float near = static_cast<float>(value);
  double back = near;
  if (back == value || value != value)
    return near;
  uint32_t bits = floatToBits(near);
  if (std::fabs(back) > std::fabs(value))
    --bits;
  return bitsToFloat(bits | 1);
}

/// a*b+c in 16-bit formats, rounded once. a*b is exact in double.
template <class T> LLRT_INLINE T fusedNarrow(T a, T b, T c) {
  double product =
      static_cast<double>(toFloat(a)) * static_cast<double>(toFloat(b));
  double addend = toFloat(c);
  double sum = product + addend;
  double part = sum - product;
  double lost = (product - (sum - part)) + (addend - part);
  if (lost != 0 && lost == lost && std::fabs(sum) < 1e300) {
    uint64_t bits = doubleToBits(sum);
    if (sum != 0) {
      if ((lost > 0) != (sum > 0))
        --bits;
      sum = bitsToDouble(bits | 1);
    }
  }
  return fromFloat<T>(oddFloat(sum));
}

LLRT_INLINE double exp2Double(double x) {
  x = x < -1000.0 ? -1000.0 : x;
  x = x > 1000.0 ? 1000.0 : x;
  double shifted = x + 6755399441055744.0; // 1.5 * 2^52: rounds to an integer
  double whole = shifted - 6755399441055744.0;
  double f = (x - whole) * 0.69314718055994530942;
  double p = 1.0 / 39916800;
  p = p * f + 1.0 / 3628800;
  p = p * f + 1.0 / 362880;
  p = p * f + 1.0 / 40320;
  p = p * f + 1.0 / 5040;
  p = p * f + 1.0 / 720;
  p = p * f + 1.0 / 120;
  p = p * f + 1.0 / 24;
  p = p * f + 1.0 / 6;
  p = p * f + 0.5;
  p = p * f + 1.0;
  p = p * f + 1.0;
  uint64_t exponent = (doubleToBits(shifted) + 1023) << 52;
  return p * bitsToDouble(exponent);
}

/// Of a positive, finite, normal double.
LLRT_INLINE double log2Double(double x) {
  uint64_t bits = doubleToBits(x);
  uint64_t moved = bits - 0x3fe6a09e667f3bcdull; // sqrt(1/2)
  int64_t exponent = static_cast<int64_t>(moved) >> 52;
  double m = bitsToDouble(bits - (static_cast<uint64_t>(exponent) << 52));
  double s = (m - 1) / (m + 1), z = s * s;
  double p = 1.0 / 19;
  p = p * z + 1.0 / 17;
  p = p * z + 1.0 / 15;
  p = p * z + 1.0 / 13;
  p = p * z + 1.0 / 11;
  p = p * z + 1.0 / 9;
  p = p * z + 1.0 / 7;
  p = p * z + 1.0 / 5;
  p = p * z + 1.0 / 3;
  p = p * z + 1.0;
  return static_cast<double>(exponent) + s * p * 2.88539008177792681472;
}

} // namespace llrt::emu

#endif
