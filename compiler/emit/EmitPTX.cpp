// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nvvm -> LLVM IR -> O3 -> NVPTX assembly. Test: test/emit/emit-ptx.sh.
#include "compiler/emit/EmitPTX.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;

void mlir::registerEmitPTXTranslations(DialectRegistry &registry) {
  registerBuiltinDialectTranslation(registry);
  registerGPUDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerNVVMDialectTranslation(registry);
}

/// The back end for one GPU.
static std::unique_ptr<llvm::TargetMachine>
createTarget(const llrt::GpuRow &gpu, std::string &error) {
  static bool initialized = [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    return true;
  }();
  (void)initialized;
  llvm::Triple triple("nvptx64-nvidia-cuda");
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return nullptr;
  llvm::TargetOptions options;
  // Products and sums are rounded one by one: what the text says.
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, gpu.chip, gpu.ptxFeature, options, std::nullopt, std::nullopt,
      llvm::CodeGenOptLevel::Aggressive));
}

static void optimize(llvm::Module &module, llvm::TargetMachine &target) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&target);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3)
      .run(module, modules);
}

FailureOr<std::string> mlir::emitPTX(gpu::GPUModuleOp kernels,
                                     const llrt::GpuRow &gpu) {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module =
      translateModuleToLLVMIR(kernels, context, "llamac");
  if (!module)
    return kernels.emitError("does not translate to LLVM IR");
  std::string error;
  std::unique_ptr<llvm::TargetMachine> target = createTarget(gpu, error);
  if (!target)
    return kernels.emitError("no NVPTX back end: ") << error;
  module->setTargetTriple(target->getTargetTriple());
  module->setDataLayout(target->createDataLayout());
  optimize(*module, *target);

  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager manager;
  if (target->addPassesToEmitFile(manager, stream, nullptr,
                                  llvm::CodeGenFileType::AssemblyFile))
    return kernels.emitError("the back end cannot write assembly");
  manager.run(*module);
  return std::string(text);
}

FailureOr<std::string> mlir::emitPTX(ModuleOp module, const llrt::GpuRow &gpu) {
  auto kernels = module.getOps<gpu::GPUModuleOp>();
  if (kernels.empty() || std::next(kernels.begin()) != kernels.end())
    return module.emitError("needs exactly one gpu.module to emit PTX");
  return emitPTX(*kernels.begin(), gpu);
}
