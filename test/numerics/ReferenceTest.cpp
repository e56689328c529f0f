// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The numeric suite can fail: every mutant is caught, and the models' seeds
// give attention that matters and choices that are clear.
#include "test/models/TestModels.h"
#include "test/numerics/Contract.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

using namespace llrt;
using namespace llrt::test;
using reference::Mutant;
using reference::Rounding;

namespace {
constexpr int64_t tokens = 96; ///< a page and a half

reference::Model make(const TestModel &model, const reference::Tensors &tensors,
                      Rounding rounding, Mutant mutant = Mutant::None) {
  Result<reference::Model> result =
      reference::Model::create(model.config, tensors, rounding, mutant);
  EXPECT_TRUE(result) << result.error().message();
  return *result;
}

/// Logits of every position of one prompt; the second chunk makes a chunk's
/// edge.
Logits run(const reference::Model &model, const std::vector<int32_t> &ids,
           int64_t firstChunk) {
  reference::Sequence sequence = model.sequence();
  Logits logits = model.run(sequence, {ids.begin(), ids.begin() + firstChunk},
                            reference::Rows::All, ids.size());
  for (std::vector<double> &row :
       model.run(sequence, {ids.begin() + firstChunk, ids.end()}))
    logits.push_back(std::move(row));
  return logits;
}
} // namespace

/// A mutant of a scaling changes only models that have it.
static bool concerns(Mutant mutant, const reference::Config &config) {
  using reference::RopeScaling;
  if (mutant == Mutant::BiasDropped)
    return config.attentionBias || config.mlpBias;
  if (mutant == Mutant::LinearIgnored)
    return config.ropeScaling == RopeScaling::Linear;
  if (mutant == Mutant::Llama3Ignored || mutant == Mutant::Llama3NoSmoothing)
    return config.ropeScaling == RopeScaling::Llama3;
  if (mutant == Mutant::DynamicIgnored || mutant == Mutant::DynamicByPosition)
    return config.ropeScaling == RopeScaling::Dynamic;
  if (mutant == Mutant::YarnIgnored || mutant == Mutant::YarnFactorDropped)
    return config.ropeScaling == RopeScaling::Yarn;
  if (mutant == Mutant::AlibiIgnored || mutant == Mutant::AlibiPowerSlopes)
    return config.alibi;
  if (mutant == Mutant::WindowIgnored || mutant == Mutant::WindowOneMore ||
      mutant == Mutant::WindowOneLess)
    return config.window != 0;
  return mutant != Mutant::HeadUntied || config.tiedHead;
}

// Each mutant misses the contract's bound for bf16, the widest, by 3 times on
// some model.
TEST(Mutants, EachIsCaught) {
  std::vector<double> caught(static_cast<size_t>(Mutant::Count), 0.0);
  std::vector<std::string> by(caught.size());
  for (const TestModel &model : testModels()) {
    if (model.config.vocabSize > 1000)
      continue; // the head would take most of the time
    const reference::Tensors tensors = makeTensors(model);
    const std::vector<int32_t> ids = promptIds(model.config, tokens);
    const Expectation expectation(
        run(make(model, tensors, Rounding::None), ids, 40),
        run(make(model, tensors, Rounding::BF16), ids, 40));
    for (size_t m = 1; m < caught.size(); ++m) {
      const Mutant mutant = static_cast<Mutant>(m);
      if (!concerns(mutant, model.config))
        continue;
      const Verdict verdict =
          judge(expectation,
                run(make(model, tensors, Rounding::None, mutant), ids, 40));
      if (verdict.meanRatio > caught[m]) {
        caught[m] = verdict.meanRatio;
        by[m] = model.name;
      }
    }
  }
  for (size_t m = 1; m < caught.size(); ++m) {
    std::printf("%-20s %6.1f times the bound on %s\n",
                name(static_cast<Mutant>(m)), caught[m], by[m].c_str());
    EXPECT_GT(caught[m], 3.0) << name(static_cast<Mutant>(m));
  }
}

TEST(Models, SeedsMeetTheConditions) {
  for (const TestModel &model : testModels()) {
    const reference::Tensors tensors = makeTensors(model);
    const std::vector<int32_t> ids = promptIds(
        model.config, std::min<int64_t>(tokens, model.testedPositions()));
    const reference::Model exact = make(model, tensors, Rounding::None);
    reference::Sequence sequence = exact.sequence();
    const Logits logits = exact.run(sequence, ids);
    for (Rounding rounding : {Rounding::BF16, Rounding::F16}) {
      const reference::Model twin = make(model, tensors, rounding);
      reference::Sequence other = twin.sequence();
      const Expectation expectation(logits, twin.run(other, ids));
      std::printf(
          "%-16s %s E %.2e  argmax covered at %zu of %zu steps  entropy %.2f\n",
          model.name.c_str(), rounding == Rounding::BF16 ? "bf16" : "f16 ",
          expectation.meanTwinError, expectation.coveredSteps(), logits.size(),
          sequence.lastRowEntropy());
      EXPECT_GE(2 * expectation.coveredSteps(), logits.size()) << model.name;
      EXPECT_GT(expectation.meanTwinError, 0.0);
      EXPECT_LT(expectation.meanTwinError,
                rounding == Rounding::BF16 ? 0.05 : 0.006)
          << model.name;
    }
    EXPECT_LT(sequence.lastRowEntropy(), 0.85) << model.name;
  }
}

