// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// In: kernels and what they are launched with. Out: a host function. Test:
// test/tile/tile-llama.mlir.
#include "compiler/tile/TileHostFunctions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::tile;

HostFunction::HostFunction(OpBuilder &outer, Location loc, StringRef name)
    : builder(outer) {
  SmallVector<Type> types(4, LLVM::LLVMPointerType::get(outer.getContext(), 1));
  types.append(5, outer.getI32Type());
  function =
      func::FuncOp::create(outer, loc, name, outer.getFunctionType(types, {}));
  builder.setInsertionPointToStart(function.addEntryBlock());
}

void HostFunction::finish() {
  func::ReturnOp::create(builder, function.getLoc());
}

Value HostFunction::place(Location loc, Buffer buffer, int64_t offset) {
  Value base = function.getArgument(buffer);
  return offset == 0
             ? base
             : PlaceOp::create(builder, loc, base.getType(), base, offset);
}

Value HostFunction::get(Variable variable) {
  return function.getArgument(4 + variable);
}

Value HostFunction::extent(Location loc, int64_t count) {
  return ExtentOp::create(builder, loc, builder.getIndexType(), Value(), count,
                          1);
}

Value HostFunction::extent(Location loc, Variable variable, int64_t divisor) {
  return ExtentOp::create(builder, loc, builder.getIndexType(), get(variable),
                          1, divisor);
}

Value HostFunction::extent(Location loc, const AttentionGrid &grid) {
  Value variable;
  if (grid.variable == AttentionGrid::Tokens)
    variable = get(Tokens);
  if (grid.variable == AttentionGrid::Splits)
    variable = get(Splits);
  if (grid.variable == AttentionGrid::SeveralSplits)
    variable = get(SeveralSplits);
  return ExtentOp::create(builder, loc, builder.getIndexType(), variable,
                          grid.multiplier, grid.divisor);
}

gpu::LaunchFuncOp HostFunction::launch(Location loc, gpu::GPUFuncOp kernel,
                                       const Shape &shape, ValueRange arguments,
                                       int64_t layer) {
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  Value shared = arith::ConstantIntOp::create(
      builder, loc, builder.getI32Type(), shape.sharedBytes);
  auto launch = gpu::LaunchFuncOp::create(
      builder, loc, kernel,
      gpu::KernelDim3{shape.grid[0], shape.grid[1], shape.grid[2]},
      gpu::KernelDim3{index(shape.threads), index(1), index(1)}, shared,
      arguments);
  if (layer >= 0)
    launch->setAttr("tile.layer", builder.getI64IntegerAttr(layer));
  return launch;
}
