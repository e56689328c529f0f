// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// llama-opt: mlir-opt with the project's dialects and passes. Every pass goes
// by its flag, every phase by its verb: --fuse, --tile, --lower.
#include "compiler/pipeline/Registration.h"
#include "driver/AllDialects.h"

#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::llama::registerAllDialectsOfTools(registry);
  mlir::registerAllPasses();
  mlir::llama::registerAllLlamacPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "llamac's modular optimizer\n", registry));
}
