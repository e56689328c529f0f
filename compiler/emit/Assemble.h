// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// PTX -> cubin, by ptxas or, where that is missing, by nvJitLink; and what the
// assembler says of each kernel. Plain C++.
#ifndef LLAMAC_COMPILER_EMIT_ASSEMBLE_H
#define LLAMAC_COMPILER_EMIT_ASSEMBLE_H

#include "runtime/Result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mlir::llama {

/// What one kernel takes from the chip.
struct KernelResources {
  std::string name;
  uint32_t registers = 0;         ///< per thread
  uint32_t spillBytes = 0;        ///< per thread, stored to local memory
  uint32_t stackBytes = 0;        ///< per thread, spills included
  uint32_t staticSharedBytes = 0; ///< per block
};

struct Assembly {
  std::string cubin; ///< "": nothing here can make one; see `missing`
  std::vector<KernelResources> kernels;
  std::string missing; ///< why there is none; for the user
};

/// The whole of `ptx` for `chip` ("sm_90a"). ptxas is started without a file
/// of its own on the disk. `pieces`: see findCudaPiece. Neither ptxas nor
/// nvJitLink, or kernels that only ptxas can make, is no error: `missing` names
/// the package; an error of the assembler holds its log and its command line.
llrt::Result<Assembly> assemble(const std::string &pieces,
                                const std::string &ptx,
                                const std::string &chip);

/// By one of them, which lies at `path`.
llrt::Result<Assembly> assembleByPtxas(const std::string &path,
                                       const std::string &ptx,
                                       const std::string &chip);
llrt::Result<Assembly> assembleByNvJitLink(const std::string &path,
                                           const std::string &ptx,
                                           const std::string &chip);

/// The kernels in the log of `ptxas -v`, also as NVRTC and nvJitLink give it.
std::vector<KernelResources> readAssemblerLog(const std::string &log);

} // namespace mlir::llama

#endif
