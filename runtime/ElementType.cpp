// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bits, numbers and text of PTX's scalar types.
#include "runtime/ElementType.h"

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace llrt;

static constexpr ElementType types[] = {
    {"u8", ElementType::Unsigned, 1, 0, 0, "|u1"},
    {"u16", ElementType::Unsigned, 2, 0, 0, "<u2"},
    {"u32", ElementType::Unsigned, 4, 0, 0, "<u4"},
    {"u64", ElementType::Unsigned, 8, 0, 0, "<u8"},
    {"s8", ElementType::Signed, 1, 0, 0, "|i1"},
    {"s16", ElementType::Signed, 2, 0, 0, "<i2"},
    {"s32", ElementType::Signed, 4, 0, 0, "<i4"},
    {"s64", ElementType::Signed, 8, 0, 0, "<i8"},
    {"b8", ElementType::Bits, 1, 0, 0, "|u1"},
    {"b16", ElementType::Bits, 2, 0, 0, "<u2"},
    {"b32", ElementType::Bits, 4, 0, 0, "<u4"},
    {"b64", ElementType::Bits, 8, 0, 0, "<u8"},
    {"f16", ElementType::Float, 2, 5, 10, "<f2"},
    {"bf16", ElementType::Float, 2, 8, 7, "<u2"},
    {"f32", ElementType::Float, 4, 8, 23, "<f4"},
    {"f64", ElementType::Float, 8, 11, 52, "<f8"}};

const ElementType *ElementType::find(std::string_view name) {
  for (const ElementType &type : types)
    if (name == type.name)
      return &type;
  return nullptr;
}

std::string ElementType::allNames() {
  std::string names;
  for (const ElementType &type : types)
    names += (names.empty() ? "" : " ") + std::string(type.name);
  return names;
}

uint64_t ElementType::bitsOf(double value) const {
  uint64_t mask = bytes == 8 ? ~uint64_t(0) : (uint64_t(1) << bytes * 8) - 1;
  if (kind != Float) {
    // Through the signed type, so that -1 wraps as it does in C.
    bool large = value >= 9223372036854775808.0;
    return (large ? static_cast<uint64_t>(value)
                  : static_cast<uint64_t>(static_cast<int64_t>(value))) &
           mask;
  }
  if (bytes == 8) {
    uint64_t bits;
    std::memcpy(&bits, &value, 8);
    return bits;
  }
  uint64_t sign = uint64_t(std::signbit(value)) << (bytes * 8 - 1);
  uint64_t infinity = ((uint64_t(1) << exponentBits) - 1) << mantissaBits;
  if (std::isnan(value))
    return infinity | uint64_t(1) << (mantissaBits - 1);
  int bias = (1 << (exponentBits - 1)) - 1, exponent = 0;
  double magnitude = std::fabs(value);
  if (magnitude == 0)
    return sign;
  if (std::isinf(magnitude))
    return sign | infinity;
  std::frexp(magnitude, &exponent);
  // A unit in the last place; denormals share the smallest exponent's.
  int unit = std::max(exponent - 1, 1 - bias) - mantissaBits;
  auto units =
      static_cast<uint64_t>(std::nearbyint(std::ldexp(magnitude, -unit)));
  uint64_t biased = static_cast<uint64_t>(unit + mantissaBits + bias);
  // Without the hidden bit it is denormal; one too many goes into the exponent.
  uint64_t bits = units + ((biased - 1) << mantissaBits);
  return sign | std::min(bits, infinity);
}

double ElementType::valueOf(uint64_t bits) const {
  if (kind == Signed) {
    unsigned shift = 64u - bytes * 8u;
    return static_cast<double>(static_cast<int64_t>(bits << shift) >> shift);
  }
  if (kind != Float)
    return static_cast<double>(bits);
  if (bytes == 8) {
    double value;
    std::memcpy(&value, &bits, 8);
    return value;
  }
  bool negative = bits >> (bytes * 8 - 1) & 1;
  uint64_t mantissa = bits & ((uint64_t(1) << mantissaBits) - 1);
  int most = (1 << exponentBits) - 1, bias = most / 2;
  int exponent = static_cast<int>(bits >> mantissaBits) & most;
  double value =
      exponent == most ? (mantissa ? std::nan("") : HUGE_VAL)
      : exponent == 0
          ? std::ldexp(static_cast<double>(mantissa), 1 - bias - mantissaBits)
          : std::ldexp(
                static_cast<double>(mantissa | uint64_t(1) << mantissaBits),
                exponent - bias - mantissaBits);
  return negative ? -value : value;
}

Result<uint64_t> ElementType::parse(const std::string &text) const {
  auto refused = [&](const std::string &expected) {
    return Error("found `" + text + "`, expected " + expected);
  };
  const char *begin = text.c_str();
  char *end = nullptr;
  errno = 0;
  bool hexadecimal = text.rfind("0x", 0) == 0 || text.rfind("0X", 0) == 0;
  uint64_t most = bytes == 8 ? ~uint64_t(0) : (uint64_t(1) << bytes * 8) - 1;
  if (hexadecimal || kind == Bits) { // the bits themselves
    uint64_t bits = std::strtoull(begin, &end, hexadecimal ? 16 : 10);
    if (text.empty() || text[0] == '-' || *end || errno || bits > most)
      return refused("bits of a " + std::string(name));
    return bits;
  }
  if (kind == Float) {
    double value = std::strtod(begin, &end);
    if (text.empty() || *end)
      return refused("a number, or bits as 0x...");
    return bitsOf(value);
  }
  bool digits = text.find_first_not_of("-0123456789") == std::string::npos;
  if (kind == Signed) {
    int64_t value = std::strtoll(begin, &end, 10);
    int64_t high = static_cast<int64_t>(most >> 1);
    if (text.empty() || !digits || *end || errno || value > high ||
        value < -high - 1)
      return refused("a whole number from " + std::to_string(-high - 1) +
                     " to " + std::to_string(high));
    return static_cast<uint64_t>(value) & most;
  }
  uint64_t value = std::strtoull(begin, &end, 10);
  if (text.empty() || !digits || text[0] == '-' || *end || errno ||
      value > most)
    return refused("a whole number from 0 to " + std::to_string(most));
  return value;
}

std::string ElementType::format(uint64_t bits) const {
  char text[40];
  if (kind == Bits)
    std::snprintf(text, sizeof text, "0x%0*llx", bytes * 2,
                  static_cast<unsigned long long>(bits));
  else if (kind == Unsigned)
    std::snprintf(text, sizeof text, "%llu",
                  static_cast<unsigned long long>(bits));
  else if (kind == Signed)
    std::snprintf(text, sizeof text, "%.0f", valueOf(bits));
  else
    std::snprintf(text, sizeof text, "%.*g",
                  bytes == 8           ? 17
                  : bytes == 4         ? 9
                  : mantissaBits == 10 ? 5
                                       : 4,
                  valueOf(bits));
  if (kind == Signed && bytes == 8)
    std::snprintf(text, sizeof text, "%lld", static_cast<long long>(bits));
  return text;
}
