// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Small random models that cross the features of the compiler.
#include "test/models/TestModels.h"

#include <cmath>

namespace llrt::test {

namespace {
using reference::Config;
using reference::Rounding;
using reference::Tensor;
using reference::Tensors;

uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

/// The stream of one tensor: a key from the seed and the name (FNV-1a).
uint64_t streamKey(uint64_t seed, const std::string &name) {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (unsigned char c : name)
    hash = (hash ^ c) * 0x100000001b3ull;
  return mix(hash + seed * 0x9e3779b97f4a7c15ull);
}

/// Twelve 16-bit uniforms less their mean: deviation 1, an exact multiple of
/// 2^-16.
double normal(uint64_t key, uint64_t index) {
  int64_t sum = 0;
  for (uint64_t word = 0; word < 3; ++word) {
    uint64_t bits = mix(key + (index * 3 + word + 1) * 0x9e3779b97f4a7c15ull);
    for (int part = 0; part < 4; ++part)
      sum += static_cast<int64_t>((bits >> (16 * part)) & 0xffff);
  }
  return static_cast<double>(sum - 6 * 65535) * 0x1p-16;
}

float store(Stored stored, double value) {
  if (stored == Stored::F32)
    return static_cast<float>(value);
  return static_cast<float>(reference::roundTo(
      stored == Stored::F16 ? Rounding::F16 : Rounding::BF16, value));
}

Config config(int64_t hidden, int64_t ffn, int64_t layers, int64_t heads,
              int64_t kvHeads, int64_t headDim, int64_t vocab,
              int64_t maxPositions, double theta, double eps, bool tied) {
  Config config;
  config.hiddenSize = hidden;
  config.intermediateSize = ffn;
  config.layers = layers;
  config.heads = heads;
  config.kvHeads = kvHeads;
  config.headDim = headDim;
  config.vocabSize = vocab;
  config.maxPositions = maxPositions;
  config.ropeTheta = theta;
  config.rmsNormEps = eps;
  config.tiedHead = tied;
  return config;
}

Config linear(Config config, double factor) {
  config.ropeScaling = reference::RopeScaling::Linear;
  config.ropeFactor = factor;
  return config;
}

Config biases(Config config, bool attention, bool mlp) {
  config.attentionBias = attention;
  config.mlpBias = mlp;
  return config;
}

/// The base grows past maxPositions.
Config dynamic(Config config, double factor) {
  config.ropeScaling = reference::RopeScaling::Dynamic;
  config.ropeFactor = factor;
  return config;
}

Config yarn(Config config, double factor, double original, double fast,
            double slow, double attention, bool truncate) {
  config.ropeScaling = reference::RopeScaling::Yarn;
  config.ropeFactor = factor;
  config.ropeOriginalPositions = original;
  config.ropeBetaFast = fast;
  config.ropeBetaSlow = slow;
  config.ropeAttentionFactor = attention;
  config.ropeTruncate = truncate;
  return config;
}

Config alibi(Config config) {
  config.alibi = true;
  return config;
}

Config window(Config config, int64_t tokens) {
  config.window = tokens;
  return config;
}

Config llama3(Config config, double factor, double low, double high,
              double original) {
  config.ropeScaling = reference::RopeScaling::Llama3;
  config.ropeFactor = factor;
  config.ropeLowFrequencyFactor = low;
  config.ropeHighFrequencyFactor = high;
  config.ropeOriginalPositions = original;
  return config;
}
} // namespace

const std::vector<TestModel> &testModels() {
  // name; hidden ffn layers heads kv dim vocab positions theta eps tied;
  // stored, rope keys, head_dim written, inv_freq, embedding, residual, seed,
  // positions that are tested where they are more
  static const std::vector<TestModel> models = {
      {"mha-separate",
       config(128, 192, 2, 4, 4, 32, 512, 512, 1e4, 1e-5, false), Stored::BF16,
       RopeKeys::Theta, false, false, 1.0, 1.0, 1},
      {"gqa-tied", config(128, 320, 2, 8, 2, 16, 512, 512, 5e5, 1e-5, true),
       Stored::F16, RopeKeys::Parameters, false, false, 1.0, 1.0, 2},
      {"mqa-dim48", config(192, 256, 2, 3, 1, 48, 768, 256, 1e4, 1e-6, false),
       Stored::F32, RopeKeys::Parameters, true, false, 1.0, 1.0, 3},
      {"dim8", config(64, 100, 3, 8, 4, 8, 512, 256, 1e4, 1e-5, true),
       Stored::BF16, RopeKeys::Theta, false, false, 1.0, 1.0, 4},
      {"dim128", config(128, 256, 2, 2, 1, 128, 512, 256, 1e6, 1e-5, false),
       Stored::BF16, RopeKeys::Theta, true, false, 1.0, 1.0, 5},
      {"hidden172", config(172, 236, 2, 2, 2, 86, 512, 256, 1e4, 1e-5, false),
       Stored::F32, RopeKeys::Theta, false, true, 1.0, 1.0, 6},
      {"vocab32003", config(64, 128, 2, 4, 2, 16, 32003, 128, 1e4, 1e-5, true),
       Stored::BF16, RopeKeys::Theta, false, false, 1.0, 1.0, 7},
      {"small-residual",
       config(128, 192, 2, 4, 2, 32, 512, 256, 1e4, 1e-5, false), Stored::BF16,
       RopeKeys::Theta, false, false, 0.07, 0.003, 8},
      {"one-head", config(64, 172, 2, 1, 1, 64, 512, 100, 1e4, 1e-6, true),
       Stored::F16, RopeKeys::Absent, false, true, 1.0, 1.0, 9},
      // Scaled: every tested length is over the original one.
      {"llama3-gqa",
       llama3(config(128, 192, 2, 4, 2, 32, 512, 256, 5e5, 1e-5, true), 8, 1, 4,
              64),
       Stored::BF16, RopeKeys::Theta, true, false, 1.0, 1.0, 10},
      {"llama3-mha",
       llama3(config(96, 160, 2, 2, 2, 48, 512, 160, 1e4, 1e-5, false), 4, 1.5,
              6, 48),
       Stored::F16, RopeKeys::Parameters, false, false, 1.0, 1.0, 11},
      {"linear-mha",
       linear(config(128, 160, 2, 4, 4, 32, 512, 256, 1e4, 1e-6, false), 4),
       Stored::BF16, RopeKeys::OldType, false, false, 1.0, 1.0, 12},
      {"linear-gqa",
       linear(config(96, 128, 2, 6, 2, 16, 512, 160, 1e4, 1e-5, true), 2.5),
       Stored::F16, RopeKeys::Parameters, false, false, 1.0, 1.0, 13},
      {"bias-mha",
       biases(config(128, 192, 2, 4, 4, 32, 512, 256, 1e4, 1e-5, false), true,
              false),
       Stored::BF16, RopeKeys::Theta, false, false, 1.0, 1.0, 14},
      // No size is a multiple of 64.
      {"bias-gqa",
       biases(config(120, 172, 2, 6, 2, 20, 500, 160, 5e5, 1e-5, true), true,
              true),
       Stored::F32, RopeKeys::Parameters, false, false, 1.0, 1.0, 15},
      {"mlp-bias-mqa",
       biases(config(96, 160, 2, 3, 1, 32, 512, 160, 1e4, 1e-6, false), false,
              true),
       Stored::F16, RopeKeys::Theta, false, false, 1.0, 1.0, 16},
      // Prompts of these cross maxPositions, and so does what is decoded.
      {"dynamic-mha",
       dynamic(config(96, 128, 2, 3, 3, 32, 512, 56, 1e4, 1e-5, false), 4),
       Stored::BF16, RopeKeys::OldType, false, false, 1.0, 1.0, 14, 224},
      {"dynamic-gqa",
       dynamic(config(96, 160, 2, 6, 2, 16, 512, 100, 5e5, 1e-5, true), 2.5),
       Stored::F16, RopeKeys::Parameters, false, false, 1.0, 1.0, 15, 200},
      // 0.1 ln 8 + 1, which config.json does not say; 1.25 it says.
      {"yarn-mha",
       yarn(config(128, 192, 2, 4, 4, 32, 512, 128, 1e4, 1e-5, false), 8, 32,
            32, 1, 1.2079441541679836, true),
       Stored::BF16, RopeKeys::Theta, false, false, 1.0, 1.0, 16, 208},
      {"yarn-gqa",
       yarn(config(96, 160, 2, 4, 2, 24, 512, 96, 2e4, 1e-5, true), 3, 48, 12,
            1.5, 1.25, false),
       Stored::F16, RopeKeys::Parameters, false, false, 1.0, 1.0, 17, 200},
      {"alibi-mha",
       alibi(config(128, 160, 2, 8, 8, 16, 512, 400, 1e4, 1e-5, true)),
       Stored::BF16, RopeKeys::Absent, false, false, 1.0, 1.0, 18},
      {"alibi-gqa12",
       alibi(config(96, 160, 2, 12, 4, 24, 512, 224, 1e4, 1e-5, false)),
       Stored::F32, RopeKeys::Theta, true, false, 1.0, 1.0, 19},
      {"window-gqa",
       window(config(128, 192, 2, 4, 2, 32, 512, 400, 1e4, 1e-5, false), 24),
       Stored::BF16, RopeKeys::Theta, false, false, 1.0, 1.0, 20},
      {"window-mha",
       window(config(96, 128, 3, 2, 2, 48, 512, 400, 1e6, 1e-5, true), 77),
       Stored::F16, RopeKeys::Parameters, true, false, 1.0, 1.0, 21},
  };
  return models;
}

const TestModel *findTestModel(const std::string &name) {
  for (const TestModel &model : testModels())
    if (model.name == name)
      return &model;
  return nullptr;
}

Tensors makeTensors(const TestModel &model) {
  const Config &c = model.config;
  Tensors tensors;
  auto add = [&](const std::string &name, std::vector<int64_t> shape,
                 double mean, double deviation) {
    int64_t count = 1;
    for (int64_t size : shape)
      count *= size;
    Tensor &tensor = tensors[name];
    tensor.shape = std::move(shape);
    tensor.values.resize(count);
    const uint64_t key = streamKey(model.seed, name);
    for (int64_t i = 0; i < count; ++i) {
      // Two statements: a contraction to fma would change bits.
      volatile double scaled = normal(key, i) * deviation;
      tensor.values[i] = store(model.stored, mean + scaled);
    }
  };
  auto matrix = [&](const std::string &name, int64_t out, int64_t in,
                    double factor) {
    add(name, {out, in}, 0.0,
        factor * 1.2 / std::sqrt(static_cast<double>(in)));
  };

  auto linear = [&](const std::string &name, int64_t out, int64_t in,
                    double factor, bool bias) {
    matrix(name + ".weight", out, in, factor);
    if (bias)
      add(name + ".bias", {out}, 0.0, factor * 0.3);
  };

  matrix("model.embed_tokens.weight", c.vocabSize, c.hiddenSize,
         model.embedding);
  for (int64_t l = 0; l < c.layers; ++l) {
    const std::string prefix = "model.layers." + std::to_string(l) + ".";
    add(prefix + "input_layernorm.weight", {c.hiddenSize}, 1.0, 0.2);
    const bool attention = c.attentionBias, mlp = c.mlpBias;
    linear(prefix + "self_attn.q_proj", c.heads * c.headDim, c.hiddenSize, 1.0,
           attention);
    linear(prefix + "self_attn.k_proj", c.kvHeads * c.headDim, c.hiddenSize,
           1.0, attention);
    linear(prefix + "self_attn.v_proj", c.kvHeads * c.headDim, c.hiddenSize,
           1.0, attention);
    linear(prefix + "self_attn.o_proj", c.hiddenSize, c.heads * c.headDim,
           model.residual, attention);
    add(prefix + "post_attention_layernorm.weight", {c.hiddenSize}, 1.0, 0.2);
    linear(prefix + "mlp.gate_proj", c.intermediateSize, c.hiddenSize, 1.0,
           mlp);
    linear(prefix + "mlp.up_proj", c.intermediateSize, c.hiddenSize, 1.0, mlp);
    linear(prefix + "mlp.down_proj", c.hiddenSize, c.intermediateSize,
           model.residual, mlp);
    if (model.oldInvFreq) {
      Tensor &tensor = tensors[prefix + "self_attn.rotary_emb.inv_freq"];
      tensor.shape = {c.headDim / 2};
      for (int64_t j = 0; j < c.headDim / 2; ++j)
        tensor.values.push_back(
            store(model.stored,
                  std::pow(c.ropeTheta, -2.0 * static_cast<double>(j) /
                                            static_cast<double>(c.headDim))));
    }
  }
  add("model.norm.weight", {c.hiddenSize}, 1.0, 0.2);
  if (!c.tiedHead)
    matrix("lm_head.weight", c.vocabSize, c.hiddenSize, 1.0);
  return tensors;
}

std::vector<int32_t> promptIds(const Config &config, int64_t count,
                               uint64_t seed) {
  std::vector<int32_t> ids;
  const uint64_t key = streamKey(seed, "prompt");
  for (int64_t i = 0; i < count; ++i)
    ids.push_back(static_cast<int32_t>(
        mix(key + static_cast<uint64_t>(i + 1) * 0x9e3779b97f4a7c15ull) %
        static_cast<uint64_t>(config.vocabSize)));
  return ids;
}

} // namespace llrt::test
