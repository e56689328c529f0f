// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the sampler keeps and how it draws, against a reference in long double
// that knows nothing of weights; its arithmetic against what is published.
#include "runtime/Sampler.h"
#include "runtime/kernels/SamplerArithmetic.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <numeric>
#include <random>

using namespace llrt;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

// Random123, examples/kat_vectors: philox4x32 with 10 rounds.
TEST(Philox, KnownAnswers) {
  struct {
    PhiloxBlock counter;
    unsigned key[2];
    PhiloxBlock answer;
  } const vectors[] = {{{{0, 0, 0, 0}},
                        {0, 0},
                        {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}},
                       {{{~0u, ~0u, ~0u, ~0u}},
                        {~0u, ~0u},
                        {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}},
                       {{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
                        {0xa4093822, 0x299f31d0},
                        {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}}};
  for (const auto &vector : vectors) {
    PhiloxBlock block = philox(vector.counter, vector.key[0], vector.key[1]);
    for (int i = 0; i < 4; ++i)
      EXPECT_EQ(block.word[i], vector.answer.word[i]);
  }
}

TEST(Arithmetic, WideProducts) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 10000; ++i) {
    uint64_t a = random() >> random() % 64, b = random() >> random() % 64;
    EXPECT_EQ(
        highProduct64(a, b),
        static_cast<uint64_t>(static_cast<unsigned __int128>(a) * b >> 64));
    unsigned share = static_cast<unsigned>(random() % 1000000001);
    EXPECT_EQ(shareOf(a, share),
              static_cast<uint64_t>(static_cast<unsigned __int128>(a) * share /
                                    1000000000));
  }
  EXPECT_EQ(shareOf(~0ull, 1000000000), ~0ull);
}

TEST(Arithmetic, WeightsFallAndAreTrue) {
  EXPECT_EQ(weightOf(0), weightOne);
  EXPECT_EQ(weightOf(1u << 24), weightOne / 2);
  EXPECT_EQ(weightOf(40u << 24), 1u);
  EXPECT_EQ(weightOf(distanceFar), 0u);
  // Every distance of the first binary order, strictly; the others halve it.
  uint64_t last = weightOf(0);
  long double worst = 0;
  for (unsigned distance = 1; distance <= 1u << 24; ++distance) {
    uint64_t weight = weightOf(distance);
    ASSERT_LT(weight, last) << distance;
    last = weight;
    if (distance % 64 == 1) {
      long double exact = std::exp2(40 - distance / 16777216.0L);
      worst = std::max(worst, std::fabs(weight / exact - 1));
    }
  }
  EXPECT_LT(worst, 1e-8L);
  for (unsigned distance = 0; distance < distanceFar; distance += 999983)
    EXPECT_EQ(weightOf(distance),
              weightOf(distance & 0xffffff) >> (distance >> 24));
}

/// Ids in the sampler's order: falling value, ties by rising id. NaN is lowest.
struct Reference {
  std::vector<uint32_t> ids;
  std::vector<long double> probability; ///< of ids[i], after all filters
  /// A decision was closer than the sampler resolves.
  bool close = false;
};

