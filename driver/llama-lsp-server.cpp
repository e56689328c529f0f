// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// llama-lsp-server: diagnostics, hover and navigation for .mlir files of the
// project's dialects, by the Language Server Protocol on stdin and stdout. How
// an editor starts it: docs/looking-inside.md.
#include "driver/AllDialects.h"

#include "mlir/IR/Dialect.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::llama::registerAllDialectsOfTools(registry);
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
