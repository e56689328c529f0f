// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The loaders against random damage: every input gives a value or a message.
// With the asan preset this also finds reads outside the file.
#include "compiler/import/ShardIndex.h"

#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <sstream>

using namespace mlir::llama;

namespace {

/// One to eight edits: flipped bits, copied pieces, inserted and removed bytes.
std::string damage(std::string text, std::mt19937 &random) {
  auto below = [&](size_t limit) { return limit ? random() % limit : 0; };
  for (unsigned edits = 1 + below(8); edits != 0 && !text.empty(); --edits) {
    size_t at = below(text.size());
    switch (below(5)) {
    case 0:
      text[at] ^= char(1u << below(8));
      break;
    case 1:
      text[at] = "{}[],:\"0919-e.\\ \n"[below(17)];
      break;
    case 2:
      text.erase(at, 1 + below(8));
      break;
    case 3:
      text.insert(at, text.substr(below(text.size()), 1 + below(16)));
      break;
    case 4:
      text.resize(at);
      break;
    }
  }
  return text;
}

/// Calls parse(bytes, size) on a copy of exactly that size.
template <typename Parse>
void mutate(const std::string &good, int rounds, Parse parse) {
  std::mt19937 random(1);
  for (int i = 0; i < rounds; ++i) {
    std::string bad = damage(good, random);
    std::unique_ptr<char[]> copy(new char[bad.size()]);
    std::memcpy(copy.get(), bad.data(), bad.size());
    std::string message = parse(copy.get(), bad.size());
    if (!message.empty())
      EXPECT_EQ(message.rfind("file: ", 0), 0u) << message;
  }
}

std::string read(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}
const std::string folder = LLAMAC_SOURCE_DIR "/examples/storyteller/model/";

TEST(MutationTest, Config) {
  mutate(read(folder + "config.json"), 20000,
         [](const char *data, size_t size) {
           std::vector<std::string> warnings;
           auto result = parseConfig({data, size}, "file", warnings);
           return result ? std::string() : result.error().message();
         });
}

TEST(MutationTest, GenerationConfig) {
  mutate(read(folder + "generation_config.json"), 5000,
         [](const char *data, size_t size) {
           auto result = parseGenerationConfig({data, size}, "file");
           return result ? std::string() : result.error().message();
         });
}

TEST(MutationTest, Safetensors) {
  std::string header =
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"BF16","shape":[2,2],)"
      R"("data_offsets":[0,8]},"b":{"dtype":"F32","shape":[3],)"
      R"("data_offsets":[8,20]}})";
  std::string file(8, '\0');
  file[0] = char(header.size());
  file += header + std::string(20, 'x');
  mutate(file, 50000, [](const char *data, size_t size) {
    auto *bytes = reinterpret_cast<const uint8_t *>(data);
    auto result = parseSafetensors(bytes, size, "file");
    if (!result)
      return result.error().message();
    unsigned sum = 0;
    for (auto &[name, tensor] : *result)
      for (uint64_t i = 0; i < tensor.size; ++i)
        sum += tensor.bytes[i];
    EXPECT_LT(sum, 1u << 30);
    return std::string();
  });
}

TEST(MutationTest, ShardIndex) {
  mutate(R"({"metadata":{"total_size":8},"weight_map":{"a.weight":)"
         R"("model-00001-of-00002.safetensors","b":"x/y.safetensors"}})",
         20000, [](const char *data, size_t size) {
           auto result = parseShardIndex({data, size}, "file");
           return result ? std::string() : result.error().message();
         });
}

TEST(MutationTest, TokenizerModel) {
  mutate(read(folder + "tokenizer.model"), 300,
         [](const char *data, size_t size) {
           auto result = parseTokenizerModel({data, size}, "file");
           return result ? std::string() : result.error().message();
         });
}

} // namespace