Reference reference(std::vector<float> row, const Sampling &sampling,
                    const std::map<int, int> &output = {},
                    const std::vector<int> &prompt = {}) {
  std::vector<long double> value(row.begin(), row.end());
  for (long double &v : value)
    if (std::isnan(v))
      v = -std::numeric_limits<long double>::infinity();
  std::map<int, int> seen = output;
  for (int id : prompt)
    seen.emplace(id, 0);
  for (auto [id, count] : seen) {
    long double &v = value[static_cast<size_t>(id)];
    v = v > 0 ? v / sampling.repeatPenalty : v * sampling.repeatPenalty;
    v -= count * sampling.frequencyPenalty +
         (count > 0) * sampling.presencePenalty;
  }
  Reference result;
  result.ids.resize(row.size());
  std::iota(result.ids.begin(), result.ids.end(), 0);
  std::sort(result.ids.begin(), result.ids.end(), [&](uint32_t a, uint32_t b) {
    return value[a] != value[b] ? value[a] > value[b] : a < b;
  });
  if (sampling.temperature == 0) {
    result.ids.resize(1);
    result.probability = {1};
    return result;
  }
  long double max = value[result.ids[0]];
  for (uint32_t id : result.ids)
    result.probability.push_back(
        value[id] == max
            ? 1
            : std::exp((value[id] - max) /
                       static_cast<long double>(sampling.temperature)));
  auto keep = [&](size_t count) {
    result.ids.resize(count);
    result.probability.resize(count);
    long double sum = std::accumulate(result.probability.rbegin(),
                                      result.probability.rend(), 0.0L);
    for (long double &p : result.probability)
      p /= sum;
  };
  keep(result.ids.size());
  if (sampling.topK && sampling.topK < result.ids.size())
    keep(sampling.topK);
  if (sampling.topP < 1) {
    long double before = 0;
    size_t count = 0;
    for (; count < result.ids.size() && before <= sampling.topP; ++count) {
      result.close |= std::fabs(before - sampling.topP) < 1e-6L;
      before += result.probability[count];
    }
    result.close |= std::fabs(before - sampling.topP) < 1e-6L;
    keep(count);
  }
  if (sampling.minP > 0) {
    long double least = sampling.minP * result.probability[0];
    size_t count = 0;
    for (long double p : result.probability) {
      result.close |=
          std::fabs(p / least - 1) < 1e-6L && p != result.probability[0];
      count += p >= least;
    }
    keep(count);
  }
  return result;
}

/// With `all` those too whose probability is below what the sampler counts.
std::vector<uint32_t> kept(const std::vector<float> &row,
                           const Sampling &sampling, SeenTokens *seen = nullptr,
                           bool all = false) {
  SamplerRow how = makeSamplerRow(sampling, 0, 0);
  if (seen)
    how.seenCount = static_cast<unsigned>(seen->entries().size());
  std::vector<uint32_t> ids;
  for (const KeptToken &token :
       keepOnHost(row.data(), static_cast<uint32_t>(row.size()), how,
                  seen ? seen->entries().data() : nullptr))
    if (all || token.weight != 0 || sampling.temperature == 0 || sampling.topK)
      ids.push_back(token.id);
  return ids;
}

Sampling with(double temperature, uint32_t topK = 0, double topP = 1,
              double minP = 0) {
  Sampling sampling;
  sampling.temperature = temperature;
  sampling.topK = topK;
  sampling.topP = topP;
  sampling.minP = minP;
  return sampling;
}

using Ids = std::vector<uint32_t>;

