// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Phase `import`: a checkpoint becomes a module of the llama dialect.
#ifndef LLAMAC_COMPILER_IMPORT_IMPORTLLAMA_H
#define LLAMAC_COMPILER_IMPORT_IMPORTLLAMA_H

#include "compiler/import/Checkpoint.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace mlir::llama {

struct ImportOptions {
  DType dtype = DType::BF16; // of weights and caches
  int64_t maxSeqLen = 0;     // positions of a cache
  int64_t maxBatch = 0;      // sequences of @decode
};

/// Most tokens of one call of @prefill.
int64_t getMaxChunk(int64_t maxSeqLen);

/// Builds the weight symbols in the order of use, @prefill and @decode, and
/// the layer functions that each calls once per layer:
///
///     llama.weight @"model.embed_tokens.weight" : tensor<512x64xbf16>
///     func.func @decode(%tokens, %positions, %key_cache_0, ...) {
///       %x = llama.embed ...
///       %x1, ... = call @decode_layer(%x, %positions, caches, weights)
///
/// Every op's location is a FileLineColLoc that names the tensor, or the part
/// of the model, that it stands for; the back end hands it on to PTX.
OwningOpRef<ModuleOp> importLlama(MLIRContext &context,
                                  const Checkpoint &checkpoint,
                                  const ImportOptions &options);

} // namespace mlir::llama

#endif
