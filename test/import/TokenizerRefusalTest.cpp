// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a tokenizer's files ask for and do not get, by name; and which file of a
// folder is read.
#include "compiler/import/SourceFiles.h"
#include "compiler/import/TokenizerSettings.h"
#include "runtime/Tokenizer.h"

#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

using namespace mlir::llama;
using nlohmann::json;

namespace {

std::string read(const std::string &name) {
  std::ifstream file(LLAMAC_SOURCE_DIR "/test/golden/tokenizers/" + name,
                     std::ios::binary);
  EXPECT_TRUE(file) << name;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string refusal(const std::string &text, int64_t vocabSize = 1 << 20) {
  std::vector<std::string> warnings;
  auto result =
      parseTokenizerJson(text, "f/tokenizer.json", {}, vocabSize, warnings);
  return result ? "accepted" : result.error().message();
}

/// The message about llama2.json or llama3.json with `value` at `pointer`.
std::string refusal(const char *name, const char *pointer, json value) {
  json file = json::parse(read(name));
  file[json::json_pointer(pointer)] = std::move(value);
  return refusal(file.dump());
}

#define EXPECT_SAYS(message, part)                                             \
  do {                                                                         \
    std::string said = (message);                                              \
    EXPECT_NE(said.find(part), std::string::npos) << said;                     \
  } while (false)

class TokenizerFolderTest : public testing::Test {
protected:
  void SetUp() override {
    char name[] = "/tmp/tokenizer-folder-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder = name;
  }
  void TearDown() override {
    for (const char *name : {"tokenizer.json", "tokenizer.model",
                             "tokenizer_config.json", "added_tokens.json"})
      ::unlink((folder + "/" + name).c_str());
    ::rmdir(folder.c_str());
  }
  void write(const std::string &name, const std::string &text) {
    std::ofstream(folder + "/" + name, std::ios::binary) << text;
  }
  /// What openTokenizer makes of the folder.
  Checkpoint open(int64_t vocabSize = 1 << 20, bool scaled = false) {
    Checkpoint checkpoint;
    checkpoint.config.vocabSize = vocabSize;
    if (scaled)
      checkpoint.config.ropeScaling.kind = RopeScaling::Llama3;
    error.clear();
    if (llrt::Error failed = openTokenizer(checkpoint, folder))
      error = failed.message();
    return checkpoint;
  }
  std::optional<int32_t> find(const Checkpoint &checkpoint,
                              const char *special) {
    auto loaded = llrt::Tokenizer::load(checkpoint.tokenizer->bytes, -1, false);
    EXPECT_TRUE(loaded);
    return (*loaded)->findSpecial(special);
  }
  std::string folder, error;
};

} // namespace

TEST(TokenizerRefusalTest, EachUnknownPartByItsName) {
  const char *two = "llama2.json", *three = "llama3.json";
  EXPECT_SAYS(refusal(two, "/model/type", "Unigram"), "\"Unigram\"");
  EXPECT_SAYS(refusal(two, "/model/dropout", 0.1), "\"dropout\" is the number");
  EXPECT_SAYS(refusal(two, "/model/end_of_word_suffix", "</w>"),
              "\"end_of_word_suffix\"");
  EXPECT_SAYS(refusal(two, "/model/continuing_subword_prefix", "##"),
              "\"continuing_subword_prefix\"");
  EXPECT_SAYS(refusal(two, "/model/unk_token", "<none>"), "\"unk_token\"");
  EXPECT_SAYS(refusal(two, "/model/novelty", 1), "\"novelty\" is not known");
  EXPECT_SAYS(refusal(two, "/novelty", 1), "\"novelty\" is not known");
  EXPECT_SAYS(refusal(two, "/normalizer", {{"type", "NFC"}}),
              "\"normalizer\" has the NFC");
  EXPECT_SAYS(refusal(two, "/normalizer/normalizers/0", {{"type", "NFKC"}}),
              "\"normalizer\" has the NFKC");
  EXPECT_SAYS(refusal(two, "/pre_tokenizer", {{"type", "Whitespace"}}),
              "\"pre_tokenizer\" has the Whitespace");
  EXPECT_SAYS(refusal(two, "/decoder", {{"type", "WordPiece"}}),
              "\"decoder\" has the WordPiece");
  EXPECT_SAYS(refusal(two, "/decoder", nullptr), "\"decoder\" has null");
  EXPECT_SAYS(refusal(two, "/post_processor", {{"type", "BertProcessing"}}),
              "\"post_processor\" has the BertProcessing");
  EXPECT_SAYS(
      refusal(three, "/pre_tokenizer/pretokenizers/0/pattern/Regex", "\\w+"),
      "\"pre_tokenizer\" has the Split");
  EXPECT_SAYS(
      refusal(three, "/pre_tokenizer/pretokenizers/0/behavior", "Removed"),
      "\"pre_tokenizer\" has the Split");
  EXPECT_SAYS(
      refusal(three, "/pre_tokenizer/pretokenizers/1/add_prefix_space", true),
      "\"pre_tokenizer\" has the ByteLevel");
  EXPECT_SAYS(refusal(three, "/pre_tokenizer",
                      {{"type", "ByteLevel"},
                       {"add_prefix_space", false},
                       {"use_regex", true}}),
              "\"pre_tokenizer\" has the ByteLevel");
  EXPECT_SAYS(refusal(three, "/model/byte_fallback", true), "byte_fallback");
}

TEST(TokenizerRefusalTest, FilesThatAreDamaged) {
  const char *two = "llama2.json";
  std::string whole = read(two);
  EXPECT_EQ(refusal(whole), "accepted");
  EXPECT_SAYS(refusal(whole.substr(0, whole.size() / 2)), "is not JSON");
  EXPECT_SAYS(refusal(whole, 999), "\"vocab_size\" is 999");
  EXPECT_SAYS(refusal(two, "/model/merges/7", "a"), "merge 7");
  EXPECT_SAYS(refusal(two, "/model/merges/7", {"a", "\u2581\u2581zz"}),
              "not in the vocabulary");
  EXPECT_SAYS(refusal(two, "/model/vocab/the", -1), "\"the\"");
  EXPECT_SAYS(refusal(two, "/model/vocab/new", 2000000000), "gaps");
  EXPECT_SAYS(refusal(two, "/model/vocab/new", 7), "two pieces have the id 7");
  EXPECT_SAYS(refusal(two, "/model/vocab", json::array()), "\"vocab\"");
  EXPECT_SAYS(refusal(two, "/added_tokens/0/novelty", true), "\"novelty\"");
  EXPECT_SAYS(refusal(two, "/added_tokens/0/content", ""), "\"content\"");
  json file = json::parse(whole);
  json token = file["added_tokens"][0];
  token["content"] = "<new>";
  token["id"] = 4000;
  file["added_tokens"].push_back(token);
  EXPECT_SAYS(refusal(file.dump()), "tokenizers would give it 1000");
}

TEST(TokenizerRefusalTest, AddedTokensPastTheModelAreLeftOut) {
  json file = json::parse(read("llama2.json"));
  json token = file["added_tokens"][0];
  token["content"] = "<pad>";
  token["id"] = 1000;
  file["added_tokens"].push_back(token);
  std::vector<std::string> warnings;
  auto result = parseTokenizerJson(file.dump(), "t", {}, 1000, warnings);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->pieces, 1000);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_SAYS(warnings[0], "added token \"<pad>\" has the id 1000");
}

