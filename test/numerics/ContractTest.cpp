// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every small random model and the example model, compiled in bf16 and, where
// the code differs, in f16 and f32, and run on the emulator, keeps the numerics
// contract: at every prompt length around the edges of KV pages and the
// compiled maximum, for every chunk size, alone and in a batch, and the same
// bits every time. Nothing that is compiled here spills.
#include "test/models/HuggingFaceFolder.h"
#include "test/models/TestModels.h"
#include "test/numerics/Oracle.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <unistd.h>

using namespace llrt;
using namespace llrt::test;

namespace {
constexpr const char *exampleName = "storyteller";
constexpr size_t pageTokens = LLAMAC_PAGE_TOKENS;
constexpr size_t randomIds =
    48; ///< with which a random model's sequence starts

/// `check.sh --long` crosses all models, types and chips, and has the emulator
/// check every run.
bool everything() {
  const char *mode = std::getenv("LLAMAC_TEST_MODE");
  return mode && std::string(mode) == "long";
}

struct Case {
  std::string model;
  LlamacDtype dtype;
  std::string gpu = "h200";
};
const char *dtypeName(LlamacDtype dtype) {
  return dtype == LLAMAC_BF16 ? "bf16" : dtype == LLAMAC_F16 ? "f16" : "f32";
}

/// By transformers: examples/storyteller/check_stories.py.
std::vector<int32_t> golden(const char *key) {
  std::ifstream file(std::string(LLAMAC_SOURCE_DIR) +
                     "/examples/storyteller/greedy.json");
  return nlohmann::json::parse(file)[key];
}

/// A folder of this process: ctest runs several shards at once.
std::string scratch() {
  static const std::string path =
      testing::TempDir() + "contract-" + std::to_string(getpid());
  std::filesystem::create_directories(path);
  return path;
}
struct Scratch : testing::Environment {
  void TearDown() override { std::filesystem::remove_all(scratch()); }
};
const auto *const cleaning = testing::AddGlobalTestEnvironment(new Scratch);

/// Has a sequence of 400 tokens: seven pages and two splits of the KV length.
bool isLong(const Case &one) {
  return one.model == "mha-separate" || one.model == "gqa-tied" ||
         (one.model == "window-gqa" && one.dtype == LLAMAC_BF16) ||
         (one.model == exampleName && everything());
}

/// What a failure prints of its parameter.
void PrintTo(const Case &one, std::ostream *out) {
  *out << one.model << " in " << dtypeName(one.dtype) << " for " << one.gpu;
}

class Contract : public testing::TestWithParam<Case> {
protected:
  /// The folder, its sequence and its twins, kept for the three builds of a
  /// model.
  struct Prepared {
    std::string folder, stem; ///< stem: where executables are put
    std::string options;      ///< of llamac, where the model needs some
    size_t promptTokens =
        0; ///< of the oracle's sequence; the rest is its own choice
    std::unique_ptr<Oracle> oracle;
  };

  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(prepare());
    const std::string out =
        prepared->stem + "." + dtypeName(GetParam().dtype) + ".exe";
    const std::string command =
        std::string(LLAMAC_BINARY_DIR) + "/bin/llamac " + prepared->folder +
        " --dtype " + dtypeName(GetParam().dtype) + " --max-batch 4 --gpu " +
        GetParam().gpu + prepared->options + " -o " + out + " 2>" + out +
        ".log";
    const int status = std::system(command.c_str());
    std::ifstream log(out + ".log");
    const std::string said{std::istreambuf_iterator<char>(log), {}};
    ASSERT_EQ(status, 0) << command << "\n" << said;
    EXPECT_EQ(said.find("spills"), std::string::npos) << said;
    // The emulator's checks take some seven times as long: they have runs of
    // their own. Kernels for other GPUs have no others.
    ASSERT_NO_FATAL_FAILURE(
        open(out, everything() || GetParam().gpu != "h200", model));
    if (!everything() && GetParam().gpu == "h200" &&
        GetParam().dtype == LLAMAC_BF16 && GetParam().model != exampleName &&
        CompiledModel::environmentsGpu() < 0)
      ASSERT_NO_FATAL_FAILURE(open(out, true, observed));
    std::filesystem::remove(out);
  }

