// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One host function: launches in order, each with places and scalars.
#ifndef LLAMAC_COMPILER_TILE_TILEHOSTFUNCTIONS_H
#define LLAMAC_COMPILER_TILE_TILEHOSTFUNCTIONS_H

#include "compiler/tile/Attention.h"
#include "dialects/tile/TileDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace mlir::tile {

/// func.func @name(%weights, %workspace, %kv_pool, %rope : !llvm.ptr<1>,
///                 %tokens, %head_start, %head_rows, %splits,
///                 %several_splits : i32)
/// The arguments are those of runtime/ExecutableFormat.h, in its order. A
/// launch one of whose extents comes out as 0 has no blocks and is not made.
class HostFunction {
public:
  enum Buffer { Weights, Workspace, KvPool, Rope };
  enum Variable { Tokens, HeadStart, HeadRows, Splits, SeveralSplits };

  /// Created at the insertion point of `builder`, which then is behind it.
  HostFunction(OpBuilder &builder, Location loc, StringRef name);
  /// Ends the function.
  void finish();

  // What a launch is given, at the location of the launch.
  Value place(Location loc, Buffer buffer, int64_t offset);
  Value get(Variable variable);
  Value extent(Location loc, int64_t count);
  Value extent(Location loc, Variable variable, int64_t divisor);
  Value extent(Location loc, const AttentionGrid &grid);

  struct Shape {
    Value grid[3];
    int64_t threads;
    int64_t sharedBytes;
  };
  /// `layer` becomes the attribute `tile.layer`; -1: the launch is no layer's.
  gpu::LaunchFuncOp launch(Location loc, gpu::GPUFuncOp kernel,
                           const Shape &shape, ValueRange arguments,
                           int64_t layer);

private:
  OpBuilder builder;
  func::FuncOp function;
};

} // namespace mlir::tile

#endif
