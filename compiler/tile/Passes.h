// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of `tile` and their pipeline.
#ifndef LLAMAC_COMPILER_TILE_PASSES_H
#define LLAMAC_COMPILER_TILE_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::tile {

#define GEN_PASS_DECL
#include "compiler/tile/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "compiler/tile/Passes.h.inc"

/// fused -> tiled, for a row of the GPU table.
void buildTilePipeline(OpPassManager &manager, StringRef gpu,
                       int64_t blocks = 0);

/// The passes by their flags, and the pipeline as `--tile`.
void registerTilePipeline();

} // namespace mlir::tile

#endif
