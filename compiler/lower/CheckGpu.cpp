// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// LowerCheckGpuPass: every launch and every instruction of the kernels against
// the GPU row. Test: test/lower/check-gpu.mlir.
#include "compiler/lower/Passes.h"

#include "dialects/tile/TileDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

namespace mlir::lower {
#define GEN_PASS_DEF_LOWERCHECKGPUPASS
#include "compiler/lower/Passes.h.inc"
} // namespace mlir::lower

using namespace mlir;

namespace {
/// What ops whose names begin so ask of the GPU.
struct Need {
  StringLiteral prefix;
  llrt::GpuFeature feature;
  StringLiteral what;
};
} // namespace

static constexpr Need needs[] = {
    {"nvvm.cp.async.bulk", llrt::GpuBulkCopy, "bulk copies"},
    {"nvvm.cp.async", llrt::GpuAsyncCopy, "asynchronous copies"},
    {"nvvm.fence.proxy", llrt::GpuBulkCopy, "an asynchronous proxy"},
    {"nvvm.mbarrier.try_wait", llrt::GpuMbarrierWait, "waiting at an mbarrier"},
    {"nvvm.mbarrier.arrive.expect_tx", llrt::GpuMbarrierWait,
     "mbarriers that count bytes"},
    {"nvvm.fence.mbarrier.init", llrt::GpuCluster, "clusters"},
    {"nvvm.cluster", llrt::GpuCluster, "clusters"},
    {"nvvm.mapa", llrt::GpuCluster, "clusters"},
    {"nvvm.read.ptx.sreg.cluster", llrt::GpuCluster, "clusters"},
    {"nvvm.wgmma", llrt::GpuWarpgroup, "products of warpgroups"},
    {"nvvm.griddepcontrol", llrt::GpuProgrammaticLaunch,
     "launches before the end of the kernel before"},
    {"nvvm.setmaxregister", llrt::GpuSetRegisters, "setmaxnreg"},
    {"nvvm.mma.sync", llrt::GpuMatrixProduct, "products of matrices"},
    {"nvvm.ldmatrix", llrt::GpuMatrixProduct, "loads of matrices"},
};

static LogicalResult checkLaunch(gpu::LaunchFuncOp launch,
                                 const llrt::GpuRow &row) {
  APInt value;
  uint64_t threads = 1;
  for (Value size :
       {launch.getBlockSizeX(), launch.getBlockSizeY(), launch.getBlockSizeZ()})
    if (matchPattern(size, m_ConstantInt(&value)))
      threads *= value.getZExtValue();
  if (threads > llrt::GpuRow::threadsPerBlock)
    return launch.emitOpError("has ")
           << threads << " threads a block; " << row.name << " has at most "
           << llrt::GpuRow::threadsPerBlock;
  Value shared = launch.getDynamicSharedMemorySize();
  if (shared && matchPattern(shared, m_ConstantInt(&value)) &&
      value.getZExtValue() > row.sharedBytesPerBlock)
    return launch.emitOpError("takes ")
           << value.getZExtValue() << " bytes of shared memory; " << row.name
           << " has at most " << row.sharedBytesPerBlock;
  if (launch->hasAttr("tile.programmatic") &&
      !row.has(llrt::GpuProgrammaticLaunch))
    return launch.emitOpError("starts before the end of the kernel before, "
                              "which ")
           << row.name << " has no way to";
  if (launch.hasClusterSize() && !row.has(llrt::GpuCluster))
    return launch.emitOpError("needs clusters, which ") << row.name << " lacks";
  return success();
}

static LogicalResult check(Operation *op, const llrt::GpuRow &row) {
  if (auto launch = dyn_cast<gpu::LaunchFuncOp>(op))
    return checkLaunch(launch, row);
  StringRef name = op->getName().getStringRef();
  // The first that fits: longer names come before what they begin with.
  for (const Need &need : needs) {
    if (!name.starts_with(need.prefix))
      continue;
    if (row.has(need.feature))
      return success();
    return op->emitOpError("needs ")
           << need.what << ", which " << row.name << " lacks";
  }
  return success();
}

namespace {
struct LowerCheckGpuPass
    : lower::impl::LowerCheckGpuPassBase<LowerCheckGpuPass> {
  using LowerCheckGpuPassBase::LowerCheckGpuPassBase;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    const llrt::GpuRow *row = llrt::findGpuRow(gpu);
    if (!row) {
      getOperation().emitError("there is no GPU row '") << gpu << "'";
      return signalPassFailure();
    }
    WalkResult result = getOperation().walk([&](Operation *op) {
      return failed(check(op, *row)) ? WalkResult::interrupt()
                                     : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
