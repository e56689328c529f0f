// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads a Hugging Face Llama folder for the reference, and .npy files.
#include "test/models/HuggingFaceFolder.h"

#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace llrt::test {

namespace {
using Json = nlohmann::json;

Result<std::string> readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return Error(path + ": cannot be opened");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

uint64_t little(const char *bytes, int count) {
  uint64_t value = 0;
  for (int i = 0; i < count; ++i)
    value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i]))
             << (8 * i);
  return value;
}

float fromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

float fromF16(uint16_t bits) {
  const int exponent = (bits >> 10) & 31, significand = bits & 0x3ff;
  const double magnitude = exponent == 31 ? (significand ? NAN : INFINITY)
                           : exponent == 0
                               ? std::ldexp(significand, -24)
                               : std::ldexp(1024 + significand, exponent - 25);
  return static_cast<float>((bits & 0x8000) ? -magnitude : magnitude);
}

reference::Config readConfig(const Json &json) {
  reference::Config c;
  c.hiddenSize = json.at("hidden_size");
  c.intermediateSize = json.at("intermediate_size");
  c.layers = json.at("num_hidden_layers");
  c.heads = json.at("num_attention_heads");
  c.kvHeads = json.value("num_key_value_heads", c.heads);
  c.headDim = json.value("head_dim", c.hiddenSize / c.heads);
  c.vocabSize = json.at("vocab_size");
  c.maxPositions = json.at("max_position_embeddings");
  c.rmsNormEps = json.at("rms_norm_eps");
  c.tiedHead = json.value("tie_word_embeddings", false);
  c.attentionBias = json.value("attention_bias", false);
  c.mlpBias = json.value("mlp_bias", false);
  c.ropeTheta = json.value("rope_theta", 10000.0);
  c.alibi = json.value("position_embedding_type", "") == "alibi";
  if (json.contains("sliding_window") && !json["sliding_window"].is_null())
    c.window = json["sliding_window"];
  for (const char *key : {"rope_parameters", "rope_scaling"}) {
    if (!json.contains(key) || json[key].is_null())
      continue;
    const Json &rope = json[key];
    c.ropeTheta = rope.value("rope_theta", c.ropeTheta);
    const std::string type = rope.value("rope_type", rope.value("type", ""));
    using reference::RopeScaling;
    for (const auto &[name, scaling] :
         {std::pair("linear", RopeScaling::Linear),
          std::pair("llama3", RopeScaling::Llama3),
          std::pair("dynamic", RopeScaling::Dynamic),
          std::pair("yarn", RopeScaling::Yarn)})
      if (type == name) {
        c.ropeScaling = scaling;
        c.ropeFactor = rope.at("factor");
      }
    if (type == "yarn") {
      c.ropeOriginalPositions = rope.value("original_max_position_embeddings",
                                           double(c.maxPositions));
      c.ropeBetaFast = rope.value("beta_fast", 32.0);
      c.ropeBetaSlow = rope.value("beta_slow", 1.0);
      c.ropeTruncate = rope.value("truncate", true);
      c.ropeAttentionFactor =
          rope.value("attention_factor", 0.1 * std::log(c.ropeFactor) + 1.0);
    }
    if (type == "llama3") {
      c.ropeLowFrequencyFactor = rope.at("low_freq_factor");
      c.ropeHighFrequencyFactor = rope.at("high_freq_factor");
      c.ropeOriginalPositions = rope.at("original_max_position_embeddings");
    }
  }
  return c;
}
} // namespace

Result<reference::Config> readConfigFile(const std::string &path) try {
  Result<std::string> config = readFile(path);
  if (!config)
    return config.error();
  return readConfig(Json::parse(*config));
} catch (const Json::exception &failure) {
  return Error(path + ": " + failure.what());
}

Result<HuggingFaceFolder> readFolder(const std::string &folder) try {
  HuggingFaceFolder result;
  Result<reference::Config> config = readConfigFile(folder + "/config.json");
  if (!config)
    return config.error();
  result.config = *config;

  Result<std::string> file = readFile(folder + "/model.safetensors");
  if (!file)
    return file.error();
  const uint64_t headerBytes = little(file->data(), 8);
  const Json header = Json::parse(file->substr(8, headerBytes));
  const char *data = file->data() + 8 + headerBytes;
  for (const auto &[name, entry] : header.items()) {
    if (name == "__metadata__")
      continue;
    reference::Tensor tensor;
    tensor.shape = entry.at("shape").get<std::vector<int64_t>>();
    const std::string type = entry.at("dtype");
    const uint64_t begin = entry.at("data_offsets")[0],
                   end = entry.at("data_offsets")[1];
    const int size = type == "F32" ? 4 : 2;
    for (uint64_t at = begin; at < end; at += size) {
      const uint32_t bits = static_cast<uint32_t>(little(data + at, size));
      tensor.values.push_back(type == "F32" ? fromBits(bits)
                              : type == "F16"
                                  ? fromF16(static_cast<uint16_t>(bits))
                                  : fromBits(bits << 16));
    }
    result.tensors[name] = std::move(tensor);
  }
  return result;
} catch (const Json::exception &failure) {
  return Error(folder + ": " + failure.what());
}

Result<NpyMatrix> readNpy(const std::string &path) {
  Result<std::string> file = readFile(path);
  if (!file)
    return file.error();
  if (file->size() < 10 || file->compare(0, 6, "\x93NUMPY") != 0)
    return Error(path + ": not a .npy file");
  const size_t headerBytes = little(file->data() + 8, 2);
  const std::string header = file->substr(10, headerBytes);
  NpyMatrix matrix;
  long long rows = 0, columns = 0;
  const size_t shape = header.find("'shape': (");
  if (header.find("'<f4'") == std::string::npos || shape == std::string::npos ||
      std::sscanf(header.c_str() + shape, "'shape': (%lld, %lld)", &rows,
                  &columns) != 2)
    return Error(path + ": expected a float32 matrix, found " + header);
  matrix.rows = rows;
  matrix.columns = columns;
  if (file->size() != 10 + headerBytes + sizeof(float) * rows * columns)
    return Error(path + ": its size is not that of its shape");
  matrix.values.resize(rows * columns);
  std::memcpy(matrix.values.data(), file->data() + 10 + headerBytes,
              sizeof(float) * matrix.values.size());
  return matrix;
}

} // namespace llrt::test