TEST(Filters, OnCraftedLogits) {
  const std::vector<float> equal(10, 3.25f);
  // Exactly k, ties by lower id.
  EXPECT_EQ(kept(equal, with(1, 3)), (Ids{0, 1, 2}));
  EXPECT_EQ(kept({1, 5, 5, 5, 2}, with(1, 2)), (Ids{1, 2}));
  EXPECT_EQ(kept({1, 5, 5, 5, 2}, with(1, 4)), (Ids{1, 2, 3, 4}));
  EXPECT_EQ(kept(equal, with(1, 10)).size(), 10u);
  EXPECT_EQ(kept(equal, with(1, 1000)).size(), 10u);
  // A token stays if the mass before it is at most p, which means the decimal.
  for (int tenth = 0; tenth < 10; ++tenth)
    EXPECT_EQ(kept(equal, with(1, 0, tenth / 10.0)).size(),
              static_cast<size_t>(tenth) + 1);
  EXPECT_EQ(kept(equal, with(1, 0, 0.35)), (Ids{0, 1, 2, 3}));
  EXPECT_EQ(kept(equal, with(1, 0, 1)).size(), 10u);
  EXPECT_EQ(kept({7, 9, 8}, with(1, 0, 0)), (Ids{1}));
  // Top-p sees what top-k left: four of equal probability, a quarter each.
  EXPECT_EQ(kept(equal, with(1, 4, 0.5)), (Ids{0, 1, 2}));
  EXPECT_EQ(kept(equal, with(1, 4, 0.49)), (Ids{0, 1}));
  // Probabilities 1/2, 1/4, 1/8, 1/8: before them 0, 1/2, 3/4, 7/8.
  const float ln2 = std::log(2.f);
  const std::vector<float> halves{3 * ln2, ln2, ln2, 2 * ln2};
  EXPECT_EQ(kept(halves, with(1, 0, 0.4)), (Ids{0}));
  EXPECT_EQ(kept(halves, with(1, 0, 0.6)), (Ids{0, 3}));
  EXPECT_EQ(kept(halves, with(1, 0, 0.8)), (Ids{0, 3, 1}));
  EXPECT_EQ(kept(halves, with(1, 0, 0.9)), (Ids{0, 3, 1, 2}));
  EXPECT_EQ(kept(halves, with(0.5, 0, 0.9)), (Ids{0, 3}))
      << "squares: 8/11 before the second, 10/11 before the third";
  // Min-p: at least that share of the highest.
  EXPECT_EQ(kept(halves, with(1, 0, 1, 0.3)), (Ids{0, 3}));
  EXPECT_EQ(kept(halves, with(1, 0, 1, 0.2)), (Ids{0, 3, 1, 2}));
  EXPECT_EQ(kept(halves, with(1, 0, 1, 0.6)), (Ids{0}));
  EXPECT_EQ(kept(equal, with(1, 0, 1, 1)).size(), 10u);
  EXPECT_EQ(kept({1, 1, 0.999f}, with(1, 0, 1, 1)), (Ids{0, 1}));
  // One token left, whatever comes after.
  EXPECT_EQ(kept(halves, with(1, 1, 0, 1)), (Ids{0}));
  EXPECT_EQ(kept({-4}, with(2, 5, 0.1, 0.9)), (Ids{0}));
}

TEST(Filters, OnInfinities) {
  EXPECT_EQ(kept({1, inf, 3, inf}, with(1)), (Ids{1, 3}));
  EXPECT_EQ(kept({1, inf, 3, inf}, with(1, 0, 0.4)), (Ids{1}));
  EXPECT_EQ(kept({1, inf, 3, inf}, with(1, 3)), (Ids{1, 3, 2}));
  EXPECT_EQ(kept({-inf, 2, -inf}, with(100)), (Ids{1}));
  EXPECT_EQ(kept({-inf, -inf, -inf}, with(1)), (Ids{0, 1, 2}));
  EXPECT_EQ(kept({nan, 1, nan}, with(1)), (Ids{1}));
  EXPECT_EQ(kept({nan, nan}, with(1)), (Ids{0, 1}));
  EXPECT_EQ(kept({nan, -inf, nan}, with(1, 2)), (Ids{0, 1}));
  EXPECT_EQ(kept({0.f, -0.f, 0.f}, with(1, 2)), (Ids{0, 1}))
      << "zeros are equal";
  EXPECT_EQ(kept({nan, 1, inf, inf}, with(0)), (Ids{2})) << "greedy";
  EXPECT_EQ(kept({2, 7, 7, 1}, with(0)), (Ids{1}));
  EXPECT_EQ(kept({nan, nan}, with(0)), (Ids{0}));
}

