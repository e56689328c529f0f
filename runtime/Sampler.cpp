// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The sampler on the host. Tests: test/runtime/SamplerTest.cpp, and against the
// kernels test/kernels/SamplerKernelTest.cpp.
#include "runtime/Sampler.h"

#include "runtime/kernels/SamplerArithmetic.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

using namespace llrt;

Sampling Sampling::of(const LlamacSampling &plan) {
  Sampling sampling;
  sampling.temperature = plan.temperature;
  sampling.topP = plan.top_p;
  sampling.minP = plan.min_p;
  sampling.repeatPenalty = plan.repeat_penalty;
  sampling.presencePenalty = plan.presence_penalty;
  sampling.frequencyPenalty = plan.frequency_penalty;
  sampling.topK = plan.top_k;
  return sampling;
}

uint32_t SeenTokens::entryOf(int32_t id) {
  auto [place, isNew] = places.emplace(id, static_cast<uint32_t>(all.size()));
  if (isNew) {
    all.push_back({static_cast<uint32_t>(id), 0});
    changed.push_back(place->second);
  }
  return place->second;
}

void SeenTokens::addPrompt(const std::vector<int32_t> &ids) {
  for (int32_t id : ids)
    entryOf(id);
}

void SeenTokens::addOutput(int32_t id) {
  uint32_t entry = entryOf(id);
  ++all[entry].output;
  if (changed.empty() || changed.back() != entry)
    changed.push_back(entry);
}

SamplerRow llrt::makeSamplerRow(const Sampling &sampling, uint64_t seed,
                                uint32_t step) {
  SamplerRow row = {};
  row.seed = seed;
  row.step = step;
  // A tiny temperature must not make the scale infinite: 0 times that is NaN.
  row.scale = sampling.temperature == 0
                  ? 0
                  : std::min(distanceScale() / sampling.temperature, 1e300);
  row.topK = sampling.topK;
  row.topP =
      static_cast<unsigned>(std::llround(sampling.topP * samplerBillion));
  uint64_t minP =
      static_cast<uint64_t>(std::llround(sampling.minP * samplerBillion));
  // The smallest weight that is at least min-p of the largest.
  constexpr uint64_t one = weightOne;
  row.minWeight = minP == 0
                      ? 0
                      : one / samplerBillion * minP +
                            (one % samplerBillion * minP + samplerBillion - 1) /
                                samplerBillion;
  row.repeat = static_cast<float>(sampling.repeatPenalty);
  row.presence = static_cast<float>(sampling.presencePenalty);
  row.frequency = static_cast<float>(sampling.frequencyPenalty);
  row.choose = 1;
  return row;
}

namespace {

uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

uint32_t orderOf(float value) { return orderOfBits(bitsOf(value)); }

/// As the sampler reads it: no NaN, no -0.
float plain(float value) {
  uint32_t bits = bitsOfOrder(orderOf(value));
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// The whole row in its order; with weights where `scale` is not 0.
std::vector<KeptToken> sorted(const float *logits, uint32_t count,
                              double scale) {
  std::vector<KeptToken> tokens(count);
  for (uint32_t id = 0; id < count; ++id)
    tokens[id] = {id, 0};
  std::sort(tokens.begin(), tokens.end(),
            [&](const KeptToken &a, const KeptToken &b) {
              uint32_t orderA = orderOf(logits[a.id]),
                       orderB = orderOf(logits[b.id]);
              return orderA != orderB ? orderA < orderB : a.id < b.id;
            });
  float max = plain(logits[tokens[0].id]);
  if (scale != 0)
    for (KeptToken &token : tokens)
      token.weight = weightOf(distanceOf(max, plain(logits[token.id]), scale));
  return tokens;
}

uint64_t massOf(const std::vector<KeptToken> &tokens) {
  uint64_t mass = 0;
  for (const KeptToken &token : tokens)
    mass += token.weight;
  return mass;
}

} // namespace

std::vector<KeptToken> llrt::keepOnHost(const float *logits, uint32_t pieces,
                                        const SamplerRow &row,
                                        const SamplerSeen *seen) {
  std::vector<float> values(logits, logits + pieces);
  for (uint32_t i = 0; i < row.seenCount; ++i) {
    const SamplerSeen &entry = seen[row.seen + i];
    if (entry.id < pieces)
      values[entry.id] = penalised(values[entry.id], entry.output, row.repeat,
                                   row.presence, row.frequency);
  }
  std::vector<KeptToken> tokens = sorted(values.data(), pieces, row.scale);
  if (row.scale == 0) {
    tokens.resize(1);
    return tokens;
  }
  if (row.topK != 0 && row.topK < tokens.size())
    tokens.resize(row.topK);
  if (row.topP < samplerBillion) {
    uint64_t target = shareOf(massOf(tokens), row.topP), before = 0;
    size_t kept = 0;
    while (kept < tokens.size() && before <= target)
      before += tokens[kept++].weight;
    tokens.resize(kept);
  }
  tokens.erase(std::remove_if(tokens.begin(), tokens.end(),
                              [&](const KeptToken &token) {
                                return token.weight < row.minWeight;
                              }),
               tokens.end());
  return tokens;
}

int32_t llrt::sampleOnHost(const float *logits, uint32_t pieces,
                           const SamplerRow &row, const SamplerSeen *seen) {
  std::vector<KeptToken> tokens = keepOnHost(logits, pieces, row, seen);
  if (row.scale == 0)
    return static_cast<int32_t>(tokens[0].id);
  uint64_t draw = drawOf(row.seed, row.step, massOf(tokens)), before = 0;
  size_t at = 0;
  while (draw - before >= tokens[at].weight)
    before += tokens[at++].weight;
  return static_cast<int32_t>(tokens[at].id);
}

LogProbabilityRow llrt::logProbabilitiesOnHost(const float *logits,
                                               uint32_t vocabulary,
                                               int32_t target, uint32_t count) {
  std::vector<KeptToken> tokens = sorted(logits, vocabulary, distanceScale());
  LogProbabilityRow row = {};
  row.total = massOf(tokens);
  row.max = plain(logits[tokens[0].id]);
  row.target = logits[target];
  for (uint32_t i = 0; i < std::min(count, vocabulary); ++i) {
    row.ids[i] = static_cast<int32_t>(tokens[i].id);
    row.logits[i] = logits[tokens[i].id];
  }
  return row;
}

double llrt::logProbability(float logit, const LogProbabilityRow &row) {
  float value = plain(logit);
  double sum = std::log(static_cast<double>(row.total) / weightOne);
  if (value == row.max)
    return -sum;
  return static_cast<double>(value) - static_cast<double>(row.max) - sum;
}
