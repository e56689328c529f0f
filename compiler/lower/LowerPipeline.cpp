// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The order of the passes that end in llvm and nvvm.
#include "compiler/lower/Passes.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/NVVMToLLVM/NVVMToLLVM.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void lower::buildLowerPipeline(OpPassManager &manager, StringRef gpu) {
  LowerCheckGpuPassOptions check;
  check.gpu = gpu.str();
  manager.addPass(createLowerCheckGpuPass(check));
  OpPassManager &kernels = manager.nest<gpu::GPUModuleOp>();
  LowerTileToNVVMPassOptions tile;
  tile.gpu = gpu.str();
  kernels.addPass(createLowerTileToNVVMPass(tile));
  kernels.addPass(createSCFToControlFlowPass());
  kernels.addPass(createConvertGpuOpsToNVVMOps());
  manager.addPass(createLowerCheckGpuPass(check));
  // Takes only whole modules; the host functions have no control flow.
  manager.addPass(createConvertControlFlowToLLVMPass());
  OpPassManager &rest = manager.nest<gpu::GPUModuleOp>();
  rest.addPass(createArithToLLVMConversionPass());
  rest.addPass(createConvertNVVMToLLVMPass());
  rest.addPass(createReconcileUnrealizedCastsPass());
  // Constants are shared, so that the text is readable.
  rest.addPass(createCSEPass());
  // Behind all that makes or merges ops.
  rest.addPass(createLowerDebugScopesPass());
}

namespace {
struct LowerPipelineOptions : PassPipelineOptions<LowerPipelineOptions> {
  Option<std::string> gpu{*this, "gpu", llvm::cl::desc("row of the GPU table"),
                          llvm::cl::init("h200")};
};
} // namespace

void lower::registerLowerPipeline() {
  registerLowerPasses();
  PassPipelineRegistration<LowerPipelineOptions>(
      "lower", "tiled -> nvvm",
      [](OpPassManager &manager, const LowerPipelineOptions &options) {
        buildLowerPipeline(manager, options.gpu);
      });
}
