// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// GGUF's metadata as a config.json, which parseConfig checks: all formats have
// one set of limits. The keys are those of ggml's docs/gguf.md and of
// llama.cpp's convert_hf_to_gguf.py.
#include "compiler/import/Gguf.h"
#include "compiler/import/Json.h"

#include <cmath>
#include <cstring>

namespace mlir::llama {
namespace {

class Metadata {
public:
  Metadata(const GgufFile &file, const std::string &name)
      : file(file), name(name) {}

  void fail(const std::string &text) {
    if (fault.empty())
      fault = name + ": " + text;
  }
  const GgufValue *find(const std::string &key) const {
    auto at = file.metadata.find(key);
    return at == file.metadata.end() ? nullptr : &at->second;
  }
  std::optional<int64_t> integer(const std::string &key) {
    const GgufValue *value = find(key);
    if (!value)
      return std::nullopt;
    if (!value->isArray() && value->isInteger())
      return value->getInteger();
    fail("\"" + key + "\" is no whole number");
    return std::nullopt;
  }
  /// The same, or a list with one entry for each layer that are all equal.
  std::optional<int64_t> equalIntegers(const std::string &key) {
    const GgufValue *value = find(key);
    if (!value || !value->isArray())
      return integer(key);
    if (!value->isInteger() || value->count == 0) {
      fail("\"" + key + "\" is no list of whole numbers");
      return std::nullopt;
    }
    for (uint64_t i = 1; i < value->count; ++i)
      if (value->getInteger(i) != value->getInteger(0)) {
        fail("\"" + key +
             "\" differs from layer to layer, which is not "
             "compiled");
        return std::nullopt;
      }
    return value->getInteger(0);
  }
  int64_t needInteger(const std::string &key) {
    std::optional<int64_t> value = equalIntegers(key);
    if (!value)
      fail("the key \"" + key + "\" is missing");
    return value.value_or(0);
  }
  std::optional<double> real(const std::string &key) {
    const GgufValue *value = find(key);
    if (!value)
      return std::nullopt;
    if (!value->isArray() && (value->isReal() || value->isInteger()) &&
        std::isfinite(value->getReal()))
      return value->getReal();
    fail("\"" + key + "\" is no number");
    return std::nullopt;
  }
  std::string text(const std::string &key) {
    const GgufValue *value = find(key);
    if (!value)
      return "";
    if (!value->isArray() && value->type == GgufValue::Text)
      return std::string(value->texts[0]);
    fail("\"" + key + "\" is no text");
    return "";
  }

