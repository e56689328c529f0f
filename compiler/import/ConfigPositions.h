// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What config.json says of positions: rope and its scalings, ALiBi, the window.
#ifndef LLAMAC_COMPILER_IMPORT_CONFIGPOSITIONS_H
#define LLAMAC_COMPILER_IMPORT_CONFIGPOSITIONS_H

#include "compiler/import/Checkpoint.h"
#include "compiler/import/ConfigReader.h"

namespace mlir::llama {

/// Fills ropeTheta, ropeScaling, alibi and slidingWindow; needs architecture,
/// layers, headDim and maxPositionEmbeddings. A scheme that is not compiled is
/// refused by its name.
void readPositions(ConfigReader &reader, Config &config,
                   std::vector<std::string> &warnings);

} // namespace mlir::llama

#endif
