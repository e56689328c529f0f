// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The compiled maxima where the command line does not say them.
#ifndef LLAMAC_COMPILER_PIPELINE_MAXIMA_H
#define LLAMAC_COMPILER_PIPELINE_MAXIMA_H

#include "compiler/import/Checkpoint.h"

namespace mlir::llama {

constexpr int64_t defaultMaxBatch = 8;

/// The largest multiple of 64 at which the weights and `maxBatch` sequences of
/// that length fit `memoryBytes`, less a sixteenth for the workspace and the
/// driver; 0 where not even 64 fit.
int64_t getLargestSeqLen(const Config &config, DType dtype, int64_t maxBatch,
                         uint64_t memoryBytes);

} // namespace mlir::llama

#endif
