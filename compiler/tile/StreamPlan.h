// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The packing plan: which weights are packed, and where each lies.
#ifndef LLAMAC_COMPILER_TILE_STREAMPLAN_H
#define LLAMAC_COMPILER_TILE_STREAMPLAN_H

#include "dialects/tile/TileDialect.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::tile {

/// Streams in the order of their first use, each at the next multiple of 1024
/// bytes. A matrix that is used twice (a tied head) is packed once.
class StreamPlan {
public:
  /// New streams are inserted at the insertion point of `builder`.
  StreamPlan(OpBuilder &builder, Type storage)
      : builder(builder), storage(storage) {}

  /// The stream of these sources in this order; `name` names a new one.
  StreamOp get(Location loc, StringRef name, RowOrder order,
               ArrayRef<StringRef> sources, int64_t rows, int64_t k,
               int64_t headDim = 0);

  /// Of the weight buffer, up to the end of the last stream.
  int64_t getBytes() const { return bytes; }

private:
  OpBuilder &builder;
  Type storage;
  int64_t bytes = 0;
  llvm::StringMap<StreamOp> streams;
};

} // namespace mlir::tile

#endif
