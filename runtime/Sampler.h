// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How a token is chosen from a row of logits. kernels/Sampler.cu does it on the
// device; what is here says the same plainly, by sorting, and is its oracle.
//
// In this order, each step on what the one before left, renormalised:
//   repetition      CTRL's, over prompt and output: a positive logit is divided
//                   by the penalty, a negative one multiplied
//   presence, frequency   OpenAI's, over the output: less presence once, less
//                   frequency for every time
//   temperature     0: the highest logit, ties to the lowest id
//   top-k           exactly k, ties by lower id
//   top-p           those before which the mass, in descending order with ties
//                   by lower id, is at most p
//   min-p           those of at least min-p times the highest probability
//   draw            Philox of (seed, step); in the same order
// Logits may be infinite: those at +infinity share everything, those at
// -infinity (and NaN) get nothing unless all are. kernels/SamplerArithmetic.h
// says how probabilities are counted.
#ifndef LLAMAC_RUNTIME_SAMPLER_H
#define LLAMAC_RUNTIME_SAMPLER_H

#include "runtime/ExecutableFormat.h"
#include "runtime/kernels/SamplerFormat.h"

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace llrt {

/// The default chooses greedily.
struct Sampling {
  double temperature = 0, topP = 1, minP = 0;
  double repeatPenalty = 1, presencePenalty = 0, frequencyPenalty = 0;
  uint32_t topK = 0;

  static Sampling of(const LlamacSampling &plan);
  bool penalises() const {
    return repeatPenalty != 1 || presencePenalty != 0 || frequencyPenalty != 0;
  }
  /// The highest logit as it is: no sampler is needed.
  bool isPlainGreedy() const { return temperature == 0 && !penalises(); }
};

/// The ids of a sequence's prompt and output, each once, in the order in which
/// they first came.
class SeenTokens {
public:
  void addPrompt(const std::vector<int32_t> &ids);
  void addOutput(int32_t id);
  const std::vector<SamplerSeen> &entries() const { return all; }
  /// The entries that are new or another since the last call, by index.
  std::vector<uint32_t> takeChanged() { return std::exchange(changed, {}); }

private:
  uint32_t entryOf(int32_t id);
  std::vector<SamplerSeen> all;
  std::unordered_map<int32_t, uint32_t> places;
  std::vector<uint32_t> changed;
};

/// What is to be known of a row beside its choice.
struct Choice {
  const Sampling *sampling = nullptr; ///< null: plainly greedy
  uint64_t seed = 0;
  uint32_t step = 0;          ///< number of the output token, from 0
  SeenTokens *seen = nullptr; ///< needed where `sampling` penalises
  /// That many of the highest log-probabilities, and that of `target`, or of
  /// the choice where that is -1.
  std::optional<uint32_t> logProbabilities;
  int32_t target = -1;
};

/// For the kernel and its twin. `seen` fields are the caller's.
SamplerRow makeSamplerRow(const Sampling &sampling, uint64_t seed,
                          uint32_t step);

/// A token that the filters keep. Its probability is its weight over the sum.
struct KeptToken {
  uint32_t id;
  uint64_t weight;
};
/// In their order; one where `row` is greedy.
std::vector<KeptToken> keepOnHost(const float *logits, uint32_t pieces,
                                  const SamplerRow &row,
                                  const SamplerSeen *seen);
/// The kernel `sample` for one row of `pieces` logits.
int32_t sampleOnHost(const float *logits, uint32_t pieces,
                     const SamplerRow &row, const SamplerSeen *seen);
/// The kernel `log_probabilities` for one row.
LogProbabilityRow logProbabilitiesOnHost(const float *logits,
                                         uint32_t vocabulary, int32_t target,
                                         uint32_t count);
/// The log-softmax of the row at `logit`, which is one of its own: -infinity
/// where it has no share.
double logProbability(float logit, const LogProbabilityRow &row);

} // namespace llrt

#endif
