// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tensors that llama-pool-kv-heads marked: their rows are means, taken when
// they are read, so that no tensor is ever in memory whole.
#ifndef LLAMAC_COMPILER_EMIT_POOLEDTENSORS_H
#define LLAMAC_COMPILER_EMIT_POOLEDTENSORS_H

#include "compiler/import/Checkpoint.h"

namespace mlir::llama {

/// The tensor [rows / heads, ...] in which row g * headDim + d is the mean of
/// the rows (g * heads + j) * headDim + d of `tensor`, j < heads; of a vector
/// likewise its elements. Each mean is the exact one's nearest float32 but for
/// the roundings of a float64 sum; dtype is F32. `tensor`'s bytes must outlive
/// it.
Tensor averageHeads(const Tensor &tensor, int64_t heads, int64_t headDim);

/// A tensor that is made of a larger one of its name.
struct PooledTensor {
  std::string name;
  int64_t heads = 1;   // that become one
  int64_t headDim = 0; // rows of each
};

/// Replaces the tensors of a checkpoint, where it has weights, and sets the
/// number of KV heads of its config.
void poolTensors(Checkpoint &checkpoint,
                 const std::vector<PooledTensor> &pooled, int64_t kvHeads);

} // namespace mlir::llama

#endif
