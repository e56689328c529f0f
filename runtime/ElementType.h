// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values of PTX's scalar types: as bits, as numbers, as text.
#ifndef LLAMAC_RUNTIME_ELEMENTTYPE_H
#define LLAMAC_RUNTIME_ELEMENTTYPE_H

#include "runtime/Result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace llrt {

struct ElementType {
  enum Kind : uint8_t { Unsigned, Signed, Bits, Float };
  const char *name; ///< "f32"
  Kind kind;
  uint8_t bytes;
  uint8_t exponentBits, mantissaBits; ///< of a Float
  const char *npy;                    ///< numpy's name, "<f4"

  /// u8 .. u64, s8 .. s64, b8 .. b64, f16, bf16, f32, f64; null for others.
  static const ElementType *find(std::string_view name);
  static std::string allNames();

  /// The bits of a number, rounded to nearest even; whole numbers wrap.
  uint64_t bitsOf(double value) const;
  double valueOf(uint64_t bits) const;
  /// "7", "-1.5", "0x3f800000", "nan", "inf". An Error says what was expected.
  Result<uint64_t> parse(const std::string &text) const;
  /// As many digits as tell the value from its neighbours; Bits in hexadecimal.
  std::string format(uint64_t bits) const;
};

} // namespace llrt

#endif