  void open(const std::string &path, bool checks,
            std::unique_ptr<CompiledModel> &opened) {
    Result<std::unique_ptr<Executable>> executable = Executable::open(path);
    ASSERT_TRUE(executable) << executable.error().message();
    EXPECT_EQ((*executable)->ptx().find(".local"), std::string::npos)
        << "a kernel has a stack";
    Result<std::unique_ptr<CompiledModel>> made = CompiledModel::open(
        std::move(*executable), {}, CompiledModel::environmentsGpu(), checks);
    ASSERT_TRUE(made) << made.error().message();
    opened = std::move(*made);
  }

  void prepare() {
    static std::map<std::string, Prepared> known;
    prepared = &known[GetParam().model];
    if (prepared->oracle)
      return;
    const bool example = GetParam().model == exampleName;
    prepared->stem = scratch() + "/" + GetParam().model;
    prepared->folder =
        example ? std::string(LLAMAC_SOURCE_DIR) + "/examples/storyteller/model"
                : prepared->stem;
    if (!example) {
      Error error =
          writeFolder(*findTestModel(GetParam().model), prepared->folder);
      ASSERT_FALSE(error) << error.message();
      if (int64_t longest = findTestModel(GetParam().model)->longest)
        prepared->options =
            " --allow-long --max-seq-len " + std::to_string(longest);
    }
    Result<HuggingFaceFolder> folder = readFolder(prepared->folder);
    ASSERT_TRUE(folder) << folder.error().message();
    // The example model's golden prompt, or random ids; then its own choices.
    const std::vector<int32_t> prompt =
        example ? golden("prompt_ids") : promptIds(folder->config, randomIds);
    prepared->promptTokens = prompt.size();
    Result<std::unique_ptr<Oracle>> oracle = Oracle::create(
        folder->config, std::move(folder->tensors), prompt,
        example ? folder->config.maxPositions
                : findTestModel(GetParam().model)->testedPositions());
    ASSERT_TRUE(oracle) << oracle.error().message();
    prepared->oracle = std::move(*oracle);
  }

  size_t maximum() const { return model->plan().max_seq_len; }
  FloatLogits logitsOf(const ForcedRun &run) { return logitsOf(*model, run); }
  FloatLogits logitsOf(CompiledModel &model, const ForcedRun &run) {
    Result<FloatLogits> logits = model.run(run);
    EXPECT_TRUE(logits) << logits.error().message();
    return logits ? std::move(*logits) : FloatLogits();
  }
  void check(const std::string &what, size_t prompt,
             const FloatLogits &logits) {
    const Verdict verdict =
        prepared->oracle->judge(GetParam().dtype, prompt, logits);
    EXPECT_TRUE(verdict.holds()) << what << ": " << verdict.text();
    std::printf("  %-28s %s\n", what.c_str(), verdict.text().c_str());
    covered += verdict.covered;
    steps += logits.size();
  }
  /// The executable's own check: the reference that llamac ran over the mapped
  /// checkpoint, against these kernels.
  void checkSelftest() {
    Result<SelftestReport> report = (observed ? observed : model)->selftest();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_TRUE(report->passed()) << report->failure();
    EXPECT_EQ(report->parts.size(), model->plan().layers + 3u);
    double closest = 0;
    for (const SelftestPart &part : report->parts)
      closest = std::max(closest, part.deviation / part.bound);
    std::printf("  selftest: %.2f of its bounds\n", closest);
  }
  /// Runs that together launch every kernel at every kind of edge: the checks
  /// find nothing, and change no bit.
  void observe(const std::vector<ForcedRun> &runs,
               const std::vector<FloatLogits> &unobserved) {
    Result<std::vector<FloatLogits>> batch = observed->runBatch(runs);
    ASSERT_TRUE(batch) << batch.error().message();
    EXPECT_EQ(*batch, unobserved) << "other bits under observation";
    // Decoding over a page, and over a split of the length where there is one.
    const size_t most = std::min<size_t>(maximum(), 262);
    for (auto [length, forced] :
         {std::pair<size_t, size_t>{1, 2}, {pageTokens + 1, 1}, {most - 8, 5}})
      check("observed prompt of " + std::to_string(length), length,
            logitsOf(*observed, prepared->oracle->run(length, forced)));
    Error error = observed->setChunk(7);
    ASSERT_FALSE(error) << error.message();
    check("observed chunks of 7", pageTokens + 2,
          logitsOf(*observed, prepared->oracle->run(pageTokens + 2, 1)));
  }
  void TearDown() override {
    if (steps) {
      std::printf("  argmax covered at %zu of %zu steps\n", covered, steps);
      EXPECT_GE(2 * covered, steps);
    }
  }

