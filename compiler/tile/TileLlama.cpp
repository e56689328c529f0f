// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// TileLlamaPass: follows the fused functions from tokens to logits and writes
// down streams, kernels and launches. Before and after: Passes.td. Test:
// test/tile/tile-llama.mlir.
#include "compiler/tile/Passes.h"

#include "compiler/tile/KernelLibrary.h"
#include "compiler/tile/LlamaTiler.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "runtime/GpuTable.h"

namespace mlir::tile {
#define GEN_PASS_DEF_TILELLAMAPASS
#include "compiler/tile/Passes.h.inc"
} // namespace mlir::tile

using namespace mlir;
using namespace mlir::tile;

namespace {
struct TileLlamaPass : tile::impl::TileLlamaPassBase<TileLlamaPass> {
  using TileLlamaPassBase::TileLlamaPassBase;

  void runOnOperation() override {
    const llrt::GpuRow *facts = llrt::findGpuRow(gpu);
    if (!facts) {
      getOperation().emitError("there is no GPU row '") << gpu << "'";
      return signalPassFailure();
    }
    if (failed(tileModule(getOperation(), *facts)))
      signalPassFailure();
  }

  LogicalResult tileModule(ModuleOp module, const llrt::GpuRow &facts) {
    auto model = llama::ModelAttr::of(module);
    if (!model)
      return module.emitError("has no attribute ")
             << llama::ModelAttr::attrName;
    auto prefill = module.lookupSymbol<func::FuncOp>("prefill");
    auto decode = module.lookupSymbol<func::FuncOp>("decode");
    if (!prefill || !decode)
      return module.emitError("needs the functions @prefill and @decode");
    SmallVector<func::FuncOp> before(module.getOps<func::FuncOp>());
    auto tokens = dyn_cast<RankedTensorType>(prefill.getArgumentTypes()[0]);
    if (!tokens || tokens.getRank() != 2)
      return prefill.emitError("needs the tokens as its first argument");

    // The new functions take the old names.
    SymbolTable symbols(module);
    for (func::FuncOp function : {prefill, decode})
      if (failed(
              symbols.rename(function, (function.getName() + ".fused").str())))
        return failure();

    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    auto kernels =
        gpu::GPUModuleOp::create(builder, module.getLoc(), "kernels");
    module->setAttr(gpu::GPUDialect::getContainerModuleAttrName(),
                    builder.getUnitAttr());
    OpBuilder streamBuilder(kernels);
    LlamaTiler tiler(module, model, Workspace(model, tokens.getDimSize(1)),
                     facts, blocks, kernels, streamBuilder);
    if (failed(tiler.tile(builder, prefill, decode)))
      return failure();
    for (func::FuncOp function : before)
      function.erase();
    return success();
  }
};
} // namespace

void tile::buildTilePipeline(OpPassManager &manager, StringRef gpu,
                             int64_t blocks) {
  TileLlamaPassOptions options;
  options.gpu = gpu.str();
  options.blocks = blocks;
  manager.addPass(createTileLlamaPass(options));
  // Last: it says where the finished text has each op.
  manager.addPass(createTileLineNumbersPass());
}

namespace {
struct TilePipelineOptions : PassPipelineOptions<TilePipelineOptions> {
  Option<std::string> gpu{*this, "gpu", llvm::cl::desc("row of the GPU table"),
                          llvm::cl::init("h200")};
  Option<int64_t> blocks{*this, "blocks", llvm::cl::desc("as of --tile-llama"),
                         llvm::cl::init(0)};
};
} // namespace

void tile::registerTilePipeline() {
  registerTilePasses();
  PassPipelineRegistration<TilePipelineOptions>(
      "tile", "fused -> tiled",
      [](OpPassManager &manager, const TilePipelineOptions &options) {
        buildTilePipeline(manager, options.gpu, options.blocks);
      });
}
