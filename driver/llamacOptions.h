// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// llamac's command line.
#ifndef LLAMAC_DRIVER_LLAMACOPTIONS_H
#define LLAMAC_DRIVER_LLAMACOPTIONS_H

#include "compiler/pipeline/CompileRequest.h"

namespace mlir::llama {

/// Fills `request`. A value: the process is to end with that status, and what
/// there was to say (help, or what is wrong) has been said.
std::optional<int> parseLlamacOptions(int argc, char **argv,
                                      CompileRequest &request);

} // namespace mlir::llama

#endif
