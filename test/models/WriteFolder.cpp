// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes a test model as a Hugging Face folder.
#include "test/models/TestModels.h"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace llrt::test {

namespace {
using Json = nlohmann::ordered_json;

uint16_t bf16Bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return static_cast<uint16_t>(bits >> 16); // the value is a bf16 already
}

uint16_t f16Bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  const int exponent = static_cast<int>((bits >> 23) & 0xff) - 127;
  const uint32_t significand = (bits & 0x7fffff) | 0x800000;
  if ((bits & 0x7fffffff) == 0)
    return sign;
  if (exponent >= -14) // the value is an f16 already: the low bits are zero
    return static_cast<uint16_t>(sign | ((exponent + 15) << 10) |
                                 ((significand >> 13) & 0x3ff));
  return static_cast<uint16_t>(sign | (significand >> (13 - 14 - exponent)));
}

void append(std::string &data, Stored stored, float value) {
  char bytes[4];
  size_t size = 2;
  if (stored == Stored::F32) {
    std::memcpy(bytes, &value, size = 4);
  } else {
    const uint16_t bits =
        stored == Stored::F16 ? f16Bits(value) : bf16Bits(value);
    std::memcpy(bytes, &bits, 2);
  }
  data.append(bytes, size);
}

Json configJson(const TestModel &model) {
  static const char *const names[] = {"float32", "float16", "bfloat16"};
  const reference::Config &c = model.config;
  Json json = {{"architectures", {"LlamaForCausalLM"}},
               {"model_type", "llama"},
               {"attention_bias", c.attentionBias},
               {"bos_token_id", 1},
               {"eos_token_id", 2},
               {"hidden_act", "silu"},
               {"hidden_size", c.hiddenSize},
               {"intermediate_size", c.intermediateSize},
               {"max_position_embeddings", c.maxPositions},
               {"mlp_bias", c.mlpBias},
               {"num_attention_heads", c.heads},
               {"num_hidden_layers", c.layers},
               {"num_key_value_heads", c.kvHeads},
               {"rms_norm_eps", c.rmsNormEps},
               {"tie_word_embeddings", c.tiedHead},
               {"torch_dtype", names[static_cast<int>(model.stored)]},
               {"vocab_size", c.vocabSize}};
  if (model.writesHeadDim)
    json["head_dim"] = c.headDim;
  const bool scaled = c.ropeScaling != reference::RopeScaling::None;
  const bool llama3 = c.ropeScaling == reference::RopeScaling::Llama3;
  static const char *const types[] = {"default", "linear", "llama3", "dynamic",
                                      "yarn"};
  Json rope = Json::object();
  rope[model.ropeKeys == RopeKeys::OldType ? "type" : "rope_type"] =
      types[static_cast<int>(c.ropeScaling)];
  if (scaled)
    rope["factor"] = c.ropeFactor;
  if (llama3) {
    rope["low_freq_factor"] = c.ropeLowFrequencyFactor;
    rope["high_freq_factor"] = c.ropeHighFrequencyFactor;
    rope["original_max_position_embeddings"] =
        static_cast<int64_t>(c.ropeOriginalPositions);
  }
  if (c.ropeScaling == reference::RopeScaling::Yarn) {
    rope["original_max_position_embeddings"] =
        static_cast<int64_t>(c.ropeOriginalPositions);
    // The defaults are left out.
    if (c.ropeBetaFast != 32)
      rope["beta_fast"] = c.ropeBetaFast;
    if (c.ropeBetaSlow != 1)
      rope["beta_slow"] = c.ropeBetaSlow;
    if (std::abs(c.ropeAttentionFactor - 0.1 * std::log(c.ropeFactor) - 1) >
        1e-12)
      rope["attention_factor"] = c.ropeAttentionFactor;
    if (!c.ropeTruncate)
      rope["truncate"] = false;
  }
  if (c.alibi)
    json["position_embedding_type"] = "alibi";
  if (c.window) {
    json["architectures"] = {"MistralForCausalLM"};
    json["model_type"] = "mistral";
    json["sliding_window"] = c.window;
    json.erase("attention_bias");
    json.erase("mlp_bias");
  }
  if (model.ropeKeys == RopeKeys::Parameters) {
    rope["rope_theta"] = c.ropeTheta;
    json["rope_parameters"] = rope;
  } else if (model.ropeKeys != RopeKeys::Absent) {
    json["rope_theta"] = c.ropeTheta;
    json["rope_scaling"] = scaled ? rope : Json();
  }
  return json;
}

Error writeFile(const std::filesystem::path &path, const std::string &bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file)
    return Error(path.string() + ": cannot be written");
  return Error::success();
}
} // namespace

Error writeFolder(const TestModel &model, const std::string &folder) {
  return writeFolder(model, folder, makeTensors(model));
}

Error writeFolder(const TestModel &model, const std::string &folder,
                  const reference::Tensors &tensors) {
  static const char *const types[] = {"F32", "F16", "BF16"};
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  Json header = {{"__metadata__", {{"format", "pt"}}}};
  std::string data;
  for (const auto &[name, tensor] : tensors) {
    const size_t begin = data.size();
    for (float value : tensor.values)
      append(data, model.stored, value);
    header[name] = {{"dtype", types[static_cast<int>(model.stored)]},
                    {"shape", tensor.shape},
                    {"data_offsets", {begin, data.size()}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::string file(8, '\0');
  for (int i = 0; i < 8; ++i)
    file[i] = static_cast<char>(text.size() >> (8 * i));
  const std::filesystem::path path = folder;
  if (Error error = writeFile(path / "model.safetensors", file + text + data))
    return error;
  const Json generation = {{"bos_token_id", 1}, {"eos_token_id", 2}};
  if (Error error =
          writeFile(path / "generation_config.json", generation.dump(2) + "\n"))
    return error;
  return writeFile(path / "config.json", configJson(model).dump(2) + "\n");
}

} // namespace llrt::test
