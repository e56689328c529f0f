// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// params.json. The formulas are those of Meta's llama/model.py (ModelArgs,
// FeedForward, apply_scaling); the result goes through parseConfig, so that all
// formats have one set of limits.
#include "compiler/import/MetaParams.h"
#include "compiler/import/Json.h"

#include <cmath>

namespace mlir::llama {
namespace {

/// Reads one file's object; the first fault sticks.
class Params {
public:
  Params(const Json &object, const std::string &name)
      : object(object), name(name) {}

  const Json *find(const char *key) const {
    auto it = object.find(key);
    return it == object.end() || it->is_null() ? nullptr : &*it;
  }
  void fail(const std::string &text) {
    if (fault.empty())
      fault = name + ": " + text;
  }
  /// A whole number in [1, high]; absent: `otherwise`, or a fault if that is 0.
  int64_t count(const char *key, int64_t high, int64_t otherwise) {
    const Json *value = find(key);
    if (!value && otherwise == 0)
      fail(std::string("the key \"") + key + "\" is missing");
    if (!value)
      return otherwise;
    if (value->is_number_unsigned() && value->get<uint64_t>() >= 1 &&
        value->get<uint64_t>() <= uint64_t(high))
      return int64_t(value->get<uint64_t>());
    fail(std::string("\"") + key + "\" is " + describeJson(*value) +
         ", expected a whole number from 1 to " + std::to_string(high));
    return 1;
  }
  std::optional<double> real(const char *key, double low, double high) {
    const Json *value = find(key);
    if (!value)
      return std::nullopt;
    double number = value->is_number() ? value->get<double>() : low - 1;
    if (number >= low && number <= high)
      return number;
    fail(std::string("\"") + key + "\" is " + describeJson(*value) +
         ", expected a number from " + Json(low).dump() + " to " +
         Json(high).dump());
    return low;
  }
  bool boolean(const char *key) {
    const Json *value = find(key);
    if (value && !value->is_boolean())
      fail(std::string("\"") + key + "\" is " + describeJson(*value) +
           ", expected true or false");
    return value && value->is_boolean() && value->get<bool>();
  }

