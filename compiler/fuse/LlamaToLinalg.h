// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The patterns of llama-to-linalg, one op family per file.
#ifndef LLAMAC_COMPILER_FUSE_LLAMATOLINALG_H
#define LLAMAC_COMPILER_FUSE_LLAMATOLINALG_H

#include "dialects/llama/Llama.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir {
class RewritePatternSet;
}

namespace mlir::llama {

/// weight, get_weight, embed, sample.
void populateLlamaToLinalgEndsPatterns(RewritePatternSet &patterns);
/// rope, kv_append, attention.
void populateLlamaToLinalgAttentionPatterns(RewritePatternSet &patterns);
/// rms_norm, linear, lm_head, silu, mul, add and the fused ops.
void populateLlamaToLinalgProductPatterns(RewritePatternSet &patterns);

/// `input` turned as `llama.rope` says; `lengths` is null but for `dynamic`.
Value buildRope(ImplicitLocOpBuilder &b, Value input, Value positions,
                Value lengths, int64_t headDim, RopeAttr rope);
/// `cache` with the tokens of `rows` entered as `llama.kv_append` says.
Value buildAppend(ImplicitLocOpBuilder &b, Value cache, Value rows,
                  Value positions);

} // namespace mlir::llama

#endif // LLAMAC_COMPILER_FUSE_LLAMATOLINALG_H
