// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The workspace: where the activations and the control arrays lie.
#ifndef LLAMAC_COMPILER_TILE_WORKSPACE_H
#define LLAMAC_COMPILER_TILE_WORKSPACE_H

#include "compiler/tile/Attention.h"
#include "dialects/llama/Llama.h"

namespace mlir::tile {

/// Byte offsets into the workspace, each a multiple of 1024. A row of
/// activations is padded to 64 features; the pads are never written and stay
/// zero. Rows are padded to 64, x by 64 more: kernels read whole blocks of
/// tokens and store the tokens that exist.
struct Workspace {
  Workspace(llama::ModelAttr model, int64_t maxChunk);

  int64_t maxChunk;    ///< tokens of one @prefill
  int64_t headRowsMax; ///< rows of one @head
  int64_t maxPages;    ///< of one sequence

  // Elements between two tokens.
  int64_t xStride;
  int64_t attentionStride;
  int64_t ffnStride;

  int64_t x = 0;          ///< f32 [rows + 64][xStride]
  int64_t query = 0;      ///< storage [rows][heads][head_dim]
  int64_t attention = 0;  ///< storage [rows][attentionStride]
  int64_t ffn = 0;        ///< storage [rows][ffnStride]
  int64_t logits = 0;     ///< f32 [headRowsMax][vocab_size]
  int64_t partials = 0;   ///< f32, see Attention.h
  int64_t tokens = 0;     ///< i32 [rows]
  int64_t positions = 0;  ///< i32 [rows]
  int64_t slots = 0;      ///< i32 [rows]
  int64_t blockTable = 0; ///< i32 [max_batch][maxPages]
  int64_t nextToken = 0;  ///< i32 [headRowsMax]
  int64_t greedy = 0;     ///< [headRowsMax], see buildGreedy
  int64_t bytes = 0;      ///< of all

  /// What emit and the runtime need of it, as `tile.workspace` on the module.
  DictionaryAttr getAttr(Builder &builder) const;
};

/// What the attention kernels of `model` are specialised for.
AttentionShape getAttentionShape(llama::ModelAttr model);

} // namespace mlir::tile

#endif
