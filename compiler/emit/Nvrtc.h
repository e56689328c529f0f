// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// CUDA C++ -> PTX and cubin, by NVIDIA's run-time compiler, which is opened
// with dlopen: no headers and no CUDA are needed to build llamac. Plain C++.
#ifndef LLAMAC_COMPILER_EMIT_NVRTC_H
#define LLAMAC_COMPILER_EMIT_NVRTC_H

#include "runtime/Result.h"

#include <memory>
#include <string>
#include <vector>

namespace mlir::llama {

/// A file of CUDA C++; messages call it `name`. One in .h is compiled only
/// where another includes it.
struct CudaSource {
  std::string name, text;
};

struct CudaImages {
  std::string ptx;   ///< without its NUL
  std::string cubin; ///< "" unless asked for
  std::string log;   ///< warnings, and ptxas -v's lines where there is a cubin
};

class Nvrtc {
public:
  /// `own`: see findCudaPiece. The error names the package that brings it.
  static llrt::Result<std::unique_ptr<Nvrtc>> open(const std::string &own);
  ~Nvrtc();

  /// All of `sources` as one module for `chip` ("sm_90a"). Each define is
  /// NAME=VALUE. Products and sums are rounded one by one; names of folders do
  /// not matter: the same input gives the same bytes. `lines` keeps the lines
  /// of the sources as .loc. An error holds the log.
  llrt::Result<CudaImages> compile(const std::vector<CudaSource> &sources,
                                   const std::string &chip,
                                   const std::vector<std::string> &defines,
                                   bool cubin, bool lines = false);

private:
  struct Api;
  explicit Nvrtc(std::unique_ptr<Api> api);
  std::unique_ptr<Api> api;
};

} // namespace mlir::llama

#endif
