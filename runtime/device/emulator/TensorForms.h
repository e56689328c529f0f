// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Matrix products in the types that need no speed: fp8, integers, f64.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_TENSORFORMS_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_TENSORFORMS_H

#include "runtime/device/emulator/Decoding.h"

namespace llrt::emu {

enum class Element : uint8_t {
  E4M3,
  E5M2,
  S8,
  U8,
  S4,
  U4,
  B1,
  F16,
  BF16,
  TF32,
  F64
};
enum class Sum : uint8_t { F32, F16, S32, F64 };

unsigned bitsOf(Element element);
bool isInteger(Element element);
/// The element that a modifier ("e4m3", "s8", ...) names; takes it.
bool takeElement(Decoding &d, Element &element);

/// d[m][n] = c[m][n] + sum over k of a[m][k] * b[k][n], k in rising order, one
/// rounding a step; integers exactly, wrapping or clamped at the end.
struct Shape {
  unsigned m, n, k;
};
/// One element as a number: floats exactly.
float floatElement(Element element, uint32_t bits);
int32_t integerElement(Element element, uint32_t bits);

/// a: [m][k], b: [n][k], raw bits of elements; c and d: [m][n], bits of sums.
/// `bitOperation`: for B1, 0: xor, 1: and.
void multiply(const Shape &shape, Element elementA, Element elementB, Sum sum,
              bool saturate, bool bitAnd, const uint64_t *a, const uint64_t *b,
              const uint64_t *c, uint64_t *d);

/// mma.sync of fp8, integers and f64; false: none of them.
bool decodeWideMma(Decoding &d);

} // namespace llrt::emu

#endif
