// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs the reference and its twin layer by layer. Test:
// test/numerics/SelftestTest.cpp.
#include "compiler/emit/SelftestWriter.h"

#include "compiler/emit/CheckpointTensors.h"
#include "compiler/import/TensorValues.h"

#include <algorithm>
#include <cmath>

namespace mlir::llama {
namespace {

using llrt::reference::Model;
using llrt::reference::Rounding;
using llrt::reference::Sequence;
using Vector = Model::Vector;

/// Measured deviations may be this many times what is known of rounding: the
/// contract's factor for one step.
constexpr double allowance = 3.0;
/// What float32 sums cost, relative to what they make: the contract's E of an
/// f32 build.
constexpr double float32Error = 1e-4;

/// To 18 bits of significand: far below every bound, and too coarse for the
/// last bits of another C library's exp() to show.
float toStored(double value) {
  uint32_t bits = bitsOf(float(value));
  if ((bits & 0x7f800000) == 0x7f800000)
    return float(value);
  return floatOf((bits + 0x1f + (bits >> 6 & 1)) & ~0x3fu);
}

std::vector<float> toStored(const Vector &values) {
  std::vector<float> stored;
  for (double value : values)
    stored.push_back(toStored(value));
  return stored;
}

double rms(const double *values, int64_t count) {
  double squares = 0;
  for (int64_t i = 0; i < count; ++i)
    squares += values[i] * values[i];
  return std::sqrt(squares / double(count));
}

/// The largest |a - b|.
double getLargestDifference(const double *a, const double *b, int64_t count) {
  double largest = 0;
  for (int64_t i = 0; i < count; ++i)
    largest = std::max(largest, std::fabs(a[i] - b[i]));
  return largest;
}

double getRelativeError(const Vector &found, const Vector &wanted) {
  Vector difference(found.size());
  for (size_t i = 0; i < found.size(); ++i)
    difference[i] = found[i] - wanted[i];
  double size = rms(wanted.data(), wanted.size());
  return size == 0 ? 0 : rms(difference.data(), difference.size()) / size;
}

bool isFinite(const std::vector<float> &values) {
  return std::all_of(values.begin(), values.end(),
                     [](float value) { return std::isfinite(value); });
}

/// Begin-of-text, then ids from all of the vocabulary.
std::vector<int32_t> chooseTokens(const LlamacPlanHeader &plan) {
  const uint32_t count = std::min<uint32_t>(
      LLAMAC_SELFTEST_TOKENS_MAX, std::min(plan.max_chunk, plan.max_seq_len));
  std::vector<int32_t> tokens = {std::max(plan.bos_id, 0)};
  for (uint32_t i = 1; i < count; ++i) {
    uint32_t spread = i * 2654435769u; // 2^32 over the golden ratio
    tokens.push_back(int32_t(uint64_t(spread) * plan.piece_count >> 32));
  }
  return tokens;
}

Rounding getRounding(const LlamacPlanHeader &plan) {
  return plan.dtype == LLAMAC_BF16  ? Rounding::BF16
         : plan.dtype == LLAMAC_F16 ? Rounding::F16
                                    : Rounding::None;
}

class SelftestWriter {
public:
  SelftestWriter(const LlamacPlanHeader &plan, const Model &reference,
                 const Model &twin, std::function<void()> passed)
      : plan(plan), reference(reference), twin(twin), passed(std::move(passed)),
        tokens(chooseTokens(plan)), count(int64_t(tokens.size())),
        hidden(plan.hidden_size) {}

  llrt::Result<std::vector<uint8_t>> write() {
    runStages();
    runHead();
    if (!isFinite(residual) || !isFinite(bounds) || !isFinite(logits) ||
        !std::isfinite(header.head_bound) || !std::isfinite(header.run_bound))
      return llrt::Error("the reference meets values that are NaN or infinite "
                         "in this model or storage type");
    return serialize();
  }

private:
  bool rounds() const { return plan.dtype != LLAMAC_F32; }

  void runStages() {
    Sequence ofReference = reference.sequence(), ofTwin = twin.sequence(),
             ofFree = twin.sequence();
    Vector wanted = reference.embed(tokens), rounded = twin.embed(tokens);
    free = rounded;
    addStage(Vector(), wanted, rounded);
    for (int64_t layer = 0; layer < int64_t(plan.layers); ++layer) {
      const Vector before = given;
      wanted = rounded = before;
      reference.runLayer(layer, ofReference, wanted);
      passed();
      if (rounds()) {
        twin.runLayer(layer, ofTwin, rounded);
        twin.runLayer(layer, ofFree, free);
        passed();
      } else {
        rounded = wanted;
      }
      addStage(before, wanted, rounded);
    }
    if (!rounds())
      free = given;
  }

