// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The generator; its twin on the GPU is runtime/kernels/fill_random.cu.
#include "runtime/RandomWeights.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace llrt;

static constexpr uint64_t golden = 0x9e3779b97f4a7c15ull;

static inline uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

static uint64_t keyOf(uint64_t seed, std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (unsigned char c : name)
    hash = (hash ^ c) * 0x100000001b3ull;
  return mix(hash + seed * golden);
}

static int64_t toScale(double deviation) {
  return std::llround(deviation * 0x1p24);
}

RandomTensor RandomTensor::matrix(uint64_t seed, std::string_view name,
                                  uint64_t columns) {
  return {keyOf(seed, name), 0,
          toScale(1.2 / std::sqrt(static_cast<double>(columns)))};
}

RandomTensor RandomTensor::vector(uint64_t seed, std::string_view name) {
  constexpr std::string_view end = "norm.weight";
  bool isNorm =
      name.size() >= end.size() && name.substr(name.size() - end.size()) == end;
  return {keyOf(seed, name), isNorm ? int64_t(1) << 40 : 0, toScale(0.2)};
}

int64_t RandomTensor::value(uint64_t index) const {
  // Two sums of 16-bit parts side by side in each word.
  constexpr uint64_t even = 0x0000ffff0000ffffull;
  uint64_t sums = 0;
  for (uint64_t j = 1; j <= 3; ++j) {
    uint64_t word = mix(key + (3 * index + j) * golden);
    sums += (word & even) + ((word >> 16) & even);
  }
  auto sum = static_cast<int64_t>((sums & 0xffffffff) + (sums >> 32));
  return mean + (sum - 6 * 65535) * scale;
}

uint32_t llrt::roundToStorage(int64_t value, uint32_t dtype) {
  // Significant bits, the exponent field's place, and its value where the
  // significand's lowest bit stands for 2^-40.
  struct Format {
    int digits, bias, leastShift;
  };
  constexpr Format formats[] = {{8, 94, -64}, {11, -15, 16}, {24, 110, -64}};
  static_assert(LLAMAC_BF16 == 0 && LLAMAC_F16 == 1 && LLAMAC_F32 == 2,
                "the order of formats");
  const Format &format = formats[dtype];
  if (value == 0)
    return 0;
  uint64_t magnitude = static_cast<uint64_t>(value < 0 ? -value : value);
  int bits = 64 - __builtin_clzll(magnitude);
  // f16 has no bit below 2^-24: its subnormals share the least shift.
  int shift = std::max(bits - format.digits, format.leastShift);
  if (shift > 0) {
    magnitude += (uint64_t(1) << (shift - 1)) - 1 + ((magnitude >> shift) & 1);
    magnitude >>= shift;
  } else {
    magnitude <<= -shift;
  }
  // A significand that rounding carried up, or an f16 subnormal, moves the
  // exponent by itself.
  int place = format.digits - 1;
  uint32_t exponent = static_cast<uint32_t>(shift + format.bias);
  uint32_t result = (exponent << place) + static_cast<uint32_t>(magnitude) -
                    (uint32_t(1) << place);
  uint32_t sign = dtype == LLAMAC_F32 ? 0x80000000u : 0x8000u;
  return value < 0 ? result | sign : result;
}

static float toFloat(uint32_t bits, uint32_t dtype) {
  if (dtype == LLAMAC_F16) {
    int exponent = (bits >> 10) & 31, significand = bits & 0x3ff;
    float magnitude =
        exponent == 0 ? std::ldexp(float(significand), -24)
                      : std::ldexp(float(1024 + significand), exponent - 25);
    return bits & 0x8000 ? -magnitude : magnitude;
  }
  if (dtype == LLAMAC_BF16)
    bits <<= 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

std::vector<float> llrt::randomValues(const RandomTensor &tensor,
                                      uint64_t count, uint32_t dtype) {
  std::vector<float> values(count);
  for (uint64_t i = 0; i < count; ++i)
    values[i] = toFloat(roundToStorage(tensor.value(i), dtype), dtype);
  return values;
}
