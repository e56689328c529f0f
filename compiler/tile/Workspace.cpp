// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// In: the model's sizes. Out: offsets. Test: test/tile/tile-llama.mlir.
#include "compiler/tile/Workspace.h"

#include "compiler/tile/Products.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tile;

AttentionShape tile::getAttentionShape(llama::ModelAttr model) {
  AttentionShape shape;
  shape.storageType = model.getStorage();
  shape.heads = model.getHeads();
  shape.kvHeads = model.getKvHeads();
  shape.headDim = model.getHeadDim();
  shape.layers = model.getLayers();
  shape.maxSeqLen = model.getMaxSeqLen();
  shape.window = model.getWindow();
  if (llama::AlibiAttr alibi = model.getAlibi())
    shape.alibiMaxBias = alibi.getMaxBias().getValueAsDouble();
  return shape;
}

Workspace::Workspace(llama::ModelAttr model, int64_t maxChunk)
    : maxChunk(maxChunk) {
  AttentionShape shape = getAttentionShape(model);
  auto padded = [](int64_t count) -> int64_t {
    return llvm::alignTo(count, 64);
  };
  int64_t element = shape.elementBytes();
  int64_t batch = model.getMaxBatch();
  int64_t rows = padded(std::max(maxChunk, batch));
  headRowsMax = std::max<int64_t>(batch, 64);
  maxPages = shape.maxPages();
  xStride = padded(model.getHiddenSize());
  attentionStride = shape.paddedWidth();
  ffnStride = padded(model.getIntermediateSize());

  auto take = [&](int64_t size) {
    int64_t offset = bytes;
    bytes = llvm::alignTo(bytes + size, 1024);
    return offset;
  };
  x = take((rows + 64) * xStride * 4);
  query = take(rows * shape.heads * shape.headDim * element);
  attention = take(rows * attentionStride * element);
  ffn = take(rows * ffnStride * element);
  logits = take(headRowsMax * model.getVocabSize() * 4);
  partials = take(shape.partialBytes(batch));
  tokens = take(rows * 4);
  positions = take(rows * 4);
  slots = take(rows * 4);
  blockTable = take(batch * maxPages * 4);
  nextToken = take(headRowsMax * 4);
  greedy = take(headRowsMax * greedyStateBytes);
}

DictionaryAttr Workspace::getAttr(Builder &builder) const {
  auto entry = [&](StringRef name, int64_t value) {
    return builder.getNamedAttr(name, builder.getI64IntegerAttr(value));
  };
  return builder.getDictionaryAttr(
      {entry("bytes", bytes), entry("tokens", tokens),
       entry("positions", positions), entry("slots", slots),
       entry("block_table", blockTable), entry("next_token", nextToken),
       entry("logits", logits), entry("residual", x),
       entry("residual_stride", xStride)});
}
