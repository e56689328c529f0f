// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// In: shapes. Out: gpu.funcs, deduplicated. Test: test/tile/tile-llama.mlir.
#include "compiler/tile/KernelLibrary.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::tile;

gpu::GPUFuncOp KernelLibrary::get(
    StringRef name, Location loc,
    llvm::function_ref<gpu::GPUFuncOp(OpBuilder &, StringRef)> build) {
  gpu::GPUFuncOp &kernel = kernels[name];
  if (!kernel) {
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    kernel = build(builder, name);
    kernel.walk([&](Operation *op) {
      if (isa<UnknownLoc>(op->getLoc()))
        op->setLoc(loc);
    });
  }
  return kernel;
}

gpu::GPUFuncOp KernelLibrary::getProduct(const ProductShape &shape,
                                         StringRef name) {
  std::string key;
  llvm::raw_string_ostream stream(key);
  stream << "product " << name << ' ' << int(shape.epilogue) << ' '
         << shape.rows << ' ' << shape.k << ' ' << shape.inputStride << ' '
         << shape.outputStride << ' ' << shape.outputs << ' '
         << llvm::APFloat(shape.eps).bitcastToAPInt() << ' '
         << shape.rowsPerBlock << ' ' << shape.tokensPerBlock << ' '
         << shape.warps << ' ' << shape.gridRows() << ' ' << shape.hasBias
         << ' ' << int(shape.heads.rotation);
  auto found = kernels.find(key);
  if (found != kernels.end())
    return found->second;
  std::string unique = name.str();
  for (int64_t number = 1; module.lookupSymbol(unique); ++number)
    unique = (name + "_" + Twine(number)).str();
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  gpu::GPUFuncOp kernel = buildProduct(builder, shape, unique);
  kernels[key] = kernel;
  return kernel;
}
