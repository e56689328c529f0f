// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Whole folders, made by Inputs/make-model.py: tensors are accounted for, and
// the tokenizer belongs to the model.
#include "compiler/import/Checkpoint.h"
#include "compiler/import/TensorValues.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace mlir::llama;

namespace {

#define EXPECT_SAYS(message, part)                                             \
  EXPECT_NE((message).find(part), std::string::npos) << message

class CheckpointTest : public ::testing::Test {
protected:
  void SetUp() override {
    char name[] = "/tmp/llamac-checkpoint-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder = name;
  }
  void TearDown() override { run("rm -rf " + folder); }

  static void run(const std::string &command) {
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
  std::string model() { return folder + "/model"; }
  void make(const std::string &options = "") {
    run("/usr/bin/python3 " LLAMAC_SOURCE_DIR
        "/test/import/Inputs/make-model.py " +
        model() + " " + options);
  }
  std::string message(bool needWeights = true) {
    auto result = openHuggingFace(model(), needWeights);
    return result ? "" : result.error().message();
  }
  /// The message for a model made with `options`; "" where it opens.
  std::string messageFor(const std::string &options) {
    make(options);
    return message();
  }
  void copyTokenizer(size_t limit = ~size_t(0)) {
    std::string bytes = readTokenizer();
    std::ofstream(model() + "/tokenizer.model", std::ios::binary)
        << bytes.substr(0, limit);
  }
  static std::string readTokenizer() {
    std::ifstream in(LLAMAC_SOURCE_DIR
                     "/examples/storyteller/model/tokenizer.model",
                     std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }

  std::string folder;
};

TEST_F(CheckpointTest, OpensAWholeModel) {
  make();
  auto result = openHuggingFace(model(), true);
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_EQ(result->name, "model");
  EXPECT_EQ(result->tensors.size(), 21u);
  EXPECT_EQ(chooseDType(*result), DType::BF16);
  EXPECT_EQ(getPieceCount(*result), 128);
  ASSERT_EQ(result->warnings.size(), 1u);
  EXPECT_SAYS(result->warnings[0], "no tokenizer.model");
  ASSERT_EQ(result->sources.size(), 2u);
  EXPECT_EQ(result->sources[1].name, "model.safetensors");
}

TEST_F(CheckpointTest, SymlinksAreFollowed) {
  make();
  run("mkdir " + folder + "/blobs && mv " + model() + "/model.safetensors " +
      folder + "/blobs/abc && ln -s ../blobs/abc " + model() +
      "/model.safetensors && ln -s model " + folder + "/link");
  auto result = openHuggingFace(folder + "/link", true);
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_EQ(result->name, "link");
}

TEST_F(CheckpointTest, ABareConfigHasNoWeights) {
  make("--config-only");
  auto result = openHuggingFace(model() + "/config.json", true);
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_FALSE(result->hasWeights);
  EXPECT_EQ(result->name, "config");
  EXPECT_EQ(message(false), "");
  EXPECT_SAYS(message(true), "model.safetensors: there is no such file");
}

TEST_F(CheckpointTest, FoldersThatAreNone) {
  EXPECT_SAYS(message(), "cannot be opened: No such file");
  run("mkdir " + model());
  EXPECT_SAYS(message(), "a model folder has a config.json");
  run("echo x > " + folder + "/file");
  EXPECT_SAYS(openHuggingFace(folder + "/file", true).error().message(),
              "is a file; expected a Hugging Face folder");
  run("mkdir " + model() + "/config.json");
  EXPECT_SAYS(message(), "is no regular file");
  run("rmdir " + model() + "/config.json && mkfifo " + model() +
      "/config.json");
  EXPECT_SAYS(message(), "is no regular file");
}

TEST_F(CheckpointTest, OtherWeightFilesAreNamed) {
  make("--config-only");
  EXPECT_SAYS(message(), "pytorch_model.bin");
  run("echo version https://git-lfs.github.com/spec/v1 > " + model() +
      "/pytorch_model.bin");
  EXPECT_SAYS(message(), "git-lfs");
}

TEST_F(CheckpointTest, ShardsAreOneModel) {
  make();
  auto whole = openHuggingFace(model(), true);
  ASSERT_TRUE(whole) << whole.error().message();
  run("mv " + model() + " " + folder + "/whole");
  make("--shards 3");
  auto result = openHuggingFace(model(), true);
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_EQ(result->weightsPath, model() + "/model.safetensors.index.json");
  ASSERT_EQ(result->tensors.size(), whole->tensors.size());
  for (auto &[name, tensor] : whole->tensors) {
    const Tensor &other = result->tensors.at(name);
    ASSERT_EQ(other.shape, tensor.shape) << name;
    EXPECT_EQ(std::memcmp(other.bytes, tensor.bytes, tensor.size), 0) << name;
  }
  std::vector<std::string> names;
  for (const SourceFile &source : result->sources)
    names.push_back(source.name);
  EXPECT_EQ(names, (std::vector<std::string>{
                       "config.json", "model.safetensors.index.json",
                       "model-00001-of-00003.safetensors",
                       "model-00002-of-00003.safetensors",
                       "model-00003-of-00003.safetensors"}));
  run("cp " + folder + "/whole/model.safetensors " + model());
  result = openHuggingFace(model(), true);
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_EQ(result->weightsPath, model() + "/model.safetensors");
  EXPECT_SAYS(result->warnings.back(), "index.json beside it is not");
}

TEST_F(CheckpointTest, ShardsThatDoNotFitTheirIndex) {
  // Three shards of seven tensors each.
  const std::string first = "model-00001-of-00003.safetensors",
                    second = "model-00002-of-00003.safetensors",
                    third = "model-00003-of-00003.safetensors";
  make("--shards 3");
  run("rm " + model() + "/" + second);
  EXPECT_SAYS(message(), model() + "/" + second +
                             ": there is no such file, but " + model() +
                             "/model.safetensors.index.json says that it "
                             "holds tensor \"model.layers.0.mlp.");
  run("rm -r " + model());
  EXPECT_SAYS(messageFor("--shards 3 --again model.embed_tokens.weight"),
              "index.json: tensor \"model.embed_tokens.weight\" is in two "
              "shards, " +
                  first + " and " + third);
  EXPECT_SAYS(messageFor("--shards 3 --index model.norm.weight=" + second),
              "is stale: it names tensor \"model.norm.weight\" in " + second +
                  ", but that is in " + third);
  EXPECT_SAYS(messageFor("--shards 3 --index model.other=" + second),
              "is stale: it names tensor \"model.other\" in " + second +
                  ", which has no such tensor");
  EXPECT_SAYS(messageFor("--shards 3 --unindexed lm_head.weight"),
              "is stale: " + third +
                  " has tensor \"lm_head.weight\", which the index does not "
                  "name");
  EXPECT_SAYS(messageFor("--shards 3 --drop lm_head.weight"),
              "index.json: tensor \"lm_head.weight\" of shape [128, 64] is "
              "missing");
}

TEST_F(CheckpointTest, ShardsStayInTheFolder) {
  for (const char *path :
       {"../x", "/tmp/x", "a/../../x", ".", "..", "", "a//b", "./x"})
    EXPECT_SAYS(
        messageFor(std::string("--shards 2 --index lm_head.weight=") + path),
        std::string("the shard of tensor \"lm_head.weight\" is the "
                    "string \"") +
            path + "\", expected the name of a file inside");
  // A folder below it is inside; so is what a symlink leads to.
  make("--shards 1");
  run("cd " + model() +
      " && mkdir deep && mv *-00001.safetensors "
      "../blob && ln -s ../../blob deep/x.safetensors && "
      "sed -i 's|model-00001-of-00001|deep/x|g' *.index.json");
  EXPECT_EQ(message(), "");
}

TEST_F(CheckpointTest, IndexesThatAreNone) {
  make("--config-only");
  auto said = [&](const std::string &text) {
    std::ofstream(model() + "/model.safetensors.index.json") << text;
    return message();
  };
  EXPECT_SAYS(said("{"), "index.json: is not JSON");
  EXPECT_SAYS(said("{}"), "\"weight_map\" is missing");
  EXPECT_SAYS(said(R"({"weight_map": {}})"), "\"weight_map\" is the object");
  EXPECT_SAYS(said(R"({"weight_map": {"a": 1}})"),
              "the shard of tensor \"a\" is the number 1");
  EXPECT_SAYS(said(R"({"weight_map": {"a": "b"}, "more": 1})"),
              "the key \"more\" is not known");
  EXPECT_SAYS(said(R"({"weight_map": {"a": "b", "a": "c"}})"), "occurs twice");
}

TEST_F(CheckpointTest, TensorsAreAccountedFor) {
  EXPECT_SAYS(messageFor("--drop model.layers.1.mlp.up_proj.weight"),
              "tensor \"model.layers.1.mlp.up_proj.weight\" of shape [96, 64] "
              "is missing");
  EXPECT_SAYS(messageFor("--drop lm_head.weight"),
              "config.json must say \"tie_word_embeddings\": true");
  EXPECT_SAYS(messageFor("--extra model.layers.0.self_attn.q_proj.bias"),
              "tensor \"model.layers.0.self_attn.q_proj.bias\" of shape [4] is "
              "not part of the model");
  EXPECT_SAYS(messageFor("--set num_hidden_layers=1 --extra "
                         "model.layers.1.input_layernorm.weight"),
              "is not part of the model");
  EXPECT_SAYS(messageFor("--reshape 'model.norm.weight=[63]'"),
              "tensor \"model.norm.weight\" has shape [63], but the config "
              "asks for [64]");
  EXPECT_SAYS(messageFor("--retype model.norm.weight=I16"),
              "tensor \"model.norm.weight\": its dtype is the string \"I16\"");
}

TEST_F(CheckpointTest, InverseFrequenciesAreRecomputed) {
  EXPECT_EQ(messageFor("--inv-freq 10000"), "");
  EXPECT_EQ(messageFor("--inv-freq 10000 --inv-freq-dtype BF16"), "");
  EXPECT_EQ(messageFor("--inv-freq 10000 --inv-freq-dtype F16"), "");
  EXPECT_EQ(messageFor("--inv-freq 10004"), "");
  EXPECT_SAYS(messageFor("--inv-freq 10020"), "the config's rope_theta gives");
  EXPECT_SAYS(messageFor("--inv-freq 500000 --inv-freq-dtype BF16"),
              "tensor \"model.layers.0.self_attn.rotary_emb.inv_freq\" holds");
  EXPECT_SAYS(messageFor("--reshape "
                         "'model.layers.0.self_attn.rotary_emb.inv_freq=[4]'"),
              "expected [8]");
}

TEST_F(CheckpointTest, ATiedHeadIsEqual) {
  std::string tied = "--set tie_word_embeddings=true ";
  EXPECT_EQ(messageFor(tied), "");
  EXPECT_EQ(messageFor(tied + "--copy-head"), "");
  EXPECT_SAYS(messageFor(tied + "--reshape 'lm_head.weight=[128,64]' --fill "
                                "lm_head.weight=7"),
              "\"lm_head.weight\" differs from");
}

TEST_F(CheckpointTest, CutAtEveryTenthOfTheFile) {
  make();
  struct stat status;
  std::string path = model() + "/model.safetensors";
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  for (int tenth = 9; tenth >= 0; --tenth) {
    ASSERT_EQ(::truncate(path.c_str(), status.st_size * tenth / 10), 0);
    EXPECT_SAYS(message(), "cut?");
  }
}

TEST_F(CheckpointTest, TheTokenizerFits) {
  make("--set vocab_size=2100");
  copyTokenizer();
  auto result = openHuggingFace(model(), true);
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_EQ(getPieceCount(*result), 2048);
  EXPECT_TRUE(result->warnings.empty());
  make("--set vocab_size=2047");
  EXPECT_SAYS(message(), "has 2048 pieces, more than the config's "
                         "\"vocab_size\" of 2047");
}

TEST_F(CheckpointTest, TheTokenizerMayAddNoBos) {
  make("--set vocab_size=2048");
  copyTokenizer();
  EXPECT_TRUE(openHuggingFace(model(), true)->tokenizer->addBos);
  std::ofstream(model() + "/tokenizer_config.json")
      << R"({"add_bos_token": false, "other": {"deep": [1, {}]}})";
  EXPECT_FALSE(openHuggingFace(model(), true)->tokenizer->addBos);
  std::ofstream(model() + "/tokenizer_config.json")
      << R"({"add_bos_token": 1})";
  EXPECT_SAYS(message(), "\"add_bos_token\" is the number 1, expected true");
}

TEST_F(CheckpointTest, TheTokenizerIsCut) {
  std::string whole = readTokenizer();
  ASSERT_TRUE(parseTokenizerModel(whole, "t"));
  // Every byte near the ends, every 101st between.
  for (size_t size = 0; size < whole.size();
       size += size < 100 || size + 700 > whole.size() ? 1 : 101) {
    auto result =
        parseTokenizerModel(std::string_view(whole).substr(0, size), "t");
    EXPECT_FALSE(result) << size;
  }
}

TEST_F(CheckpointTest, GenerationConfigWinsAndIsChecked) {
  make();
  std::ofstream(model() + "/generation_config.json")
      << R"({"eos_token_id": [5, 6]})";
  EXPECT_EQ(openHuggingFace(model(), true)->generation.eosIds,
            (std::vector<int64_t>{5, 6}));
  std::ofstream(model() + "/generation_config.json")
      << R"({"eos_token_id": 128})";
  EXPECT_SAYS(message(), "\"eos_token_id\" holds 128");
}

TEST_F(CheckpointTest, MostBytesDecideTheStorageType) {
  make("--dtype F16");
  EXPECT_EQ(chooseDType(*openHuggingFace(model(), true)), DType::F16);
  make("--dtype F32");
  EXPECT_EQ(chooseDType(*openHuggingFace(model(), true)), DType::F32);
}

TEST(TensorValuesTest, RoundsToNearestEven) {
  EXPECT_EQ(floatToBf16(1.0f), 0x3f80);
  EXPECT_EQ(floatToBf16(floatOf(0x3f808000)), 0x3f80); // a tie, to even
  EXPECT_EQ(floatToBf16(floatOf(0x3f818000)), 0x3f82);
  EXPECT_EQ(floatToBf16(floatOf(0x3f808001)), 0x3f81);
  EXPECT_EQ(floatToBf16(floatOf(0x7f800001)) & 0x7fc0, 0x7fc0); // NaN
  EXPECT_EQ(floatToF16(65519.0f), 0x7bff);
  EXPECT_EQ(floatToF16(65520.0f), 0x7c00);
}

TEST(TensorValuesTest, ScanFindsWhatDoesNotFit) {
  float values[] = {1.0f, NAN, -INFINITY, 65519.0f, -65520.0f, 3.39e38f, 0.0f};
  Tensor tensor{DType::F32, {7}, reinterpret_cast<const uint8_t *>(values), 28};
  EXPECT_EQ(scanValues(tensor, DType::F32).notFinite, 2u);
  EXPECT_EQ(scanValues(tensor, DType::F32).overflowing, 0u);
  EXPECT_EQ(scanValues(tensor, DType::F16).overflowing, 2u);
  EXPECT_EQ(scanValues(tensor, DType::BF16).overflowing, 0u);
  uint16_t halves[] = {0x3f80, 0x7f80, 0x477f, 0x4780, 0xc780};
  Tensor bf16{DType::BF16, {5}, reinterpret_cast<const uint8_t *>(halves), 10};
  EXPECT_EQ(scanValues(bf16, DType::F16).overflowing, 2u);
  EXPECT_EQ(scanValues(bf16, DType::F16).notFinite, 1u);
  EXPECT_EQ(scanValues(bf16, DType::F32).overflowing, 0u);
}

} // namespace
