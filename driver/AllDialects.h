// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The dialects that a text may hold which the developer's tools read.
#ifndef LLAMAC_DRIVER_ALLDIALECTS_H
#define LLAMAC_DRIVER_ALLDIALECTS_H

namespace mlir {
class DialectRegistry;
}

namespace mlir::llama {

/// MLIR's own and the project's. Apart from both mains: MLIR's headers for it
/// take long to compile.
void registerAllDialectsOfTools(DialectRegistry &registry);

} // namespace mlir::llama

#endif