  const GgufFile &file;
  const std::string &name;
  std::string fault;
};

/// Keys of "llama." that makeGgufConfig reads.
constexpr const char *usedKeys[] = {
    "context_length",
    "embedding_length",
    "block_count",
    "feed_forward_length",
    "attention.head_count",
    "attention.head_count_kv",
    "attention.layer_norm_rms_epsilon",
    "attention.key_length",
    "attention.value_length",
    "rope.dimension_count",
    "rope.freq_base",
    "rope.scale_linear",
    "rope.scaling.type",
    "rope.scaling.factor",
    "rope.scaling.attn_factor",
    "rope.scaling.original_context_length",
    "rope.scaling.finetuned",
    "rope.scaling.yarn_ext_factor",
    "rope.scaling.yarn_attn_factor",
    "rope.scaling.yarn_beta_fast",
    "rope.scaling.yarn_beta_slow",
    "vocab_size",
    "expert_count",
    "expert_used_count",
    "attention.causal",
    "tensor_data_layout",
};

/// Every key is accounted for: those of the model as above; general.*,
/// tokenizer.* and notes of other programs say nothing of the model.
void account(Metadata &data, std::vector<std::string> &warnings) {
  const std::string prefix = "llama.";
  for (auto &[key, value] : data.file.metadata) {
    auto begins = [&key = key](const std::string &start) {
      return key.compare(0, start.size(), start) == 0;
    };
    if (begins(prefix)) {
      bool isUsed = false;
      for (const char *used : usedKeys)
        isUsed |= key.substr(prefix.size()) == used;
      if (!isUsed)
        data.fail("the key \"" + key +
                  "\" is not known to llamac, which cannot tell what it "
                  "changes");
    } else if (begins("split.")) {
      if (key == "split.count" && data.integer(key).value_or(0) > 1)
        data.fail("is one part of a model in several files; join them with "
                  "llama.cpp's `llama-gguf-split --merge`");
    } else if (begins("adapter.")) {
      data.fail("is an adapter (\"" + key + "\"), not a model");
    } else if (!begins("general.") && !begins("tokenizer.") &&
               !begins("quantize.")) {
      warnings.push_back(data.name + ": the key \"" + key +
                         "\" is of another program and is ignored");
    }
  }
}

/// What only one value of is compiled.
void requireValues(Metadata &data, int64_t headDim) {
  for (const char *key : {"llama.expert_count", "llama.expert_used_count"})
    if (data.integer(key).value_or(0) != 0)
      data.fail(std::string("\"") + key +
                "\" asks for a mixture of experts, which is outside llamac's "
                "scope");
  for (const char *key :
       {"llama.attention.value_length", "llama.rope.dimension_count"}) {
    int64_t found = data.equalIntegers(key).value_or(headDim);
    if (found != headDim)
      data.fail(std::string("\"") + key + "\" is " + std::to_string(found) +
                ", but the heads' size is " + std::to_string(headDim) +
                "; llamac compiles only equal ones");
  }
  const GgufValue *causal = data.find("llama.attention.causal");
  if (causal && (causal->type != GgufValue::Bool || causal->bytes[0] == 0))
    data.fail("\"llama.attention.causal\" is not true: it asks for an encoder, "
              "which is outside llamac's scope");
  const std::pair<const char *, double> standard[] = {
      {"llama.rope.scaling.attn_factor", 1},
      {"llama.rope.scaling.yarn_ext_factor", 1},
      {"llama.rope.scaling.yarn_attn_factor", 1}};
  for (auto [key, only] : standard)
    if (data.real(key).value_or(only) != only)
      data.fail(std::string("\"") + key + "\" is " +
                Json(*data.real(key)).dump() + ", expected " +
                Json(only).dump() + "; another one is not built yet");
}

/// rope_scaling of a config.json; null for none.
Json makeRopeScaling(Metadata &data, double theta, int64_t headDim) {
  std::string type = data.text("llama.rope.scaling.type");
  std::optional<double> factor = data.real("llama.rope.scaling.factor");
  std::optional<double> old = data.real("llama.rope.scale_linear");
  if (old && *old != 1 && type.empty()) {
    type = "linear"; // the key's name before there were types
    factor = old;
  }
  bool scales = !type.empty() && type != "none";
  auto factors = data.file.tensors.find("rope_freqs.weight");
  if (factors != data.file.tensors.end()) {
    const Tensor &tensor = factors->second;
    if (scales) {
      data.fail("has both \"rope_freqs.weight\" and the rope scaling \"" +
                type + "\"");
      return nullptr;
    }
    if (tensor.dtype != DType::F32 || tensor.storedAs ||
        tensor.shape != std::vector<int64_t>{headDim / 2}) {
      data.fail("tensor \"rope_freqs.weight\" is no vector of " +
                std::to_string(headDim / 2) + " F32");
      return nullptr;
    }
    std::vector<float> values(size_t(tensor.shape[0]));
    std::memcpy(values.data(), tensor.bytes, tensor.size);
    auto scaling = findLlama3Scaling(values, theta, data.name);
    if (!scaling) {
      if (data.fault.empty())
        data.fault = scaling.error().message();
      return nullptr;
    }
    if (scaling->kind == RopeScaling::None)
      return nullptr;
    return {
        {"rope_type", "llama3"},
        {"factor", scaling->factor},
        {"low_freq_factor", scaling->lowFreqFactor},
        {"high_freq_factor", scaling->highFreqFactor},
        {"original_max_position_embeddings", scaling->originalMaxPositions}};
  }
  if (!scales)
    return nullptr;
  if (type != "linear" && type != "yarn") {
    data.fail("\"llama.rope.scaling.type\" is \"" + type +
              "\"; llamac compiles \"none\", \"linear\" and \"yarn\"");
    return nullptr;
  }
  if (!factor) {
    data.fail("the key \"llama.rope.scaling.factor\" is missing");
    return nullptr;
  }
  Json scaling = {{"rope_type", type}, {"factor", *factor}};
  if (type == "linear")
    return scaling;
  scaling["original_max_position_embeddings"] =
      data.integer("llama.rope.scaling.original_context_length")
          .value_or(data.integer("llama.context_length").value_or(0));
  for (const char *key : {"beta_fast", "beta_slow"})
    if (auto beta = data.real(std::string("llama.rope.scaling.yarn_") + key))
      scaling[key] = *beta;
  return scaling;
}

/// End of text and its like: where llama.cpp stops.
void addEnds(Metadata &data, int64_t vocabSize, Json &config) {
  Json ends = Json::array();
  for (const char *kind : {"eos", "eot", "eom"}) {
    std::string key = std::string("tokenizer.ggml.") + kind + "_token_id";
    std::optional<int64_t> id = data.integer(key);
    if (!id || *id < 0 || *id == int64_t(UINT32_MAX)) // -1 as they write it
      continue;
    if (*id >= vocabSize)
      return data.fail("\"" + key + "\" is " + std::to_string(*id) +
                       ", but the vocabulary has " + std::to_string(vocabSize) +
                       " tokens");
    bool isNew = true;
    for (const Json &known : ends)
      isNew &= known != *id;
    if (isNew)
      ends.push_back(*id);
  }
  if (!ends.empty())
    config["eos_token_id"] = ends;
  std::optional<int64_t> bos = data.integer("tokenizer.ggml.bos_token_id");
  if (bos && *bos >= 0 && *bos < vocabSize)
    config["bos_token_id"] = *bos;
}

} // namespace

llrt::Result<Config> makeGgufConfig(const GgufFile &file,
                                    const std::string &name,
                                    std::vector<std::string> &warnings) {
  Metadata data(file, name);
  std::string architecture = data.text("general.architecture");
  if (architecture != "llama")
    return llrt::Error(name + ": \"general.architecture\" is \"" +
                       architecture + "\"; llamac compiles \"llama\"");
  account(data, warnings);
  int64_t hidden = data.needInteger("llama.embedding_length");
  int64_t heads = data.needInteger("llama.attention.head_count");
  int64_t kvHeads =
      data.equalIntegers("llama.attention.head_count_kv").value_or(heads);
  std::optional<int64_t> keyLength =
      data.equalIntegers("llama.attention.key_length");
  int64_t headDim = keyLength.value_or(heads > 0 ? hidden / heads : 0);
  requireValues(data, headDim);

  auto embedding = file.tensors.find("token_embd.weight");
  if (embedding == file.tensors.end() || embedding->second.shape.size() != 2)
    return llrt::Error(name + ": has no matrix \"token_embd.weight\"");
  int64_t vocabSize = embedding->second.shape[0];
  int64_t stated = data.integer("llama.vocab_size").value_or(vocabSize);
  if (stated != vocabSize)
    data.fail("\"llama.vocab_size\" is " + std::to_string(stated) +
              ", but \"token_embd.weight\" has " + std::to_string(vocabSize) +
              " rows");
  double theta = data.real("llama.rope.freq_base").value_or(10000);
  std::optional<double> eps =
      data.real("llama.attention.layer_norm_rms_epsilon");
  if (!eps)
    data.fail("the key \"llama.attention.layer_norm_rms_epsilon\" is missing");
  auto has = [&](const char *tensor) {
    return file.tensors.count(tensor) != 0;
  };
  Json config = {
      {"architectures", {"LlamaForCausalLM"}},
      {"hidden_size", hidden},
      {"intermediate_size", data.needInteger("llama.feed_forward_length")},
      {"num_hidden_layers", data.needInteger("llama.block_count")},
      {"num_attention_heads", heads},
      {"num_key_value_heads", kvHeads},
      {"vocab_size", vocabSize},
      {"max_position_embeddings", data.needInteger("llama.context_length")},
      {"rms_norm_eps", eps.value_or(1)},
      {"rope_theta", theta},
      {"hidden_act", "silu"},
      {"attention_bias", has("blk.0.attn_q.bias")},
      {"mlp_bias", has("blk.0.ffn_gate.bias")},
      {"tie_word_embeddings", !has("output.weight")}};
  if (keyLength)
    config["head_dim"] = *keyLength;
  if (data.fault.empty())
    if (Json scaling = makeRopeScaling(data, theta, headDim);
        !scaling.is_null())
      config["rope_scaling"] = scaling;
  addEnds(data, vocabSize, config);
  if (!data.fault.empty())
    return llrt::Error(data.fault);
  return parseConfig(config.dump(), name + ": as a config.json", warnings);
}

} // namespace mlir::llama
