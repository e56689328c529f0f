// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Stored values to float64, in loops that vectorize.
#include "compiler/emit/CheckpointTensors.h"

#include "compiler/import/TensorValues.h"

namespace mlir::llama {
namespace {

using llrt::reference::Rounding;

/// By arithmetic alone: _Float16 is a library call where there is no F16C.
double widenF16(uint16_t bits) {
  const uint32_t magnitude = uint32_t(bits & 0x7fff) << 13;
  const double sign = bits & 0x8000 ? -1.0 : 1.0;
  const bool finite = (bits & 0x7c00) != 0x7c00;
  // The exponent's bias is 127 - 15 smaller.
  return sign * (finite ? double(floatOf(magnitude)) * 0x1p112
                        : double(floatOf(magnitude | 0x7f800000)));
}

template <typename Stored, typename Widen>
void widenAll(const uint8_t *in, int64_t count, Widen widen, double *out) {
  for (int64_t i = 0; i < count; ++i) {
    Stored bits;
    std::memcpy(&bits, in + sizeof bits * i, sizeof bits);
    out[i] = widen(bits);
  }
}

void widenAll(DType dtype, const uint8_t *in, int64_t count, double *out) {
  switch (dtype) {
  case DType::BF16:
    return widenAll<uint16_t>(
        in, count, [](uint16_t bits) { return double(bf16ToFloat(bits)); },
        out);
  case DType::F16:
    return widenAll<uint16_t>(in, count, widenF16, out);
  case DType::F32:
    return widenAll<uint32_t>(
        in, count, [](uint32_t bits) { return double(floatOf(bits)); }, out);
  }
}

} // namespace

const std::vector<int64_t> *
CheckpointTensors::shape(const std::string &name) const {
  auto found = checkpoint.tensors.find(name);
  return found == checkpoint.tensors.end() ? nullptr : &found->second.shape;
}

void CheckpointTensors::read(const std::string &name, int64_t first,
                             int64_t count, Rounding rounding,
                             double *values) const {
  const Tensor &tensor = checkpoint.tensors.at(name);
  const DType as = rounding == Rounding::BF16  ? DType::BF16
                   : rounding == Rounding::F16 ? DType::F16
                                               : tensor.dtype;
  const int64_t columns = tensor.shape.back();
  const int64_t begin = first / columns, end = begin + count / columns;
  std::vector<uint8_t> made, rounded;
  for (int64_t row = begin; row < end; ++row, values += columns) {
    const uint8_t *stored = getRow(tensor, row, made);
    if (as != tensor.dtype) { // as the packing rounds
      rounded.resize(columns * getBytes(as));
      convertValues(stored, tensor.dtype, columns, as, rounded.data());
      stored = rounded.data();
    }
    widenAll(as, stored, columns, values);
  }
  forgetRows(tensor, begin, end);
}

llrt::reference::Config getReferenceConfig(const Config &config) {
  llrt::reference::Config to;
  to.hiddenSize = config.hiddenSize;
  to.intermediateSize = config.intermediateSize;
  to.layers = config.layers;
  to.heads = config.heads;
  to.kvHeads = config.kvHeads;
  to.headDim = config.headDim;
  to.vocabSize = config.vocabSize;
  to.maxPositions = config.maxPositionEmbeddings;
  to.ropeTheta = config.ropeTheta;
  const RopeScaling &scaling = config.ropeScaling;
  switch (scaling.kind) {
  case RopeScaling::None:
    break;
  case RopeScaling::Linear:
    to.ropeScaling = llrt::reference::RopeScaling::Linear;
    break;
  case RopeScaling::Llama3:
    to.ropeScaling = llrt::reference::RopeScaling::Llama3;
    to.ropeLowFrequencyFactor = scaling.lowFreqFactor;
    to.ropeHighFrequencyFactor = scaling.highFreqFactor;
    to.ropeOriginalPositions = double(scaling.originalMaxPositions);
    break;
  case RopeScaling::Dynamic:
    to.ropeScaling = llrt::reference::RopeScaling::Dynamic;
    break;
  case RopeScaling::Yarn:
    to.ropeScaling = llrt::reference::RopeScaling::Yarn;
    to.ropeOriginalPositions = double(scaling.originalMaxPositions);
    to.ropeBetaFast = scaling.betaFast;
    to.ropeBetaSlow = scaling.betaSlow;
    to.ropeAttentionFactor = scaling.attentionFactor;
    to.ropeTruncate = scaling.truncate;
    break;
  }
  to.alibi = config.alibi;
  to.window = config.slidingWindow;
  if (scaling.kind != RopeScaling::None)
    to.ropeFactor = scaling.factor;
  to.rmsNormEps = config.rmsNormEps;
  to.tiedHead = config.tiedEmbeddings;
  to.attentionBias = config.attentionBias;
  to.mlpBias = config.mlpBias;
  return to;
}

} // namespace mlir::llama
