// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elements of matrices, and the product of two.
#include "runtime/device/emulator/TensorForms.h"
#include "runtime/device/emulator/Fp8.h"

using namespace llrt::emu;

unsigned llrt::emu::bitsOf(Element element) {
  switch (element) {
  case Element::F64:
    return 64;
  case Element::TF32:
    return 32;
  case Element::F16:
  case Element::BF16:
    return 16;
  case Element::S4:
  case Element::U4:
    return 4;
  case Element::B1:
    return 1;
  default:
    return 8;
  }
}

bool llrt::emu::isInteger(Element element) {
  return element >= Element::S8 && element <= Element::B1;
}

bool llrt::emu::takeElement(Decoding &d, Element &element) {
  static const std::pair<const char *, Element> names[] = {
      {"e4m3", Element::E4M3}, {"e5m2", Element::E5M2}, {"s8", Element::S8},
      {"u8", Element::U8},     {"s4", Element::S4},     {"u4", Element::U4},
      {"b1", Element::B1},     {"bf16", Element::BF16}, {"tf32", Element::TF32},
      {"f16", Element::F16},   {"f64", Element::F64}};
  std::string_view found = d.takeOneOf({"e4m3", "e5m2", "s8", "u8", "s4", "u4",
                                        "b1", "bf16", "tf32", "f16", "f64"});
  for (auto &[name, value] : names)
    if (found == name)
      return element = value, true;
  return false;
}

float llrt::emu::floatElement(Element element, uint32_t bits) {
  switch (element) {
  case Element::E4M3:
    return fromFp8(e4m3Format, static_cast<uint8_t>(bits));
  case Element::E5M2:
    return fromFp8(e5m2Format, static_cast<uint8_t>(bits));
  case Element::F16:
    return toFloat(Half{static_cast<uint16_t>(bits)});
  case Element::BF16:
    return toFloat(Brain{static_cast<uint16_t>(bits)});
  default:
    return bitsToFloat(bits & 0xffffe000u); // tf32
  }
}

int32_t llrt::emu::integerElement(Element element, uint32_t bits) {
  switch (element) {
  case Element::S8:
    return static_cast<int8_t>(bits);
  case Element::U8:
    return static_cast<uint8_t>(bits);
  case Element::S4:
    return static_cast<int32_t>((bits & 15) ^ 8) - 8;
  case Element::U4:
    return static_cast<int32_t>(bits & 15);
  default:
    return static_cast<int32_t>(bits & 1);
  }
}

namespace {

/// A row of sums at a time, so that the loop over columns is vector code.
template <class T, class Step>
void products(const Shape &shape, const T *a, const T *b, T *sums, Step step) {
  for (unsigned i = 0; i < shape.m; ++i) {
    T *row = sums + i * shape.n;
    for (unsigned k = 0; k < shape.k; ++k) {
      T left = a[i * shape.k + k];
      const T *right = b + k * shape.n;
      for (unsigned j = 0; j < shape.n; ++j)
        row[j] = step(left, right[j], row[j]);
    }
  }
}

/// b as [k][n].
template <class T, class Convert>
std::vector<T> transposed(const Shape &shape, const uint64_t *b,
                          Convert convert) {
  std::vector<T> result(size_t(shape.k) * shape.n);
  for (unsigned j = 0; j < shape.n; ++j)
    for (unsigned k = 0; k < shape.k; ++k)
      result[k * shape.n + j] = convert(b[j * shape.k + k]);
  return result;
}
template <class T, class Convert>
std::vector<T> converted(size_t count, const uint64_t *from, Convert convert) {
  std::vector<T> result(count);
  for (size_t i = 0; i < count; ++i)
    result[i] = convert(from[i]);
  return result;
}

void multiplyFloats(const Shape &shape, Element elementA, Element elementB,
                    Sum sum, const uint64_t *a, const uint64_t *b,
                    const uint64_t *c, uint64_t *d) {
  auto left = converted<float>(shape.m * shape.k, a, [&](uint64_t bits) {
    return floatElement(elementA, static_cast<uint32_t>(bits));
  });
  auto right = transposed<float>(shape, b, [&](uint64_t bits) {
    return floatElement(elementB, static_cast<uint32_t>(bits));
  });
  bool half = sum == Sum::F16;
  auto sums = converted<float>(shape.m * shape.n, c, [&](uint64_t bits) {
    return half ? toFloat(Half{static_cast<uint16_t>(bits)})
                : bitsToFloat(static_cast<uint32_t>(bits));
  });
  products(shape, left.data(), right.data(), sums.data(),
           [](float x, float y, float z) { return __builtin_fmaf(x, y, z); });
  for (size_t i = 0; i < sums.size(); ++i)
    d[i] = half ? fromFloat<Half>(sums[i]).bits : floatToBits(sums[i]);
}

void multiplyIntegers(const Shape &shape, Element elementA, Element elementB,
                      bool saturate, bool bitAnd, const uint64_t *a,
                      const uint64_t *b, const uint64_t *c, uint64_t *d) {
  auto left = converted<int32_t>(shape.m * shape.k, a, [&](uint64_t bits) {
    return integerElement(elementA, static_cast<uint32_t>(bits));
  });
  auto right = transposed<int32_t>(shape, b, [&](uint64_t bits) {
    return integerElement(elementB, static_cast<uint32_t>(bits));
  });
  // |products| stay under 2^16 * 256: no overflow before c is added.
  std::vector<int32_t> sums(shape.m * shape.n, 0);
  if (elementA == Element::B1 && !bitAnd)
    products(shape, left.data(), right.data(), sums.data(),
             [](int32_t x, int32_t y, int32_t z) { return z + (x ^ y); });
  else
    products(shape, left.data(), right.data(), sums.data(),
             [](int32_t x, int32_t y, int32_t z) { return z + x * y; });
  for (size_t i = 0; i < sums.size(); ++i) {
    int64_t whole = int64_t(static_cast<int32_t>(c[i])) + sums[i];
    if (saturate)
      whole = whole > INT32_MAX   ? INT32_MAX
              : whole < INT32_MIN ? INT32_MIN
                                  : whole;
    d[i] = static_cast<uint32_t>(whole);
  }
}

} // namespace

void llrt::emu::multiply(const Shape &shape, Element elementA, Element elementB,
                         Sum sum, bool saturate, bool bitAnd, const uint64_t *a,
                         const uint64_t *b, const uint64_t *c, uint64_t *d) {
  if (sum == Sum::F64) {
    auto left = converted<double>(shape.m * shape.k, a, bitsToDouble);
    auto right = transposed<double>(shape, b, bitsToDouble);
    auto sums = converted<double>(shape.m * shape.n, c, bitsToDouble);
    products(
        shape, left.data(), right.data(), sums.data(),
        [](double x, double y, double z) { return __builtin_fma(x, y, z); });
    for (size_t i = 0; i < sums.size(); ++i)
      d[i] = doubleToBits(sums[i]);
  } else if (sum == Sum::S32) {
    multiplyIntegers(shape, elementA, elementB, saturate, bitAnd, a, b, c, d);
  } else {
    multiplyFloats(shape, elementA, elementB, sum, a, b, c, d);
  }
}