  Prepared *prepared = nullptr;
  std::unique_ptr<CompiledModel> model;
  /// The same with the emulator's checks; null where `model` has them or
  /// another type's build has.
  std::unique_ptr<CompiledModel> observed;
  size_t covered = 0, steps = 0;
};
} // namespace

TEST_P(Contract, Holds) {
  checkSelftest();
  const Oracle &oracle = *prepared->oracle;
  const size_t max = maximum();
  const bool example = GetParam().model == exampleName;
  // The example is large: in f16 and f32 it has a share, unless all is asked
  // for.
  const bool whole =
      !example || everything() || GetParam().dtype == LLAMAC_BF16;

  // Prompts around the edges, in one piece, and some tokens after each.
  std::vector<size_t> lengths = {1, pageTokens + 1};
  if (whole)
    lengths.insert(lengths.end(), {pageTokens - 1, pageTokens,
                                   2 * pageTokens - 1, 200, max - 1, max});
  lengths.erase(std::remove_if(lengths.begin(), lengths.end(),
                               [&](size_t length) { return length > max; }),
                lengths.end());
  std::sort(lengths.begin(), lengths.end());
  lengths.erase(std::unique(lengths.begin(), lengths.end()), lengths.end());
  for (size_t length : lengths) {
    const size_t forced = std::min<size_t>(max - length, length == 1 ? 24 : 3);
    check("prompt of " + std::to_string(length), length,
          logitsOf(oracle.run(length, forced)));
  }

  // All pages of a long sequence and two splits of its length, token by token.
  if (isLong(GetParam()))
    check("400 tokens one by one", 1, logitsOf(oracle.run(1, 399)));

  // Chunks: each size keeps the contract, and gives the same bits another time
  // and in a batch.
  const size_t chunked = std::min<size_t>(max - 2, pageTokens + 9);
  for (uint32_t chunk : {1u, 7u, 64u}) {
    if (chunk == 1 && !whole)
      continue;
    Error error = model->setChunk(chunk);
    ASSERT_FALSE(error) << error.message();
    const FloatLogits alone = logitsOf(oracle.run(chunked, 2));
    check("chunks of " + std::to_string(chunk), chunked, alone);
    if (chunk != 7 && !everything())
      continue;
    Result<std::vector<FloatLogits>> batch = model->runBatch(
        {oracle.run(9, 1), oracle.run(chunked, 2), oracle.run(1, 3)});
    ASSERT_TRUE(batch) << batch.error().message();
    EXPECT_EQ(alone, (*batch)[1])
        << "chunks of " << chunk << ": other bits in a batch";
  }
  Error error = model->setChunk(0);
  ASSERT_FALSE(error) << error.message();

  // A batch of unequal prompts: each line has the bits that it has alone.
  const std::vector<ForcedRun> runs = {
      oracle.run(5, 8), oracle.run(pageTokens - 2, 6), oracle.run(1, 3),
      oracle.run(pageTokens + 6, 8)};
  Result<std::vector<FloatLogits>> batch = model->runBatch(runs);
  ASSERT_TRUE(batch) << batch.error().message();
  for (size_t i = 0; i < runs.size(); ++i)
    EXPECT_EQ((*batch)[i], logitsOf(runs[i]))
        << "line " << i << " of a batch differs from the same line alone";

  if (observed)
    observe(runs, *batch);

  // What the device chooses, up to the first step that is not covered.
  const size_t prompt = prepared->promptTokens;
  const size_t length = std::min<size_t>(max - prompt, example ? 200 : 24);
  const Expectation expectation =
      prepared->oracle->expect(GetParam().dtype, prompt, prompt + length);
  Result<std::vector<int32_t>> chosen =
      model->greedy(oracle.run(prompt, 0).prompt, length);
  ASSERT_TRUE(chosen) << chosen.error().message();
  size_t equal = 0;
  for (; equal < length && expectation.covers(prompt - 1 + equal); ++equal)
    ASSERT_EQ((*chosen)[equal],
              argmax(expectation.reference[prompt - 1 + equal]))
        << "free-running token " << equal;
  std::printf(
      "  free-running: %zu of %zu tokens before a step that is not covered\n",
      equal, length);
  if (example &&
      GetParam().dtype == LLAMAC_F32) // an error of 1e-6 leaves no choice open
    EXPECT_EQ(*chosen, golden("output_ids"));
}

