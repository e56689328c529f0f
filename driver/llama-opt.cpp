// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// llama-opt: mlir-opt with the project's dialects and passes.
#include "compiler/fuse/Passes.h"
#include "dialects/llama/Llama.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  registry.insert<mlir::llama::LlamaDialect>();
  mlir::registerAllPasses();
  mlir::llama::registerFusePasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "llamac's modular optimizer\n", registry));
}