  const Json &object;
  const std::string &name;
  std::string fault;
};

/// Every key that Meta's text models have; another one is refused.
constexpr const char *usedKeys[] = {
    "dim",        "n_layers",    "n_heads",         "n_kv_heads",
    "vocab_size", "multiple_of", "norm_eps",        "ffn_dim_multiplier",
    "rope_theta", "max_seq_len", "use_scaled_rope", "rope_scaling_factor"};
/// Of the program that ran it, and not of the model.
constexpr const char *harmlessKeys[] = {"max_batch_size",
                                        "model_parallel_size"};

template <typename List> bool isIn(const std::string &key, const List &list) {
  for (const char *entry : list)
    if (key == entry)
      return true;
  return false;
}

/// Meta's apply_scaling has these written into it.
constexpr double lowFrequencyFactor = 1, highFrequencyFactor = 4;
constexpr int64_t originalPositions = 8192;

/// The context that the family was trained for, where the file has no
/// "max_seq_len". llama.cpp's converter tells them apart in the same way.
int64_t guessMaxSeqLen(const MetaParams &params, std::string &family) {
  if (params.useScaledRope) {
    family = "Llama 3.1 and later";
    return 131072;
  }
  if (params.ropeTheta == 500000) {
    family = "Llama 3";
    return 8192;
  }
  if (params.ropeTheta > 10000) {
    family = "Code Llama";
    return 16384;
  }
  if (params.normEps < 1e-5) {
    family = "Llama 1";
    return 2048;
  }
  family = "Llama 2";
  return 4096;
}

} // namespace

int64_t MetaParams::getFfnSize() const {
  int64_t size = 2 * (4 * dim) / 3;
  if (ffnMultiplier)
    size = int64_t(*ffnMultiplier * double(size));
  return multipleOf * ((size + multipleOf - 1) / multipleOf);
}

llrt::Result<MetaParams> parseMetaParams(std::string_view text,
                                         const std::string &name) {
  llrt::Result<Json> object = parseJsonObject(text, name, /*maxDepth=*/8);
  if (!object)
    return object.error();
  Params reader(*object, name);
  for (auto &[key, value] : object->items())
    if (!isIn(key, usedKeys) && !isIn(key, harmlessKeys))
      reader.fail("the key \"" + key + "\" (" + describeJson(value) +
                  ") is not one of Meta's text models; llamac cannot tell what "
                  "it changes");
  MetaParams params;
  params.dim = reader.count("dim", 1 << 17, 0);
  params.layers = reader.count("n_layers", 1024, 0);
  params.heads = reader.count("n_heads", 1024, 0);
  params.kvHeads = reader.count("n_kv_heads", 1024, params.heads);
  params.multipleOf = reader.count("multiple_of", 1 << 20, 256);
  params.ffnMultiplier = reader.real("ffn_dim_multiplier", 1e-3, 100);
  params.normEps = reader.real("norm_eps", 1e-30, 1).value_or(1e-5);
  params.ropeTheta = reader.real("rope_theta", 1, 1e12).value_or(10000);
  const Json *vocabulary = reader.find("vocab_size");
  if (vocabulary && *vocabulary != -1)
    params.vocabSize = reader.count("vocab_size", 1 << 22, 0);
  if (reader.find("max_seq_len"))
    params.maxSeqLen = reader.count("max_seq_len", 1 << 24, 0);
  params.useScaledRope = reader.boolean("use_scaled_rope");
  params.ropeFactor = reader.real("rope_scaling_factor", 1, 1e6);
  if (!reader.fault.empty())
    return llrt::Error(reader.fault);
  return params;
}

llrt::Result<Config> makeMetaConfig(const MetaParams &params, int64_t vocabSize,
                                    bool tiedEmbeddings,
                                    std::optional<double> ropeFactor,
                                    const std::string &name,
                                    std::vector<std::string> &warnings) {
  auto fail = [&](const std::string &text) {
    return llrt::Error(name + ": " + text);
  };
  std::optional<double> factor = params.ropeFactor;
  if (params.useScaledRope && !factor && !ropeFactor)
    return fail("\"use_scaled_rope\" is true, but the file does not say by "
                "which factor; name it with --rope-factor (8 for Llama 3.1 and "
                "3.3, 32 for Llama 3.2)");
  if (ropeFactor && !params.useScaledRope)
    return fail("has no \"use_scaled_rope\": true, so --rope-factor has "
                "nothing to set");
  if (ropeFactor && factor && *factor != *ropeFactor)
    return fail("\"rope_scaling_factor\" is " + Json(*factor).dump() +
                ", but --rope-factor says " + Json(*ropeFactor).dump());
  factor = factor ? factor : ropeFactor;

  int64_t maxSeqLen = params.maxSeqLen.value_or(0);
  if (!params.maxSeqLen) {
    std::string family;
    maxSeqLen = guessMaxSeqLen(params, family);
    warnings.push_back(name +
                       ": does not say the length that the model was "
                       "trained for; " +
                       std::to_string(maxSeqLen) + " is taken, that of " +
                       family);
  }
  Json config = {{"architectures", {"LlamaForCausalLM"}},
                 {"hidden_size", params.dim},
                 {"intermediate_size", params.getFfnSize()},
                 {"num_hidden_layers", params.layers},
                 {"num_attention_heads", params.heads},
                 {"num_key_value_heads", params.kvHeads},
                 {"vocab_size", vocabSize},
                 {"max_position_embeddings", maxSeqLen},
                 {"rms_norm_eps", params.normEps},
                 {"rope_theta", params.ropeTheta},
                 {"hidden_act", "silu"},
                 {"tie_word_embeddings", tiedEmbeddings}};
  if (params.useScaledRope)
    config["rope_scaling"] = {
        {"rope_type", "llama3"},
        {"factor", *factor},
        {"low_freq_factor", lowFrequencyFactor},
        {"high_freq_factor", highFrequencyFactor},
        {"original_max_position_embeddings", originalPositions}};
  std::vector<std::string> ignored; // of keys that only a config.json has
  return parseConfig(config.dump(), name + ": as a config.json", ignored);
}

} // namespace mlir::llama