// Kernels that copy by cp.async (sm_80 to sm_89), and those of sm_120.
class OtherGpus : public Contract {};
TEST_P(OtherGpus, Holds) {
  checkSelftest();
  const Oracle &oracle = *prepared->oracle;
  for (size_t length : {size_t(1), pageTokens + 1})
    check("prompt of " + std::to_string(length), length,
          logitsOf(oracle.run(length, 12)));
  Error error = model->setChunk(64);
  ASSERT_FALSE(error) << error.message();
  const FloatLogits alone = logitsOf(oracle.run(pageTokens + 9, 2));
  check("chunks of 64", pageTokens + 9, alone);
  Result<std::vector<FloatLogits>> batch =
      model->runBatch({oracle.run(9, 1), oracle.run(pageTokens + 9, 2)});
  ASSERT_TRUE(batch) << batch.error().message();
  EXPECT_EQ(alone, (*batch)[1]) << "other bits in a batch";
}

static std::vector<Case> otherGpus() {
  // Each chip, the types and what the kernels branch on.
  std::vector<Case> cases = {{"dim128", LLAMAC_BF16, "a100-80g"},
                             {"yarn-gqa", LLAMAC_F16, "a100-80g"},
                             {"window-mha", LLAMAC_F32, "a100-80g"},
                             {"alibi-gqa12", LLAMAC_BF16, "a100-80g"},
                             {"dim128", LLAMAC_F32, "rtx3090"},
                             {"bias-gqa", LLAMAC_BF16, "rtx4090"},
                             {"gqa-tied", LLAMAC_BF16, "rtx5090"},
                             {"mqa-dim48", LLAMAC_F16, "rtx5090"},
                             {"hidden172", LLAMAC_F32, "rtx5090"},
                             {"dynamic-mha", LLAMAC_BF16, "rtx5090"},
                             {"window-gqa", LLAMAC_BF16, "emulator"}};
  if (!everything())
    return cases;
  for (auto [model, dtype, gpu] :
       {std::tuple{"gqa-tied", LLAMAC_BF16, "a100-80g"},
        {"mqa-dim48", LLAMAC_F16, "a100-80g"},
        {"bias-gqa", LLAMAC_BF16, "a100-80g"},
        {"hidden172", LLAMAC_F32, "a100-80g"},
        {"dim128", LLAMAC_BF16, "rtx5090"},
        {"bias-gqa", LLAMAC_BF16, "rtx5090"},
        {"alibi-mha", LLAMAC_F32, "rtx5090"},
        {"window-gqa", LLAMAC_BF16, "rtx5090"},
        {"vocab32003", LLAMAC_BF16, "rtx4090"}})
    cases.push_back({model, dtype, gpu});
  return cases;
}

static std::vector<Case> cases() {
  std::vector<Case> cases;
  // f16 has the kernels of bf16 with another product and another range; f32 has
  // other tiles. Rows of a shape of their own, biases, masks and angles that
  // follow lengths meet one or both; a table of angles is the same for all.
  const std::map<LlamacDtype, std::set<std::string>> others = {
      {LLAMAC_F16,
       {"gqa-tied", "dim8", "small-residual", "bias-mha", "dynamic-gqa",
        "alibi-mha", "window-mha"}},
      {LLAMAC_F32,
       {"gqa-tied", "mqa-dim48", "dim8", "dim128", "hidden172", "bias-gqa",
        "dynamic-mha", "alibi-gqa12", "window-gqa"}}};
  for (LlamacDtype dtype : {LLAMAC_BF16, LLAMAC_F16, LLAMAC_F32}) {
    for (const TestModel &model : testModels())
      if (everything() || dtype == LLAMAC_BF16 ||
          others.at(dtype).count(model.name))
        cases.push_back({model.name, dtype});
    cases.push_back({exampleName, dtype});
  }
  return cases;
}

static std::string caseName(const testing::TestParamInfo<Case> &info) {
  std::string name = info.param.model + "_" + dtypeName(info.param.dtype);
  if (info.param.gpu != "h200")
    name += "_" + info.param.gpu;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Models, Contract, testing::ValuesIn(cases()),
                         caseName);
INSTANTIATE_TEST_SUITE_P(Models, OtherGpus, testing::ValuesIn(otherGpus()),
                         caseName);
