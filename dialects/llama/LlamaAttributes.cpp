// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Verification of the llama dialect's attributes, and where they may stand.
#include "dialects/llama/Llama.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/bit.h"
#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace mlir::llama;

static bool isFinitePositive(FloatAttr attr) {
  double value = attr.getValueAsDouble();
  return std::isfinite(value) && value > 0;
}

static double getLlama3Frequency(RopeScalingAttr scaling, double frequency,
                                 double slow) {
  double low = scaling.getLowFreqFactor().getValueAsDouble();
  double high = scaling.getHighFreqFactor().getValueAsDouble();
  double turns = double(scaling.getOriginal()) * frequency / (2 * M_PI);
  if (turns < low)
    return slow;
  if (turns > high)
    return frequency;
  double share = (turns - low) / (high - low);
  return (1 - share) * slow + share * frequency;
}

/// How much of pair `pair` is divided by the factor, from 0 to 1.
static double getYarnShare(RopeScalingAttr scaling, double theta, double pair,
                           double headDim) {
  // The pair, as a real number, that makes `turns` turns in the original
  // positions.
  auto pairOf = [&](FloatAttr turns) {
    return headDim *
           std::log(double(scaling.getOriginal()) /
                    (turns.getValueAsDouble() * 2 * M_PI)) /
           (2 * std::log(theta));
  };
  double first = pairOf(scaling.getBetaFast());
  double last = pairOf(scaling.getBetaSlow());
  if (scaling.getTruncate()) {
    first = std::floor(first);
    last = std::ceil(last);
  }
  first = std::max(first, 0.0);
  last = std::min(last, headDim - 1);
  if (first == last) // as transformers: no division by 0
    last += 0.001;
  return std::clamp((pair - first) / (last - first), 0.0, 1.0);
}

double RopeAttr::getInverseFrequency(int64_t pair, int64_t headDim) const {
  double theta = getThetaAsDouble();
  double frequency = std::pow(theta, -2.0 * double(pair) / double(headDim));
  RopeScalingAttr scaling = getScaling();
  if (!scaling)
    return frequency;
  double slow = frequency / scaling.getFactor().getValueAsDouble();
  switch (scaling.getKind()) {
  case RopeScalingKind::Linear:
    return slow;
  case RopeScalingKind::Dynamic:
    return frequency;
  case RopeScalingKind::Llama3:
    return getLlama3Frequency(scaling, frequency, slow);
  case RopeScalingKind::Yarn: {
    double share = getYarnShare(scaling, theta, double(pair), double(headDim));
    return share * slow + (1 - share) * frequency;
  }
  }
  llvm_unreachable("every kind returns");
}

double RopeAttr::getAttentionFactor() const {
  FloatAttr factor =
      getScaling() ? getScaling().getAttentionFactor() : FloatAttr();
  return factor ? factor.getValueAsDouble() : 1;
}

double AlibiAttr::getSlope(int64_t head, int64_t heads) const {
  double power = double(llvm::bit_floor(uint64_t(heads)));
  double step = getMaxBias().getValueAsDouble() / power;
  return double(head) < power ? std::exp2(-step * double(head + 1))
                              : std::exp2(-step * (double(head) - power + 0.5));
}

LogicalResult
RopeScalingAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                        RopeScalingKind kind, FloatAttr factor, FloatAttr low,
                        FloatAttr high, int64_t original, FloatAttr fast,
                        FloatAttr slow, FloatAttr attention, bool truncate) {
  // (C1)
  if (!isFinitePositive(factor) || factor.getValueAsDouble() < 1)
    return emitError() << "expects factor to be finite and at least 1, found "
                       << factor;
  // (C2)
  bool isLlama3 = kind == RopeScalingKind::Llama3;
  bool isYarn = kind == RopeScalingKind::Yarn;
  if (isLlama3 != bool(low) || isLlama3 != bool(high))
    return emitError() << "expects low_freq_factor and high_freq_factor for "
                          "llama3, and for it alone";
  if (isYarn != bool(fast) || isYarn != bool(slow) ||
      isYarn != bool(attention) || (!isYarn && !truncate))
    return emitError() << "expects beta_fast, beta_slow, attention_factor and "
                          "truncate for yarn, and for it alone";
  if ((kind != RopeScalingKind::Linear) != (original != 0))
    return emitError() << "expects original for every kind but linear";
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
  // (C5)
  if (isYarn && (!isFinitePositive(slow) || !isFinitePositive(fast) ||
                 fast.getValueAsDouble() < slow.getValueAsDouble() ||
                 !isFinitePositive(attention)))
    return emitError() << "expects beta_slow and attention_factor to be finite "
                          "and positive and beta_fast to be finite and at "
                          "least beta_slow, found "
                       << slow << ", " << attention << " and " << fast;
  return success();
}

LogicalResult RopeAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               FloatAttr theta, RopeScalingAttr scaling) {
  // (C1)
  if (!isFinitePositive(theta))
    return emitError() << "expects theta to be finite and positive, found "
                       << theta;
  if (scaling && scaling.getKind() == RopeScalingKind::Yarn &&
      theta.getValueAsDouble() <= 1)
    return emitError() << "expects theta to be over 1 for yarn, found "
                       << theta;
  return success();
}

LogicalResult AlibiAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                FloatAttr maxBias) {
  // (C1)
  if (!isFinitePositive(maxBias))
    return emitError() << "expects max_bias to be finite and positive, found "
                       << maxBias;
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
                                RopeAttr rope, AlibiAttr alibi, int64_t window,
                                FloatAttr eps, bool tied, Type storage) {
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
  // (C7)
  if (bool(rope) == bool(alibi))
    return emitError() << "expects one of rope and alibi";
  // (C8)
  if (window < 0)
    return emitError() << "expects window not to be negative, found " << window;
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
