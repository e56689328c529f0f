// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// GGUF files, well-formed and not; most are the fuzzer's corpus
// (test/fuzz/corpus/make_gguf.py), by gguf's own code.
#include "compiler/import/Gguf.h"
#include "runtime/Tokenizer.h"

#include <cmath>
#include <fstream>
#include <gtest/gtest.h>
#include <sentencepiece_processor.h>
#include <sstream>

using namespace mlir::llama;

namespace {

const std::string corpus = LLAMAC_SOURCE_DIR "/test/fuzz/corpus/gguf/";

std::string read(const std::string &name) {
  std::ifstream in(corpus + name, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  EXPECT_FALSE(all.str().empty()) << name;
  return all.str();
}

/// "" where it opens.
std::string messageFor(const std::string &name) {
  auto opened = openGguf(corpus + name, {});
  return opened ? "" : opened.error().message();
}

TEST(GgufTest, ReadsWhatGgufWrites) {
  for (const char *name : {"good", "aligned", "kv-by-layer"}) {
    SCOPED_TRACE(name);
    auto opened = openGguf(corpus + name, {});
    ASSERT_TRUE(opened) << opened.error().message();
    EXPECT_EQ(opened->config.kvHeads, 2);
    EXPECT_EQ(opened->config.headDim, 8);
    EXPECT_TRUE(opened->config.tiedEmbeddings);
    ASSERT_TRUE(opened->tokenizer);
    EXPECT_EQ(opened->tokenizer->pieces, 8);
    EXPECT_EQ(opened->config.bosId, 1);
  }
}

TEST(GgufTest, LinearScaling) {
  auto opened = openGguf(corpus + "linear", {});
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(opened->config.ropeScaling.kind, RopeScaling::Linear);
  EXPECT_EQ(opened->config.ropeScaling.factor, 4);
}

TEST(GgufTest, YarnScaling) {
  auto opened = openGguf(corpus + "yarn", {});
  ASSERT_TRUE(opened) << opened.error().message();
  const RopeScaling &scaling = opened->config.ropeScaling;
  EXPECT_EQ(scaling.kind, RopeScaling::Yarn);
  EXPECT_EQ(scaling.factor, 4);
  EXPECT_EQ(scaling.originalMaxPositions, 16);
  EXPECT_EQ(scaling.betaFast, 24);
  EXPECT_EQ(scaling.betaSlow, 1); // transformers' and llama.cpp's own
}

TEST(GgufTest, ByteLevelVocabulary) {
  auto opened = openGguf(corpus + "bytes", {});
  ASSERT_TRUE(opened) << opened.error().message();
  ASSERT_TRUE(opened->tokenizer);
  EXPECT_EQ(opened->tokenizer->pieces, 261);
  EXPECT_EQ(opened->config.bosId, 259);
  EXPECT_EQ(opened->config.eosIds, std::vector<int64_t>{260});
  auto tokenizer = llrt::Tokenizer::load(opened->tokenizer->bytes, 259, true);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message();
  // Ids below 256 are the bytes; then "ab", " a", " ab". "ab" is merged first.
  EXPECT_EQ(
      *(*tokenizer)->encode("ab ab abc a\n<|eot_id|>"),
      (std::vector<int32_t>{259, 256, 258, 32, 256, 'c', 257, '\n', 260}));
  EXPECT_EQ((*tokenizer)->decode(std::vector<int32_t>{258, 257, 0xc3, 0xa9}),
            " ab a\u00e9");
}

/// A sentencepiece model, taken apart as llama.cpp's converter does it, is the
/// same model again.
TEST(GgufTest, SentencePieceVocabulary) {
  sentencepiece::SentencePieceProcessor original, again;
  ASSERT_TRUE(
      original
          .Load(LLAMAC_SOURCE_DIR "/examples/storyteller/model/tokenizer.model")
          .ok());
  size_t count = size_t(original.GetPieceSize());
  std::vector<std::string> pieces;
  std::vector<float> scores;
  std::vector<int32_t> types;
  for (size_t i = 0; i < count; ++i) {
    int id = int(i);
    pieces.push_back(original.IdToPiece(id));
    scores.push_back(original.GetScore(id));
    types.push_back(original.IsUnknown(id)   ? 2
                    : original.IsControl(id) ? 3
                    : original.IsUnused(id)  ? 5
                    : original.IsByte(id)    ? 6
                                             : 1);
  }
  const uint32_t ids[] = {uint32_t(original.unk_id()),
                          uint32_t(original.bos_id()),
                          uint32_t(original.eos_id())};
  GgufFile file;
  auto add = [&](const char *key, GgufValue::Type type, const void *bytes) {
    GgufValue &value = file.metadata[std::string("tokenizer.ggml.") + key];
    value.type = type;
    value.bytes = static_cast<const uint8_t *>(bytes);
    return &value;
  };
  auto addList = [&](const char *key, GgufValue::Type type, const void *bytes) {
    GgufValue *value = add(key, GgufValue::Array, bytes);
    value->elements = type;
    value->count = count;
    return value;
  };
  add("model", GgufValue::Text, nullptr)->texts = {"llama"};
  addList("tokens", GgufValue::Text, nullptr)->texts = {pieces.begin(),
                                                        pieces.end()};
  addList("scores", GgufValue::F32, scores.data());
  addList("token_type", GgufValue::I32, types.data());
  add("unknown_token_id", GgufValue::U32, &ids[0]);
  add("bos_token_id", GgufValue::U32, &ids[1]);
  add("eos_token_id", GgufValue::U32, &ids[2]);
  auto tokenizer = makeGgufTokenizer(file, "m.gguf");
  ASSERT_TRUE(tokenizer && *tokenizer);
  EXPECT_EQ((*tokenizer)->bosId, original.bos_id());
  EXPECT_EQ((*tokenizer)->eosIds, std::vector<int64_t>{original.eos_id()});
  ASSERT_TRUE(again.LoadFromSerializedProto((*tokenizer)->bytes).ok());
  for (const char *text :
       {"", " ", "Once upon a time, there was a little girl.", "  two  spaces ",
        "caf\u00e9 \u4e16\u754c \U0001F600", "line\nbreak\ttab", "12345 6.7",
        "<s></s><unk>", "\u2581x", "The dog's ball"}) {
    EXPECT_EQ(again.EncodeAsIds(text), original.EncodeAsIds(text)) << text;
    EXPECT_EQ(again.DecodeIds(again.EncodeAsIds(text)),
              original.DecodeIds(original.EncodeAsIds(text)));
  }
}

TEST(GgufTest, RefusesByName) {
  const std::pair<const char *, const char *> cases[] = {
      {"q4_0", "is stored as Q4_0, expected F32, F16, BF16 or Q8_0"},
      {"gemma", "\"gemma\""},
      {"experts", "mixture of experts"},
      {"unknown-key", "\"llama.attention.scale\""},
      {"partial-rope", "\"llama.rope.dimension_count\" is 4"},
      {"longrope", "\"longrope\""},
      {"split", "llama-gguf-split"},
      {"missing-tensor", "tensor \"blk.0.ffn_up.weight\" of shape [32, 32]"},
      {"unknown-tensor", "tensor \"blk.0.attn_sinks.weight\""},
      {"bad-shape", "\"blk.0.attn_k.weight\" has shape [32, 32]"},
      {"no-context", "\"llama.context_length\" is missing"},
      {"vocab-size", "\"llama.vocab_size\" is 13"},
      {"tokens", "\"tokenizer.ggml.tokens\" has 8 tokens"},
      {"rope-factors", "\"rope_freqs.weight\" does not follow"},
      {"cut", "is it cut?"},
      {"version-1", "GGUF of version 1"},
      {"big-endian", "big-endian"},
      {"many-tensors", "cut"},
      {"many-keys", "cut"},
      {"long-key", "cut"},
      {"many-texts", "cut"},
      {"list-of-lists", "\"tokenizer.ggml.tokens\" is a list of lists"},
      {"overlap", "overlaps"},
      {"far-tensor", "\"blk.0.attn_k.weight\": ends past the file"},
      {"large-size", "\"blk.0.attn_k.weight\": its sizes are zero or overflow"},
  };
  for (auto [name, part] : cases) {
    std::string message = messageFor(name);
    EXPECT_EQ(message.rfind(corpus + name + ": ", 0), 0u) << message;
    EXPECT_NE(message.find(part), std::string::npos) << name << ": " << message;
  }
}

TEST(GgufTest, CutAnywhere) {
  std::string text = read("good");
  for (size_t size = 0; size < text.size(); size += 7) {
    std::vector<uint8_t> cut(text.begin(), text.begin() + size);
    EXPECT_FALSE(parseGguf(cut.data(), cut.size(), "m.gguf", false)) << size;
  }
}

/// The formula of transformers' _compute_llama3_parameters, as float32 factors.
std::vector<float> makeFactors(double theta, int headDim, double factor,
                               double positions) {
  std::vector<float> factors;
  for (int i = 0; i < headDim; i += 2) {
    double wavelength = 2 * M_PI * std::pow(theta, double(i) / headDim);
    double smooth = (positions / wavelength - 1) / 3;
    factors.push_back(float(wavelength < positions / 4 ? 1
                            : wavelength > positions
                                ? factor
                                : 1 / ((1 - smooth) / factor + smooth)));
  }
  return factors;
}

TEST(GgufTest, FindsLlama3Scaling) {
  struct {
    double theta;
    int headDim;
    double factor, positions;
  } const cases[] = {{500000, 128, 8, 8192},
                     {500000, 64, 32, 8192},
                     {10000, 64, 4, 100},
                     {10000, 16, 8, 32},
                     {10000, 8, 8, 64}};
  for (auto &each : cases) {
    auto factors =
        makeFactors(each.theta, each.headDim, each.factor, each.positions);
    auto found = findLlama3Scaling(factors, each.theta, "m.gguf");
    ASSERT_TRUE(found) << found.error().message();
    EXPECT_EQ(found->kind, RopeScaling::Llama3);
    EXPECT_EQ(found->factor, each.factor);
    auto again = makeFactors(each.theta, each.headDim, found->factor,
                             double(found->originalMaxPositions));
    for (size_t i = 0; i < factors.size(); ++i)
      EXPECT_NEAR(again[i], factors[i], 2e-5 * factors[i]);
    if (each.headDim >= 64)
      EXPECT_EQ(found->originalMaxPositions, each.positions);
  }
  EXPECT_EQ(findLlama3Scaling({1, 1, 1, 1}, 10000, "m.gguf")->kind,
            RopeScaling::None);
  EXPECT_FALSE(findLlama3Scaling({1, 2, 1, 4}, 10000, "m.gguf"));
}

} // namespace
