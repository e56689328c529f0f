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

  /// The product kernel of `shape` in the role `name`; a new one is called so,
  /// with a number behind it where another shape has that name. Roles share no
  /// kernel, so that each is of the tensors that its location names.
  gpu::GPUFuncOp getProduct(const ProductShape &shape, StringRef name);
  /// A kernel that depends on the model alone: built once by name. What `build`
  /// leaves without a location gets `loc`.
  gpu::GPUFuncOp
  get(StringRef name, Location loc,
      llvm::function_ref<gpu::GPUFuncOp(OpBuilder &, StringRef)> build);

private:
  gpu::GPUModuleOp module;
  llvm::StringMap<gpu::GPUFuncOp> kernels;
};

} // namespace mlir::tile

#endif
