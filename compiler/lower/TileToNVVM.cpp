// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// LowerTileToNVVMPass: each tile op inside a gpu.module becomes the few LLVM
// and NVVM ops that are one or two instructions each. Products and the softmax
// are in TileProductsToNVVM.cpp, rings in RingsBy*Copy.cpp. Test:
// test/lower/tile-to-nvvm.mlir.
#include "compiler/lower/TileToNVVM.h"

#include "compiler/lower/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Transforms/DialectConversion.h"

namespace mlir::lower {
#define GEN_PASS_DEF_LOWERTILETONVVMPASS
#include "compiler/lower/Passes.h.inc"
} // namespace mlir::lower

using namespace mlir;
using namespace mlir::tile;

static constexpr StringLiteral sharedName = "smem";

/// The address of a byte of the block's shared memory.
static Value sharedAddress(KernelBuilder &k, Value offset) {
  Type pointer = LLVM::LLVMPointerType::get(k.getContext(), 3);
  Value base = LLVM::AddressOfOp::create(k, pointer, sharedName);
  return LLVM::GEPOp::create(k, pointer, k.getI8Type(), base,
                             ArrayRef<LLVM::GEPArg>{offset});
}

Value lower::packRing(KernelBuilder &k, Type type, Value data, Value barriers) {
  Value ring = LLVM::PoisonOp::create(k, type);
  ring = LLVM::InsertValueOp::create(k, ring, data, ArrayRef<int64_t>{0});
  return LLVM::InsertValueOp::create(k, ring, barriers, ArrayRef<int64_t>{1});
}

Value lower::getStageData(KernelBuilder &k, RingType type, Value ring,
                          Value step) {
  Value data = LLVM::ExtractValueOp::create(k, ring, ArrayRef<int64_t>{0});
  Value slot = k.bitAnd(step, type.getStages() - 1);
  return k.add(data, k.mul(slot, type.getStageBytes()));
}

Value lower::getSharedAddress(KernelBuilder &k, Value offset) {
  return sharedAddress(k, offset);
}

static unsigned alignmentOf(Type type) {
  unsigned count = 1;
  if (auto vector = dyn_cast<VectorType>(type)) {
    count = vector.getNumElements();
    type = vector.getElementType();
  }
  return std::min(16u, count * type.getIntOrFloatBitWidth() / 8);
}

namespace {
struct SharedLoadLowering : OpConversionPattern<SharedLoadOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(SharedLoadOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    KernelBuilder k(op.getLoc(), rewriter);
    rewriter.replaceOpWithNewOp<LLVM::LoadOp>(
        op, op.getType(), sharedAddress(k, adaptor.getOffset()),
        alignmentOf(op.getType()));
    return success();
  }
};

struct SharedStoreLowering : OpConversionPattern<SharedStoreOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(SharedStoreOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    KernelBuilder k(op.getLoc(), rewriter);
    rewriter.replaceOpWithNewOp<LLVM::StoreOp>(
        op, adaptor.getValue(), sharedAddress(k, adaptor.getOffset()),
        alignmentOf(op.getValue().getType()));
    return success();
  }
};

struct RingReleaseLowering : OpConversionPattern<RingReleaseOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(RingReleaseOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    KernelBuilder k(op.getLoc(), rewriter);
    if (op.getRing().getType().getScope() == Scope::Warp)
      k.syncWarp();
    else
      k.syncBlock();
    rewriter.eraseOp(op);
    return success();
  }
};

/// tile.start_next and tile.await_previous: griddepcontrol, or nothing.
template <typename Op, NVVM::GridDepActionKind kind>
struct GridDependenceLowering : OpConversionPattern<Op> {
  GridDependenceLowering(const TypeConverter &types, MLIRContext *context,
                         bool startsEarly)
      : OpConversionPattern<Op>(types, context), startsEarly(startsEarly) {}
  LogicalResult
  matchAndRewrite(Op op, typename Op::Adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (startsEarly)
      NVVM::GriddepcontrolOp::create(rewriter, op.getLoc(), kind);
    rewriter.eraseOp(op);
    return success();
  }

private:
  bool startsEarly;
};

struct LowerTileToNVVMPass
    : lower::impl::LowerTileToNVVMPassBase<LowerTileToNVVMPass> {
  using LowerTileToNVVMPassBase::LowerTileToNVVMPassBase;

  void runOnOperation() override {
    MLIRContext *context = &getContext();
    const llrt::GpuRow *row = llrt::findGpuRow(gpu);
    if (!row) {
      getOperation().emitError("there is no GPU row '") << gpu << "'";
      return signalPassFailure();
    }
    declareSharedMemory();
    TypeConverter types;
    types.addConversion([](Type type) { return type; });
    types.addConversion([](RingType type) -> Type {
      Type offset = IntegerType::get(type.getContext(), 32);
      return LLVM::LLVMStructType::getLiteral(type.getContext(),
                                              {offset, offset});
    });
    RewritePatternSet patterns(context);
    patterns.add<SharedLoadLowering, SharedStoreLowering, RingReleaseLowering>(
        types, context);
    patterns.add<
        GridDependenceLowering<StartNextOp,
                               NVVM::GridDepActionKind::launch_dependents>,
        GridDependenceLowering<AwaitPreviousOp, NVVM::GridDepActionKind::wait>>(
        types, context, row->has(llrt::GpuProgrammaticLaunch));
    if (row->has(llrt::GpuBulkCopy) && row->has(llrt::GpuMbarrierWait))
      lower::populateRingsByBulkCopyPatterns(types, patterns);
    else
      lower::populateRingsByAsyncCopyPatterns(types, patterns);
    lower::populateTileProductsToNVVMPatterns(types, patterns);
    ConversionTarget target(*context);
    target.addIllegalDialect<TileDialect>();
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      signalPassFailure();
  }

  void declareSharedMemory() {
    gpu::GPUModuleOp module = getOperation();
    if (SymbolTable::lookupSymbolIn(module, sharedName))
      return;
    OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
    auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), 0);
    LLVM::GlobalOp::create(builder, module.getLoc(), type,
                           /*isConstant=*/false, LLVM::Linkage::External,
                           sharedName, Attribute(), /*alignment=*/1024,
                           /*addrSpace=*/3);
  }
};
} // namespace
