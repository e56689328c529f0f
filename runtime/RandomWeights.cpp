// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The generator; runtime/kernels/FillRandom.cu does the same on a GPU.
#include "runtime/RandomWeights.h"

#include "runtime/kernels/RandomArithmetic.h"

#include <cmath>
#include <cstring>

using namespace llrt;

static uint64_t keyOf(uint64_t seed, std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (unsigned char c : name)
    hash = (hash ^ c) * 0x100000001b3ull;
  return randomMix(hash + seed * randomStep);
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
  return mean + randomNormal(key, index) * scale;
}

uint32_t llrt::roundToStorage(int64_t value, uint32_t dtype) {
  static_assert(LLAMAC_BF16 == 0 && LLAMAC_F16 == 1 && LLAMAC_F32 == 2,
                "as randomBits numbers them");
  return randomBits(value, dtype);
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
