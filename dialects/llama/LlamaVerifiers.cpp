// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Verifiers of the llama ops. (C1).. are the constraints that LlamaOps.td and
// LlamaFusedOps.td number.
#include "dialects/llama/Llama.h"

#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace mlir::llama;

namespace {
using Tensor = RankedTensorType;

/// Fails unless `type` has the shape `shape`.
LogicalResult hasShape(Operation *op, StringRef name, Type type,
                       ArrayRef<int64_t> shape) {
  if (cast<Tensor>(type).getShape() == shape)
    return success();
  InFlightDiagnostic error = op->emitOpError("expects ") << name << " to be [";
  llvm::interleaveComma(shape, error);
  return error << "], found " << type;
}

/// Fails unless the features of `input` are the columns of `weight`.
LogicalResult contracts(Operation *op, Tensor input, StringRef name,
                        Tensor weight) {
  if (input.getDimSize(2) == weight.getDimSize(1))
    return success();
  return op->emitOpError("expects ")
         << name << " to have " << input.getDimSize(2)
         << " columns, one per feature of the input, found " << weight;
}

/// Fails unless `gamma`, where present, fits `input`, and comes with `eps`.
LogicalResult normFits(Operation *op, Tensor input, Value gamma,
                       FloatAttr eps) {
  if (bool(gamma) != bool(eps)) // fused_* and lm_head (C4)
    return op->emitOpError("expects gamma and eps together");
  if (gamma) // fused_* and lm_head (C3)
    return hasShape(op, "gamma", gamma.getType(), {input.getDimSize(2)});
  return success();
}

/// Fails unless `bias`, where present, is one of `weight`'s rows.
LogicalResult biasFits(Operation *op, StringRef name, Value bias,
                       Tensor weight) {
  if (!bias)
    return success();
  auto wanted = Tensor::get({weight.getDimSize(0)}, weight.getElementType());
  if (bias.getType() == wanted)
    return success();
  return op->emitOpError("expects ")
         << name << " to have type " << wanted << ", found " << bias.getType();
}

/// The shape of a product of `input` with `weight`.
SmallVector<int64_t> productShape(Tensor input, Tensor weight) {
  return {input.getDimSize(0), input.getDimSize(1), weight.getDimSize(0)};
}
} // namespace

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

LogicalResult WeightOp::verify() {
  // (C1)
  if (ElementsAttr value = getValueAttr();
      value && value.getType() != getType())
    return emitOpError("expects its value to have type ")
           << getType() << ", found " << value.getType();
  PoolAttr pool = getPoolAttr();
  // (C2)
  if (pool && getValueAttr())
    return emitOpError("expects pool or a value, not both");
  // (C3)
  int64_t rows = cast<Tensor>(getType()).getDimSize(0);
  if (pool && rows % pool.getHeadDim() != 0)
    return emitOpError("expects whole heads of ")
           << pool.getHeadDim() << " rows, found " << rows << " rows";
  return success();
}

