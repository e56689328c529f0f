// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What must hold of a module at each stage.
#include "compiler/pipeline/Phases.h"

#include "dialects/llama/Llama.h"
#include "dialects/tile/TileDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::llama {
namespace {

LogicalResult requireFunctions(ModuleOp module, ArrayRef<StringRef> names) {
  for (StringRef name : names) {
    auto function = module.lookupSymbol<func::FuncOp>(name);
    if (!function || function.isExternal())
      return module.emitError() << "has no function @" << name;
  }
  return success();
}

LogicalResult checkLlama(ModuleOp module) {
  WalkResult result = module.walk([&](Operation *op) {
    if (!isa<ModuleOp>(op) &&
        !isa_and_nonnull<LlamaDialect, func::FuncDialect, arith::ArithDialect>(
            op->getDialect())) {
      op->emitOpError("is none of llama, func and arith");
      return WalkResult::interrupt();
    }
    for (Type type : op->getResultTypes())
      if (auto tensor = dyn_cast<RankedTensorType>(type))
        if (!tensor.hasStaticShape()) {
          op->emitOpError("gives a tensor whose shape is not static");
          return WalkResult::interrupt();
        }
    return WalkResult::advance();
  });
  if (result.wasInterrupted())
    return failure();
  return requireFunctions(module, {"prefill", "decode"});
}

LogicalResult checkTiled(ModuleOp module) {
  llvm::StringSet<> packed;
  for (tile::StreamOp stream : module.getOps<tile::StreamOp>())
    for (auto source : stream.getSources().getAsRange<FlatSymbolRefAttr>())
      packed.insert(source.getValue());
  WalkResult result = module.walk([&](Operation *op) {
    if (auto weight = dyn_cast<WeightOp>(op)) {
      if (packed.contains(weight.getSymName()))
        return WalkResult::advance();
      op->emitOpError("is packed by no tile.stream");
      return WalkResult::interrupt();
    }
    if (isa_and_nonnull<LlamaDialect>(op->getDialect())) {
      op->emitOpError("is left after `tile`");
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  if (result.wasInterrupted())
    return failure();
  if (module.getOps<gpu::GPUModuleOp>().empty())
    return module.emitError("has no kernels");
  return requireFunctions(module, {"prefill", "decode", "head"});
}

LogicalResult checkNvvm(ModuleOp module) {
  for (gpu::GPUModuleOp kernels : module.getOps<gpu::GPUModuleOp>()) {
    WalkResult result = kernels.walk([&](Operation *op) {
      if (op == kernels ||
          isa_and_nonnull<LLVM::LLVMDialect, NVVM::NVVMDialect>(
              op->getDialect()))
        return WalkResult::advance();
      op->emitOpError("is left in a gpu.module after `lower`");
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      return failure();
  }
  return success();
}

} // namespace

LogicalResult checkStage(ModuleOp module, Stage stage) {
  switch (stage) {
  case Stage::Llama:
  case Stage::Fused:
    return checkLlama(module);
  case Stage::Tiled:
    return checkTiled(module);
  case Stage::Nvvm:
    return checkNvvm(module);
  case Stage::Ptx:
  case Stage::Cubin:
  case Stage::Exe:
    return success();
  }
  llvm_unreachable("all stages are named");
}

} // namespace mlir::llama
