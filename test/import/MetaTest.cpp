// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Meta's params.json against the published sizes of its models, and folders
// with one thing wrong.
#include "compiler/import/MetaParams.h"

#include <cstdlib>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace mlir::llama;

namespace {

#define EXPECT_SAYS(message, part)                                             \
  EXPECT_NE((message).find(part), std::string::npos) << message

const std::string heads = "\"n_layers\": 2, \"n_heads\": 32, ";

llrt::Result<Config> configOf(const std::string &params,
                              std::vector<std::string> &warnings,
                              std::optional<double> ropeFactor = {}) {
  auto parsed = parseMetaParams(params, "params.json");
  if (!parsed)
    return parsed.error();
  return makeMetaConfig(*parsed, parsed->vocabSize.value_or(32000), false,
                        ropeFactor, "params.json", warnings);
}
std::string messageOf(const std::string &params,
                      std::optional<double> ropeFactor = {}) {
  std::vector<std::string> warnings;
  auto config = configOf(params, warnings, ropeFactor);
  return config ? "" : config.error().message();
}

/// The sizes that the config.json of each model's Hugging Face folder states.
TEST(MetaTest, FfnSizesAreThePublishedOnes) {
  struct {
    const char *params;
    int64_t size;
  } const cases[] = {
      {"\"dim\": 4096, \"multiple_of\": 256", 11008}, // Llama 1 and 2 7B
      {"\"dim\": 5120, \"multiple_of\": 256", 13824}, // 13B
      {"\"dim\": 6656, \"multiple_of\": 256", 17920}, // Llama 1 33B
      {"\"dim\": 8192, \"multiple_of\": 256", 22016}, // Llama 1 65B
      {"\"dim\": 8192, \"multiple_of\": 4096, \"ffn_dim_multiplier\": 1.3",
       28672}, // Llama 2 and 3 70B
      {"\"dim\": 4096, \"multiple_of\": 1024, \"ffn_dim_multiplier\": 1.3",
       14336}, // Llama 3 8B
      {"\"dim\": 16384, \"multiple_of\": 4096, \"ffn_dim_multiplier\": 1.2",
       53248}, // Llama 3.1 405B
      {"\"dim\": 2048, \"multiple_of\": 256, \"ffn_dim_multiplier\": 1.5",
       8192}, // Llama 3.2 1B
      {"\"dim\": 3072, \"multiple_of\": 256, \"ffn_dim_multiplier\": 1.0",
       8192}, // Llama 3.2 3B
  };
  for (auto &each : cases) {
    auto params = parseMetaParams("{" + heads + each.params + "}", "p.json");
    ASSERT_TRUE(params) << params.error().message();
    EXPECT_EQ(params->getFfnSize(), each.size) << each.params;
  }
}

TEST(MetaTest, TrainedLengthOfTheFamily) {
  struct {
    const char *params;
    int64_t length;
    std::optional<double> factor;
  } const cases[] = {
      {"\"norm_eps\": 1e-06", 2048, {}},
      {"\"norm_eps\": 1e-05", 4096, {}},
      {"\"norm_eps\": 1e-05, \"rope_theta\": 1000000", 16384, {}},
      {"\"norm_eps\": 1e-05, \"rope_theta\": 500000.0", 8192, {}},
      {"\"rope_theta\": 500000.0, \"use_scaled_rope\": true", 131072, 8.0},
  };
  for (auto &each : cases) {
    std::vector<std::string> warnings;
    auto config = configOf("{" + heads + "\"dim\": 4096, " + each.params + "}",
                           warnings, each.factor);
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_EQ(config->maxPositionEmbeddings, each.length);
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_SAYS(warnings[0], std::to_string(each.length) + " is taken");
    EXPECT_EQ(config->ropeScaling.kind,
              each.factor ? RopeScaling::Llama3 : RopeScaling::None);
  }
  std::vector<std::string> warnings;
  auto config =
      configOf("{" + heads + "\"dim\": 4096, \"max_seq_len\": 512}", warnings);
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->maxPositionEmbeddings, 512);
  EXPECT_TRUE(warnings.empty());
  EXPECT_EQ(config->ropeTheta, 10000);
  EXPECT_EQ(config->kvHeads, 32);
}