LogicalResult GetWeightOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto weight = symbols.lookupNearestSymbolFrom<WeightOp>(*this, getNameAttr());
  // (C1)
  if (!weight)
    return emitOpError() << getNameAttr() << " is no llama.weight";
  // (C2)
  if (weight.getType() != getType()) {
    InFlightDiagnostic error = emitOpError("expects the type of the weight, ")
                               << weight.getType();
    error.attachNote(weight.getLoc()) << "the weight is here";
    return error;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// The two ends
//===----------------------------------------------------------------------===//

LogicalResult EmbedOp::verify() {
  Tensor tokens = getTokens().getType();
  // (C1)
  return hasShape(*this, "the result", getType(),
                  {tokens.getDimSize(0), tokens.getDimSize(1),
                   getTable().getType().getDimSize(1)});
}

LogicalResult LmHeadOp::verify() {
  Tensor input = getInput().getType(), weight = getWeight().getType();
  if (failed(contracts(*this, input, "weight", weight))) // (C1)
    return failure();
  if (failed(hasShape(*this, "the result", getType(),
                      productShape(input, weight)))) // (C2)
    return failure();
  return normFits(*this, input, getGamma(), getEpsAttr()); // (C3) (C4)
}

LogicalResult SampleOp::verify() {
  Tensor logits = getLogits().getType();
  // (C1)
  if (failed(hasShape(*this, "the result", getType(), {logits.getDimSize(0)})))
    return failure();
  // (C2)
  int64_t pieces = getPieces();
  if (pieces < 1 || pieces > logits.getDimSize(2))
    return emitOpError("expects pieces to be from 1 to ")
           << logits.getDimSize(2) << ", found " << pieces;
  return success();
}

//===----------------------------------------------------------------------===//
// Norm and product
//===----------------------------------------------------------------------===//

LogicalResult RmsNormOp::verify() {
  // (C1)
  return hasShape(*this, "gamma", getGamma().getType(),
                  {getType().getDimSize(2)});
}

LogicalResult LinearOp::verify() {
  Tensor input = getInput().getType(), weight = getWeight().getType();
  if (failed(contracts(*this, input, "weight", weight))) // (C1)
    return failure();
  if (failed(hasShape(*this, "the result", getType(),
                      productShape(input, weight)))) // (C2)
    return failure();
  return biasFits(*this, "bias", getBias(), weight); // (C3)
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// Fails unless `lengths` are there exactly where `rope` needs them.
static LogicalResult lengthsFit(Operation *op, RopeAttr rope, Value lengths,
                                int64_t batch) {
  bool isDynamic = rope && rope.isDynamic();
  if (isDynamic != bool(lengths))
    return op->emitOpError("expects lengths exactly where rope has the scaling "
                           "dynamic");
  return lengths ? hasShape(op, "lengths", lengths.getType(), {batch})
                 : success();
}

LogicalResult RopeOp::verify() {
  int64_t headDim = getHeadDim();
  // (C2)
  if (headDim <= 0 || headDim % 2 != 0)
    return emitOpError("expects head_dim to be positive and even, found ")
           << headDim;
  // (C1)
  if (getType().getDimSize(2) % headDim != 0)
    return emitOpError("expects whole heads of ")
           << headDim << " features, found " << getType().getDimSize(2)
           << " features";
  // (C3)
  int64_t batch = getType().getDimSize(0);
  if (failed(hasShape(*this, "positions", getPositions().getType(), {batch})))
    return failure();
  // (C4)
  return lengthsFit(*this, getRope(), getLengths(), batch);
}

LogicalResult KvAppendOp::verify() {
  Tensor cache = getKeyCache().getType(), key = getKey().getType();
  // (C1)
  if (failed(hasShape(*this, "key", key,
                      {cache.getDimSize(0), key.getDimSize(1),
                       cache.getDimSize(2) * cache.getDimSize(3)})))
    return failure();
  // (C2)
  return hasShape(*this, "positions", getPositions().getType(),
                  {cache.getDimSize(0)});
}

/// Fails unless `features` are heads of the caches' size, which its KV heads
/// divide.
static LogicalResult headsFit(Operation *op, int64_t features, Tensor cache) {
  int64_t kvHeads = cache.getDimSize(2), headDim = cache.getDimSize(3);
  if (headDim > 0 && kvHeads > 0 && features % headDim == 0 &&
      features / headDim % kvHeads == 0)
    return success();
  return op->emitOpError("expects the query to be heads of ")
         << headDim << " features, a multiple of " << kvHeads
         << " of them, found " << features << " features";
}

LogicalResult AttentionOp::verify() {
  Tensor query = getQuery().getType(), cache = getKeyCache().getType();
  // (C1)
  if (failed(headsFit(*this, query.getDimSize(2), cache)))
    return failure();
  // (C2)
  if (query.getDimSize(0) != cache.getDimSize(0))
    return emitOpError("expects query and caches of one batch, found ")
           << query.getDimSize(0) << " and " << cache.getDimSize(0);
  // (C3)
  if (failed(hasShape(*this, "positions", getPositions().getType(),
                      {query.getDimSize(0)})))
    return failure();
  // (C4)
  if (getWindow() && int64_t(*getWindow()) <= 0)
    return emitOpError("expects window to be positive, found ")
           << int64_t(*getWindow());
  return success();
}

//===----------------------------------------------------------------------===//
// Fused
//===----------------------------------------------------------------------===//

LogicalResult FusedLinearOp::verify() {
  Tensor input = getInput().getType(), weight = getWeight().getType();
  if (failed(contracts(*this, input, "weight", weight))) // (C1)
    return failure();
  if (failed(hasShape(*this, "the result", getType(),
                      productShape(input, weight)))) // (C2)
    return failure();
  if (failed(normFits(*this, input, getGamma(), getEpsAttr()))) // (C3) (C4)
    return failure();
  // (C5)
  if (getResidual() && getResidual().getType() != getType())
    return emitOpError("expects the residual to have the result's type ")
           << getType() << ", found " << getResidual().getType();
  return biasFits(*this, "bias", getBias(), weight); // (C6)
}

LogicalResult FusedQkvOp::verify() {
  Tensor input = getInput().getType();
  Tensor query = getQueryWeight().getType(), key = getKeyWeight().getType(),
         value = getValueWeight().getType();
  // (C1)
  if (failed(contracts(*this, input, "query_weight", query)) ||
      failed(contracts(*this, input, "key_weight", key)) ||
      failed(contracts(*this, input, "value_weight", value)))
    return failure();
  // (C2)
  if (query.getElementType() != key.getElementType() ||
      query.getElementType() != value.getElementType())
    return emitOpError("expects weights of one element type, found ")
           << query << ", " << key << " and " << value;
  if (failed(normFits(*this, input, getGamma(), getEpsAttr()))) // (C3) (C4)
    return failure();
  // (C11)
  if (bool(getKeyBias()) != bool(getQueryBias()) ||
      bool(getValueBias()) != bool(getQueryBias()))
    return emitOpError("expects the three biases together");
  if (failed(biasFits(*this, "query_bias", getQueryBias(), query)) ||
      failed(biasFits(*this, "key_bias", getKeyBias(), key)) ||
      failed(biasFits(*this, "value_bias", getValueBias(), value)))
    return failure();
  // (C5)
  bool cached = bool(getKeyCache());
  if (bool(getValueCache()) != cached || bool(getPositions()) != cached)
    return emitOpError("expects both caches and positions together");
  if (getRope() && !cached)
    return emitOpError("expects rope only with caches");
  // (C12)
  if (failed(
          lengthsFit(*this, getRopeAttr(), getLengths(), input.getDimSize(0))))
    return failure();
  // (C6)
  if (failed(hasShape(*this, "query", getQuery().getType(),
                      productShape(input, query))))
    return failure();
  if (!cached) {
    // (C7)
    if (failed(hasShape(*this, "key", getKey().getType(),
                        productShape(input, key))) ||
        failed(hasShape(*this, "value", getValue().getType(),
                        productShape(input, value))))
      return failure();
    return success();
  }
  Tensor cache = getKeyCache().getType();
  // (C7)
  if (getValueCache().getType() != cache || getKey().getType() != cache ||
      getValue().getType() != cache)
    return emitOpError("expects both caches, before and after, to have type ")
           << cache;
  // (C8)
  int64_t rows = cache.getDimSize(2) * cache.getDimSize(3);
  if (cache.getDimSize(0) != input.getDimSize(0) || key.getDimSize(0) != rows ||
      value.getDimSize(0) != rows)
    return emitOpError("expects caches of batch ")
           << input.getDimSize(0)
           << " whose kv_heads * head_dim is the rows of " << key << " and "
           << value << ", found " << cache;
  // (C9)
  if (failed(headsFit(*this, query.getDimSize(0), cache)))
    return failure();
  if (cache.getDimSize(3) % 2 != 0)
    return emitOpError("expects head_dim to be even, found ")
           << cache.getDimSize(3);
  // (C10)
  return hasShape(*this, "positions", getPositions().getType(),
                  {input.getDimSize(0)});
}

LogicalResult FusedGateUpOp::verify() {
  Tensor input = getInput().getType(), gate = getGateWeight().getType();
  if (failed(contracts(*this, input, "gate_weight", gate))) // (C1)
    return failure();
  if (failed(hasShape(*this, "the result", getType(),
                      productShape(input, gate)))) // (C2)
    return failure();
  if (failed(normFits(*this, input, getGamma(), getEpsAttr()))) // (C3) (C4)
    return failure();
  // (C5)
  if (bool(getGateBias()) != bool(getUpBias()))
    return emitOpError("expects the two biases together");
  if (failed(biasFits(*this, "gate_bias", getGateBias(), gate)))
    return failure();
  return biasFits(*this, "up_bias", getUpBias(), gate);
}
