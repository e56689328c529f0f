// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every kind of tokenizer file, from the file to ids and back, against what
// tokenizers, tiktoken, sentencepiece and transformers say of it
// (test/golden/tokenizers/make_golden.py).
#include "compiler/import/TokenizerSettings.h"
#include "runtime/Tokenizer.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

using namespace mlir::llama;
using llrt::SpecialTokens;
using llrt::TextPart;
using nlohmann::json;

namespace {

using Ids = std::vector<int32_t>;
constexpr int64_t manyIds = 1 << 20;

std::string read(const std::string &name) {
  std::ifstream file(std::string(LLAMAC_SOURCE_DIR "/test/golden/tokenizers/") +
                         name,
                     std::ios::binary);
  EXPECT_TRUE(file) << name;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

/// What was read, and the bytes that the tokenizer looks into.
struct Opened {
  std::string file;
  Tokenizer tokenizer;
  std::unique_ptr<llrt::Tokenizer> runs;
};

/// `file` read by `parse`, without BOS.
template <typename Parse>
std::unique_ptr<Opened> open(std::string file, Parse parse) {
  auto opened = std::make_unique<Opened>();
  opened->file = std::move(file);
  llrt::Result<Tokenizer> tokenizer = parse(opened->file);
  if (!tokenizer) {
    ADD_FAILURE() << tokenizer.error().message();
    return nullptr;
  }
  opened->tokenizer = std::move(*tokenizer);
  auto loaded = llrt::Tokenizer::load(opened->tokenizer.bytes, -1, false);
  if (!loaded) {
    ADD_FAILURE() << loaded.error().message();
    return nullptr;
  }
  opened->runs = std::move(*loaded);
  EXPECT_EQ(opened->runs->pieceCount(), opened->tokenizer.pieces);
  return opened;
}

std::unique_ptr<Opened> openJson(const std::string &text,
                                 const TokenizerSettings &settings = {}) {
  return open(text, [&](const std::string &file) {
    std::vector<std::string> warnings;
    auto result =
        parseTokenizerJson(file, "tokenizer.json", settings, manyIds, warnings);
    EXPECT_TRUE(warnings.empty()) << warnings[0];
    return result;
  });
}

std::unique_ptr<Opened> openTiktoken(Llama3Names names = Llama3Names::Llama3) {
  return open(read("llama3.tiktoken"), [&](const std::string &file) {
    EXPECT_TRUE(isTiktoken(file));
    return parseTiktoken(file, "tokenizer.model", names);
  });
}

std::unique_ptr<Opened>
openSentencePiece(const TokenizerSettings &settings = {}) {
  return open(read("llama2.model"), [&](const std::string &file) {
    EXPECT_FALSE(isTiktoken(file));
    std::vector<std::string> warnings;
    return parseSentencePiece(file, "tokenizer.model", settings, manyIds,
                              warnings);
  });
}

/// The generator of make_golden.py.
std::string makeLongText(uint64_t seed, size_t size) {
  const char *words[] = {"the",
                         " quick",
                         " brown",
                         "fox",
                         " jumps",
                         "\n",
                         "  ",
                         " 1234",
                         "5",
                         "'ll",
                         " don't",
                         " \u00fcber",
                         "\u4f60\u597d",
                         " \U0001f600",
                         "\t",
                         ",",
                         ". ",
                         "\u043f\u0440\u0438\u0432\u0435\u0442",
                         " ",
                         "((",
                         "))",
                         "\r\n",
                         "a",
                         "Z",
                         "_x"};
  std::string text;
  while (text.size() < size) {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    text += words[(seed >> 33) % std::size(words)];
  }
  return text;
}

std::string digest(const Ids &ids) {
  uint64_t value = 0xCBF29CE484222325ull;
  for (int32_t id : ids)
    for (int shift = 0; shift < 32; shift += 8)
      value = (value ^ (uint32_t(id) >> shift & 0xFF)) * 0x100000001B3ull;
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", (unsigned long long)value);
  return text;
}

/// The text that a stream gives of `ids`, of which `prompt` are the prompt's.
std::string stream(const llrt::Tokenizer &tokenizer, const Ids &ids,
                   size_t prompt) {
  llrt::TextStream stream(tokenizer, Ids(ids.begin(), ids.begin() + prompt));
  std::string text = stream.promptText();
  for (size_t i = prompt; i < ids.size(); ++i)
    text += stream.append(ids[i]);
  return text + stream.finish();
}

void expectGolden(const Opened &opened, const std::string &name,
                  bool parses = true) {
  const llrt::Tokenizer &tokenizer = *opened.runs;
  const json golden = json::parse(read(name));
  const json texts = json::parse(read("strings.json"));
  ASSERT_GE(texts.size(), 500u);
  for (size_t i = 0; i < texts.size(); ++i) {
    std::string key = std::to_string(i), text = texts[i];
    const Ids expected = golden["parsed"][i];
    const Ids plain = golden["plain"].value(key, expected);
    if (parses) {
      EXPECT_EQ(*tokenizer.encode(text), expected) << texts[i].dump();
    }
    EXPECT_EQ(*tokenizer.encode(text, SpecialTokens::Plain), plain)
        << texts[i].dump();
    std::string said = golden["decoded"].value(key, text);
    EXPECT_EQ(tokenizer.decode(expected), said) << texts[i].dump();
    EXPECT_EQ(stream(tokenizer, expected, 0), said) << texts[i].dump();
  }
  for (const json &drawn : golden["drawn"]) {
    const Ids ids = drawn[0];
    const std::string said = drawn[1];
    EXPECT_EQ(tokenizer.decode(ids), said) << drawn.dump();
    EXPECT_EQ(stream(tokenizer, ids, 0), said) << drawn.dump();
  }
  for (const auto &[seed, of] : golden["long"].items()) {
    std::string text = makeLongText(std::stoul(seed), 100000);
    auto start = std::chrono::steady_clock::now();
    Ids ids = *tokenizer.encode(text);
    std::chrono::duration<double> seconds =
        std::chrono::steady_clock::now() - start;
    EXPECT_LT(seconds.count(), 2) << "100 KB";
    EXPECT_EQ(ids.size(), of["count"]);
    EXPECT_EQ(digest(ids), of["fnv1a"]);
    EXPECT_EQ(tokenizer.decode(ids), text);
  }
}

} // namespace

TEST(TokenizerFilesTest, Llama3JsonAgreesWithTokenizers) {
  auto opened = openJson(read("llama3.json"));
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->tokenizer.addBos);
  EXPECT_EQ(opened->tokenizer.bosId, opened->tokenizer.pieces - 256);
  expectGolden(*opened, "llama3-golden.json");
}

