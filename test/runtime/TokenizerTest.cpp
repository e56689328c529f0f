// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tokenizer, streaming, UTF-8 and stop strings, against golden data made by the
// sentencepiece library for Python (Inputs/make-tokenizer.py).
#include "ToyExecutable.h"

#include "runtime/StopStrings.h"
#include "runtime/Tokenizer.h"
#include "runtime/Utf8.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <random>

using namespace llrt;
using nlohmann::json;

namespace {

std::unique_ptr<Tokenizer> load(int32_t bos = 1, bool addBos = true) {
  toy::Bytes bytes = toy::readFile(toy::input("toy.model"));
  auto loaded = Tokenizer::load(
      {reinterpret_cast<char *>(bytes.data()), bytes.size()}, bos, addBos);
  EXPECT_TRUE(loaded) << loaded.error().message();
  return std::move(*loaded);
}

json golden() {
  toy::Bytes bytes = toy::readFile(toy::input("toy-golden.json"));
  return json::parse(bytes.begin(), bytes.end());
}

std::string fromHex(const std::string &hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

bool isWhole(const std::string &text) {
  return replaceInvalidUtf8(text) == text;
}

} // namespace

TEST(TokenizerTest, ReadsInvalidUtf8AsPythonDoes) {
  const json cases = golden()["encoded"];
  for (const json &entry : cases)
    EXPECT_EQ(replaceInvalidUtf8(fromHex(entry["bytes"])),
              fromHex(entry["valid"]))
        << entry.dump();
}

TEST(TokenizerTest, EncodesAsTheLibraryWithOneBos) {
  auto tokenizer = load();
  EXPECT_EQ(tokenizer->pieceCount(), golden()["pieces"]);
  const json cases = golden()["encoded"];
  for (const json &entry : cases) {
    std::vector<int32_t> expected{1};
    for (int32_t id : entry["ids"])
      expected.push_back(id);
    Result<std::vector<int32_t>> ids =
        tokenizer->encode(fromHex(entry["bytes"]), SpecialTokens::Plain);
    ASSERT_TRUE(ids);
    EXPECT_EQ(*ids, expected) << entry.dump();
  }
}

TEST(TokenizerTest, AddsBosOnlyWhereItBelongs) {
  EXPECT_EQ(*load(1, true)->encode(""), std::vector<int32_t>{1});
  EXPECT_EQ(*load(1, false)->encode(""), std::vector<int32_t>{1})
      << "an empty text is BOS alone";
  EXPECT_NE((*load(1, false)->encode("one"))[0], 1);
  EXPECT_FALSE(load(-1, false)->encode("")) << "nothing to begin with";
}

TEST(TokenizerTest, ParsesSpecialTokensInARawPrompt) {
  auto tokenizer = load();
  auto plain = [&](std::string_view text) {
    auto ids = *tokenizer->encode(text, SpecialTokens::Plain);
    ids.erase(ids.begin()); // BOS
    return ids;
  };
  std::vector<int32_t> expected{1};
  for (const std::vector<int32_t> &ids :
       {plain("one"), {2}, plain("two"), {0}, plain(" three"), {1}})
    expected.insert(expected.end(), ids.begin(), ids.end());
  EXPECT_EQ(*tokenizer->encode("one</s>two<unk> three<s>"), expected);
  EXPECT_EQ(*tokenizer->encode("<s>one</s>two<unk> three<s>"), expected)
      << "BOS stands in front once";
  EXPECT_EQ(*tokenizer->encode("<s>"), std::vector<int32_t>{1});
  EXPECT_EQ(tokenizer->encode("</s")->back(), plain("</s").back());
}

TEST(TokenizerTest, EncodesPartsWithTheGivenTokensAlone) {
  auto tokenizer = load();
  EXPECT_EQ(tokenizer->findSpecial("</s>"), 2);
  EXPECT_EQ(tokenizer->findSpecial("one"), std::nullopt);
  EXPECT_EQ(tokenizer->findSpecial("</s"), std::nullopt);
  std::vector<TextPart> parts = {
      {"", 1}, {"one </", -1}, {"s> two", -1}, {"unused", 2}};
  std::vector<int32_t> expected =
      *tokenizer->encode("one </s> two", SpecialTokens::Plain);
  expected.push_back(2);
  EXPECT_EQ(*tokenizer->encodeParts(parts), expected);
  EXPECT_EQ(*tokenizer->encodeParts({}), std::vector<int32_t>());
}

TEST(TokenizerTest, DecodesAsTheLibrary) {
  auto tokenizer = load();
  const json cases = golden()["decoded"];
  for (const json &entry : cases)
    EXPECT_EQ(tokenizer->decode(entry["ids"].get<std::vector<int32_t>>()),
              entry["text"].get<std::string>());
}

TEST(TokenizerTest, IsSilentOnIdsWithoutAPiece) {
  auto tokenizer = load();
  std::vector<int32_t> ids = *tokenizer->encode("one two"), odd = ids;
  odd.insert(odd.end(), {499, 420, 1, 2});
  EXPECT_EQ(tokenizer->decode(odd), tokenizer->decode(ids));
}

TEST(TokenizerTest, RefusesWhatIsNoModel) {
  auto loaded = Tokenizer::load("no model at all", 1, true);
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().message().find("section .llamac.tokenizer"),
            std::string::npos);
  toy::Bytes bytes = toy::readFile(toy::input("toy.model"));
  for (size_t size = 0; size < bytes.size(); size += 97)
    (void)static_cast<bool>(Tokenizer::load(
        {reinterpret_cast<char *>(bytes.data()), size}, 1, true));
}

