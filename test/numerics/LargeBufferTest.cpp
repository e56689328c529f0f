// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A weight buffer of 10 GB, in which the embedding and the head are over 4 GiB
// each: what lies behind 2^32 bytes, up to the last tile, is read from its own
// place. The memory is never touched but for a few rows, so it costs none.
#include "runtime/PackedLayout.h"
#include "test/numerics/CompiledModel.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace llrt;
using namespace llrt::test;

namespace {
constexpr uint64_t hidden = 4096, vocabulary = 600000;
constexpr double eps = 1e-5;

/// Writes a model without weights, all zero but for what set() puts there.
class LargeBuffer {
public:
  LargeBuffer(const TensorTable &table, uint8_t *bytes)
      : table(table), bytes(bytes) {}

  /// Row `row` of the matrix that has `name` among its sources, in bf16.
  void set(const std::string &name, uint64_t row,
           const std::vector<float> &values) {
    const LlamacStream &stream = find(name);
    const uint64_t tiles = hidden / 64;
    for (uint64_t k = 0; k < hidden; ++k) {
      uint64_t chunk = (k % 64 * 2 / 16) ^ (row % 8);
      uint64_t at = stream.offset + (row / 64 * tiles + k / 64) * 8192 +
                    row % 64 * 128 + chunk * 16 + k % 8 * 2;
      put(at, values[k]);
      last = std::max(last, at);
    }
  }
  void setVector(const std::string &name, const std::vector<float> &values) {
    for (size_t i = 0; i < values.size(); ++i)
      put(find(name).offset + 2 * i, values[i]);
  }
  const LlamacStream &find(const std::string &name) const {
    for (const LlamacStream &stream : table.streams())
      for (const LlamacStreamSource &source : table.sources(stream))
        if (name == table.name(source))
          return stream;
    ADD_FAILURE() << "no tensor " << name;
    return table.streams()[0];
  }
  uint64_t last = 0; ///< the furthest byte that was set

private:
  /// The upper half of a float that bf16 holds.
  void put(uint64_t at, float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    bits >>= 16;
    std::memcpy(bytes + at, &bits, 2);
  }

  const TensorTable &table;
  uint8_t *bytes;
};

/// Multiples of 1/64, which bf16 holds.
std::vector<float> someRow(int salt) {
  std::vector<float> row(hidden);
  for (uint64_t k = 0; k < hidden; ++k)
    row[k] = static_cast<float>((k * 37 + salt * 101) % 64) / 64 - 0.5f;
  return row;
}
} // namespace

TEST(LargeBuffer, IsReadToItsLastTile) {
  const std::string folder =
      testing::TempDir() + "large-buffer-" + std::to_string(getpid());
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/config.json")
      << R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama",
             "hidden_size": )"
      << hidden << R"(, "intermediate_size": 64, "num_hidden_layers": 1,
             "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 64,
             "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
             "eos_token_id": 2, "vocab_size": )"
      << vocabulary << "}";
  const std::string command =
      std::string(LLAMAC_BINARY_DIR) + "/bin/llamac " + folder +
      "/config.json -q --no-weights --dtype bf16 --max-batch 1 -o " + folder +
      "/exe";
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
  Result<std::unique_ptr<Executable>> executable =
      Executable::open(folder + "/exe");
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(executable) << executable.error().message();
  const uint64_t bytes = (*executable)->plan().weights_bytes;
  ASSERT_GT(bytes, 9ull << 30);
  Result<TensorTable> table =
      TensorTable::read((*executable)->tensors(), LLAMAC_BF16, bytes, "table");
  ASSERT_TRUE(table) << table.error().message();
  Result<std::unique_ptr<HostMemory>> memory = HostMemory::allocate(bytes);
  ASSERT_TRUE(memory) << memory.error().message();

  // All layers are zero: x stays the embedding's row, and the logits are the
  // head's rows times it.
  LargeBuffer weights(*table, (*memory)->data());
  const std::string table0 = "model.embed_tokens.weight",
                    head = "lm_head.weight";
  const int32_t token = vocabulary - 1;
  const std::vector<float> x = someRow(1);
  weights.set(table0, token, x);
  weights.setVector("model.norm.weight", std::vector<float>(hidden, 1.0f));
  // Behind 2^32 bytes of the head, in its last row, and where an offset that
  // lost its upper half would find it.
  const uint64_t rowBytes = hidden * 2, wrap = (1ull << 32) / rowBytes;
  const std::vector<int32_t> rows = {0, 63, static_cast<int32_t>(wrap + 5),
                                     static_cast<int32_t>(vocabulary - 1)};
  for (size_t i = 0; i < rows.size(); ++i)
    weights.set(head, rows[i], someRow(int(i) + 2));
  EXPECT_GT(weights.find(head).offset, 1ull << 32);
  EXPECT_GT(weights.last, 9ull << 30);

  EngineOptions options;
  Result<std::shared_ptr<const WeightSource>> source = WeightSource::fromMemory(
      **executable, View<uint8_t>((*memory)->data(), bytes));
  ASSERT_TRUE(source) << source.error().message();
  options.weights = *source;
  Result<std::unique_ptr<CompiledModel>> model =
      CompiledModel::open(std::move(*executable), options,
                          CompiledModel::environmentsGpu(), /*check=*/false);
  ASSERT_TRUE(model) << model.error().message();
  Result<FloatLogits> logits = (*model)->run({{token}, {}});
  ASSERT_TRUE(logits) << logits.error().message();

  double squares = 0;
  for (float value : x)
    squares += double(value) * value;
  const double scale = 1 / std::sqrt(squares / hidden + eps);
  const std::vector<float> &row = (*logits)[0];
  std::vector<bool> isSet(vocabulary);
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::vector<float> w = someRow(int(i) + 2);
    double expected = 0;
    for (uint64_t k = 0; k < hidden; ++k)
      expected += double(x[k]) * w[k] * scale;
    EXPECT_GT(std::fabs(expected), 0.1);
    EXPECT_NEAR(row[rows[i]], expected, 1e-4 * std::fabs(expected) + 1e-4)
        << rows[i];
    isSet[rows[i]] = true;
  }
  size_t wrong = 0;
  for (uint64_t v = 0; v < vocabulary; ++v)
    wrong += !isSet[v] && row[v] != 0;
  EXPECT_EQ(wrong, 0u);
}
