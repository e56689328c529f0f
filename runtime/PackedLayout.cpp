// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The orders of rows.
#include "runtime/PackedLayout.h"

using namespace llrt;

SourceRow llrt::getSourceRow(uint32_t order, int64_t headDim,
                             const int64_t *rows, size_t count, int64_t row) {
  if (order == LLAMAC_ROWS || order == LLAMAC_VECTOR) {
    for (size_t i = 0; i < count; ++i) {
      if (row < rows[i])
        return {int(i), row};
      row -= rows[i];
    }
    return {};
  }
  // A group of 16 rows holds 8 pairs: firsts, then seconds.
  int64_t pair = row / 16 * 8 + row % 8;
  bool second = row % 16 >= 8;
  if (order == LLAMAC_GATE_UP || order == LLAMAC_GATE_UP_VECTOR)
    return pair < rows[0] ? SourceRow{second ? 1 : 0, pair} : SourceRow{};
  int64_t half = headDim / 2;
  for (size_t i = 0; i < count; ++i) {
    int64_t pairs = rows[i] / 2;
    if (pair >= pairs) {
      pair -= pairs;
      continue;
    }
    int64_t head = pair / half, j = pair % half;
    // Query and key: elements j and j + half; value: neighbours.
    int64_t element = i < 2 ? j + (second ? half : 0) : 2 * j + second;
    return {int(i), head * headDim + element};
  }
  return {};
}
