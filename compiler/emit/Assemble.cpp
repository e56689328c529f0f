// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Chooses the assembler, and reads its log. Test: test/emit/AssembleTest.cpp.
#include "compiler/emit/Assemble.h"

#include "compiler/emit/CudaPieces.h"

#include <cstdlib>
#include <sstream>

namespace mlir::llama {

llrt::Result<Assembly> assemble(const std::string &pieces,
                                const std::string &ptx,
                                const std::string &chip) {
  auto ptxas = findCudaPiece(
      pieces, "ptxas",
      "the PyPI package nvidia-cuda-nvcc (13.0) or a CUDA toolkit 13");
  if (ptxas)
    return assembleByPtxas(*ptxas, ptx, chip);
  auto without = [](const std::string &why) {
    Assembly nothing;
    nothing.missing = why;
    return nothing;
  };
  auto linker = findCudaPiece(pieces, "libnvJitLink.so.13",
                              "the PyPI package nvidia-nvjitlink (13.0)");
  if (!linker)
    return without(ptxas.error().message());
  // It assembles as for a later link, where the number of registers is fixed.
  if (ptx.find("setmaxnreg") != std::string::npos)
    return without("the kernels move registers between warps, which nvJitLink "
                   "ignores, and " +
                   ptxas.error().message());
  return assembleByNvJitLink(*linker, ptx, chip);
}

/// The number before `what` in `line`; 0 where it is not there.
static uint32_t numberBefore(const std::string &line, const char *what) {
  size_t at = line.find(what);
  if (at == std::string::npos || at == 0)
    return 0;
  size_t end = line.find_last_not_of(' ', at - 1);
  size_t start = line.find_last_not_of("0123456789", end);
  start = start == std::string::npos ? 0 : start + 1;
  return start > end ? 0
                     : static_cast<uint32_t>(
                           std::strtoul(line.c_str() + start, nullptr, 10));
}

// ptxas info    : Compiling entry function 'argmax' for 'sm_90a'
// ptxas info    : Function properties for argmax
//     8 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads
// ptxas info    : Used 26 registers, used 1 barriers, 256 bytes smem
std::vector<KernelResources> readAssemblerLog(const std::string &log) {
  static const std::string entry = "Compiling entry function '";
  std::vector<KernelResources> kernels;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    size_t at = line.find(entry);
    if (at != std::string::npos) {
      at += entry.size();
      kernels.push_back({line.substr(at, line.find('\'', at) - at)});
      continue;
    }
    if (kernels.empty())
      continue;
    KernelResources &kernel = kernels.back();
    if (line.find("bytes stack frame") != std::string::npos) {
      kernel.stackBytes = numberBefore(line, "bytes stack frame");
      kernel.spillBytes = numberBefore(line, "bytes spill stores");
    } else if (line.find(": Used ") != std::string::npos) {
      kernel.registers = numberBefore(line, "registers");
      kernel.staticSharedBytes = numberBefore(line, "bytes smem");
    }
  }
  return kernels;
}

} // namespace mlir::llama
