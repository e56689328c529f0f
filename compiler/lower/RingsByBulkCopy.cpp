// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rings where the GPU has bulk copies: one thread orders the copy of a stage,
// and an mbarrier counts its bytes. Test: test/lower/tile-to-nvvm.mlir.
#include "compiler/lower/TileToNVVM.h"

using namespace mlir;
using namespace mlir::tile;

namespace {

/// Where the stage of a step and its barrier lie, and the step's parity.
struct Stage {
  Value data, barrier, parity;
};

Stage stageOf(KernelBuilder &k, RingType type, Value ring, Value step) {
  Value barriers = LLVM::ExtractValueOp::create(k, ring, ArrayRef<int64_t>{1});
  Value slot = k.bitAnd(step, type.getStages() - 1);
  Value round = k.shr(step, llvm::Log2_64(type.getStages()));
  return {lower::getStageData(k, type, ring, step),
          lower::getSharedAddress(k, k.add(barriers, k.shl(slot, 3))),
          k.bitAnd(round, 1)};
}

/// The thread that orders the copies.
Value elected(KernelBuilder &k, RingType type) {
  return k.equal(type.getScope() == Scope::Warp ? k.lane() : k.thread(), 0);
}

struct RingLowering : OpConversionPattern<RingOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(RingOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    KernelBuilder k(op.getLoc(), rewriter);
    k.when(elected(k, op.getType()), [&] {
      for (int64_t stage = 0; stage < op.getType().getStages(); ++stage)
        NVVM::MBarrierInitOp::create(
            k,
            lower::getSharedAddress(k, k.add(adaptor.getBarriers(), 8 * stage)),
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
    rewriter.replaceOp(
        op, lower::packRing(k, getTypeConverter()->convertType(op.getType()),
                            adaptor.getData(), adaptor.getBarriers()));
    return success();
  }
};

struct RingFillLowering : OpConversionPattern<RingFillOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(RingFillOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    KernelBuilder k(op.getLoc(), rewriter);
    RingType type = op.getRing().getType();
    k.when(k.both(elected(k, type), adaptor.getWanted()), [&] {
      Stage stage = stageOf(k, type, adaptor.getRing(), adaptor.getStep());
      Value bytes = k.constant(op.getBytes().value_or(type.getStageBytes()));
      NVVM::MBarrierArriveExpectTxOp::create(k, Type(), stage.barrier, bytes,
                                             NVVM::MemScopeKind::CTA, false,
                                             Value());
      // Into a cluster's window, of which the block's own is a part: that form
      // of the copy came with PTX 8.0, the plain one with 8.6.
      Value data = LLVM::PtrToIntOp::create(
          k, k.i64(), lower::getSharedAddress(k, stage.data));
      data = LLVM::IntToPtrOp::create(
          k, LLVM::LLVMPointerType::get(k.getContext(), 7), data);
      NVVM::CpAsyncBulkGlobalToSharedClusterOp::create(
          k, data, adaptor.getSource(), stage.barrier, bytes, Value(), Value());
    });
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
} // namespace

void lower::populateRingsByBulkCopyPatterns(const TypeConverter &types,
                                            RewritePatternSet &patterns) {
  patterns.add<RingLowering, RingFillLowering, RingWaitLowering>(
      types, patterns.getContext());
}
