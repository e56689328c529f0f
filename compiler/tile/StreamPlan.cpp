// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// In: sources, order and size of each packed matrix. Out: tile.stream ops with
// their offsets. Test: test/tile/tile-llama.mlir.
#include "compiler/tile/StreamPlan.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tile;

StreamOp StreamPlan::get(Location loc, StringRef name, RowOrder order,
                         ArrayRef<StringRef> sources, int64_t rows, int64_t k,
                         int64_t headDim) {
  std::string key = stringifyRowOrder(order).str();
  SmallVector<Attribute> symbols;
  for (StringRef source : sources) {
    key += "," + source.str();
    symbols.push_back(FlatSymbolRefAttr::get(builder.getContext(), source));
  }
  StreamOp &stream = streams[key];
  if (stream)
    return stream;
  IntegerAttr head;
  if (order == RowOrder::RopePairs || order == RowOrder::RopePairsVector)
    head = builder.getI64IntegerAttr(headDim);
  stream = StreamOp::create(builder, loc, builder.getStringAttr(name), order,
                            builder.getArrayAttr(symbols), rows, k, storage,
                            bytes, head);
  bytes = llvm::alignTo(bytes + stream.getPackedBytes(), 1024);
  return stream;
}
