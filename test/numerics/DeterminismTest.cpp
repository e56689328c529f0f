// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Whatever else is in the batch, a sequence has the bits that it has alone: for
// every number of sequences up to the compiled maximum, with neighbours of
// random lengths that join and leave while it runs.
#include "test/models/TestModels.h"
#include "test/numerics/CompiledModel.h"

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <random>
#include <unistd.h>

using namespace llrt;
using namespace llrt::test;

namespace {

struct Case {
  std::string model, dtype;
};
void PrintTo(const Case &one, std::ostream *out) {
  *out << one.model << " in " << one.dtype;
}

class Determinism : public testing::TestWithParam<Case> {
protected:
  void SetUp() override {
    const std::string folder =
        testing::TempDir() + "determinism-" + std::to_string(getpid());
    config = findTestModel(GetParam().model)->config;
    Error error = writeFolder(*findTestModel(GetParam().model), folder);
    ASSERT_FALSE(error) << error.message();
    const std::string command =
        std::string(LLAMAC_BINARY_DIR) + "/bin/llamac " + folder +
        " -q --no-selftest --allow-long --max-seq-len 160 --dtype " +
        GetParam().dtype + " -o " + folder + "/exe";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    Result<std::unique_ptr<Executable>> executable =
        Executable::open(folder + "/exe");
    ASSERT_TRUE(executable) << executable.error().message();
    std::filesystem::remove_all(folder);
    Result<std::unique_ptr<CompiledModel>> opened =
        CompiledModel::open(std::move(*executable), {},
                            CompiledModel::environmentsGpu(), /*check=*/false);
    ASSERT_TRUE(opened) << opened.error().message();
    model = std::move(*opened);
  }

  /// A run of random ids.
  ForcedRun draw(size_t prompt, size_t forced) {
    auto ids = [&](size_t count) {
      return promptIds(config, static_cast<int64_t>(count), random());
    };
    return {ids(prompt), ids(forced)};
  }
  size_t below(size_t limit) { return random() % limit; }

  reference::Config config;
  std::unique_ptr<CompiledModel> model;
  std::mt19937 random{2718};
};

} // namespace

TEST_P(Determinism, EveryBatchGivesTheBitsOfTheSequenceAlone) {
  constexpr size_t length = 7; // tokens that the watched sequence decodes
  const size_t most = model->plan().max_batch;
  ASSERT_EQ(most, 8u); // what llamac compiles for where nothing is said
  // One whose steps cross a page of the KV cache.
  // Where angles follow lengths, it is past the length at which they begin to.
  const size_t pages =
      config.ropeScaling == reference::RopeScaling::Dynamic ? 2 : 1;
  const ForcedRun watched = draw(pages * LLAMAC_PAGE_TOKENS - 3, length);
  Result<FloatLogits> alone = model->run(watched);
  ASSERT_TRUE(alone) << alone.error().message();
  for (size_t batch = 1; batch <= most; ++batch) {
    std::vector<ForcedRun> runs;
    std::vector<size_t> joins;
    // Each other place has one sequence after another: some are there before
    // the watched one joins, at step 2, and some come and go while it runs.
    for (size_t place = 1; place < batch; ++place)
      for (size_t step = below(3); step < length + 2;) {
        const size_t steps = 1 + below(5);
        runs.push_back(draw(1 + below(20), steps));
        joins.push_back(step);
        step += steps;
      }
    // Its row among theirs is another each time.
    const size_t at = runs.empty() ? 0 : below(runs.size() + 1);
    runs.insert(runs.begin() + at, watched);
    joins.insert(joins.begin() + at, 2);
    Result<std::vector<FloatLogits>> together = model->runBatch(runs, joins);
    ASSERT_TRUE(together) << together.error().message();
    EXPECT_EQ((*together)[at], *alone) << "among " << batch;
    if (batch != most)
      continue;
    for (size_t i = 0; i < runs.size(); ++i) { // the neighbours, too
      Result<FloatLogits> one = model->run(runs[i]);
      ASSERT_TRUE(one) << one.error().message();
      EXPECT_EQ((*together)[i], *one) << "neighbour " << i;
    }
  }
}

static std::vector<Case> cases() {
  std::vector<Case> cases = {
      {"gqa-tied", "bf16"}, {"mqa-dim48", "f16"}, {"hidden172", "f32"}};
  // Where the rotation depends on how long a sequence is, it is the sequence's
  // own length.
  cases.push_back({"dynamic-mha", "bf16"});
  const char *mode = std::getenv("LLAMAC_TEST_MODE");
  if (mode && std::string(mode) == "long")
    cases.push_back({"dynamic-gqa", "bf16"});
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Models, Determinism, testing::ValuesIn(cases()),
                         [](const testing::TestParamInfo<Case> &info) {
                           std::string name =
                               info.param.model + "_" + info.param.dtype;
                           for (char &c : name)
                             if (c == '-')
                               c = '_';
                           return name;
                         });
