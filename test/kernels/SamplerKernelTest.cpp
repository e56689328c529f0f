// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The sampler's kernels on the emulator against the twin on the host, bit for
// bit: random rows and crafted ones, every filter, several rows a launch.
#include "compiler/emit/Nvrtc.h"
#include "runtime/SamplerKernels.h"
#include "runtime/kernels/KernelSources.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <random>
#include <set>

using namespace llrt;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// A device with the kernels of one vocabulary, and its buffers.
class Bench {
public:
  Bench(uint32_t vocabulary, uint32_t pieces, uint32_t rows,
        const EmulatorOptions &options = {})
      : vocabulary(vocabulary), pieces(pieces), rows(rows) {
    auto nvrtc = mlir::llama::Nvrtc::open(LLAMAC_BINARY_DIR "/libexec/llamac");
    std::vector<mlir::llama::CudaSource> sources;
    for (const KernelSource *source = kernelSources; source->name; ++source)
      if (std::strncmp(source->name, "Sampler", 7) == 0)
        sources.push_back({source->name, source->text});
    auto images =
        (*nvrtc)->compile(sources, "sm_90a",
                          {"LLAMAC_VOCABULARY=" + std::to_string(vocabulary),
                           "LLAMAC_PIECES=" + std::to_string(pieces)},
                          false);
    device = std::move(*createEmulatorDevice({}, options));
    stream = *device->createStream();
    ptx = images->ptx;
    auto module = device->loadModule(ptx, "sampler");
    if (!module)
      throw std::runtime_error(module.error().message());
    auto made = SamplerKernels::create(*device, stream, *module,
                                       {vocabulary, rows, rows, vocabulary});
    if (!made)
      throw std::runtime_error(made.error().message());
    kernels = std::move(*made);
    logits = *device->allocate(4ull * vocabulary * rows, "logits");
    next = *device->allocate(4ull * rows, "next");
  }

  /// The choices from `values` ([rows][vocabulary]); `kept` rows answer -7.
  std::vector<int32_t> run(const std::vector<float> &values,
                           const std::vector<Choice> &choices) {
    std::vector<int32_t> result(choices.size(), -7);
    std::vector<uint32_t> sequences(choices.size());
    for (uint32_t i = 0; i < sequences.size(); ++i)
      sequences[i] = i;
    check(
        device->copyToDevice(logits, values.data(), values.size() * 4, stream));
    check(device->copyToDevice(next, result.data(), result.size() * 4, stream));
    const auto count = static_cast<uint32_t>(choices.size());
    Result<bool> draws =
        kernels->prepare(choices.data(), sequences.data(), count);
    if (!draws)
      throw std::runtime_error(draws.error().message());
    if (*draws)
      check(kernels->sample(logits, next, count));
    check(kernels->logProbabilities(logits, next, choices.data(), count,
                                    probabilities));
    check(device->copyToHost(result.data(), next, result.size() * 4, stream));
    std::vector<float> after(values.size());
    check(device->copyToHost(after.data(), logits, after.size() * 4, stream));
    check(device->synchronize(stream));
    EXPECT_EQ(std::memcmp(after.data(), values.data(), after.size() * 4), 0)
        << "the logits are as before";
    return result;
  }

  static void check(Error error) {
    if (error)
      throw std::runtime_error(error.message());
  }

  const uint32_t vocabulary, pieces, rows;
  std::string ptx;
  std::unique_ptr<Device> device;
  Stream *stream;
  std::unique_ptr<SamplerKernels> kernels;
  DeviceAddress logits, next;
  std::vector<LogProbabilityRow> probabilities;
};

/// The twin's choice; `seen` as the kernel has it.
int32_t expected(const Bench &bench, const float *row, const Choice &choice) {
  SamplerRow how = makeSamplerRow(*choice.sampling, choice.seed, choice.step);
  const SamplerSeen *seen = nullptr;
  if (choice.seen) {
    seen = choice.seen->entries().data();
    how.seenCount = static_cast<unsigned>(choice.seen->entries().size());
  }
  return sampleOnHost(row, bench.pieces, how, seen);
}

