// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files that torch.save wrote: a state dict's tensors.
#ifndef LLAMAC_COMPILER_IMPORT_TORCHFILE_H
#define LLAMAC_COMPILER_IMPORT_TORCHFILE_H

#include "compiler/import/Checkpoint.h"

namespace mlir::llama {

/// The tensors of a state dict, by name, in the zip archive that torch.save
/// has written since 1.6 or in the older form. They point into `bytes`; two may
/// share them. `name` opens messages.
llrt::Result<std::map<std::string, Tensor>>
parseTorchFile(const uint8_t *bytes, uint64_t size, const std::string &name);

} // namespace mlir::llama

#endif