TEST(TokenizerRefusalTest, TiktokenFilesThatAreDamaged) {
  std::string whole = read("llama3.tiktoken");
  auto refused = [](const std::string &bytes) {
    auto result = parseTiktoken(bytes, "t", Llama3Names::Llama3);
    return result ? std::string("accepted") : result.error().message();
  };
  EXPECT_EQ(refused(whole), "accepted");
  EXPECT_SAYS(refused(whole + "IHQ"), "line 1104 is no base64");
  EXPECT_SAYS(refused(whole + "IHR4eHh4eA== 5\n"), "expected 1103");
  EXPECT_SAYS(refused(whole + "AA== 1103\n"), "bytes of an earlier line");
  EXPECT_SAYS(refused("AA== 0\n"), "the byte 1 has no token");
  EXPECT_SAYS(refused(""), "the byte 0 has no token");
}

TEST(TokenizerRefusalTest, SettingsThatAreNotDone) {
  std::vector<std::string> warnings;
  auto settings = [&](const char *text) {
    auto result =
        parseTokenizerSettings(text, "tokenizer_config.json", warnings);
    return result ? std::string() : result.error().message();
  };
  EXPECT_SAYS(settings(R"({"split_special_tokens": true})"), "--no-special");
  EXPECT_SAYS(settings(R"({"legacy": 1})"), "\"legacy\" is the number 1");
  EXPECT_SAYS(settings(R"({"bos_token": 5})"), "\"bos_token\"");
  EXPECT_SAYS(settings(R"({"added_tokens_decoder": {"x": {}}})"), "\"x\"");
  EXPECT_EQ(settings(R"({"add_eos_token": true})"), "");
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_SAYS(warnings[0], "\"add_eos_token\" is true");
}