TEST(TokenizerFilesTest, Llama3TiktokenAgreesWithTiktoken) {
  auto opened = openTiktoken();
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->tokenizer.addBos);
  EXPECT_EQ(opened->tokenizer.bosId, opened->tokenizer.pieces - 256);
  expectGolden(*opened, "llama3-golden.json");
}

TEST(TokenizerFilesTest, Llama2JsonAgreesWithTokenizers) {
  auto opened = openJson(read("llama2.json"));
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->tokenizer.addBos);
  EXPECT_EQ(opened->tokenizer.bosId, 1);
  expectGolden(*opened, "llama2-json-golden.json");
}

TEST(TokenizerFilesTest, Llama2ModelAgreesWithSentencePiece) {
  auto opened = openSentencePiece();
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->tokenizer.bytes, opened->file) << "nothing is beside it";
  expectGolden(*opened, "llama2-sentencepiece-golden.json", false);
}

/// tokenizer.json and tokenizer.model of one folder say the same.
TEST(TokenizerFilesTest, BothFilesOfLlama2Agree) {
  auto file = openJson(read("llama2.json"));
  auto model = openSentencePiece();
  ASSERT_TRUE(file && model);
  for (const json &text : json::parse(read("strings.json"))) {
    Ids ids = *file->runs->encode(text.get<std::string>());
    EXPECT_EQ(ids, *model->runs->encode(text.get<std::string>()))
        << text.dump();
    if (!std::count(ids.begin(), ids.end(), 0)) // the library says U+2047
      EXPECT_EQ(file->runs->decode(ids), model->runs->decode(ids))
          << text.dump();
  }
}

TEST(TokenizerFilesTest, VariantsAgreeWithTransformers) {
  const json golden = json::parse(read("variants.json"));
  for (const json &variant : golden["variants"]) {
    SCOPED_TRACE(variant["name"].get<std::string>());
    json file = variant["file"];
    json &model = file["model"];
    model["vocab"] = golden[model["vocab"].get<std::string>()];
    model["merges"] = golden["merges"];
    TokenizerSettings settings;
    std::vector<std::string> warnings;
    if (!variant["config"].is_null()) {
      auto parsed = parseTokenizerSettings(variant["config"].dump(),
                                           "tokenizer_config.json", warnings);
      ASSERT_TRUE(parsed) << parsed.error().message();
      settings = std::move(*parsed);
    }
    auto opened = openJson(file.dump(), settings);
    ASSERT_TRUE(opened);
    for (const json &entry : variant["texts"]) {
      std::string text = entry[0];
      auto encode = [&](SpecialTokens special) {
        auto ids = opened->runs->encode(text, special);
        return ids ? *ids : Ids(); // all of it left out
      };
      EXPECT_EQ(encode(SpecialTokens::Parsed), entry[1].get<Ids>())
          << entry.dump();
      EXPECT_EQ(encode(SpecialTokens::Plain), entry[2].get<Ids>())
          << entry.dump();
      EXPECT_EQ(opened->runs->decode(entry[1].get<Ids>()),
                entry[3].get<std::string>())
          << entry.dump();
    }
  }
}

