// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rounds float64 values to the 16-bit storage types, to nearest even.
#include "runtime/reference/Rounding.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace llrt::reference {

namespace {
/// A binary format: digits of the significand, exponent of the smallest normal
/// number, and the largest finite value.
struct Format {
  int digits;
  int smallestExponent;
  double largest;
};
constexpr Format bf16 = {8, -126, 3.3895313892515355e38};
constexpr Format f16 = {11, -14, 65504.0};
} // namespace

double roundTo(Rounding type, double value) {
  if (type == Rounding::None || value == 0.0 || !std::isfinite(value))
    return value;
  const Format &format = type == Rounding::BF16 ? bf16 : f16;
  int exponent = std::max(std::ilogb(value), format.smallestExponent);
  double unit = std::ldexp(1.0, exponent - (format.digits - 1));
  // The default rounding mode of nearbyint is to nearest even; value / unit is
  // exact.
  double rounded = std::nearbyint(value / unit) * unit;
  if (std::fabs(rounded) > format.largest)
    return std::copysign(std::numeric_limits<double>::infinity(), value);
  return rounded;
}

void roundAll(Rounding type, double *values, size_t count) {
  if (type == Rounding::None)
    return;
  for (size_t i = 0; i < count; ++i)
    values[i] = roundTo(type, values[i]);
}

double operandScale(Rounding type, const double *values, size_t count) {
  if (type != Rounding::F16)
    return 1.0;
  double largest = 0.0;
  for (size_t i = 0; i < count; ++i)
    largest = std::max(largest, std::fabs(values[i]));
  return largest == 0.0 ? 1.0 : std::ldexp(1.0, -std::ilogb(largest));
}

} // namespace llrt::reference
