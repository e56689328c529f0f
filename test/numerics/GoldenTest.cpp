// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The reference equals Hugging Face transformers on every small random model.
#include "test/models/HuggingFaceFolder.h"
#include "test/models/TestModels.h"
#include "test/numerics/Contract.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

using namespace llrt;
using namespace llrt::test;

namespace {
class Golden : public testing::TestWithParam<std::string> {};

/// The rows of the golden file, as the reference computes them from `tensors`.
void compare(const std::string &name, const reference::Config &config,
             const reference::Tensors &tensors, int64_t chunk) {
  const std::string path =
      std::string(LLAMAC_SOURCE_DIR) + "/test/golden/" + name;
  std::ifstream file(path + ".json");
  const nlohmann::json record = nlohmann::json::parse(file);
  Result<NpyMatrix> golden = readNpy(path + ".npy");
  ASSERT_TRUE(golden) << golden.error().message();
  const std::vector<int32_t> ids = record["ids"];
  const std::vector<int64_t> positions = record["positions"];
  const int64_t stride = record["stride"];
  // Older files were one prompt.
  const size_t prompt = record.value("prompt", ids.size());

  Result<reference::Model> model = reference::Model::create(config, tensors);
  ASSERT_TRUE(model) << model.error().message();
  reference::Sequence sequence = model->sequence();
  Logits logits;
  // The prompt in chunks, and the rest one by one.
  for (size_t at = 0, end; at < ids.size(); at = end) {
    end = at < prompt ? std::min<size_t>(prompt, at + chunk) : at + 1;
    std::vector<int32_t> part(ids.begin() + at, ids.begin() + end);
    for (std::vector<double> &row :
         model->run(sequence, part, reference::Rows::All, prompt))
      logits.push_back(std::move(row));
  }
  ASSERT_EQ(golden->rows, static_cast<int64_t>(positions.size()));
  double worst = 0.0;
  for (size_t r = 0; r < positions.size(); ++r) {
    std::vector<double> mine, theirs;
    for (int64_t c = 0; c < golden->columns; ++c) {
      mine.push_back(logits[positions[r]][c * stride]);
      theirs.push_back(golden->values[r * golden->columns + c]);
    }
    const double error = relativeError(mine, theirs);
    worst = std::max(worst, error);
    EXPECT_LT(error, 1e-5) << name << " position " << positions[r];
  }
  std::printf("%s: worst relative error %.2g over %zu positions\n",
              name.c_str(), worst, positions.size());
  const std::vector<int32_t> greedy = record["greedy"];
  const size_t start = record["greedy_prompt"];
  EXPECT_EQ(
      greedyTokens(*model, {ids.begin(), ids.begin() + start}, greedy.size()),
      greedy)
      << name;
}
} // namespace

TEST_P(Golden, ReferenceEqualsTransformers) {
  const TestModel &model = *findTestModel(GetParam());
  compare(model.name, model.config, makeTensors(model), 1000);
}

// The same through the files, a chunk of 37 tokens at a time.
TEST_P(Golden, FolderAndChunks) {
  const TestModel &model = *findTestModel(GetParam());
  const std::string folder = testing::TempDir() + "golden-" +
                             std::to_string(getpid()) + "-" + model.name;
  Error error = writeFolder(model, folder);
  ASSERT_FALSE(error) << error.message();
  Result<HuggingFaceFolder> read = readFolder(folder);
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(read) << read.error().message();
  compare(model.name, read->config, read->tensors, 37);
}

static std::vector<std::string> names() {
  std::vector<std::string> names;
  for (const TestModel &model : testModels())
    names.push_back(model.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Models, Golden, testing::ValuesIn(names()),
                         [](const auto &info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });
