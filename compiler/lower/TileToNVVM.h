// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the files of LowerTileToNVVMPass share.
#ifndef LLAMAC_COMPILER_LOWER_TILETONVVM_H
#define LLAMAC_COMPILER_LOWER_TILETONVVM_H

#include "compiler/tile/KernelBuilder.h"
#include "mlir/Transforms/DialectConversion.h"

namespace mlir::lower {

/// The address of a byte of the block's shared memory.
Value getSharedAddress(tile::KernelBuilder &k, Value offset);

/// tile.load_matrices, tile.product, tile.softmax_update.
void populateTileProductsToNVVMPatterns(const TypeConverter &types,
                                        RewritePatternSet &patterns);

} // namespace mlir::lower

#endif
