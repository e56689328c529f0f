// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// LowerCheckGpuPass: every launch and tile op against the GPU row's facts.
// Test: test/lower/check-gpu.mlir.
#include "compiler/lower/Passes.h"

#include "dialects/tile/TileDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

namespace mlir::lower {
#define GEN_PASS_DEF_LOWERCHECKGPUPASS
#include "compiler/lower/Passes.h.inc"
} // namespace mlir::lower

using namespace mlir;

static LogicalResult checkLaunch(gpu::LaunchFuncOp launch,
                                 const llrt::GpuRow &facts) {
  APInt value;
  uint64_t threads = 1;
  for (Value size :
       {launch.getBlockSizeX(), launch.getBlockSizeY(), launch.getBlockSizeZ()})
    if (matchPattern(size, m_ConstantInt(&value)))
      threads *= value.getZExtValue();
  if (threads > llrt::GpuRow::threadsPerBlock)
    return launch.emitOpError("has ")
           << threads << " threads a block; " << facts.name << " has at most "
           << llrt::GpuRow::threadsPerBlock;
  Value shared = launch.getDynamicSharedMemorySize();
  if (shared && matchPattern(shared, m_ConstantInt(&value)) &&
      value.getZExtValue() > facts.sharedBytesPerBlock)
    return launch.emitOpError("takes ")
           << value.getZExtValue() << " bytes of shared memory; " << facts.name
           << " has at most " << facts.sharedBytesPerBlock;
  return success();
}

static LogicalResult check(Operation *op, const llrt::GpuRow &facts) {
  if (auto launch = dyn_cast<gpu::LaunchFuncOp>(op))
    return checkLaunch(launch, facts);
  if (isa<tile::RingOp>(op) && !facts.has(llrt::GpuBulkCopy))
    return op->emitOpError("needs bulk copies, which ")
           << facts.name << " lacks";
  auto product = dyn_cast<tile::ProductOp>(op);
  if (product && product.getElement().isBF16() &&
      !facts.has(llrt::GpuMatrixProduct))
    return op->emitOpError("of bf16 is not there on ") << facts.name;
  return success();
}

namespace {
struct LowerCheckGpuPass
    : lower::impl::LowerCheckGpuPassBase<LowerCheckGpuPass> {
  using LowerCheckGpuPassBase::LowerCheckGpuPassBase;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    const llrt::GpuRow *facts = llrt::findGpuRow(gpu);
    if (!facts) {
      getOperation().emitError("there is no GPU row '") << gpu << "'";
      return signalPassFailure();
    }
    WalkResult result = getOperation().walk([&](Operation *op) {
      return failed(check(op, *facts)) ? WalkResult::interrupt()
                                       : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
