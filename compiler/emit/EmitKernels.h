// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// runtime/kernels -> PTX and cubin of one model, by NVRTC.
#ifndef LLAMAC_COMPILER_EMIT_EMITKERNELS_H
#define LLAMAC_COMPILER_EMIT_EMITKERNELS_H

#include "compiler/emit/Nvrtc.h"

#include <cstdint>

namespace mlir::llama {

/// What the kernels know of their model: macros of the same meaning.
struct KernelConstants {
  int64_t vocabulary = 0; ///< LLAMAC_VOCABULARY: logits of a row
  int64_t pieces = 0;     ///< LLAMAC_PIECES: ids from here on are never chosen
};

/// `pieces`: where llamac's own pieces lie, see findCudaPiece.
llrt::Result<CudaImages> emitKernels(const std::string &pieces,
                                     const KernelConstants &constants,
                                     const std::string &chip, bool cubin);

} // namespace mlir::llama

#endif