TEST_F(TokenizerFolderTest, TokenizerJsonWins) {
  write("tokenizer.model", read("llama2.model"));
  Checkpoint model = open();
  ASSERT_EQ(error, "");
  EXPECT_EQ(model.sources.size(), 1u);
  EXPECT_TRUE(model.notes.empty());
  write("tokenizer.json", read("llama3.json"));
  Checkpoint both = open();
  ASSERT_EQ(error, "");
  EXPECT_EQ(both.sources[0].name, "tokenizer.json");
  EXPECT_EQ(both.tokenizer->pieces, 1359);
  ASSERT_EQ(both.notes.size(), 1u);
  EXPECT_SAYS(both.notes[0], "tokenizer.model beside it is not");
  open(1358);
  EXPECT_EQ(error, "") << "the last reserved token is left out";
  open(1000);
  EXPECT_SAYS(error, "\"vocab_size\" is 1000");
}

TEST_F(TokenizerFolderTest, MetasFileIsKnownByItsFirstLine) {
  write("tokenizer.model", read("llama3.tiktoken"));
  Checkpoint three = open();
  ASSERT_EQ(error, "");
  EXPECT_EQ(three.tokenizer->pieces, 1359);
  EXPECT_FALSE(find(three, "<|python_tag|>"));
  Checkpoint later = open(1 << 20, true);
  EXPECT_TRUE(find(later, "<|python_tag|>")) << "Llama 3.1 scales its rope";
  open(1358);
  EXPECT_SAYS(error, "has 1359 pieces, more than");
}

TEST_F(TokenizerFolderTest, OlderFoldersHaveAddedTokensJson) {
  write("tokenizer.model", read("llama2.model"));
  write("added_tokens.json", R"({"<pad>": 1000})");
  Checkpoint checkpoint = open();
  ASSERT_EQ(error, "");
  EXPECT_EQ(checkpoint.tokenizer->pieces, 1001);
  EXPECT_EQ(find(checkpoint, "<pad>"), 1000);
  write("tokenizer_config.json", R"({"added_tokens_decoder": {}})");
  EXPECT_EQ(open().tokenizer->pieces, 1000) << "which then does not count";
}

TEST_F(TokenizerFolderTest, NoneIsAWarning) {
  Checkpoint checkpoint = open();
  EXPECT_EQ(error, "");
  EXPECT_FALSE(checkpoint.tokenizer);
  ASSERT_EQ(checkpoint.warnings.size(), 1u);
  EXPECT_SAYS(checkpoint.warnings[0], "will take only --ids");
}
