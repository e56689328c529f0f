// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Whole models through import, fuse and llama-to-linalg, in f32, against what
// Hugging Face transformers computed: what the IR means, with no kernel in
// sight.
#include "test/fuse/LinalgModel.h"

#include "compiler/import/Json.h"
#include "test/models/HuggingFaceFolder.h"
#include "test/models/TestModels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

namespace mlir::llama::test {
namespace {

Json readJson(const std::string &path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  auto parsed = parseJsonObject(text.str(), path);
  EXPECT_TRUE(bool(parsed)) << path;
  return parsed ? *parsed : Json();
}

struct Case {
  const char *model;
  bool fused;
};
void PrintTo(const Case &test, std::ostream *out) {
  *out << test.model << (test.fused ? ", fused" : ", unfused");
}

class GoldenLogits : public testing::TestWithParam<Case> {};

/// The relative L2 error over the vocabulary is at most 1e-4 at every position
/// of the golden file: the bound of docs/numerics.md for f32.
TEST_P(GoldenLogits, PrefillGivesThem) {
  const std::string name = GetParam().model;
  const std::string golden =
      std::string(LLAMAC_SOURCE_DIR) + "/test/golden/" + name;
  Json record = readJson(golden + ".json");
  auto expected = llrt::test::readNpy(golden + ".npy");
  ASSERT_TRUE(bool(expected));

  const std::string folder = testing::TempDir() + "linalg-" + name;
  const auto *description = llrt::test::findTestModel(name);
  ASSERT_NE(description, nullptr);
  ASSERT_FALSE(bool(llrt::test::writeFolder(*description, folder)));
  auto ids = record["ids"].get<std::vector<int32_t>>();
  // What is decoded behind the prompt is the numeric tests' part.
  ids.resize(record.value("prompt", ids.size()));
  auto model = LinalgModel::create(folder, GetParam().fused, ids.size());
  ASSERT_NE(model, nullptr);

  std::vector<float> logits = model->prefill(ids);
  auto positions = record["positions"].get<std::vector<int64_t>>();
  auto stride = record["stride"].get<int64_t>();
  ASSERT_EQ(int64_t(positions.size()), expected->rows);
  for (size_t row = 0; row < positions.size(); ++row) {
    if (positions[row] >= int64_t(ids.size()))
      break;
    double error = 0, size = 0;
    for (int64_t column = 0; column < expected->columns; ++column) {
      double want = expected->values[row * expected->columns + column];
      double got =
          logits[positions[row] * model->getVocabSize() + column * stride];
      error += (got - want) * (got - want);
      size += want * want;
    }
    EXPECT_LE(std::sqrt(error / size), 1e-4)
        << "at position " << positions[row];
  }
}

INSTANTIATE_TEST_SUITE_P(
    Models, GoldenLogits,
    testing::Values(Case{"gqa-tied", false}, Case{"gqa-tied", true},
                    Case{"mha-separate", true}, Case{"mqa-dim48", true},
                    Case{"small-residual", true}, Case{"bias-gqa", false},
                    Case{"bias-gqa", true}, Case{"dynamic-mha", true},
                    Case{"yarn-gqa", true}, Case{"alibi-gqa12", true},
                    Case{"window-gqa", true}));

/// Prefill of the prompt and then decode, token by token, gives the story.
TEST(Storyteller, TellsItsGoldenStory) {
  const std::string folder =
      std::string(LLAMAC_SOURCE_DIR) + "/examples/storyteller";
  Json golden = readJson(folder + "/greedy.json");
  auto prompt = golden["prompt_ids"].get<std::vector<int32_t>>();
  auto story = golden["output_ids"].get<std::vector<int32_t>>();
  ASSERT_EQ(story.size(), 200u);
  auto model = LinalgModel::create(folder + "/model", /*fused=*/true,
                                   prompt.size() + story.size());
  ASSERT_NE(model, nullptr);

  int32_t last = prompt.back();
  prompt.pop_back();
  model->prefill(prompt);
  std::vector<int32_t> told;
  for (size_t step = 0; step < story.size(); ++step)
    told.push_back(last = model->decode(last));
  EXPECT_EQ(told, story);
}

} // namespace
} // namespace mlir::llama::test
