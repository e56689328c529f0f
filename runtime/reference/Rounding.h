// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rounds float64 values to the 16-bit storage types, to nearest even.
#ifndef LLAMAC_RUNTIME_REFERENCE_ROUNDING_H
#define LLAMAC_RUNTIME_REFERENCE_ROUNDING_H

#include <cstddef>

namespace llrt::reference {

/// To which type the reference's twin rounds; None is the reference itself.
enum class Rounding { None, BF16, F16 };

/// `value` rounded to the nearest number of the type, ties to even, subnormals
/// kept; beyond the largest one it is infinite. None returns `value`.
double roundTo(Rounding type, double value);

/// Rounds `count` values in place.
void roundAll(Rounding type, double *values, size_t count);

/// The power of two by which an f16 operand row is multiplied before it is
/// rounded, so that its largest magnitude lies in [1, 2); 1 for other types and
/// for a row of zeros. Undone exactly after the product.
double operandScale(Rounding type, const double *values, size_t count);

} // namespace llrt::reference

#endif