// A chunk's length and the order of chunks change nothing.
TEST(Reference, ChunksDoNotMatter) {
  for (const char *name : {"gqa-tied", "dynamic-mha", "window-gqa"}) {
    const TestModel &model = *findTestModel(name);
    const reference::Tensors tensors = makeTensors(model);
    const std::vector<int32_t> ids = promptIds(model.config, tokens);
    for (Rounding rounding : {Rounding::None, Rounding::BF16, Rounding::F16}) {
      const reference::Model instance = make(model, tensors, rounding);
      const Logits whole = run(instance, ids, tokens - 1);
      EXPECT_EQ(whole, run(instance, ids, 1)) << name;
      EXPECT_EQ(whole, run(instance, ids, 65)) << name;
    }
  }
}

TEST(Reference, NamesTheTensorThatIsWrong) {
  const TestModel &model = *findTestModel("dim8");
  reference::Tensors tensors = makeTensors(model);
  tensors["model.norm.weight"].shape = {63};
  Result<reference::Model> wrong =
      reference::Model::create(model.config, tensors);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message(),
            "reference: tensor 'model.norm.weight' has another shape than the "
            "configuration says");
  tensors.erase("model.norm.weight");
  Result<reference::Model> missing =
      reference::Model::create(model.config, tensors);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message(),
            "reference: tensor 'model.norm.weight' is missing");
}

TEST(Rounding, BF16) {
  auto bf16 = [](double value) {
    return reference::roundTo(Rounding::BF16, value);
  };
  EXPECT_EQ(bf16(1.0), 1.0);
  EXPECT_EQ(bf16(1.0 + 1.0 / 256), 1.0); // a tie goes to the even significand
  EXPECT_EQ(bf16(1.0 + 3.0 / 256), 1.0 + 4.0 / 256); // also upwards
  EXPECT_EQ(bf16(-1.0 - 1.1 / 256), -1.0 - 2.0 / 256);
  EXPECT_EQ(bf16(1.9999), 2.0);
  EXPECT_EQ(bf16(1e39), INFINITY);
  EXPECT_EQ(bf16(0x1p-133), 0x1p-133); // the smallest subnormal
  EXPECT_EQ(bf16(0x1p-135), 0.0);
}

TEST(Rounding, F16) {
  auto f16 = [](double value) {
    return reference::roundTo(Rounding::F16, value);
  };
  EXPECT_EQ(f16(65504.0), 65504.0);
  EXPECT_EQ(f16(65519.0), 65504.0);
  EXPECT_EQ(f16(65520.0), INFINITY);
  EXPECT_EQ(f16(1.0 + 0x1p-11), 1.0);
  EXPECT_EQ(f16(0x1p-24), 0x1p-24);
  EXPECT_EQ(f16(0x1.8p-24), 0x1p-23); // a tie among subnormals
  EXPECT_EQ(f16(0x1p-25), 0.0);
  const double row[] = {1e4, -3e4, 12.0};
  const double scale = reference::operandScale(Rounding::F16, row, 3);
  EXPECT_GE(3e4 * scale, 1.0);
  EXPECT_LT(3e4 * scale, 2.0);
  EXPECT_EQ(reference::operandScale(Rounding::BF16, row, 3), 1.0);
}

// Streamed from its tensors, a model says what it says from memory, but for the
// order of its sums; and the same bits with every number of threads.
TEST(Streamed, SaysTheSame) {
  for (const TestModel &model : testModels()) {
    if (model.config.vocabSize > 1000)
      continue;
    const reference::Tensors tensors = makeTensors(model);
    const reference::TensorsInMemory source(tensors);
    const std::vector<int32_t> ids = promptIds(model.config, 9);
    for (Rounding rounding : {Rounding::None, Rounding::F16}) {
      if (rounding != Rounding::None && model.name != "hidden172")
        continue;
      const Logits resident = run(make(model, tensors, rounding), ids, 6);
      Logits first;
      for (unsigned threads : {1u, 3u}) {
        Result<reference::Model> streamed =
            reference::Model::stream(model.config, source, rounding, threads);
        ASSERT_TRUE(streamed) << streamed.error().message();
        const Logits logits = run(*streamed, ids, 6);
        if (first.empty())
          first = logits;
        EXPECT_EQ(logits, first) << model.name << ", threads " << threads;
      }
      ASSERT_EQ(first.size(), resident.size());
      for (size_t row = 0; row < first.size(); ++row)
        for (size_t i = 0; i < first[row].size(); ++i)
          ASSERT_NEAR(first[row][i], resident[row][i], 1e-10)
              << model.name << " row " << row << " logit " << i;
    }
  }
}
