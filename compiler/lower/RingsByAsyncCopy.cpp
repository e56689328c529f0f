// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rings where the GPU has cp.async but no bulk copies: every thread copies its
// 16-byte shares of a stage, one group of copies for each fill. A fill that is
// not wanted is an empty group, so that when a step is waited for, its group
// has always the same number of later ones: stages - 1. Test:
// test/lower/rings-by-async-copy.mlir.
#include "compiler/lower/TileToNVVM.h"

using namespace mlir;
using namespace mlir::tile;

namespace {
constexpr int64_t shareBytes = 16;

void sync(KernelBuilder &k, Scope scope) {
  scope == Scope::Warp ? k.syncWarp() : k.syncBlock();
}

struct RingLowering : OpConversionPattern<RingOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(RingOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    KernelBuilder k(op.getLoc(), rewriter);
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
    RingType type = op.getRing().getType();
    int64_t threads = 32;
    if (type.getScope() == Scope::Block) {
      auto kernel = op->getParentOfType<gpu::GPUFuncOp>();
      std::optional<ArrayRef<int32_t>> size;
      if (kernel)
        size = kernel.getKnownBlockSize();
      if (!size)
        return op.emitOpError("among a block needs a kernel that says its "
                              "known_block_size");
      threads = int64_t((*size)[0]) * (*size)[1] * (*size)[2];
    }
    KernelBuilder k(op.getLoc(), rewriter);
    int64_t bytes = op.getBytes().value_or(type.getStageBytes());
    k.when(adaptor.getWanted(), [&] {
      Value thread = type.getScope() == Scope::Warp ? k.lane() : k.thread();
      Value share = k.mul(thread, shareBytes);
      Value source = k.address(adaptor.getSource(), share);
      Value data = k.add(
          lower::getStageData(k, type, adaptor.getRing(), adaptor.getStep()),
          share);
      copyShares(k, source, data, share, bytes, threads * shareBytes);
    });
    NVVM::CpAsyncCommitGroupOp::create(k);
    rewriter.eraseOp(op);
    return success();
  }

  /// `round` bytes at a time; of the last round only what is left. Eight
  /// rounds stand in a loop's body: the addresses in it are immediates.
  static void copyShares(KernelBuilder &k, Value source, Value data,
                         Value share, int64_t bytes, int64_t round) {
    constexpr int64_t unrolled = 8;
    auto copy = [&](Value from, Value to) {
      NVVM::CpAsyncOp::create(k, lower::getSharedAddress(k, to), from,
                              shareBytes, NVVM::LoadCacheModifierKind::CG,
                              Value());
    };
    int64_t rounds = bytes / round, looped = rounds / unrolled * unrolled;
    if (looped > unrolled)
      k.loop(k.constant(0), k.constant(looped * round), unrolled * round,
             [&](Value done) {
               Value from = k.address(source, done), to = k.add(data, done);
               for (int64_t i = 0; i < unrolled; ++i)
                 copy(k.address(from, i * round), k.add(to, i * round));
             });
    else
      looped = 0;
    for (int64_t done = looped; done < rounds; ++done)
      copy(k.address(source, done * round), k.add(data, done * round));
    if (int64_t rest = bytes % round)
      k.when(k.ult(share, rest), [&] {
        copy(k.address(source, rounds * round), k.add(data, rounds * round));
      });
  }
};

struct RingWaitLowering : OpConversionPattern<RingWaitOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(RingWaitOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    KernelBuilder k(op.getLoc(), rewriter);
    RingType type = op.getRing().getType();
    // A thread waits for its own copies; what the others copied it sees after
    // they have waited, too.
    NVVM::CpAsyncWaitGroupOp::create(k, type.getStages() - 1);
    sync(k, type.getScope());
    rewriter.replaceOp(
        op, lower::getStageData(k, type, adaptor.getRing(), adaptor.getStep()));
    return success();
  }
};
} // namespace

void lower::populateRingsByAsyncCopyPatterns(const TypeConverter &types,
                                             RewritePatternSet &patterns) {
  patterns.add<RingLowering, RingFillLowering, RingWaitLowering>(
      types, patterns.getContext());
}
