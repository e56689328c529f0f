// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// LowerDebugScopesPass: the files of locations as LLVM's debug scopes. Before
// and after: Passes.td. Test: test/lower/debug-scopes.mlir.
#include "compiler/lower/Passes.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/BinaryFormat/Dwarf.h"

namespace mlir::lower {
#define GEN_PASS_DEF_LOWERDEBUGSCOPESPASS
#include "compiler/lower/Passes.h.inc"
} // namespace mlir::lower

using namespace mlir;

namespace {
struct LowerDebugScopesPass
    : lower::impl::LowerDebugScopesPassBase<LowerDebugScopesPass> {
  void runOnOperation() override {
    LLVM::DICompileUnitAttr unit;
    for (auto kernel : getOperation().getOps<LLVM::LLVMFuncOp>()) {
      auto location = kernel.getLoc()->findInstanceOf<FileLineColLoc>();
      if (kernel.isExternal() || !location)
        continue;
      if (!unit)
        unit = getUnit(getFile(location));
      setScopes(kernel, location, unit);
    }
  }

  /// One unit for the module; its own file is never printed.
  LLVM::DICompileUnitAttr getUnit(LLVM::DIFileAttr file) {
    return LLVM::DICompileUnitAttr::get(
        DistinctAttr::create(UnitAttr::get(&getContext())),
        llvm::dwarf::DW_LANG_C, file, StringAttr::get(&getContext(), "llamac"),
        /*isOptimized=*/true, LLVM::DIEmissionKind::DebugDirectivesOnly);
  }

  LLVM::DIFileAttr getFile(FileLineColLoc location) {
    // No folder: one would be put in front of the name.
    return LLVM::DIFileAttr::get(&getContext(), location.getFilename(), "");
  }

  void setScopes(LLVM::LLVMFuncOp kernel, FileLineColLoc location,
                 LLVM::DICompileUnitAttr unit) {
    MLIRContext *context = &getContext();
    LLVM::DIFileAttr file = getFile(location);
    auto name = kernel.getNameAttr();
    auto scope = LLVM::DISubprogramAttr::get(
        context, DistinctAttr::create(UnitAttr::get(context)), unit, file, name,
        name, file, location.getLine(), location.getLine(),
        LLVM::DISubprogramFlags::Definition |
            LLVM::DISubprogramFlags::Optimized,
        LLVM::DISubroutineTypeAttr::get(context, llvm::dwarf::DW_CC_normal, {}),
        /*retainedNodes=*/{}, /*annotations=*/{});
    llvm::DenseMap<StringAttr, Attribute> files;
    kernel.walk([&](Operation *op) {
      if (op == kernel)
        return;
      auto place = op->getLoc()->findInstanceOf<FileLineColLoc>();
      if (!place) // the compiler's own: a constant that was shared, a branch
        place = FileLineColLoc::get(location.getFilename(), 0, 0);
      if (place.getFilename() == location.getFilename()) {
        op->setLoc(place);
        return;
      }
      Attribute &inner = files[place.getFilename()];
      if (!inner)
        inner = LLVM::DILexicalBlockFileAttr::get(context, scope,
                                                  getFile(place), 0);
      op->setLoc(FusedLoc::get({place}, inner, context));
    });
    kernel->setLoc(FusedLoc::get({location}, scope, context));
  }
};
} // namespace
