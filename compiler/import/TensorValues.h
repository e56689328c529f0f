// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The stored values of tensors: reading, rounding to nearest even, and looking
// for those that are not finite. Data may lie unaligned in a safetensors file.
#ifndef LLAMAC_COMPILER_IMPORT_TENSORVALUES_H
#define LLAMAC_COMPILER_IMPORT_TENSORVALUES_H

#include "compiler/import/Checkpoint.h"

#include <cstring>

namespace mlir::llama {

inline uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}
inline float floatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

inline float bf16ToFloat(uint16_t bits) {
  return floatOf(uint32_t(bits) << 16);
}
inline uint16_t floatToBf16(float value) {
  uint32_t bits = bitsOf(value);
  if ((bits & 0x7fffffff) > 0x7f800000)
    return uint16_t(bits >> 16 | 0x40); // NaN stays NaN
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// clang's _Float16 rounds to nearest even, in software where there is no F16C.
inline float f16ToFloat(uint16_t bits) {
  _Float16 value;
  std::memcpy(&value, &bits, 2);
  return float(value);
}
inline uint16_t floatToF16(float value) {
  _Float16 half = _Float16(value);
  uint16_t bits;
  std::memcpy(&bits, &half, 2);
  return bits;
}

/// Element `index`. The caller knows that it is there.
inline float loadValue(const Tensor &tensor, uint64_t index) {
  if (tensor.dtype == DType::F32) {
    float value;
    std::memcpy(&value, tensor.bytes + 4 * index, 4);
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, tensor.bytes + 2 * index, 2);
  return tensor.dtype == DType::BF16 ? bf16ToFloat(bits) : f16ToFloat(bits);
}

/// Copies `count` elements from `index` on to `out` as `to`, rounding to
/// nearest even.
void convertValues(const Tensor &tensor, uint64_t index, uint64_t count,
                   DType to, uint8_t *out);

struct ValueScan {
  uint64_t notFinite = 0;   // NaN and infinite values in the source
  uint64_t overflowing = 0; // finite in the source, infinite as the target
};
/// What storing the tensor as `to` would meet.
ValueScan scanValues(const Tensor &tensor, DType to);

} // namespace mlir::llama

#endif