TEST(MetaTest, RefusesParamsByName) {
  const std::string good = heads + "\"dim\": 4096";
  EXPECT_EQ(messageOf("{" + good + ", \"max_batch_size\": 4}"), "");
  EXPECT_SAYS(messageOf("{" + good + ", \"quantization_args\": {}}"),
              "\"quantization_args\"");
  EXPECT_SAYS(messageOf("{" + good + ", \"moe\": {\"num_experts\": 8}}"),
              "\"moe\"");
  EXPECT_SAYS(messageOf("{" + good + ", \"vision_chunk_size\": 448}"),
              "\"vision_chunk_size\"");
  EXPECT_SAYS(messageOf("{" + heads + "\"multiple_of\": 256}"),
              "the key \"dim\" is missing");
  EXPECT_SAYS(messageOf("{" + good + ", \"norm_eps\": \"small\"}"),
              "\"norm_eps\" is the string");
  EXPECT_SAYS(messageOf("{" + good + ", \"n_kv_heads\": 5}"),
              "\"num_key_value_heads\" (5) does not divide");
  EXPECT_SAYS(messageOf("{" + good + ", \"use_scaled_rope\": true}"),
              "name it with --rope-factor");
  EXPECT_SAYS(messageOf("{" + good + "}", 8), "--rope-factor has nothing");
  EXPECT_SAYS(messageOf("{" + good +
                            ", \"use_scaled_rope\": true, "
                            "\"rope_scaling_factor\": 8}",
                        32),
              "\"rope_scaling_factor\" is 8.0, but --rope-factor says 32");
}

class MetaFolderTest : public ::testing::Test {
protected:
  void SetUp() override {
    char name[] = "/tmp/llamac-meta-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder = name;
    make("hf", "meta", "");
  }
  void TearDown() override { run("rm -rf " + folder); }
  static void run(const std::string &command) {
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
  void make(const std::string &from, const std::string &to,
            const std::string &options) {
    std::string script =
        "/usr/bin/python3 " LLAMAC_SOURCE_DIR "/test/import/Inputs/";
    run(script + "make-model.py " + folder + "/" + from + " " + options);
    run(script + "convert-model.py " + folder + "/" + from + " " + folder +
        "/" + to + " --to meta --shards 2");
  }
  std::string message() {
    auto opened = openCheckpoint(folder + "/meta", {});
    return opened ? "" : opened.error().message();
  }
  std::string folder;
};

TEST_F(MetaFolderTest, MissingShards) {
  EXPECT_EQ(message(), "");
  std::string shard = folder + "/meta/consolidated.0";
  run("mv " + shard + "1.pth " + folder);
  EXPECT_SAYS(message(), "is a file missing?");
  run("rm " + shard + "0.pth");
  EXPECT_SAYS(message(), "consolidated.00.pth: there is no such file");
}

/// The second shard of another training.
TEST_F(MetaFolderTest, NormsThatDiffer) {
  make("other", "tuned", "--fill model.norm.weight=9");
  run("cp " + folder + "/tuned/consolidated.01.pth " + folder + "/meta");
  EXPECT_SAYS(message(), "consolidated.01.pth: tensor \"norm.weight\" differs "
                         "from that in consolidated.00.pth");
}

TEST_F(MetaFolderTest, ShardsOfOtherTypesAndShapes) {
  make("other", "wide", "--dtype F32");
  run("cp " + folder + "/wide/consolidated.01.pth " + folder + "/meta");
  EXPECT_SAYS(message(),
              "is stored as f32, but in consolidated.00.pth as bf16");
  run("sed -i 's/\"n_layers\": 2/\"n_layers\": 1/' " + folder +
      "/wide/params.json");
  auto opened = openCheckpoint(folder + "/wide", {});
  ASSERT_FALSE(opened);
  EXPECT_SAYS(opened.error().message(), "tensor \"layers.1.");
  EXPECT_SAYS(opened.error().message(), "is not part of the model");
  run("sed -i 's/\"n_layers\": 1/\"n_layers\": 3/' " + folder +
      "/wide/params.json");
  opened = openCheckpoint(folder + "/wide", {});
  ASSERT_FALSE(opened);
  EXPECT_SAYS(opened.error().message(),
              "tensor \"layers.2.attention_norm.weight\" of shape [64] is "
              "missing");
}

} // namespace
