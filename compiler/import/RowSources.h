// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tensors made of stored ones, row by row as they are read: joined, and with
// the pairs of a rotation where Hugging Face has them.
#ifndef LLAMAC_COMPILER_IMPORT_ROWSOURCES_H
#define LLAMAC_COMPILER_IMPORT_ROWSOURCES_H

#include "compiler/import/Checkpoint.h"

namespace mlir::llama {

/// The parts, one below the other. They have one dtype, shape and at least one
/// member.
Tensor joinRows(std::vector<Tensor> parts);
/// The parts, one beside the other: matrices as above.
Tensor joinColumns(std::vector<Tensor> parts);

/// A rotation turns pairs of a head's elements. Meta's code and GGUF store each
/// pair as neighbours, (2j, 2j + 1); Hugging Face stores it half a head apart,
/// (j, j + headDim / 2). Takes projections (rows) or biases (a vector) of the
/// first order to the second.
Tensor separatePairs(Tensor stored, int64_t headDim);

} // namespace mlir::llama

#endif
