// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops over stored values, one per pair of types so that they vectorize.
#include "compiler/import/TensorValues.h"

namespace mlir::llama {
namespace {

template <typename Load, typename Store>
void convertLoop(uint64_t count, Load load, Store store) {
  for (uint64_t i = 0; i < count; ++i)
    store(i, load(i));
}

template <typename Store>
void convertTo(const uint8_t *in, DType from, uint64_t count, Store store) {
  auto load16 = [in](uint64_t i) {
    uint16_t bits;
    std::memcpy(&bits, in + 2 * i, 2);
    return bits;
  };
  switch (from) {
  case DType::BF16:
    return convertLoop(
        count, [&](uint64_t i) { return bf16ToFloat(load16(i)); }, store);
  case DType::F16:
    return convertLoop(
        count, [&](uint64_t i) { return f16ToFloat(load16(i)); }, store);
  case DType::F32:
    return convertLoop(
        count,
        [in](uint64_t i) {
          float value;
          std::memcpy(&value, in + 4 * i, 4);
          return value;
        },
        store);
  }
}

} // namespace

void wantRows(const Tensor &tensor, int64_t begin, int64_t end) {
  if (tensor.rows)
    tensor.rows->want(begin, end);
  else if (tensor.isMapped)
    llrt::wantPages(tensor.bytes + begin * getRowBytes(tensor),
                    (end - begin) * getRowBytes(tensor));
}

void forgetRows(const Tensor &tensor, int64_t begin, int64_t end) {
  if (tensor.rows)
    tensor.rows->forget(begin, end);
  else if (tensor.isMapped)
    llrt::forgetPages(tensor.bytes + begin * getRowBytes(tensor),
                      (end - begin) * getRowBytes(tensor));
}

void convertValues(const uint8_t *values, DType from, uint64_t count, DType to,
                   uint8_t *out) {
  if (from == to) {
    std::memcpy(out, values, count * getBytes(to));
    return;
  }
  switch (to) {
  case DType::BF16:
    return convertTo(values, from, count, [out](uint64_t i, float value) {
      uint16_t bits = floatToBf16(value);
      std::memcpy(out + 2 * i, &bits, 2);
    });
  case DType::F16:
    return convertTo(values, from, count, [out](uint64_t i, float value) {
      uint16_t bits = floatToF16(value);
      std::memcpy(out + 2 * i, &bits, 2);
    });
  case DType::F32:
    return convertTo(values, from, count, [out](uint64_t i, float value) {
      std::memcpy(out + 4 * i, &value, 4);
    });
  }
}

/// The largest value & mask: a loop that every x86-64 runs 8 or more values at
/// a time, so that a scan of ordinary weights costs little.
template <typename Word>
static Word findLargest(const uint8_t *in, uint64_t count, Word mask) {
  Word largest = 0;
  for (uint64_t i = 0; i < count; ++i) {
    Word bits;
    std::memcpy(&bits, in + sizeof bits * i, sizeof bits);
    bits &= mask;
    largest = bits > largest ? bits : largest;
  }
  return largest;
}

ValueScan scanValues(const Tensor &tensor, DType to) {
  ValueScan scan;
  std::vector<uint8_t> scratch;
  uint64_t columns = uint64_t(tensor.shape.back());
  for (int64_t row = 0, rows = getRowCount(tensor); row < rows; ++row) {
    ValueScan one =
        scanValues(getRow(tensor, row, scratch), tensor.dtype, columns, to);
    scan.notFinite += one.notFinite;
    scan.overflowing += one.overflowing;
  }
  return scan;
}

ValueScan scanValues(const uint8_t *in, DType from, uint64_t count, DType to) {
  ValueScan scan;
  if (from != DType::F32) {
    uint16_t exponent = from == DType::BF16 ? 0x7f80 : 0x7c00;
    // bf16 at or past this rounds to an infinite f16: 65520 and up.
    uint16_t limit = 0x4780;
    bool canOverflow = from == DType::BF16 && to == DType::F16;
    if (findLargest<int16_t>(in, count, 0x7fff) <
        int16_t(canOverflow ? limit : exponent))
      return scan;
    for (uint64_t i = 0; i < count; ++i) {
      uint16_t bits;
      std::memcpy(&bits, in + 2 * i, 2);
      scan.notFinite += (bits & exponent) == exponent;
      scan.overflowing += (bits & 0x7fff) >= limit;
    }
    scan.overflowing = canOverflow ? scan.overflowing - scan.notFinite : 0;
    return scan;
  }
  // The smallest magnitudes that round to infinity.
  uint32_t limit = to == DType::F16    ? 0x477ff000 // 65520
                   : to == DType::BF16 ? 0x7f7f8000 // halfway past the largest
                                       : 0x7f800000;
  if (findLargest<int32_t>(in, count, 0x7fffffff) < int32_t(limit))
    return scan;
  for (uint64_t i = 0; i < count; ++i) {
    uint32_t bits;
    std::memcpy(&bits, in + 4 * i, 4);
    scan.notFinite += (bits & 0x7f800000) == 0x7f800000;
    scan.overflowing += (bits & 0x7fffffff) >= limit;
  }
  scan.overflowing -= scan.notFinite;
  return scan;
}

} // namespace mlir::llama
