// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sizes of weights and caches against a GPU's memory.
#include "compiler/pipeline/Maxima.h"

namespace mlir::llama {

int64_t getLargestSeqLen(const Config &config, DType dtype, int64_t maxBatch,
                         uint64_t memoryBytes) {
  __int128 weights = 0;
  for (const ExpectedTensor &tensor : getExpectedTensors(config)) {
    __int128 bytes = getBytes(dtype);
    for (int64_t size : tensor.shape)
      bytes *= size;
    weights += bytes;
  }
  // Keys and values of one page of 64 tokens; a head's row fills whole 128-byte
  // panels.
  int64_t row = (config.headDim * getBytes(dtype) + 127) / 128 * 128;
  __int128 page = __int128(64) * 2 * row * config.kvHeads * config.layers;
  __int128 left = __int128(memoryBytes - memoryBytes / 16) - weights;
  if (left < 0)
    return 0;
  return int64_t(left / (page * maxBatch)) * 64;
}

} // namespace mlir::llama
