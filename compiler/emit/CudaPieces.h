// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Finds the parts of CUDA that llamac loads or starts: NVRTC, ptxas. None of
// them is needed to build llamac.
#ifndef LLAMAC_COMPILER_EMIT_CUDAPIECES_H
#define LLAMAC_COMPILER_EMIT_CUDAPIECES_H

#include "runtime/Result.h"

#include <string>

namespace mlir::llama {

/// The path of the file `name`. In this order: `own`, the folder
/// libexec/llamac of the installed llamac or of its build, where fetched pieces
/// lie; $CUDA_HOME; /usr/local/cuda. The error says where it was looked for and
/// that `package` brings it.
llrt::Result<std::string> findCudaPiece(const std::string &own,
                                        const std::string &name,
                                        const std::string &package);

} // namespace mlir::llama

#endif
