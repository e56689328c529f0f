// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// config.json and generation_config.json: every key is used, known to be
// harmless for the value it has, or refused by name.
#include "compiler/import/Checkpoint.h"
#include "compiler/import/ConfigPositions.h"
#include "compiler/import/OutOfScope.h"
#include "runtime/SamplingRanges.h"

#include <cmath>
#include <limits>

namespace mlir::llama {
namespace {
using Reader = ConfigReader;

enum class Rule {
  Used,     // read by parseConfig
  Any,      // harmless whatever it holds
  Values,   // harmless for the listed values, a JSON array
  Rejected, // refused unless the value is listed (null, false, [])
};

struct KeyRule {
  const char *key;
  Rule rule;
  const char *values; // JSON array, for Values and Rejected
  const char *reason; // why harmless, or what the key asks for
};

/// The accounting table of config.json. A key that is not here is refused.
const KeyRule configKeys[] = {
    {"architectures", Rule::Used, nullptr, nullptr},
    {"model_type", Rule::Used, nullptr, nullptr},
    {"hidden_size", Rule::Used, nullptr, nullptr},
    {"intermediate_size", Rule::Used, nullptr, nullptr},
    {"num_hidden_layers", Rule::Used, nullptr, nullptr},
    {"num_attention_heads", Rule::Used, nullptr, nullptr},
    {"num_key_value_heads", Rule::Used, nullptr, nullptr},
    {"head_dim", Rule::Used, nullptr, nullptr},
    {"vocab_size", Rule::Used, nullptr, nullptr},
    {"max_position_embeddings", Rule::Used, nullptr, nullptr},
    {"rms_norm_eps", Rule::Used, nullptr, nullptr},
    {"rope_theta", Rule::Used, nullptr, nullptr},
    {"rope_scaling", Rule::Used, nullptr, nullptr},
    {"rope_parameters", Rule::Used, nullptr, nullptr},
    {"hidden_act", Rule::Used, nullptr, nullptr},
    {"tie_word_embeddings", Rule::Used, nullptr, nullptr},
    {"bos_token_id", Rule::Used, nullptr, nullptr},
    {"eos_token_id", Rule::Used, nullptr, nullptr},
    {"torch_dtype", Rule::Used, nullptr, nullptr},
    {"dtype", Rule::Used, nullptr, nullptr},
    {"attention_bias", Rule::Used, nullptr, nullptr},
    {"mlp_bias", Rule::Used, nullptr, nullptr},
    {"quantization_config", Rule::Used, nullptr, nullptr},
    {"auto_map", Rule::Rejected, "[null, {}]",
     "code of the checkpoint's own, which llamac never runs"},
    {"sliding_window", Rule::Used, nullptr, nullptr},
    {"use_sliding_window", Rule::Used, nullptr, nullptr},
    {"layer_types", Rule::Used, nullptr, nullptr},
    {"position_embedding_type", Rule::Used, nullptr, nullptr},
    {"original_max_position_embeddings", Rule::Used, nullptr, nullptr},
    {"partial_rotary_factor", Rule::Rejected, "[1, 1.0, null]",
     "rotation of a part of each head, which is not built yet"},
    {"rope_interleaved", Rule::Rejected, "[false, null]",
     "rotation of neighbouring elements, which is not built yet"},
    {"is_encoder_decoder", Rule::Rejected, "[false]",
     "an encoder, which is outside llamac's scope"},
    {"add_cross_attention", Rule::Rejected, "[false]",
     "cross-attention, which is outside llamac's scope"},
    {"cross_attention_hidden_size", Rule::Rejected, "[null]",
     "cross-attention, which is outside llamac's scope"},
    {"pruned_heads", Rule::Rejected, "[{}, null]",
     "pruned heads, which are outside llamac's scope"},
    {"tie_encoder_decoder", Rule::Values, "[false]", "there is no encoder"},
    {"is_decoder", Rule::Values, "[false, true]",
     "LlamaForCausalLM is a decoder either way"},
    {"is_llama_config", Rule::Values, "[true]", "it is"},
    {"pretraining_tp", Rule::Values, "[1, 2, 4, 8]",
     "cuts products into parts that are added again"},
    {"attention_dropout", Rule::Any, nullptr, "training only"},
    {"hidden_dropout", Rule::Any, nullptr, "training only"},
    {"initializer_range", Rule::Any, nullptr, "training only"},
    {"use_cache", Rule::Any, nullptr, "llamac always has a KV cache"},
    {"pad_token_id", Rule::Any, nullptr, "llamac never pads"},
    {"transformers_version", Rule::Any, nullptr, "a note"},
    {"_name_or_path", Rule::Any, nullptr, "a note, for --info"},
    {"name_or_path", Rule::Any, nullptr, "a note"},
    {"_commit_hash", Rule::Any, nullptr, "a note"},
    {"_attn_implementation_autoset", Rule::Any, nullptr, "how, not what"},
    {"_attn_implementation", Rule::Any, nullptr, "how, not what"},
    {"attn_implementation", Rule::Any, nullptr, "how, not what"},
    {"_flash_attn_2_enabled", Rule::Any, nullptr, "how, not what"},
    {"transformers.js_config", Rule::Any, nullptr, "for another program"},
    {"unsloth_fixed", Rule::Any, nullptr, "a note"},
    {"unsloth_version", Rule::Any, nullptr, "a note"},
    {"use_bfloat16", Rule::Any, nullptr, "the tensors' dtypes decide"},
    {"torchscript", Rule::Any, nullptr, "how, not what"},
    {"tf_legacy_loss", Rule::Any, nullptr, "training only"},
    {"gradient_checkpointing", Rule::Any, nullptr, "training only"},
    {"chunk_size_feed_forward", Rule::Any, nullptr, "how, not what"},
    {"return_dict", Rule::Any, nullptr, "a form of Python's outputs"},
    {"output_hidden_states", Rule::Any, nullptr, "a form of Python's outputs"},
    {"output_attentions", Rule::Any, nullptr, "a form of Python's outputs"},
    {"output_scores", Rule::Any, nullptr, "a form of Python's outputs"},
    {"return_dict_in_generate", Rule::Any, nullptr,
     "a form of Python's outputs"},
    {"finetuning_task", Rule::Any, nullptr, "a note"},
    {"problem_type", Rule::Any, nullptr, "of classifiers"},
    {"id2label", Rule::Any, nullptr, "of classifiers"},
    {"label2id", Rule::Any, nullptr, "of classifiers"},
    {"num_labels", Rule::Any, nullptr, "of classifiers"},
    {"task_specific_params", Rule::Any, nullptr, "defaults of pipelines"},
    {"prefix", Rule::Values, "[null]", "no prefix"},
    {"sep_token_id", Rule::Any, nullptr, "of encoders"},
    {"decoder_start_token_id", Rule::Values, "[null]", "no other start"},
    {"max_sequence_length", Rule::Any, nullptr,
     "a note in early Llama 1 files: max_position_embeddings decides"},
    {"tokenizer_class", Rule::Any, nullptr, "the tokenizer's file decides"},
    // Generation defaults that old versions kept here, and that transformers
    // reads from generation_config.json. Those that no option undoes must be
    // off.
    {"max_length", Rule::Any, nullptr, "the command line decides"},
    {"min_length", Rule::Values, "[0, null]", "off"},
    {"do_sample", Rule::Any, nullptr, "generation_config.json decides"},
    {"early_stopping", Rule::Any, nullptr, "of beam search"},
    {"num_beams", Rule::Values, "[1, null]", "off"},
    {"num_beam_groups", Rule::Values, "[1, null]", "off"},
    {"diversity_penalty", Rule::Any, nullptr, "of beam search"},
    {"temperature", Rule::Any, nullptr, "generation_config.json decides"},
    {"top_k", Rule::Any, nullptr, "generation_config.json decides"},
    {"top_p", Rule::Any, nullptr, "generation_config.json decides"},
    {"typical_p", Rule::Any, nullptr, "generation_config.json decides"},
    {"repetition_penalty", Rule::Values, "[1, 1.0, null]", "off"},
    {"length_penalty", Rule::Any, nullptr, "of beam search"},
    {"no_repeat_ngram_size", Rule::Values, "[0, null]", "off"},
    {"encoder_no_repeat_ngram_size", Rule::Any, nullptr, "of encoders"},
    {"bad_words_ids", Rule::Values, "[null, []]", "off"},
    {"num_return_sequences", Rule::Any, nullptr, "the command line decides"},
    {"forced_bos_token_id", Rule::Values, "[null]", "off"},
    {"forced_eos_token_id", Rule::Values, "[null]", "off"},
    {"remove_invalid_values", Rule::Any, nullptr, "of sampling"},
    {"exponential_decay_length_penalty", Rule::Values, "[null]", "off"},
    {"suppress_tokens", Rule::Values, "[null, []]", "off"},
    {"begin_suppress_tokens", Rule::Values, "[null, []]", "off"},
};

/// Fails unless `value` is one that `rule` allows.
void account(Reader &reader, const Json &value, const KeyRule &rule) {
  if (rule.rule == Rule::Used || rule.rule == Rule::Any)
    return;
  Json listed = Json::parse(rule.values, nullptr, false);
  for (const Json &harmless : listed)
    if (harmless == value)
      return;
  if (rule.rule == Rule::Rejected)
    return reader.fail(std::string("\"") + rule.key + "\" is " +
                       describeJson(value) + ": it asks for " + rule.reason);
  reader.expected(rule.key, value,
                  std::string("one of ") + rule.values +
                      ": llamac does not do what another value asks for");
}

/// The architecture; what else the config says of itself has to agree.
void readArchitecture(Reader &reader, Config &config) {
  const Json *architectures = reader.find("architectures");
  if (!architectures)
    return reader.fail("the key \"architectures\" is missing");
  if (!architectures->is_array() || architectures->size() != 1 ||
      !(*architectures)[0].is_string())
    return reader.expected("architectures", *architectures,
                           "[\"LlamaForCausalLM\"]");
  bool isMistral = (*architectures)[0] == "MistralForCausalLM";
  if (!isMistral && (*architectures)[0] != "LlamaForCausalLM")
    return reader.fail(
        "the architecture is " +
        (*architectures)[0].dump(-1, ' ', false,
                                 Json::error_handler_t::replace) +
        "; llamac compiles \"LlamaForCausalLM\" and "
        "\"MistralForCausalLM\"" +
        describeArchitecture((*architectures)[0].get<std::string>()));
  config.architecture = (*architectures)[0].get<std::string>();
  if (const Json *type = reader.find("model_type"))
    if (*type != (isMistral ? "mistral" : "llama"))
      reader.expected("model_type", *type,
                      isMistral ? "\"mistral\"" : "\"llama\"");
}

std::optional<DType> readDType(Reader &reader) {
  std::optional<DType> result;
  for (const char *key : {"torch_dtype", "dtype"}) {
    const Json *value = reader.find(key);
    if (!value || *value == "auto")
      continue;
    std::optional<DType> one;
    if (*value == "bfloat16")
      one = DType::BF16;
    else if (*value == "float16")
      one = DType::F16;
    else if (*value == "float32")
      one = DType::F32;
    else
      reader.expected(key, *value, "\"bfloat16\", \"float16\" or \"float32\"");
    if (result && one && result != one)
      reader.fail("\"torch_dtype\" and \"dtype\" differ");
    result = one;
  }
  return result;
}

/// "meta-llama/Llama-2-7b-hf" -> "Llama-2-7b-hf".
std::string getLastPart(std::string path) {
  while (!path.empty() && path.back() == '/')
    path.pop_back();
  path = path.substr(path.rfind('/') + 1);
  return path == "." || path == ".." ? "" : path;
}

/// A head count that does not divide names both keys and both values.
void checkDivides(Reader &reader, const char *whole, int64_t wholeValue,
                  const char *part, int64_t partValue, const char *advice) {
  if (reader.fault.empty() && wholeValue % partValue != 0)
    reader.fail(std::string("\"") + whole + "\" is " +
                std::to_string(wholeValue) + ", which \"" + part + "\" (" +
                std::to_string(partValue) + ") does not divide" + advice);
}

} // namespace

llrt::Result<Config> parseConfig(std::string_view text, const std::string &name,
                                 std::vector<std::string> &warnings) {
  llrt::Result<Json> object = parseJsonObject(text, name);
  if (!object)
    return object.error();
  Reader reader(*object, name);
  // The architecture first: of another model's config it is the one fault that
  // matters.
  Config config;
  readArchitecture(reader, config);

  for (auto &[key, value] : object->items()) {
    const KeyRule *rule = nullptr;
    for (const KeyRule &candidate : configKeys)
      if (key == candidate.key)
        rule = &candidate;
    std::string foreign = refuseForeignKey(key, value);
    if (rule)
      account(reader, value, *rule);
    else if (!foreign.empty())
      reader.fail(foreign);
    else
      reader.fail("the key \"" + key + "\" (" + describeJson(value) +
                  ") is not known to llamac; if it changes nothing, remove it");
  }

  if (const Json *quantization = reader.find("quantization_config"))
    reader.fail(refuseQuantization(*quantization));

  config.hiddenSize = reader.count("hidden_size", 1, 1 << 17);
  config.intermediateSize = reader.count("intermediate_size", 1, 1 << 20);
  config.layers = reader.count("num_hidden_layers", 1, 1024);
  config.heads = reader.count("num_attention_heads", 1, 1024);
  // MistralConfig has 8 where the key is absent; null means one a head in both.
  bool hasKvHeads = config.architecture != "MistralForCausalLM" ||
                    object->contains("num_key_value_heads");
  config.kvHeads = reader.count("num_key_value_heads", 1, 1024,
                                hasKvHeads ? config.heads : 8);
  config.vocabSize = reader.count("vocab_size", 1, 1 << 22);
  config.maxPositionEmbeddings =
      reader.count("max_position_embeddings", 1, 1 << 24);
  config.rmsNormEps =
      reader.real("rms_norm_eps", 1e-30, 1, "a number above 0 and up to 1",
                  std::numeric_limits<double>::quiet_NaN());
  checkDivides(reader, "num_attention_heads", config.heads,
               "num_key_value_heads", config.kvHeads, "");
  if (reader.find("head_dim")) {
    config.headDim = reader.count("head_dim", 1, 256);
  } else {
    checkDivides(reader, "hidden_size", config.hiddenSize,
                 "num_attention_heads", config.heads,
                 ", and there is no \"head_dim\"");
    config.headDim = config.hiddenSize / config.heads;
  }
  if (config.headDim % 2 != 0 || config.headDim > 256)
    reader.fail("the head dimension is " + std::to_string(config.headDim) +
                ", expected an even number up to 256");
  readPositions(reader, config, warnings);
  const Json *activation = reader.find("hidden_act");
  if (activation && *activation != "silu" && *activation != "swish")
    reader.fail("\"hidden_act\" is " + describeJson(*activation) +
                "; llamac compiles \"silu\"");
  if (const Json *name = reader.find("_name_or_path");
      name && name->is_string())
    config.name = getLastPart(name->get<std::string>());
  config.tiedEmbeddings = reader.boolean("tie_word_embeddings", false);
  config.attentionBias = reader.boolean("attention_bias", false);
  config.mlpBias = reader.boolean("mlp_bias", false);
  config.dtype = readDType(reader);
  std::vector<int64_t> bos;
  reader.tokenIds("bos_token_id", config.vocabSize, bos);
  if (!bos.empty())
    config.bosId = bos[0];
  reader.tokenIds("eos_token_id", config.vocabSize, config.eosIds);
  if (!reader.fault.empty())
    return llrt::Error(reader.fault);
  if (config.eosIds.empty())
    warnings.push_back(name + ": no \"eos_token_id\": generation ends only at "
                              "a limit, unless generation_config.json has one");
  return config;
}

llrt::Result<GenerationConfig> parseGenerationConfig(std::string_view text,
                                                     const std::string &name) {
  llrt::Result<Json> object = parseJsonObject(text, name);
  if (!object)
    return object.error();
  Reader reader(*object, name);
  GenerationConfig generation;
  generation.bosGiven = reader.find("bos_token_id");
  generation.eosGiven = reader.find("eos_token_id");
  std::vector<int64_t> bos;
  int64_t limit = std::numeric_limits<int32_t>::max();
  reader.tokenIds("bos_token_id", limit, bos);
  if (!bos.empty())
    generation.bosId = bos[0];
  reader.tokenIds("eos_token_id", limit, generation.eosIds);
  generation.doSample = reader.boolean("do_sample", true);
  struct {
    const char *key;
    double low, high;
    const char *range;
    std::optional<double> &into;
  } const numbers[] = {
      {"temperature", 0, llrt::temperatureMax, "a number from 0 to 100",
       generation.temperature},
      {"top_p", 0, 1, "a number from 0 to 1", generation.topP},
      {"min_p", 0, 1, "a number from 0 to 1", generation.minP},
      {"repetition_penalty", llrt::repeatPenaltyMin, llrt::repeatPenaltyMax,
       "a number from 0.01 to 100", generation.repetitionPenalty},
      {"presence_penalty", 0, llrt::penaltyMax, "a number from 0 to 2",
       generation.presencePenalty},
      {"frequency_penalty", 0, llrt::penaltyMax, "a number from 0 to 2",
       generation.frequencyPenalty},
  };
  for (const auto &entry : numbers)
    if (reader.find(entry.key))
      entry.into =
          reader.real(entry.key, entry.low, entry.high, entry.range, 0);
  if (reader.find("top_k"))
    generation.topK = reader.count("top_k", 0, limit);
  if (!reader.fault.empty())
    return llrt::Error(reader.fault);
  return generation;
}

} // namespace mlir::llama