TEST(Filters, AgreeWithTheReferenceOnRandomRows) {
  std::mt19937 random(12);
  int close = 0, checked = 0;
  for (int round = 0; round < 400; ++round) {
    std::normal_distribution<float> normal(0, round % 3 ? 3.f : 0.5f);
    std::vector<float> row(1 + random() % 500);
    for (float &value : row)
      value = round % 5 ? normal(random)
                        : static_cast<float>(static_cast<int>(random() % 7));
    auto uniform = [&] {
      return static_cast<double>(random() % 1000000) / 1e6;
    };
    Sampling sampling =
        with(0.2 + 2 * uniform(), random() % 2 ? 1 + random() % 60 : 0,
             random() % 3 ? uniform() : 1, random() % 2 ? uniform() / 3 : 0);
    std::map<int, int> output;
    std::vector<int32_t> prompt;
    SeenTokens seen;
    if (round % 2) {
      sampling.repeatPenalty = 0.5 + uniform();
      sampling.presencePenalty = uniform();
      sampling.frequencyPenalty = uniform();
      for (int i = 0; i < 30; ++i)
        prompt.push_back(static_cast<int32_t>(random() % row.size()));
      seen.addPrompt(prompt);
      for (int i = 0; i < 30; ++i) {
        auto id = static_cast<int32_t>(random() % row.size());
        ++output[id];
        seen.addOutput(id);
      }
    }
    Reference expected = reference(row, sampling, output, prompt);
    close += expected.close;
    if (expected.close)
      continue;
    ++checked;
    Ids ids = kept(row, sampling, &seen, /*all=*/true), other = expected.ids;
    // Penalised values are rounded to float32: ties may come in another order.
    if (round % 2) {
      std::sort(ids.begin(), ids.end());
      std::sort(other.begin(), other.end());
    }
    EXPECT_EQ(ids, other) << "round " << round;
  }
  EXPECT_GT(checked, 300) << close << " were too close to tell";
}

TEST(Filters, OnAFullVocabulary) {
  std::mt19937 random(4);
  std::normal_distribution<float> normal(0, 2);
  std::vector<float> row(128256);
  for (float &value : row)
    value = normal(random);
  for (const Sampling &sampling :
       {with(0.6, 0, 0.9), with(1, 50), with(1, 0, 1, 0.1),
        with(0.8, 1000, 0.95, 0.02)}) {
    Reference expected = reference(row, sampling);
    ASSERT_FALSE(expected.close);
    EXPECT_EQ(kept(row, sampling), expected.ids);
  }
  std::vector<float> equal(128256, -2);
  EXPECT_EQ(kept(equal, with(1, 0, 0.25)).size(), 32065u);
  EXPECT_EQ(kept(equal, with(1, 7)), (Ids{0, 1, 2, 3, 4, 5, 6}));
}

TEST(Penalties, DivideWhatIsPositiveAndMultiplyWhatIsNot) {
  Sampling greedy = with(0);
  greedy.repeatPenalty = 2;
  SeenTokens seen;
  seen.addPrompt({0, 0, 0});
  EXPECT_EQ(kept({6, 3.5f}, greedy, &seen), (Ids{1})) << "6 / 2, once";
  EXPECT_EQ(kept({6, 2.5f}, greedy, &seen), (Ids{0}));
  EXPECT_EQ(kept({-2, -3}, greedy, &seen), (Ids{1})) << "-2 * 2";
  EXPECT_EQ(kept({-2, -5}, greedy, &seen), (Ids{0}));
  EXPECT_EQ(kept({inf, 9}, greedy, &seen), (Ids{0}));
  // Presence and frequency leave the prompt alone and count the output.
  Sampling counting = with(0);
  counting.presencePenalty = 1;
  counting.frequencyPenalty = 0.5;
  EXPECT_EQ(kept({6, 5.9f}, counting, &seen), (Ids{0}));
  seen.addOutput(0);
  EXPECT_EQ(kept({6, 4.4f}, counting, &seen), (Ids{0})) << "6 - 1 - 0.5";
  EXPECT_EQ(kept({6, 4.6f}, counting, &seen), (Ids{1}));
  seen.addOutput(0);
  EXPECT_EQ(kept({6, 4.1f}, counting, &seen), (Ids{1})) << "6 - 1 - 2 * 0.5";
  EXPECT_EQ(kept({6, 3.9f}, counting, &seen), (Ids{0}));
}

