// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The example model: the reference tells the story that Hugging Face
// transformers tells, and the model's choices are clear enough to be checked.
#include "test/models/HuggingFaceFolder.h"
#include "test/numerics/Contract.h"

#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace llrt;
using namespace llrt::test;

namespace {
const std::string root =
    std::string(LLAMAC_SOURCE_DIR) + "/examples/storyteller";

struct Golden {
  std::vector<int32_t> prompt, output;
};
Golden readGolden() {
  std::ifstream file(root + "/greedy.json");
  const nlohmann::json record = nlohmann::json::parse(file);
  return {record["prompt_ids"], record["output_ids"]};
}
} // namespace

TEST(ExampleModel, ReferenceTellsTheGoldenStory) {
  Result<HuggingFaceFolder> folder = readFolder(root + "/model");
  ASSERT_TRUE(folder) << folder.error().message();
  Result<reference::Model> model =
      reference::Model::create(folder->config, folder->tensors);
  ASSERT_TRUE(model) << model.error().message();
  const Golden golden = readGolden();
  ASSERT_EQ(golden.output.size(), 200u);
  EXPECT_EQ(greedyTokens(*model, golden.prompt, 200), golden.output);
}

TEST(ExampleModel, ChoicesAreClear) {
  Result<HuggingFaceFolder> folder = readFolder(root + "/model");
  ASSERT_TRUE(folder) << folder.error().message();
  const Golden golden = readGolden();
  std::vector<int32_t> ids = golden.prompt;
  ids.insert(ids.end(), golden.output.begin(), golden.output.end());
  auto run = [&](reference::Rounding rounding) {
    Result<reference::Model> model =
        reference::Model::create(folder->config, folder->tensors, rounding);
    reference::Sequence sequence = model->sequence();
    return model->run(sequence, ids);
  };
  const Logits logits = run(reference::Rounding::None);
  for (reference::Rounding rounding :
       {reference::Rounding::BF16, reference::Rounding::F16}) {
    const Expectation expectation(logits, run(rounding));
    std::printf("%s E %.2e  argmax covered at %zu of %zu steps\n",
                rounding == reference::Rounding::BF16 ? "bf16" : "f16",
                expectation.meanTwinError, expectation.coveredSteps(),
                logits.size());
    EXPECT_GE(2 * expectation.coveredSteps(), logits.size());
  }
}
