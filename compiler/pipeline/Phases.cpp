// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The order of the phases, and all that can be registered.
#include "compiler/pipeline/Phases.h"

#include "compiler/pipeline/Dump.h"
#include "compiler/pipeline/Registration.h"

#include "compiler/fuse/Passes.h"
#include "compiler/lower/Passes.h"
#include "compiler/tile/Passes.h"
#include "dialects/llama/Llama.h"
#include "dialects/tile/TileDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassManager.h"

namespace mlir::llama {

static void addPasses(OpPassManager &manager, Stage stage,
                      const PhaseOptions &options) {
  switch (stage) {
  case Stage::Fused:
    buildFusePipeline(manager, options.poolKvHeads);
    break;
  case Stage::Tiled:
    tile::buildTilePipeline(manager, options.gpu, options.blocks);
    break;
  case Stage::Nvvm:
    lower::buildLowerPipeline(manager, options.gpu);
    break;
  case Stage::Llama:
  case Stage::Ptx:
  case Stage::Cubin:
  case Stage::Exe:
    break;
  }
}

LogicalResult runPhase(ModuleOp module, Stage stage,
                       const PhaseOptions &options, PhaseDump *dump) {
  PassManager manager(module.getContext());
  addPasses(manager, stage, options);
  if (dump)
    dump->watch(manager, module, stage);
  if (failed(manager.run(module)))
    return failure();
  return checkStage(module, stage);
}

std::vector<std::string> getPassNames(const PhaseOptions &options) {
  std::vector<std::string> names;
  for (Stage stage : {Stage::Fused, Stage::Tiled, Stage::Nvvm}) {
    OpPassManager manager(ModuleOp::getOperationName());
    addPasses(manager, stage, options);
    std::string text;
    llvm::raw_string_ostream stream(text);
    manager.printAsTextualPipeline(stream);
    // "builtin.module(a{options},gpu.module(b,c))": flags have no dots.
    std::string word;
    int inBraces = 0;
    for (char c : text) {
      inBraces += c == '{' ? 1 : c == '}' ? -1 : 0;
      if (inBraces != 0 || c == '}')
        continue;
      if (c != ',' && c != '(' && c != ')') {
        word += c;
        continue;
      }
      if (!word.empty() && word.find('.') == std::string::npos)
        names.push_back(word);
      word.clear();
    }
  }
  return names;
}

void registerAllLlamacDialects(DialectRegistry &registry) {
  registry
      .insert<LlamaDialect, tile::TileDialect, func::FuncDialect,
              arith::ArithDialect, scf::SCFDialect, gpu::GPUDialect,
              vector::VectorDialect, LLVM::LLVMDialect, NVVM::NVVMDialect>();
}

void registerAllLlamacPasses() {
  registerFusePasses();
  tile::registerTilePipeline();
  lower::registerLowerPipeline();
}

} // namespace mlir::llama