/// prompt text + streamed pieces = decode(all), each piece whole characters.
static void expectStreams(const Tokenizer &tokenizer,
                          const std::vector<int32_t> &ids, size_t prompt) {
  TextStream stream(tokenizer,
                    std::vector<int32_t>(ids.begin(), ids.begin() + prompt));
  std::string text = stream.promptText();
  for (size_t i = prompt; i < ids.size(); ++i) {
    std::string piece = stream.append(ids[i]);
    ASSERT_TRUE(isWhole(piece)) << "token " << i;
    text += piece;
  }
  text += stream.finish();
  ASSERT_EQ(text, tokenizer.decode(ids))
      << json(ids).dump() << " after " << prompt;
}

TEST(TextStreamTest, GivesTheGoldenTexts) {
  auto tokenizer = load();
  const json cases = golden()["decoded"];
  for (const json &entry : cases)
    expectStreams(*tokenizer, entry["ids"].get<std::vector<int32_t>>(),
                  entry["prompt"].get<size_t>());
}

TEST(TextStreamTest, EqualsTheWholeTextOnRandomIds) {
  auto tokenizer = load();
  std::mt19937 random(99);
  for (int round = 0; round < 400; ++round) {
    std::vector<int32_t> ids{1};
    for (size_t count = random() % 120; count > 0; --count)
      ids.push_back(static_cast<int32_t>(random() % (round % 2 ? 420u : 300u)));
    expectStreams(*tokenizer, ids, random() % ids.size());
  }
}

TEST(TextStreamTest, HoldsAnIncompleteCharacter) {
  auto tokenizer = load();
  TextStream stream(*tokenizer, {1});
  EXPECT_EQ(stream.append(3 + 0xF0), "");
  EXPECT_EQ(stream.append(3 + 0x9F), "");
  EXPECT_EQ(stream.append(3 + 0x98), "");
  EXPECT_EQ(stream.append(3 + 0x80), "\U0001F600");
  EXPECT_EQ(stream.append(3 + 0xE4), "");
  EXPECT_EQ(stream.finish(), "\uFFFD");
}

TEST(TextStreamTest, APromptThatEndsInsideACharacterIsCompletedByTheOutput) {
  auto tokenizer = load();
  TextStream stream(*tokenizer, {1, 3 + 0xE4, 3 + 0xBD});
  EXPECT_EQ(stream.promptText(), "");
  EXPECT_EQ(stream.append(3 + 0xA0), "\u4f60");
}

TEST(StopStringsTest, FindsAMatchAcrossPieces) {
  StopStrings stops({"END", "\n\n"});
  EXPECT_EQ(stops.append("text E"), "text ");
  EXPECT_EQ(stops.append("N"), "");
  EXPECT_EQ(stops.append("x E"), "ENx ");
  EXPECT_EQ(stops.append("ND more"), "");
  EXPECT_TRUE(stops.matched());
  EXPECT_EQ(stops.append("later"), "");
  EXPECT_EQ(stops.finish(), "");
}

TEST(StopStringsTest, GivesWhatWasHeldAtTheEnd) {
  StopStrings stops({"aab"});
  EXPECT_EQ(stops.append("aaa"), "a");
  EXPECT_EQ(stops.finish(), "aa");
  EXPECT_FALSE(stops.matched());
}

TEST(StopStringsTest, CutsDoNotMatter) {
  std::mt19937 random(5);
  for (int round = 0; round < 3000; ++round) {
    auto word = [&](size_t length) {
      std::string text;
      while (length--)
        text += static_cast<char>('a' + random() % 2);
      return text;
    };
    std::vector<std::string> strings{word(1 + random() % 5),
                                     word(1 + random() % 6)};
    std::string text = word(random() % 20), shown;
    // The match that ends first; of two, the longer.
    size_t end = std::string::npos, begin = text.size();
    for (const std::string &stop : strings) {
      size_t at = text.find(stop);
      if (at != std::string::npos &&
          (at + stop.size() < end || (at + stop.size() == end && at < begin))) {
        begin = at;
        end = at + stop.size();
      }
    }
    StopStrings stops(strings);
    for (size_t at = 0; at < text.size();) {
      size_t size = 1 + random() % 4;
      shown += stops.append(text.substr(at, size));
      at += size;
    }
    EXPECT_EQ(stops.matched(), end != std::string::npos);
    shown += stops.finish();
    ASSERT_EQ(shown, text.substr(0, begin))
        << text << " stops " << strings[0] << " " << strings[1];
  }
}