/// The statistic of `draws` against the reference's probabilities; rare ones
/// are taken together. Its degrees of freedom in `freedom`.
long double chiSquare(const std::map<int32_t, int> &counts, int draws,
                      const Reference &expected, int &freedom) {
  long double sum = 0, rareMass = 0;
  int rareCount = 0, found = 0;
  freedom = -1;
  auto add = [&](long double mean, int count) {
    sum += (count - mean) * (count - mean) / mean;
    ++freedom;
  };
  for (size_t i = 0; i < expected.ids.size(); ++i) {
    auto place = counts.find(static_cast<int32_t>(expected.ids[i]));
    int count = place == counts.end() ? 0 : place->second;
    found += count;
    long double mean = expected.probability[i] * draws;
    if (mean >= 10)
      add(mean, count);
    else
      rareMass += mean, rareCount += count;
  }
  if (rareMass > 5)
    add(rareMass, rareCount);
  EXPECT_EQ(found, draws) << "something was drawn that is not kept";
  return sum;
}

TEST(Draws, FollowTheDistribution) {
  std::mt19937 random(9);
  std::normal_distribution<float> normal(0, 0.7);
  std::vector<float> row(40);
  for (float &value : row)
    value = normal(random);
  constexpr int draws = 100000;
  for (const Sampling &sampling :
       {with(1), with(0.6, 0, 0.9), with(1.5, 12), with(1, 0, 1, 0.15),
        with(0.9, 30, 0.8, 0.05)})
    for (bool overSeeds : {false, true}) {
      std::map<int32_t, int> counts;
      for (unsigned i = 0; i < draws; ++i)
        ++counts[sampleOnHost(row.data(), 40,
                              overSeeds ? makeSamplerRow(sampling, 77 + i, 0)
                                        : makeSamplerRow(sampling, 77, i),
                              nullptr)];
      int freedom = 0;
      long double statistic =
          chiSquare(counts, draws, reference(row, sampling), freedom);
      // Wilson-Hilferty: 3.7 is passed by chance once in ten thousand.
      long double normalised =
          (std::cbrt(statistic / freedom) - (1 - 2 / (9.0L * freedom))) /
          std::sqrt(2 / (9.0L * freedom));
      EXPECT_LT(normalised, 3.7L) << statistic << " at " << freedom;
      EXPECT_GT(normalised, -3.7L) << statistic << " at " << freedom;
    }
}

TEST(Draws, NeverChooseWhatIsNoPiece) {
  std::vector<float> row(20, 0.f);
  for (size_t i = 15; i < 20; ++i)
    row[i] = 100;
  for (unsigned i = 0; i < 500; ++i)
    EXPECT_LT(
        sampleOnHost(row.data(), 15, makeSamplerRow(with(5), i, 0), nullptr),
        15);
}

TEST(LogProbabilities, AreTheLogSoftmax) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal(3, 4);
  for (size_t size : {1u, 5u, 1000u, 128256u}) {
    std::vector<float> row(size);
    for (float &value : row)
      value = normal(random);
    long double sum = 0, max = *std::max_element(row.begin(), row.end());
    for (float value : row)
      sum += std::exp(value - max);
    LogProbabilityRow found =
        logProbabilitiesOnHost(row.data(), static_cast<uint32_t>(size), 0, 20);
    EXPECT_NEAR(logProbability(found.target, found),
                static_cast<double>(row[0] - max - std::log(sum)), 1e-6);
    std::vector<uint32_t> order(size);
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      return row[a] != row[b] ? row[a] > row[b] : a < b;
    });
    for (size_t i = 0; i < std::min<size_t>(20, size); ++i) {
      EXPECT_EQ(found.ids[i], static_cast<int32_t>(order[i]));
      EXPECT_NEAR(logProbability(found.logits[i], found),
                  static_cast<double>(row[order[i]] - max - std::log(sum)),
                  1e-6);
    }
  }
  const float crafted[] = {inf, 1, inf, -inf, nan};
  LogProbabilityRow found = logProbabilitiesOnHost(crafted, 5, 1, 5);
  EXPECT_NEAR(logProbability(inf, found), std::log(0.5), 1e-9);
  EXPECT_EQ(logProbability(1, found), -inf);
  EXPECT_EQ(logProbability(nan, found), -inf);
  const float none[] = {-inf, nan, -inf};
  found = logProbabilitiesOnHost(none, 3, 1, 3);
  EXPECT_NEAR(logProbability(nan, found), std::log(1 / 3.0), 1e-9);
}

} // namespace
