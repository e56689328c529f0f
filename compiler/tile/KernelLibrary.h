// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The gpu.module of a model: each kernel once, however many ops use it.
#ifndef LLAMAC_COMPILER_TILE_KERNELLIBRARY_H
#define LLAMAC_COMPILER_TILE_KERNELLIBRARY_H

#include "compiler/tile/Attention.h"
#include "compiler/tile/Products.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::tile {

class KernelLibrary {
public:
  explicit KernelLibrary(gpu::GPUModuleOp module) : module(module) {}

  /// The product kernel of `shape`; a new one is called `name`, with a number
  /// behind it where another shape has that name.
  gpu::GPUFuncOp getProduct(const ProductShape &shape, StringRef name);
  /// A kernel that depends on the model alone: built once by name.
  gpu::GPUFuncOp
  get(StringRef name,
      llvm::function_ref<gpu::GPUFuncOp(OpBuilder &, StringRef)> build);

private:
  gpu::GPUModuleOp module;
  llvm::StringMap<gpu::GPUFuncOp> kernels;
};

} // namespace mlir::tile

#endif
