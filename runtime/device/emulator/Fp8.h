// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The 8-bit float formats e4m3 (bias 7, no infinity, one NaN) and e5m2 (the
// upper half of an f16).
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_FP8_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_FP8_H

#include "runtime/device/emulator/FloatValue.h"

namespace llrt::emu {

struct Fp8Format {
  int mantissa, bias;
  float largest;
  uint8_t largestCode;
};
constexpr Fp8Format e4m3Format = {3, 7, 448.0f, 0x7e};
constexpr Fp8Format e5m2Format = {2, 15, 57344.0f, 0x7b};

inline float fromFp8(const Fp8Format &format, uint8_t code) {
  bool sign = code & 0x80;
  int exponent = (code & 0x7f) >> format.mantissa;
  int fraction = code & ((1 << format.mantissa) - 1);
  float value;
  if ((code & 0x7f) > format.largestCode)
    value = format.mantissa == 2 && fraction == 0 ? INFINITY
                                                  : bitsToFloat(0x7fffffffu);
  else if (exponent == 0)
    value = std::ldexp(static_cast<float>(fraction),
                       1 - format.bias - format.mantissa);
  else
    value = std::ldexp(static_cast<float>(fraction + (1 << format.mantissa)),
                       exponent - format.bias - format.mantissa);
  return sign && value == value ? -value : value;
}

/// Rounds to nearest even; what is too large becomes the largest (.satfinite).
inline uint8_t toFp8(const Fp8Format &format, float value) {
  if (value != value)
    return 0x7f;
  uint8_t sign = std::signbit(value) ? 0x80 : 0;
  float size = std::fabs(value);
  if (size >= format.largest)
    return static_cast<uint8_t>(sign | format.largestCode);
  int exponent = size > 0 ? std::ilogb(size) : 1 - format.bias;
  exponent = std::max(exponent, 1 - format.bias);
  // Division by a power of two: exact.
  float units = std::ldexp(size, format.mantissa - exponent);
  int whole = static_cast<int>(__builtin_nearbyintf(units));
  // A carry out of the fraction steps the exponent, as it should.
  int code = ((exponent + format.bias - 1) << format.mantissa) + whole;
  return static_cast<uint8_t>(sign | code);
}

} // namespace llrt::emu

#endif
