// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// LowerTileToNVVMPass: each tile op inside a gpu.module becomes the few LLVM
// and NVVM ops that are one or two instructions each. Products and the softmax
// are in TileProductsToNVVM.cpp. Test: test/lower/tile-to-nvvm.mlir.
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

/// Where the stage of a step and its barrier lie, and the step's parity.
namespace {
struct Stage {
  Value data, barrier, parity;
};

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

struct RingLowering : OpConversionPattern<RingOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(RingOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    KernelBuilder k(op.getLoc(), rewriter);
    k.when(adaptor.getElected(), [&] {
      for (int64_t stage = 0; stage < op.getType().getStages(); ++stage)
        NVVM::MBarrierInitOp::create(
            k, sharedAddress(k, k.add(adaptor.getBarriers(), 8 * stage)),
            k.constant(1), Value());
      // The copies of the asynchronous proxy must see the barriers too.
      NVVM::FenceMbarrierInitOp::create(k);
      NVVM::FenceProxyOp::create(
          k,
          NVVM::ProxyKindAttr::get(k.getContext(),
                                   NVVM::ProxyKind::async_shared),
          NVVM::SharedSpaceAttr::get(k.getContext(),
                                     NVVM::SharedSpace::shared_cta));
    });
    Type type = getTypeConverter()->convertType(op.getType());
    Value ring = LLVM::PoisonOp::create(k, type);
    ring = LLVM::InsertValueOp::create(k, ring, adaptor.getData(),
                                       ArrayRef<int64_t>{0});
    ring = LLVM::InsertValueOp::create(k, ring, adaptor.getBarriers(),
                                       ArrayRef<int64_t>{1});
    rewriter.replaceOp(op, ring);
    return success();
  }
};

Stage stageOf(KernelBuilder &k, RingType type, Value ring, Value step) {
  Value data = LLVM::ExtractValueOp::create(k, ring, ArrayRef<int64_t>{0});
  Value barriers = LLVM::ExtractValueOp::create(k, ring, ArrayRef<int64_t>{1});
  Value slot = k.bitAnd(step, type.getStages() - 1);
  Value round = k.shr(step, llvm::Log2_64(type.getStages()));
  return {k.add(data, k.mul(slot, type.getStageBytes())),
          sharedAddress(k, k.add(barriers, k.shl(slot, 3))),
          k.bitAnd(round, 1)};
}

struct RingFillLowering : OpConversionPattern<RingFillOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(RingFillOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    KernelBuilder k(op.getLoc(), rewriter);
    RingType type = op.getRing().getType();
    Stage stage = stageOf(k, type, adaptor.getRing(), adaptor.getStep());
    Value bytes = k.constant(op.getBytes().value_or(type.getStageBytes()));
    NVVM::MBarrierArriveExpectTxOp::create(k, Type(), stage.barrier, bytes,
                                           NVVM::MemScopeKind::CTA, false,
                                           Value());
    // Into a cluster's window, of which the block's own is a part: that form
    // of the copy came with PTX 8.0, the plain one with 8.6.
    Value data =
        LLVM::PtrToIntOp::create(k, k.i64(), sharedAddress(k, stage.data));
    data = LLVM::IntToPtrOp::create(
        k, LLVM::LLVMPointerType::get(k.getContext(), 7), data);
    NVVM::CpAsyncBulkGlobalToSharedClusterOp::create(
        k, data, adaptor.getSource(), stage.barrier, bytes, Value(), Value());
    rewriter.eraseOp(op);
    return success();
  }
};

struct RingWaitLowering : OpConversionPattern<RingWaitOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(RingWaitOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    KernelBuilder k(op.getLoc(), rewriter);
    Stage stage = stageOf(k, op.getRing().getType(), adaptor.getRing(),
                          adaptor.getStep());
    NVVM::MBarrierTryWaitParityOp::create(k, stage.barrier, stage.parity,
                                          k.constant(10000000));
    rewriter.replaceOp(op, stage.data);
    return success();
  }
};

struct RingReleaseLowering : OpConversionPattern<RingReleaseOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(RingReleaseOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    KernelBuilder k(op.getLoc(), rewriter);
    if (op.getScope() == Scope::Warp)
      k.syncWarp();
    else
      k.syncBlock();
    rewriter.eraseOp(op);
    return success();
  }
};

struct LowerTileToNVVMPass
    : lower::impl::LowerTileToNVVMPassBase<LowerTileToNVVMPass> {
  using LowerTileToNVVMPassBase::LowerTileToNVVMPassBase;

  void runOnOperation() override {
    MLIRContext *context = &getContext();
    declareSharedMemory();
    TypeConverter types;
    types.addConversion([](Type type) { return type; });
    types.addConversion([](RingType type) -> Type {
      Type offset = IntegerType::get(type.getContext(), 32);
      return LLVM::LLVMStructType::getLiteral(type.getContext(),
                                              {offset, offset});
    });
    RewritePatternSet patterns(context);
    patterns.add<SharedLoadLowering, SharedStoreLowering, RingLowering,
                 RingFillLowering, RingWaitLowering, RingReleaseLowering>(
        types, context);
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
