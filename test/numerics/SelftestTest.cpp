// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// --selftest finds what is wrong, and where: one altered weight of a layer is
// that layer's, another model of the same shape is found although its file's
// header fits. That executables of every kind of model pass is ContractTest's.
#include "runtime/PieceHash.h"
#include "runtime/TensorTable.h"
#include "test/models/TestModels.h"
#include "test/numerics/CompiledModel.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

using namespace llrt;
using namespace llrt::test;

namespace {

using Bytes = std::vector<uint8_t>;

Bytes readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void writeFile(const std::string &path, const Bytes &bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char *>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

class SelftestTest : public testing::Test {
protected:
  void SetUp() override {
    folder = testing::TempDir() + "selftest-" + std::to_string(getpid());
    std::filesystem::create_directories(folder);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  int shell(const std::string &command) {
    const int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  /// FOLDER/`name`, with its weights beside it.
  void compile(const TestModel &model, const std::string &name,
               const std::string &options) {
    Error error = writeFolder(model, folder + "/model");
    ASSERT_FALSE(error) << error.message();
    const std::string command =
        std::string(LLAMAC_BINARY_DIR) + "/bin/llamac " + folder +
        "/model -q --max-batch 2 " + options + " -o " + folder + "/" + name;
    ASSERT_EQ(shell(command), 0) << command;
  }
  std::unique_ptr<CompiledModel> open(const std::string &name) {
    Result<std::unique_ptr<Executable>> file =
        Executable::open(folder + "/" + name);
    EXPECT_TRUE(file) << file.error().message();
    // Many runs: ContractTest has them checked.
    Result<std::unique_ptr<CompiledModel>> opened =
        CompiledModel::open(std::move(*file), {},
                            CompiledModel::environmentsGpu(), /*check=*/false);
    EXPECT_TRUE(opened) << opened.error().message();
    return opened ? std::move(*opened) : nullptr;
  }
  /// Runs FOLDER/`name` --selftest; its JSON object.
  nlohmann::json selftest(const std::string &name, int status,
                          const std::string &options = "") {
    const char *device = std::getenv("LLAMAC_TEST_DEVICE");
    EXPECT_EQ(shell(folder + "/" + name + " --selftest --json --device " +
                    (device ? device : "emulator") + " " + options + " >" +
                    folder + "/out 2>" + folder + "/err"),
              status);
    std::ifstream out(folder + "/out"), err(folder + "/err");
    message = {std::istreambuf_iterator<char>(err), {}};
    return nlohmann::json::parse(
        std::string(std::istreambuf_iterator<char>(out), {}), nullptr, false);
  }

  std::string folder, message;
};

/// "layer 1" and "layer 3" for faults there.
std::vector<std::string> drifting(const SelftestReport &report) {
  std::vector<std::string> names;
  for (const SelftestPart &part : report.parts)
    if (!part.holds)
      names.push_back(part.name);
  return names;
}

} // namespace

// One weight of one matrix, its sign turned; or a tile of it, zero. Nothing but
// its layer drifts, and with it the whole run may.
TEST_F(SelftestTest, NamesTheLayerOfAWeight) {
  TestModel model = *findTestModel("dim8"); // three layers
  compile(model, "exe", "--dtype bf16");
  std::unique_ptr<CompiledModel> opened = open("exe");
  ASSERT_TRUE(opened);
  Result<std::unique_ptr<Executable>> file = Executable::open(folder + "/exe");
  ASSERT_TRUE(file);
  const Executable &executable = **file;
  const LlamacPlanHeader &plan = executable.plan();
  const Bytes good(executable.weights().begin(), executable.weights().end());
  Result<TensorTable> table = TensorTable::read(
      executable.tensors(), plan.dtype, plan.weights_bytes, "table");
  ASSERT_TRUE(table);
  size_t found = 0, tried = 0, missed = 0;
  for (const LlamacStream &stream : table->streams()) {
    const std::string name = table->name(table->sources(stream)[0]);
    int layer = -1;
    if (std::sscanf(name.c_str(), "model.layers.%d.", &layer) != 1)
      continue;
    const std::string expected = "layer " + std::to_string(layer);
    // The largest of the first tile, or of the vector: rows and columns that
    // are there.
    uint64_t largest = 0;
    const uint64_t count = stream.order == LLAMAC_VECTOR ? stream.k : 64;
    auto magnitude = [&](uint64_t i) {
      uint16_t bits;
      std::memcpy(&bits, &good[stream.offset + 2 * i], 2);
      return bits & 0x7fff;
    };
    for (uint64_t i = 0; i < count; ++i)
      if (magnitude(i) > magnitude(largest))
        largest = i;
    Bytes turned = good;
    turned[stream.offset + 2 * largest + 1] ^= 0x80;
    Bytes zeroed = good;
    std::memset(&zeroed[stream.offset], 0,
                stream.order == LLAMAC_VECTOR ? 2 * stream.k : 8192);
    for (const Bytes &bad : {turned, zeroed}) {
      Result<SelftestReport> report = opened->selftest(bad);
      ASSERT_TRUE(report) << report.error().message();
      std::vector<std::string> names = drifting(*report);
      ++tried;
      if (names.empty()) { // below what rounding costs this layer
        EXPECT_EQ(&bad == &zeroed, false);
        ++missed;
        std::printf("  one weight of %s moves nothing by more than rounding\n",
                    name.c_str());
        continue;
      }
      EXPECT_FALSE(report->passed());
      EXPECT_EQ(names[0], expected) << name;
      EXPECT_EQ(report->failure().find(expected + " drifts first"), 0u)
          << report->failure();
      // No other layer: each is given what the reference's got.
      for (size_t i = 1; i < names.size(); ++i)
        EXPECT_EQ(names[i], "whole run") << name;
      ++found;
    }
  }
  std::printf("  %zu of %zu faults found\n", found, tried);
  EXPECT_EQ(found + missed, tried);
  EXPECT_GE(found, tried - 2);
  // And with the right weights in the same place it passes.
  Result<SelftestReport> report = opened->selftest(good);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_TRUE(report->passed()) << report->failure();
}

// Files beside the executable. One of another training is refused by its hash;
// where even that was made to fit, the self-test says what is wrong.
TEST_F(SelftestTest, FindsAnotherModelsWeights) {
  TestModel model = *findTestModel("gqa-tied");
  const std::string options = "--split-weights --dtype bf16";
  compile(model, "first", options);
  TestModel other = model;
  other.seed += 100;
  compile(other, "second", options);
  EXPECT_EQ(selftest("first", 0)["selftest"], "passed") << message;
  const std::string theirs = "--weights " + folder + "/second.weights";
  selftest("first", 1, theirs);
  EXPECT_NE(message.find("holds other weights than those"), std::string::npos)
      << message;

  // A plan that names the hash of the second file, with its own hash right.
  Bytes first = readFile(folder + "/first"),
        second = readFile(folder + "/second");
  auto planOf = [](Bytes &bytes) -> LlamacPlanHeader * {
    for (size_t at = 0; at + sizeof(LlamacPlanHeader) <= bytes.size();
         at += 4096) {
      auto *header = reinterpret_cast<LlamacPlanHeader *>(&bytes[at]);
      if (header->magic == LLAMAC_PLAN_MAGIC)
        return header;
    }
    return nullptr;
  };
  LlamacPlanHeader *plan = planOf(first);
  ASSERT_TRUE(plan && planOf(second));
  plan->weights.hash = planOf(second)->weights.hash;
  plan->plan_hash = 0;
  plan->plan_hash = XXH3_64bits(plan, plan->plan_bytes);
  writeFile(folder + "/forged", first);
  std::filesystem::permissions(folder + "/forged",
                               std::filesystem::perms::owner_all);
  nlohmann::json report = selftest("forged", 1, theirs);
  EXPECT_EQ(report["selftest"], "failed");
  EXPECT_EQ(report["first_drift"], "embedding");
  for (const nlohmann::json &part : report["parts"])
    EXPECT_EQ(part["holds"], false) << part;
  EXPECT_NE(message.find("embedding drifts first (5 of 5 parts do)"),
            std::string::npos)
      << message;
}

// Where there are no values the executable says why.
TEST_F(SelftestTest, SaysWhyThereAreNoValues) {
  TestModel model = *findTestModel("one-head");
  compile(model, "exe", "--no-selftest");
  selftest("exe", 1);
  EXPECT_NE(message.find("compiled with --no-selftest"), std::string::npos)
      << message;
  compile(model, "exe", "--no-weights");
  selftest("exe", 1);
  EXPECT_NE(message.find("compiled with --no-weights"), std::string::npos)
      << message;
}
