// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The order of the fusions.
#include "compiler/fuse/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;

void llama::buildFusePipeline(OpPassManager &pm, int64_t poolKvHeads) {
  // Changes the model, so what follows must not see the old one.
  if (poolKvHeads) {
    PoolKvHeadsPassOptions options;
    options.kvHeads = poolKvHeads;
    pm.addPass(createPoolKvHeadsPass(options));
  }
  // A norm enters one op only, so its users must be one op first.
  pm.addPass(createFuseQkvPass());
  pm.addPass(createFuseSwiGLUPass());
  pm.addPass(createFuseRmsNormLinearPass());
  // Extends the op that llama-fuse-qkv made.
  pm.addPass(createFuseRopePass());
  pm.addPass(createFuseResidualPass());
  pm.addPass(createCheckFusedPass());
}

namespace mlir::llama {
namespace {
#define GEN_PASS_REGISTRATION
#include "compiler/fuse/Passes.h.inc"
} // namespace
} // namespace mlir::llama

void llama::registerFusePasses() {
  registerLlamaFusePasses();
  PassPipelineRegistration<>("fuse", "llama -> fused",
                             [](OpPassManager &pm) { buildFusePipeline(pm); });
}
