// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the files of LowerTileToNVVMPass share.
#ifndef LLAMAC_COMPILER_LOWER_TILETONVVM_H
#define LLAMAC_COMPILER_LOWER_TILETONVVM_H

#include "compiler/tile/KernelBuilder.h"
#include "mlir/Transforms/DialectConversion.h"

namespace mlir::lower {

/// The address of a byte of the block's shared memory.
Value getSharedAddress(tile::KernelBuilder &k, Value offset);

/// The pair of offsets that stands for a ring of stages: data and barriers.
Value packRing(tile::KernelBuilder &k, Type type, Value data, Value barriers);
/// The offset of a step's stage.
Value getStageData(tile::KernelBuilder &k, tile::RingType type, Value ring,
                   Value step);

/// tile.ring, ring_fill and ring_wait, by what the GPU has; each in its file.
void populateRingsByBulkCopyPatterns(const TypeConverter &types,
                                     RewritePatternSet &patterns);
void populateRingsByAsyncCopyPatterns(const TypeConverter &types,
                                      RewritePatternSet &patterns);

/// tile.load_matrices, tile.product, tile.softmax_update.
void populateTileProductsToNVVMPatterns(const TypeConverter &types,
                                        RewritePatternSet &patterns);

} // namespace mlir::lower

#endif