/// The parts of what encode() finds give the same ids.
TEST(TokenizerFilesTest, PartsGiveTheIdsOfTheJoinedText) {
  auto opened = openJson(read("llama3.json"));
  ASSERT_TRUE(opened);
  const llrt::Tokenizer &tokenizer = *opened->runs;
  int32_t header = *tokenizer.findSpecial("<|start_header_id|>");
  int32_t end = *tokenizer.findSpecial("<|eot_id|>");
  std::vector<TextPart> parts = {{"", header}, {"us", -1}, {"er", -1},
                                 {"", end},    {"Hi", -1}, {"", end}};
  EXPECT_EQ(*tokenizer.encodeParts(parts),
            *tokenizer.encode("<|start_header_id|>user<|eot_id|>Hi<|eot_id|>"));
  parts = {{"a<|eot", -1}, {"_id|>", -1}};
  EXPECT_EQ(*tokenizer.encodeParts(parts),
            *tokenizer.encode("a<|eot_id|>", SpecialTokens::Plain));
  Ids plain = *tokenizer.encodeParts(parts);
  for (int32_t id : plain)
    EXPECT_LT(id, *opened->tokenizer.bosId) << "no special token";
}

TEST(TokenizerFilesTest, ATokenizerConfigDecidesWhichTextsHaveAPrefix) {
  TokenizerSettings settings;
  settings.tokenizerClass = "LlamaTokenizer";
  auto every = openSentencePiece(), first = openSentencePiece(settings);
  settings.legacy = true;
  auto legacy = openSentencePiece(settings);
  ASSERT_TRUE(every && first && legacy);
  Ids end{2}, a = *every->runs->encode("a"), expected = a;
  EXPECT_EQ(*first->runs->encode("a"), a);
  expected.insert(expected.end(), end.begin(), end.end());
  Ids bare = expected;
  expected.insert(expected.end(), a.begin(), a.end());
  EXPECT_EQ(*every->runs->encode("a</s>a"), expected);
  EXPECT_EQ(*legacy->runs->encode("a</s>a"), expected);
  Ids found = *first->runs->encode("a</s>a");
  ASSERT_EQ(found.size(), bare.size() + 1);
  EXPECT_NE(found.back(), a.back()) << "without its space";
  EXPECT_EQ(first->runs->decode(found), "aa");
}

TEST(TokenizerFilesTest, TokensBesideASentencePieceModel) {
  TokenizerSettings settings;
  settings.added.emplace();
  settings.added->push_back({"<pad>", 1000, LLAMAC_ADDED_SPECIAL});
  settings.added->push_back({"<|tool|>", 1001, 0});
  auto opened = openSentencePiece(settings);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->tokenizer.pieces, 1002);
  EXPECT_EQ(opened->runs->findSpecial("<pad>"), 1000);
  Ids ids = *opened->runs->encode("a<pad>b<|tool|>c");
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 1000), 1);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 1001), 1);
  std::string text = opened->runs->decode(ids);
  EXPECT_NE(text.find("<|tool|>"), std::string::npos);
  EXPECT_EQ(text.find("<pad>"), std::string::npos) << "special: silent";
}

TEST(TokenizerFilesTest, NamesOfMetasReservedTokens) {
  auto three = openTiktoken(), later = openTiktoken(Llama3Names::Llama31);
  ASSERT_TRUE(three && later);
  auto base = static_cast<int32_t>(three->tokenizer.pieces - 256);
  auto at = [&](const Opened &opened, const char *name) {
    std::optional<int32_t> id = opened.runs->findSpecial(name);
    return id ? *id - base : -1;
  };
  // tokenizer.py of meta-llama/llama3: 128000 + these.
  EXPECT_EQ(at(*three, "<|begin_of_text|>"), 0);
  EXPECT_EQ(at(*three, "<|end_of_text|>"), 1);
  EXPECT_EQ(at(*three, "<|reserved_special_token_3|>"), 5);
  EXPECT_EQ(at(*three, "<|start_header_id|>"), 6);
  EXPECT_EQ(at(*three, "<|end_header_id|>"), 7);
  EXPECT_EQ(at(*three, "<|reserved_special_token_4|>"), 8);
  EXPECT_EQ(at(*three, "<|eot_id|>"), 9);
  EXPECT_EQ(at(*three, "<|reserved_special_token_5|>"), 10);
  EXPECT_EQ(at(*three, "<|reserved_special_token_250|>"), 255);
  EXPECT_EQ(at(*three, "<|python_tag|>"), -1);
  // That of llama-models.
  EXPECT_EQ(at(*later, "<|finetune_right_pad_id|>"), 4);
  EXPECT_EQ(at(*later, "<|eom_id|>"), 8);
  EXPECT_EQ(at(*later, "<|eot_id|>"), 9);
  EXPECT_EQ(at(*later, "<|python_tag|>"), 10);
  EXPECT_EQ(at(*later, "<|image|>"), 11);
  EXPECT_EQ(at(*later, "<|reserved_special_token_2|>"), 12);
  EXPECT_EQ(at(*later, "<|reserved_special_token_245|>"), 255);
  EXPECT_EQ(later->tokenizer.eosIds,
            (std::vector<int64_t>{base + 1, base + 8, base + 9}));
}
