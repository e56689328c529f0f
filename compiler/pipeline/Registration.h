// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// All of llamac's dialects and passes, for the tools that take any of them.
#ifndef LLAMAC_COMPILER_PIPELINE_REGISTRATION_H
#define LLAMAC_COMPILER_PIPELINE_REGISTRATION_H

namespace mlir {
class DialectRegistry;
}

namespace mlir::llama {

/// The dialects of the project and those that its phases make use of.
void registerAllLlamacDialects(DialectRegistry &registry);

/// Every pass by its flag and every phase by its verb: --fuse, --tile, --lower.
void registerAllLlamacPasses();

} // namespace mlir::llama

#endif