void compare(Bench &bench, const std::vector<float> &values,
             const std::vector<Choice> &choices, const std::string &what) {
  std::vector<int32_t> got = bench.run(values, choices);
  for (size_t i = 0; i < choices.size(); ++i)
    EXPECT_EQ(got[i],
              expected(bench, &values[i * bench.vocabulary], choices[i]))
        << what << ", row " << i;
}

/// Races and the like are faults, and warps take turns in another order.
EmulatorOptions observed(uint64_t schedule) {
  EmulatorOptions options;
  options.check = true;
  options.schedule = schedule;
  return options;
}

std::vector<Sampling> someSamplings() {
  std::vector<Sampling> all;
  auto add = [&](double temperature, uint32_t topK, double topP, double minP) {
    Sampling sampling;
    sampling.temperature = temperature;
    sampling.topK = topK;
    sampling.topP = topP;
    sampling.minP = minP;
    all.push_back(sampling);
  };
  add(1, 0, 1, 0);
  add(0.6, 0, 0.9, 0);
  add(0.8, 40, 0.95, 0.05);
  add(2, 1, 1, 0);
  add(1, 0, 0, 0);
  add(1, 0, 1, 1);
  add(100, 0, 0.5, 0);
  add(1e-30, 0, 0.99, 0);
  add(1, 100000, 0.999999999, 1e-9);
  add(0.7, 3, 0.1, 0.5);
  return all;
}

std::vector<float> randomRow(std::mt19937 &random, uint32_t count,
                             float spread) {
  std::normal_distribution<float> normal(0, spread);
  std::vector<float> row(count);
  for (float &value : row)
    value = normal(random);
  return row;
}

class OnSizes : public testing::TestWithParam<std::pair<uint32_t, uint32_t>> {};

