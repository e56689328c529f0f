// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Random weights, by integer arithmetic: the same bits on every machine, on a
// GPU (runtime/kernels/FillRandom.cu), on the emulator and in the reference.
//
// Element `index` (row major, as in the checkpoint) of tensor `name`:
//
//   key    = mix(fnv1a(name) + seed * G)        all modulo 2^64
//   word_j = mix(key + (3 * index + j + 1) * G), j = 0, 1, 2
//   n      = sum of the twelve 16-bit parts of the words, less 6 * 65535:
//            nearly normal, of deviation 1 in units of 2^-16
//   value  = mean + n * scale, in units of 2^-40: exact
//
// rounded once, to nearest even, to the storage type. G is 0x9e3779b97f4a7c15,
// mix the finalizer of SplitMix64. Of a matrix, mean is 0 and scale is
// 1.2 / sqrt(columns); of a norm's weights ("...norm.weight") they are 1 and
// 0.2, of another vector (a bias) 0 and 0.2; scale is rounded to 2^-24.
//
// With a smaller deviation attention would be uniform, and a fault in it would
// not show.
#ifndef LLAMAC_RUNTIME_RANDOMWEIGHTS_H
#define LLAMAC_RUNTIME_RANDOMWEIGHTS_H

#include "runtime/ExecutableFormat.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace llrt {

/// What the values of one tensor are made from.
struct RandomTensor {
  uint64_t key = 0;
  int64_t mean = 0;  ///< in units of 2^-40
  int64_t scale = 0; ///< in units of 2^-24

  static RandomTensor matrix(uint64_t seed, std::string_view name,
                             uint64_t columns);
  static RandomTensor vector(uint64_t seed, std::string_view name);

  /// In units of 2^-40; below 2^45.
  int64_t value(uint64_t index) const;
};

/// The bits of `value` (units of 2^-40) in a storage type, rounded to nearest
/// even; those of a 16-bit type are in the low half.
uint32_t roundToStorage(int64_t value, uint32_t dtype);

/// The elements of a tensor as floats, which hold every storage type.
std::vector<float> randomValues(const RandomTensor &tensor, uint64_t count,
                                uint32_t dtype);

} // namespace llrt

#endif
