// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tables of what other models have. Test: test/import/scope.test.
#include "compiler/import/OutOfScope.h"

namespace mlir::llama {
namespace {

constexpr const char *experts =
    "a mixture of experts, which is outside llamac's scope";
constexpr const char *layerNorm = "LayerNorm, which is outside llamac's scope";
constexpr const char *postNorm =
    "norms after the block, which are outside llamac's scope";
constexpr const char *encoder = "an encoder, which is outside llamac's scope";
constexpr const char *images =
    "images beside text, which are outside llamac's scope";
constexpr const char *head = "another head than that of the next token, which "
                             "is outside llamac's scope";
constexpr const char *queryNorm =
    "norms of query and key, which are not built yet";
constexpr const char *softcap =
    "logits or scores that are capped, which is not built yet";
constexpr const char *latent =
    "keys and values of low rank (multi-head latent attention), which are not "
    "built yet";
constexpr const char *stateSpace =
    "state-space layers, which are outside llamac's scope";
constexpr const char *ownTensors =
    "tensors under names of its own, which are not read yet";

struct Other {
  const char *name;
  const char *has;
};

const Other architectures[] = {
    {"MixtralForCausalLM", experts},
    {"Qwen2MoeForCausalLM", experts},
    {"Qwen3MoeForCausalLM", experts},
    {"PhimoeForCausalLM", experts},
    {"OlmoeForCausalLM", experts},
    {"DbrxForCausalLM", experts},
    {"GptOssForCausalLM", experts},
    {"DeepseekV2ForCausalLM", experts},
    {"DeepseekV3ForCausalLM", experts},
    {"GPT2LMHeadModel",
     "LayerNorm, learned positions and GELU, which are outside llamac's scope"},
    {"OPTForCausalLM",
     "LayerNorm, learned positions and ReLU, which are outside llamac's scope"},
    {"BloomForCausalLM",
     "LayerNorm and GELU, which are outside llamac's scope"},
    {"GPTNeoXForCausalLM",
     "LayerNorm and GELU, which are outside llamac's scope"},
    {"GPTJForCausalLM", "LayerNorm and GELU, which are outside llamac's scope"},
    {"MptForCausalLM", "LayerNorm and GELU, which are outside llamac's scope"},
    {"FalconForCausalLM",
     "LayerNorm and GELU, which are outside llamac's scope"},
    {"PhiForCausalLM", "LayerNorm and GELU, which are outside llamac's scope"},
    {"StableLmForCausalLM", layerNorm},
    {"CohereForCausalLM", layerNorm},
    {"OlmoForCausalLM", layerNorm},
    {"Olmo2ForCausalLM", postNorm},
    {"Gemma2ForCausalLM",
     "norms after the block and GELU, which are outside llamac's scope"},
    {"Gemma3ForCausalLM",
     "norms after the block and GELU, which are outside llamac's scope"},
    {"GemmaForCausalLM",
     "GELU, which is outside llamac's scope, and scaled embeddings"},
    {"Phi3ForCausalLM",
     "projections that are stored as one tensor, which are not read yet"},
    {"Qwen2ForCausalLM",
     "biases on query, key and value alone, which are not built yet"},
    {"Qwen3ForCausalLM", queryNorm},
    {"GraniteForCausalLM",
     "multipliers of embeddings, residuals and logits, which are not built "
     "yet"},
    {"InternLM2ForCausalLM", ownTensors},
    {"BaichuanForCausalLM", ownTensors},
    {"ChatGLMModel", ownTensors},
    {"DeciLMForCausalLM", "layers of different sizes, which are not built yet"},
    {"MambaForCausalLM", stateSpace},
    {"JambaForCausalLM", stateSpace},
    {"T5ForConditionalGeneration", encoder},
    {"BartForConditionalGeneration", encoder},
    {"WhisperForConditionalGeneration", encoder},
    {"BertForMaskedLM", encoder},
    {"BertModel", encoder},
    {"RobertaForMaskedLM", encoder},
    {"MllamaForConditionalGeneration", images},
    {"Llama4ForConditionalGeneration",
     "images beside text and a mixture of experts, which are outside llamac's "
     "scope"},
    {"Llama4ForCausalLM", experts},
    {"LlavaForConditionalGeneration", images},
    {"Qwen2VLForConditionalGeneration", images},
    {"LlamaForSequenceClassification", head},
    {"LlamaForTokenClassification", head},
    {"LlamaForQuestionAnswering", head},
    {"LlamaModel",
     "no head (the architecture of an embedding model), which is outside "
     "llamac's scope"},
    {"LLaMAForCausalLM",
     "the spelling of a conversion from before transformers 4.28, whose files "
     "differ: convert the model again"},
};

const Other keys[] = {
    {"num_local_experts", experts},
    {"num_experts", experts},
    {"num_experts_per_tok", experts},
    {"n_routed_experts", experts},
    {"moe_intermediate_size", experts},
    {"layer_norm_eps", layerNorm},
    {"layer_norm_epsilon", layerNorm},
    {"layernorm_epsilon", layerNorm},
    {"use_post_norm", postNorm},
    {"post_norm", postNorm},
    {"norm_after", postNorm},
    {"use_parallel_residual",
     "attention and MLP side by side, which is outside llamac's scope"},
    {"qk_layernorm", queryNorm},
    {"qk_norm", queryNorm},
    {"use_qk_norm", queryNorm},
    {"attn_logit_softcapping", softcap},
    {"final_logit_softcapping", softcap},
    {"kv_lora_rank", latent},
    {"no_rope_layers", "layers without positions, which are not built yet"},
    {"no_rope_layer_interval",
     "layers without positions, which are not built yet"},
    {"attention_chunk_size",
     "attention within chunks of the context, which is not built yet"},
    {"vision_config", images},
    {"audio_config", "sound beside text, which is outside llamac's scope"},
    {"text_config", images},
    {"encoder_layers", encoder},
    {"cross_attention_layers",
     "cross-attention, which is outside llamac's scope"},
    {"num_nextn_predict_layers",
     "layers that predict further tokens, which are not built yet"},
};

} // namespace

std::string describeArchitecture(const std::string &name) {
  for (const Other &other : architectures)
    if (name == other.name)
      return std::string(": that one has ") + other.has;
  return "";
}

std::string refuseForeignKey(const std::string &key, const Json &value) {
  if (value.is_null() || value == false || value == 0)
    return "";
  for (const Other &other : keys)
    if (key == other.name)
      return "\"" + key + "\" is " + describeJson(value) + ": it asks for " +
             other.has + "; if the model has none of that, remove the key";
  return "";
}

std::string refuseQuantization(const Json &value) {
  std::string method;
  if (value.is_object()) {
    for (const char *key : {"quant_method", "quant_algo", "quant_type"})
      if (auto it = value.find(key);
          method.empty() && it != value.end() && it->is_string())
        method = it->get<std::string>();
    // bitsandbytes before it had a name.
    if (method.empty() &&
        (value.contains("load_in_4bit") || value.contains("load_in_8bit")))
      method = "bitsandbytes";
  }
  return "\"quantization_config\" is there: it asks for quantized weights" +
         (method.empty() ? std::string(" (") + describeJson(value) + ")"
                         : " (\"" + method + "\")") +
         ", which are not built yet; compile the model that it was made of, or "
         "a GGUF file of type Q8_0, F16 or BF16";
}

std::string refuseAdapter(const std::string &path, std::string_view text) {
  const std::string file = path + "/adapter_config.json";
  llrt::Result<Json> object = parseJsonObject(text, file);
  if (!object)
    return object.error().message();
  auto get = [&](const char *key) -> std::string {
    auto it = object->find(key);
    return it != object->end() && it->is_string()
               ? " \"" + it->get<std::string>() + "\""
               : "";
  };
  std::string base = get("base_model_name_or_path");
  return file + ": an adapter" + get("peft_type") + " (PEFT), which is not " +
         "built yet; merge it into its base model" + base +
         " (merge_and_unload, then save_pretrained) and compile that folder";
}

} // namespace mlir::llama