TEST_P(OnSizes, RandomRowsAgreeWithTheTwin) {
  auto [vocabulary, pieces] = GetParam();
  const char *mode = std::getenv("LLAMAC_TEST_MODE");
  if (vocabulary > 100000 && mode && std::string(mode) == "quick")
    GTEST_SKIP() << "a row of 128256 runs only without --quick";
  uint32_t rows = vocabulary > 20000 ? 2 : 8;
  Bench bench(vocabulary, pieces, rows);
  std::mt19937 random(vocabulary);
  std::vector<Sampling> samplings = someSamplings();
  for (float spread : {0.f, 0.01f, 1.f, 3.f, 30.f}) {
    std::vector<float> values;
    for (uint32_t i = 0; i < rows; ++i) {
      std::vector<float> row = randomRow(random, vocabulary, spread);
      values.insert(values.end(), row.begin(), row.end());
    }
    for (size_t at = 0; at < samplings.size(); at += rows) {
      std::vector<Choice> choices(rows);
      for (uint32_t i = 0; i < rows; ++i) {
        choices[i].sampling = &samplings[(at + i) % samplings.size()];
        choices[i].seed = random() | uint64_t(random()) << 32;
        choices[i].step = random() % 1000;
      }
      compare(bench, values, choices, "spread " + std::to_string(spread));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Vocabularies, OnSizes,
    testing::Values(std::pair(1u, 1u), std::pair(2u, 1u), std::pair(257u, 200u),
                    std::pair(2048u, 2048u), std::pair(32003u, 32000u),
                    std::pair(128256u, 128256u)),
    [](const auto &info) { return std::to_string(info.param.first); });

TEST(SamplerKernel, CraftedRowsAgreeWithTheTwin) {
  constexpr uint32_t size = 300;
  Bench bench(size, 290, 4, observed(1));
  std::map<std::string, std::vector<float>> rows;
  auto fill = [&](const char *name, float value) -> std::vector<float> & {
    return rows[name] = std::vector<float>(size, value);
  };
  fill("all equal", 1.5f);
  fill("all -infinity", -inf);
  fill("all +infinity", inf);
  fill("no numbers", nan);
  fill("one +infinity", 3)[77] = inf;
  auto &two = fill("two +infinities among -infinities", -inf);
  two[5] = two[250] = inf;
  fill("one finite", -inf)[123] = -1e30f;
  auto &zeros = fill("zeros of both signs", -0.f);
  for (uint32_t i = 0; i < size; i += 3)
    zeros[i] = 0;
  auto &extremes =
      fill("the largest numbers", -std::numeric_limits<float>::max());
  extremes[9] = std::numeric_limits<float>::max();
  auto &neighbours = fill("neighbouring numbers", 20);
  for (uint32_t i = 0; i < size; ++i)
    for (uint32_t j = 0; j < i % 7; ++j)
      neighbours[i] = std::nextafter(neighbours[i], 0.f);
  auto &tiny = fill("subnormal", 1e-42f);
  tiny[3] = 2e-42f;
  tiny[4] = -1e-42f;
  auto &padding = fill("the best are no pieces", 0);
  for (uint32_t i = 290; i < size; ++i)
    padding[i] = 50;
  auto &mixed = fill("a little of all", 0);
  std::mt19937 random(1);
  for (float &value : mixed)
    value =
        std::vector<float>{nan, -inf, 1, 1, 2, -0.f, 0, 1e-40f}[random() % 8];
  std::vector<Sampling> samplings = someSamplings();
  Sampling greedyButPenalised;
  greedyButPenalised.presencePenalty = 1;
  samplings.push_back(greedyButPenalised);
  SeenTokens none;
  for (const auto &[name, row] : rows) {
    std::vector<float> values;
    for (int i = 0; i < 4; ++i)
      values.insert(values.end(), row.begin(), row.end());
    for (const Sampling &sampling : samplings) {
      std::vector<Choice> choices(4);
      for (uint32_t i = 0; i < 4; ++i) {
        choices[i].sampling = &sampling;
        choices[i].seed = 11 + i;
        choices[i].step = i * i;
        choices[i].seen = sampling.penalises() ? &none : nullptr;
      }
      compare(bench, values, choices, name);
    }
  }
}

TEST(SamplerKernel, PenaltiesAgreeWithTheTwin) {
  constexpr uint32_t size = 700;
  Bench bench(size, 690, 3, observed(2));
  std::mt19937 random(5);
  std::vector<Sampling> samplings(3);
  samplings[0].temperature = 0.9;
  samplings[0].repeatPenalty = 1.3;
  samplings[1].temperature = 0.7;
  samplings[1].presencePenalty = 0.6;
  samplings[1].frequencyPenalty = 0.7;
  samplings[1].topP = 0.9;
  samplings[2].repeatPenalty = 2; // greedy
  samplings[2].frequencyPenalty = 1.1;
  std::vector<SeenTokens> seen(3);
  for (SeenTokens &tokens : seen) {
    std::vector<int32_t> prompt;
    for (int i = 0; i < 100; ++i)
      prompt.push_back(static_cast<int32_t>(random() % size));
    tokens.addPrompt(prompt);
  }
  for (uint32_t step = 0; step < 40; ++step) {
    std::vector<float> values = randomRow(random, 3 * size, 2);
    std::vector<Choice> choices(3);
    for (uint32_t i = 0; i < 3; ++i) {
      choices[i].sampling = &samplings[i];
      choices[i].seed = i;
      choices[i].step = step;
      choices[i].seen = &seen[i];
    }
    std::vector<int32_t> got = bench.run(values, choices);
    for (uint32_t i = 0; i < 3; ++i) {
      EXPECT_EQ(got[i], expected(bench, &values[i * size], choices[i])) << step;
      // Tokens come back, or are new.
      seen[i].addOutput(step % 3 ? got[i]
                                 : static_cast<int32_t>(random() % size));
    }
  }
}

TEST(SamplerKernel, PlainlyGreedyRowsAreLeftAlone) {
  Bench bench(100, 100, 3);
  std::mt19937 random(2);
  std::vector<float> values = randomRow(random, 300, 1);
  Sampling drawn;
  drawn.temperature = 1;
  std::vector<Choice> choices(3);
  Sampling greedy;
  choices[0].sampling = &greedy;
  choices[1].sampling = &drawn;
  std::vector<int32_t> got = bench.run(values, choices);
  EXPECT_EQ(got[0], -7);
  EXPECT_EQ(got[1], expected(bench, &values[100], choices[1]));
  EXPECT_EQ(got[2], -7);
}

/// What the filters keep is what many draws find, no more and no less.
TEST(SamplerKernel, DrawsFindWhatIsKeptAtAFullVocabulary) {
  constexpr uint32_t size = 128256, rows = 20;
  Bench bench(size, 128000, rows);
  std::vector<float> row(size, 0.f);
  for (uint32_t i = 0; i < size; ++i)
    row[i] = -0.0001f * static_cast<float>(i * 7919 % size);
  std::vector<float> values;
  for (uint32_t i = 0; i < rows; ++i)
    values.insert(values.end(), row.begin(), row.end());
  Sampling sampling;
  sampling.temperature = 1;
  sampling.topK = 3;
  std::vector<Choice> choices(rows);
  for (uint32_t i = 0; i < rows; ++i) {
    choices[i].sampling = &sampling;
    choices[i].seed = i;
  }
  std::set<uint32_t> kept, found;
  for (const KeptToken &token :
       keepOnHost(row.data(), 128000, makeSamplerRow(sampling, 0, 0), nullptr))
    kept.insert(token.id);
  EXPECT_EQ(kept.size(), 3u);
  for (int32_t id : bench.run(values, choices))
    found.insert(static_cast<uint32_t>(id));
  EXPECT_EQ(found, kept);
}

TEST(SamplerKernel, LogProbabilitiesAgreeWithTheTwin) {
  for (uint32_t size : {7u, 3000u, 32003u}) {
    uint32_t rows = 4;
    Bench bench(size, size - 1, rows,
                size < 10000 ? observed(size) : EmulatorOptions());
    std::mt19937 random(size);
    std::vector<float> values;
    for (float spread : {0.f, 1.f, 4.f, 50.f}) {
      std::vector<float> row = randomRow(random, size, spread);
      values.insert(values.end(), row.begin(), row.end());
    }
    values[size] = inf;
    values[size + 1] = nan;
    values[size + 2] = -inf;
    Sampling drawn;
    drawn.temperature = 1;
    for (uint32_t count : {0u, 1u, 5u, 20u}) {
      std::vector<Choice> choices(rows);
      for (uint32_t i = 0; i < rows; ++i) {
        choices[i].logProbabilities = count;
        choices[i].target = static_cast<int32_t>(i);
      }
      choices[3].sampling = &drawn;
      choices[3].target = -1;
      choices[2].logProbabilities.reset();
      std::vector<int32_t> got = bench.run(values, choices);
      ASSERT_EQ(bench.probabilities.size(), rows);
      for (uint32_t i : {0u, 1u, 3u}) {
        LogProbabilityRow twin =
            logProbabilitiesOnHost(&values[i * size], size,
                                   i == 3 ? got[3] : choices[i].target, count);
        const LogProbabilityRow &row = bench.probabilities[i];
        EXPECT_EQ(row.total, twin.total);
        EXPECT_EQ(row.max, twin.max);
        EXPECT_EQ(std::memcmp(&row.target, &twin.target, 4), 0);
        for (uint32_t j = 0; j < std::min(count, size); ++j) {
          EXPECT_EQ(row.ids[j], twin.ids[j]) << j;
          EXPECT_EQ(std::memcmp(&row.logits[j], &twin.logits[j], 4), 0) << j;
        }
      }
    }
  }
}

} // namespace
