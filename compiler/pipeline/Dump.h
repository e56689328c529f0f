// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// --dump-dir: what each phase and each pass leaves, as files.
//
//   DIR/1-llama.mlir                     what `import` made
//   DIR/2-fused.mlir                     what `fuse` left, ...
//   DIR/2-fused/3-llama-fuse-qkv.mlir    the whole module after the third pass
//                                        of that phase; only where it changed
//   DIR/5-ptx.ptx  DIR/6-cubin.cubin     of the kernels that MLIR makes
//   DIR/5-ptx.kernels.ptx                of runtime/kernels; .cubin likewise
//   DIR/N-STAGE-failed.mlir              where a phase failed: the last one
//
// What an earlier run left under such names is removed first; what else is in
// DIR stays.
#ifndef LLAMAC_COMPILER_PIPELINE_DUMP_H
#define LLAMAC_COMPILER_PIPELINE_DUMP_H

#include "compiler/pipeline/CompileRequest.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

namespace mlir::llama {

/// The text of --emit and of the dumps.
std::string printModule(ModuleOp module);

class PhaseDump {
public:
  /// "": nothing is dumped.
  explicit PhaseDump(std::string folder) : folder(std::move(folder)) {}
  explicit operator bool() const { return !folder.empty(); }

  /// Makes the folder, where only it is missing, and removes older dumps.
  llrt::Error open();
  /// `mark` goes behind the stage's name.
  llrt::Error write(Stage stage, const std::string &text,
                    const char *mark = "");
  /// Writes what the passes of `manager` leave on their way to `stage`;
  /// `module` is what they start from. An error is kept for write().
  void watch(PassManager &manager, ModuleOp module, Stage stage);

private:
  class PassWatcher;
  std::string folder;
  std::string failure;
};

} // namespace mlir::llama

#endif
