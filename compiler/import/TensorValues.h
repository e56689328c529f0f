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

/// Element `index` of values stored as `dtype`.
inline float loadValue(const uint8_t *values, DType dtype, uint64_t index) {
  if (dtype == DType::F32) {
    float value;
    std::memcpy(&value, values + 4 * index, 4);
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, values + 2 * index, 2);
  return dtype == DType::BF16 ? bf16ToFloat(bits) : f16ToFloat(bits);
}

inline uint64_t getRowBytes(const Tensor &tensor) {
  return uint64_t(tensor.shape.back()) * getBytes(tensor.dtype);
}
/// 1 for a vector.
inline int64_t getRowCount(const Tensor &tensor) {
  uint64_t bytes = getRowBytes(tensor);
  return bytes ? int64_t(tensor.size / bytes) : 0;
}

/// The bytes of row `row`, in the tensor itself or, where it has to be made, in
/// `scratch`. The caller knows that the row is there.
inline const uint8_t *getRow(const Tensor &tensor, int64_t row,
                             std::vector<uint8_t> &scratch) {
  if (tensor.bytes)
    return tensor.bytes + uint64_t(row) * getRowBytes(tensor);
  scratch.resize(getRowBytes(tensor));
  tensor.rows->read(row, scratch.data());
  return scratch.data();
}

/// The mapped pages of rows [begin, end): asked for ahead, let go of after use.
void wantRows(const Tensor &tensor, int64_t begin, int64_t end);
void forgetRows(const Tensor &tensor, int64_t begin, int64_t end);

/// Element `index`, slowly where rows are made. The caller knows that it is
/// there.
inline float loadValue(const Tensor &tensor, uint64_t index) {
  std::vector<uint8_t> scratch;
  uint64_t columns = uint64_t(tensor.shape.back());
  return loadValue(getRow(tensor, int64_t(index / columns), scratch),
                   tensor.dtype, index % columns);
}

/// Writes `count` values, stored as `from`, to `out` as `to`, rounding to
/// nearest even.
void convertValues(const uint8_t *values, DType from, uint64_t count, DType to,
                   uint8_t *out);

struct ValueScan {
  uint64_t notFinite = 0;   // NaN and infinite values in the source
  uint64_t overflowing = 0; // finite in the source, infinite as the target
};
/// What storing `count` values, stored as `from`, as `to` would meet.
ValueScan scanValues(const uint8_t *values, DType from, uint64_t count,
                     DType to);
/// The same of a whole tensor.
ValueScan scanValues(const Tensor &tensor, DType to);

} // namespace mlir::llama

#endif
