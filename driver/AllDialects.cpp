// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// All dialects, for llama-opt and llama-lsp-server.
#include "driver/AllDialects.h"

#include "compiler/pipeline/Registration.h"
#include "mlir/InitAllDialects.h"

void mlir::llama::registerAllDialectsOfTools(DialectRegistry &registry) {
  registerAllDialects(registry);
  registerAllLlamacDialects(registry);
}
