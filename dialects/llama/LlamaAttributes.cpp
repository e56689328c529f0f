// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Verification of the llama dialect's attributes, and where they may stand.
#include "dialects/llama/Llama.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include <cmath>

using namespace mlir;
using namespace mlir::llama;

static bool isFinitePositive(FloatAttr attr) {
  double value = attr.getValueAsDouble();
  return std::isfinite(value) && value > 0;
}

double RopeAttr::getInverseFrequency(int64_t pair, int64_t headDim) const {
  double frequency =
      std::pow(getThetaAsDouble(), -2.0 * double(pair) / double(headDim));
  return getScaling() ? getScaling().stretch(frequency) : frequency;
}

double RopeScalingAttr::stretch(double frequency) const {
  double slow = frequency / getFactor().getValueAsDouble();
  if (getKind() == RopeScalingKind::Linear)
    return slow;
  double low = getLowFreqFactor().getValueAsDouble();
  double high = getHighFreqFactor().getValueAsDouble();
  double turns = double(getOriginal()) * frequency / (2 * M_PI);
  if (turns < low)
    return slow;
  if (turns > high)
    return frequency;
  double share = (turns - low) / (high - low);
  return (1 - share) * slow + share * frequency;
}

LogicalResult
RopeScalingAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                        RopeScalingKind kind, FloatAttr factor, FloatAttr low,
                        FloatAttr high, int64_t original) {
  // (C1)
  if (!isFinitePositive(factor) || factor.getValueAsDouble() < 1)
    return emitError() << "expects factor to be finite and at least 1, found "
                       << factor;
  // (C2)
  bool isLlama3 = kind == RopeScalingKind::Llama3;
  if (isLlama3 != bool(low) || isLlama3 != bool(high) ||
      isLlama3 != (original != 0))
    return emitError() << "expects low_freq_factor, high_freq_factor and "
                          "original for llama3, and for it alone";
  // (C3)
  if (isLlama3 && (!isFinitePositive(low) || !isFinitePositive(high) ||
                   low.getValueAsDouble() >= high.getValueAsDouble()))
    return emitError() << "expects low_freq_factor to be finite, positive and "
                          "below high_freq_factor, found "
                       << low << " and " << high;
  // (C4)
  if (original < 0)
    return emitError() << "expects original not to be negative, found "
                       << original;
  return success();
}

LogicalResult RopeAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               FloatAttr theta, RopeScalingAttr) {
  // (C1)
  if (!isFinitePositive(theta))
    return emitError() << "expects theta to be finite and positive, found "
                       << theta;
  return success();
}

LogicalResult PoolAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               int64_t heads, int64_t headDim) {
  // (C1)
  if (heads < 1 || headDim < 1)
    return emitError() << "expects heads and head_dim to be positive, found "
                       << heads << " and " << headDim;
  return success();
}

LogicalResult ModelAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                int64_t hidden, int64_t intermediate,
                                int64_t layers, int64_t heads, int64_t kvHeads,
                                int64_t headDim, int64_t vocab, int64_t pieces,
                                int64_t maxSeqLen, int64_t maxBatch,
                                RopeAttr rope, FloatAttr eps, bool tied,
                                Type storage) {
  const std::pair<StringRef, int64_t> sizes[] = {
      {"hidden_size", hidden},    {"intermediate_size", intermediate},
      {"layers", layers},         {"heads", heads},
      {"kv_heads", kvHeads},      {"head_dim", headDim},
      {"vocab_size", vocab},      {"pieces", pieces},
      {"max_seq_len", maxSeqLen}, {"max_batch", maxBatch}};
  for (auto [name, size] : sizes) // (C1)
    if (size <= 0)
      return emitError() << "expects " << name << " to be positive, found "
                         << size;
  // (C2)
  if (heads % kvHeads != 0)
    return emitError() << "expects heads to be a multiple of kv_heads, found "
                       << heads << " and " << kvHeads;
  // (C3)
  if (headDim % 2 != 0)
    return emitError() << "expects head_dim to be even, found " << headDim;
  // (C4)
  if (pieces > vocab)
    return emitError() << "expects pieces to be at most vocab_size, found "
                       << pieces << " and " << vocab;
  // (C5)
  if (!isFinitePositive(eps))
    return emitError()
           << "expects rms_norm_eps to be finite and positive, found " << eps;
  // (C6)
  if (!storage.isBF16() && !storage.isF16() && !storage.isF32())
    return emitError() << "expects storage to be bf16, f16 or f32, found "
                       << storage;
  return success();
}

LogicalResult LlamaDialect::verifyOperationAttribute(Operation *op,
                                                     NamedAttribute attribute) {
  if (attribute.getName() != ModelAttr::attrName)
    return op->emitError() << "has unknown attribute " << attribute.getName();
  if (!isa<ModelAttr>(attribute.getValue()))
    return op->emitError() << "expects " << attribute.getName()
                           << " to be a #llama.model";
  if (!isa<ModuleOp>(op))
    return op->emitError() << attribute.getName() << " belongs on a module";
  return success();
}
