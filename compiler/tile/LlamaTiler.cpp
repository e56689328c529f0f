// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// In: the fused functions. Out: the host functions; the ops themselves are in
// LlamaTilerOps.cpp. Test: test/tile/tile-llama.mlir.
#include "compiler/tile/LlamaTiler.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/Regex.h"

using namespace mlir;
using namespace mlir::tile;

LlamaTiler::LlamaTiler(ModuleOp module, llama::ModelAttr model,
                       Workspace workspace, const llrt::GpuRow &gpu,
                       int64_t blocks, gpu::GPUModuleOp kernels,
                       OpBuilder &streamBuilder)
    : module(module), model(model), workspace(workspace), gpu(gpu),
      blocks(blocks), attention(getAttentionShape(model)), kernels(kernels),
      streams(streamBuilder, model.getStorage()),
      attributes(module.getContext()) {
  attention.sharedBytes = gpu.sharedBytesPerBlock;
}

LogicalResult LlamaTiler::tile(OpBuilder &builder, func::FuncOp prefill,
                               func::FuncOp decode) {
  // Few tokens share a block in decode, many in prefill; see Products.h.
  int64_t few = std::min<int64_t>(32, llvm::alignTo(model.getMaxBatch(), 8));
  head.emplace(builder, decode.getLoc(), "head");
  if (failed(tileFunction(builder, "prefill", prefill, 32)) ||
      failed(tileFunction(builder, "decode", decode, few)))
    return failure();
  if (!headHasLogits || !headHasSample)
    return decode.emitError("has no llama.lm_head or no llama.sample");
  head->finish();

  auto entry = [&](StringRef name, int64_t value) {
    return builder.getNamedAttr(name, builder.getI64IntegerAttr(value));
  };
  module->setAttr("tile.workspace", workspace.getAttr(builder));
  module->setAttr(
      "tile.limits",
      builder.getDictionaryAttr({entry("max_chunk", workspace.maxChunk),
                                 entry("head_rows_max", workspace.headRowsMax),
                                 entry("weights_bytes", streams.getBytes()),
                                 entry("page_bytes", attention.pageBytes())}));
  return success();
}

LogicalResult LlamaTiler::tileFunction(OpBuilder &builder, StringRef name,
                                       func::FuncOp function,
                                       int64_t tokensPerBlock) {
  host.emplace(builder, function.getLoc(), name);
  isDecode = name == "decode";
  this->tokensPerBlock = tokensPerBlock;
  layer = -1;
  version = 0;
  known.clear();
  SmallVector<Known> results;
  if (failed(visit(function, results)))
    return failure();
  if (layer + 1 != model.getLayers())
    return function.emitError("has ")
           << layer + 1 << " layers; the model has " << model.getLayers();
  host->finish();
  return success();
}

LogicalResult LlamaTiler::visit(func::FuncOp function,
                                SmallVectorImpl<Known> &results) {
  if (function.isExternal() || !llvm::hasSingleElement(function.getBody()))
    return function.emitError("needs a body of one block");
  for (Operation &op : function.getBody().front().without_terminator())
    if (failed(visit(op)))
      return failure();
  for (Value value : function.getBody().front().getTerminator()->getOperands())
    results.push_back(known.lookup(value));
  return success();
}

LogicalResult LlamaTiler::visitCall(func::CallOp call) {
  auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
  if (!callee || callee.isExternal())
    return call.emitOpError("calls no function with a body");
  for (auto [argument, operand] :
       llvm::zip(callee.getArguments(), call.getOperands()))
    known[argument] = known.lookup(operand);
  SmallVector<Known> results;
  if (failed(visit(callee, results)))
    return failure();
  for (auto [value, result] : llvm::zip(call.getResults(), results))
    known[value] = result;
  return success();
}

LogicalResult LlamaTiler::visit(Operation &op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(&op)
      .Case([&](llama::GetWeightOp get) {
        Known &weight = known[get.getResult()];
        weight.kind = Known::Weight;
        weight.weight = get.getName();
        return success();
      })
      .Case([&](func::CallOp call) { return visitCall(call); })
      .Case([&](llama::EmbedOp op) { return tileEmbed(op); })
      .Case([&](llama::FusedQkvOp op) { return tileQkv(op); })
      .Case([&](llama::AttentionOp op) { return tileAttention(op); })
      .Case([&](llama::FusedLinearOp op) { return tileLinear(op); })
      .Case([&](llama::FusedGateUpOp op) { return tileGateUp(op); })
      .Case([&](llama::LmHeadOp op) { return tileHead(op); })
      .Case([&](llama::SampleOp op) { return tileSample(op); })
      .Default([](Operation *op) {
        return op->emitOpError("has no kernel; is the module fused?");
      });
}

LogicalResult LlamaTiler::expect(Operation *op, Value value, Known::Kind kind) {
  static constexpr StringLiteral names[] = {"nothing known",
                                            "a weight",
                                            "the residual stream",
                                            "the query",
                                            "the attention's output",
                                            "the feed-forward's middle",
                                            "the logits"};
  Known found = known.lookup(value);
  if (found.kind != kind)
    return op->emitOpError("reads ")
           << names[found.kind] << " where its kernel reads " << names[kind];
  if (kind == Known::Residual && found.version != version)
    return op->emitOpError(
        "reads the residual stream after it was overwritten in place");
  return success();
}

FailureOr<StringRef> LlamaTiler::getWeight(Operation *op, Value value) {
  if (failed(expect(op, value, Known::Weight)))
    return failure();
  return known.lookup(value).weight;
}

std::string LlamaTiler::nameInLayer(StringRef part) const {
  return ("layers." + Twine(layer) + "." + part).str();
}

Location LlamaTiler::locate(StringRef part) const {
  return FileLineColLoc::get(attributes.getContext(), part, 0, 0);
}

Location LlamaTiler::locate(StreamOp stream) const {
  // "layers.3." stands for every layer: they share the kernel.
  static const llvm::Regex number("(^|[.])layers[.][0-9]+[.]");
  std::string names;
  for (auto source : stream.getSources().getAsRange<FlatSymbolRefAttr>())
    names += (names.empty() ? "" : " + ") +
             number.sub("\\1layers.*.", source.getValue());
  return locate(names);
}

FailureOr<StreamOp> LlamaTiler::getBias(Operation *op, ArrayRef<Value> values,
                                        StringRef name, RowOrder order,
                                        int64_t rows) {
  if (!values.front())
    return StreamOp();
  SmallVector<StringRef> names;
  for (Value value : values) {
    FailureOr<StringRef> weight = getWeight(op, value);
    if (failed(weight))
      return failure();
    names.push_back(*weight);
  }
  return streams.get(op->getLoc(), name, order, names, 1, rows,
                     attention.headDim);
}

FailureOr<StreamOp> LlamaTiler::getGamma(Operation *op, Value value,
                                         StringRef name) {
  if (!value)
    return op->emitOpError("has no norm; its kernel has one");
  FailureOr<StringRef> weight = getWeight(op, value);
  if (failed(weight))
    return failure();
  return streams.get(op->getLoc(), name, RowOrder::Vector, {*weight}, 1,
                     model.getHiddenSize());
}