  /// `before` is empty for the embedding, in which nothing is summed.
  void addStage(const Vector &before, const Vector &wanted,
                const Vector &rounded) {
    for (int64_t t = 0; t < count; ++t) {
      const double *row = &wanted[t * hidden];
      double error = getLargestDifference(row, &rounded[t * hidden], hidden);
      if (!before.empty()) {
        Vector added(row, row + hidden);
        for (int64_t i = 0; i < hidden; ++i)
          added[i] -= before[t * hidden + i];
        error = std::max(error, float32Error * rms(added.data(), hidden));
      }
      bounds.push_back(toStored(allowance * error));
    }
    std::vector<float> stored = toStored(wanted);
    residual.insert(residual.end(), stored.begin(), stored.end());
    given.assign(stored.begin(), stored.end());
  }

  void runHead() {
    std::vector<Vector> wanted = reference.head(given);
    const Vector &last = wanted.back();
    const auto vocabulary = int64_t(last.size());
    double size = rms(last.data(), vocabulary);
    double error = float32Error * size, runError = float32Error;
    if (rounds()) {
      Vector row(given.end() - hidden, given.end());
      error = std::max(error, getLargestDifference(last.data(),
                                                   twin.head(row)[0].data(),
                                                   vocabulary));
      // The largest of all steps: that of one may be small by chance.
      std::vector<Vector> rounded = twin.head(free);
      for (int64_t t = 0; t < count; ++t)
        runError = std::max(runError, getRelativeError(rounded[t], wanted[t]));
    }
    logits = toStored(last);
    header.head_bound = toStored(allowance * error);
    header.run_bound = toStored(allowance * runError);
    auto best = std::max_element(last.begin(), last.begin() + plan.piece_count);
    header.greedy_id = int32_t(best - last.begin());
    double second = -INFINITY;
    for (int64_t i = 0; i < int64_t(plan.piece_count); ++i)
      if (i != header.greedy_id)
        second = std::max(second, last[i]);
    // The contract's rule for the argmax.
    header.greedy_settled = *best - second > 8 * runError * size;
    passed();
  }

  std::vector<uint8_t> serialize() {
    header.magic = LLAMAC_SELFTEST_MAGIC;
    header.token_count = uint32_t(count);
    header.stages = plan.layers + 1;
    header.hidden_size = plan.hidden_size;
    header.vocab_size = plan.vocab_size;
    std::vector<uint8_t> bytes(sizeof header);
    auto append = [&](const auto &values, uint64_t &offset) {
      bytes.resize((bytes.size() + 7) / 8 * 8);
      offset = bytes.size();
      auto *begin = reinterpret_cast<const uint8_t *>(values.data());
      bytes.insert(bytes.end(), begin, begin + values.size() * 4);
    };
    append(tokens, header.tokens_offset);
    append(residual, header.residual_offset);
    append(bounds, header.bounds_offset);
    append(logits, header.logits_offset);
    std::memcpy(bytes.data(), &header, sizeof header);
    return bytes;
  }

  const LlamacPlanHeader &plan;
  const Model &reference, &twin;
  const std::function<void()> passed; ///< after each reading of a layer
  const std::vector<int32_t> tokens;
  const int64_t count, hidden;
  LlamacSelftestHeader header = {};
  std::vector<float> residual, bounds, logits;
  Vector given; ///< the newest stage as it is stored: the next one's input
  Vector free;  ///< the twin's own run, which is given nothing
};

} // namespace

/// Of the matrices, once.
static uint64_t getMatrixBytes(const Checkpoint &checkpoint) {
  uint64_t bytes = 0;
  for (const ExpectedTensor &tensor : getExpectedTensors(checkpoint.config))
    bytes += checkpoint.tensors.at(tensor.name).size;
  return bytes;
}

uint64_t getSelftestBytes(const Checkpoint &checkpoint,
                          const LlamacPlanHeader &plan) {
  return getMatrixBytes(checkpoint) * (plan.dtype == LLAMAC_F32 ? 1 : 3);
}

llrt::Result<std::vector<uint8_t>>
makeSelftest(const Checkpoint &checkpoint, const LlamacPlanHeader &plan,
             unsigned threads, const std::function<void(uint64_t)> &progress) {
  const CheckpointTensors source(checkpoint);
  const llrt::reference::Config config = getReferenceConfig(checkpoint.config);
  llrt::Result<Model> reference =
      Model::stream(config, source, Rounding::None, threads);
  if (!reference)
    return reference.error();
  llrt::Result<Model> twin =
      Model::stream(config, source, getRounding(plan), threads);
  if (!twin)
    return twin.error();
  // Layers are of one size, and the ends are not worth a count of their own.
  const uint64_t total = getSelftestBytes(checkpoint, plan);
  const uint64_t steps = plan.layers * (plan.dtype == LLAMAC_F32 ? 1 : 2) + 1;
  uint64_t step = 0;
  return SelftestWriter(plan, *reference, *twin,
                        [&] { progress(total / steps * ++step); })
      .write();
}

} // namespace mlir::llama
