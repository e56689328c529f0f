// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// llama-to-linalg: every llama op becomes linalg on tensors, to be run.
//
//   %y = llama.add %x, %o        ->      %y = linalg.generic ... { arith.addf }
//
// Tests: test/fuse/llama-to-linalg.mlir, test/fuse/*-execute.mlir
#include "compiler/fuse/LlamaToLinalg.h"
#include "compiler/fuse/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMATOLINALGPASS
#include "compiler/fuse/Passes.h.inc"

namespace {
struct LlamaToLinalgPass : impl::LlamaToLinalgPassBase<LlamaToLinalgPass> {
  void runOnOperation() override {
    ConversionTarget target(getContext());
    target.addIllegalDialect<LlamaDialect>();
    // What stood beside the llama ops may stay: func, arith, scf of a test.
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });

    RewritePatternSet patterns(&getContext());
    populateLlamaToLinalgEndsPatterns(patterns);
    populateLlamaToLinalgAttentionPatterns(patterns);
    populateLlamaToLinalgProductPatterns(patterns);
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      return signalPassFailure();
    // The sizes are of no use below, and mlir-runner does not know them.
    getOperation()->removeAttr(ModelAttr::attrName);
  }
};
} // namespace
} // namespace mlir::llama
