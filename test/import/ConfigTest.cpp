// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// config.json: what is read, and the message of every refusal.
#include "compiler/import/Checkpoint.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace mlir::llama;
using Json = nlohmann::json;

namespace {

Json makeConfig() {
  return Json::parse(R"({
    "architectures": ["LlamaForCausalLM"], "model_type": "llama",
    "hidden_size": 64, "intermediate_size": 172, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 512,
    "max_position_embeddings": 128, "rms_norm_eps": 1e-05,
    "rope_theta": 10000.0, "rope_scaling": null, "hidden_act": "silu",
    "tie_word_embeddings": true, "attention_bias": false, "mlp_bias": false,
    "bos_token_id": 1, "eos_token_id": [2, 3], "torch_dtype": "bfloat16",
    "use_cache": true, "pretraining_tp": 1, "attention_dropout": 0.0,
    "initializer_range": 0.02, "transformers_version": "4.40.0"})");
}

llrt::Result<Config> parse(const std::string &text) {
  std::vector<std::string> warnings;
  return parseConfig(text, "config.json", warnings);
}

/// The message for a config with `key` set to the JSON text `value`; "" where
/// it is accepted.
std::string messageFor(const std::string &key, const std::string &value) {
  Json config = makeConfig();
  config[key] = Json::parse(value);
  llrt::Result<Config> result = parse(config.dump());
  return result ? "" : result.error().message();
}

#define EXPECT_SAYS(message, part)                                             \
  EXPECT_NE((message).find(part), std::string::npos) << message

TEST(ConfigTest, ReadsEveryValue) {
  llrt::Result<Config> result = parse(makeConfig().dump());
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_EQ(result->hiddenSize, 64);
  EXPECT_EQ(result->intermediateSize, 172);
  EXPECT_EQ(result->layers, 2);
  EXPECT_EQ(result->heads, 4);
  EXPECT_EQ(result->kvHeads, 2);
  EXPECT_EQ(result->headDim, 16);
  EXPECT_EQ(result->vocabSize, 512);
  EXPECT_EQ(result->maxPositionEmbeddings, 128);
  EXPECT_EQ(result->rmsNormEps, 1e-5);
  EXPECT_EQ(result->ropeTheta, 10000.0);
  EXPECT_TRUE(result->tiedEmbeddings);
  EXPECT_EQ(result->dtype, DType::BF16);
  EXPECT_EQ(result->bosId, 1);
  EXPECT_EQ(result->eosIds, (std::vector<int64_t>{2, 3}));
}

TEST(ConfigTest, DefaultsAreThoseOfTransformers) {
  Json config = makeConfig();
  for (const char *key : {"num_key_value_heads", "rope_theta", "rope_scaling",
                          "tie_word_embeddings", "bos_token_id", "torch_dtype"})
    config.erase(key);
  llrt::Result<Config> result = parse(config.dump());
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_EQ(result->kvHeads, 4);
  EXPECT_EQ(result->ropeTheta, 10000.0);
  EXPECT_FALSE(result->tiedEmbeddings);
  EXPECT_FALSE(result->bosId);
}

TEST(ConfigTest, NameIsTheLastPart) {
  Json config = makeConfig();
  EXPECT_EQ(parse(config.dump())->name, "");
  for (const char *path :
       {"meta-llama/Llama-x", "/home/me/Llama-x/", "Llama-x"}) {
    config["_name_or_path"] = path;
    EXPECT_EQ(parse(config.dump())->name, "Llama-x");
  }
  config["_name_or_path"] = "./";
  EXPECT_EQ(parse(config.dump())->name, "");
}

TEST(ConfigTest, HeadDimMayBeExplicit) {
  Json config = makeConfig();
  config["head_dim"] = 48;
  EXPECT_EQ(parse(config.dump())->headDim, 48);
  config["head_dim"] = nullptr;
  EXPECT_EQ(parse(config.dump())->headDim, 16);
  EXPECT_SAYS(messageFor("head_dim", "15"), "expected an even number");
  EXPECT_SAYS(messageFor("head_dim", "258"), "from 1 to 256");
}

TEST(ConfigTest, EveryRequiredKeyIsMissed) {
  for (const char *key :
       {"architectures", "hidden_size", "intermediate_size",
        "num_hidden_layers", "num_attention_heads", "vocab_size",
        "max_position_embeddings", "rms_norm_eps"}) {
    Json config = makeConfig();
    config.erase(key);
    llrt::Result<Config> result = parse(config.dump());
    ASSERT_FALSE(result) << key;
    EXPECT_SAYS(result.error().message(),
                "the key \"" + std::string(key) + "\" is missing");
  }
}

TEST(ConfigTest, EveryCountRefusesWhatIsNone) {
  for (const char *key :
       {"hidden_size", "intermediate_size", "num_hidden_layers",
        "num_attention_heads", "num_key_value_heads", "vocab_size",
        "max_position_embeddings", "head_dim"})
    for (const char *value :
         {"\"64\"", "64.5", "-64", "0", "9223372036854775807",
          "18446744073709551616", "1e300", "true", "[64]", "{}"}) {
      std::string message = messageFor(key, value);
      EXPECT_SAYS(message, "\"" + std::string(key) + "\" is the ");
      EXPECT_SAYS(message, "expected a whole number from 1 to ");
    }
}

TEST(ConfigTest, HeadCountsDivide) {
  EXPECT_SAYS(messageFor("num_key_value_heads", "3"),
              "\"num_attention_heads\" is 4, which \"num_key_value_heads\" (3) "
              "does not divide");
  EXPECT_SAYS(messageFor("hidden_size", "66"),
              "\"hidden_size\" is 66, which \"num_attention_heads\" (4) does "
              "not divide, and there is no \"head_dim\"");
}

TEST(ConfigTest, OtherModelsAreNamed) {
  EXPECT_SAYS(messageFor("architectures", R"(["GemmaForCausalLM"])"),
              "the architecture is \"GemmaForCausalLM\"; llamac compiles "
              "\"LlamaForCausalLM\" and \"MistralForCausalLM\"");
  EXPECT_SAYS(messageFor("architectures", "[]"), "\"LlamaForCausalLM\"");
  EXPECT_SAYS(messageFor("model_type", "\"mistral\""), "expected \"llama\"");
  EXPECT_SAYS(
      messageFor("hidden_act", "\"gelu\""),
      "\"hidden_act\" is the string \"gelu\"; llamac compiles \"silu\"");
  EXPECT_SAYS(messageFor("quantization_config", R"({"bits": 4})"),
              "quantized weights");
  EXPECT_SAYS(messageFor("sliding_window", "4096"), "sliding-window");
  EXPECT_SAYS(messageFor("auto_map", R"({"AutoModel": "x"})"),
              "code of the checkpoint's own");
}

TEST(ConfigTest, BiasesAreTensorsOfTheirOwn) {
  Json config = makeConfig();
  auto names = [&] {
    std::string text;
    for (const ExpectedTensor &tensor :
         getLayerTensors(*parse(config.dump())))
      if (tensor.name.find(".bias") != std::string::npos)
        text += tensor.name + " " + std::to_string(tensor.shape[0]) + "\n";
    return text;
  };
  EXPECT_EQ(names(), "");
  config["attention_bias"] = true;
  EXPECT_EQ(names(), "self_attn.q_proj.bias 64\nself_attn.k_proj.bias 32\n"
                     "self_attn.v_proj.bias 32\nself_attn.o_proj.bias 64\n");
  config["attention_bias"] = nullptr;
  config["mlp_bias"] = true;
  EXPECT_EQ(names(), "mlp.gate_proj.bias 172\nmlp.up_proj.bias 172\n"
                     "mlp.down_proj.bias 64\n");
  EXPECT_SAYS(messageFor("attention_bias", "1"),
              "\"attention_bias\" is the number 1, expected true or false");
}

TEST(ConfigTest, UnknownKeysAreNamed) {
  EXPECT_SAYS(messageFor("embedding_multiplier", "12"),
              "the key \"embedding_multiplier\" (the number 12) is not known");
}

TEST(ConfigTest, HarmlessKeysAreHarmlessForTheirValues) {
  EXPECT_EQ(messageFor("pretraining_tp", "2"), "");
  EXPECT_SAYS(messageFor("pretraining_tp", "3"), "expected one of");
  EXPECT_EQ(messageFor("use_cache", "false"), "");
  EXPECT_EQ(messageFor("is_decoder", "true"), "");
  EXPECT_SAYS(messageFor("repetition_penalty", "1.2"), "expected one of");
}

TEST(ConfigTest, RopeHasTwoSpellings) {
  Json config = makeConfig();
  config.erase("rope_scaling");
  config["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 5e5}};
  llrt::Result<Config> both = parse(config.dump());
  ASSERT_FALSE(both);
  EXPECT_SAYS(both.error().message(),
              "\"rope_theta\" is 10000.0 but \"rope_parameters\" says "
              "500000.0");
  config.erase("rope_theta");
  EXPECT_EQ(parse(config.dump())->ropeTheta, 5e5);
  config["rope_theta"] = 5e5; // both, and equal
  EXPECT_EQ(parse(config.dump())->ropeTheta, 5e5);
  EXPECT_EQ(messageFor("rope_scaling", R"({"type": "default"})"), "");
  EXPECT_EQ(messageFor("rope_scaling", R"({"rope_type": "default"})"), "");
}

const Json linear = {{"rope_type", "linear"}, {"factor", 4}};
const Json llama3 = {{"rope_type", "llama3"},
                     {"factor", 8.0},
                     {"low_freq_factor", 1.0},
                     {"high_freq_factor", 4.0},
                     {"original_max_position_embeddings", 64}};

TEST(ConfigTest, RopeScalingIsRead) {
  for (const char *key : {"rope_scaling", "rope_parameters"})
    for (const char *spelling : {"rope_type", "type"}) {
      Json config = makeConfig();
      config[key] = linear;
      config[key].erase("rope_type");
      config[key][spelling] = "linear";
      llrt::Result<Config> result = parse(config.dump());
      ASSERT_TRUE(result) << result.error().message();
      EXPECT_EQ(result->ropeScaling.kind, RopeScaling::Linear);
      EXPECT_EQ(result->ropeScaling.factor, 4.0);
      EXPECT_EQ(result->ropeTheta, 10000.0);
      EXPECT_EQ(result->maxPositionEmbeddings, 128);
      config[key] = llama3;
      config[key].erase("rope_type");
      config[key][spelling] = "llama3";
      result = parse(config.dump());
      ASSERT_TRUE(result) << result.error().message();
      EXPECT_EQ(result->ropeScaling.kind, RopeScaling::Llama3);
      EXPECT_EQ(result->ropeScaling.factor, 8.0);
      EXPECT_EQ(result->ropeScaling.lowFreqFactor, 1.0);
      EXPECT_EQ(result->ropeScaling.highFreqFactor, 4.0);
      EXPECT_EQ(result->ropeScaling.originalMaxPositions, 64);
    }
  // transformers 5 writes both keys; they have to agree.
  Json config = makeConfig();
  config["rope_scaling"] = llama3;
  config["rope_parameters"] = llama3;
  config["rope_parameters"]["rope_theta"] = 10000.0;
  EXPECT_TRUE(parse(config.dump()));
  config["rope_parameters"]["factor"] = 9;
  EXPECT_SAYS(parse(config.dump()).error().message(),
              "\"rope_scaling\" and \"rope_parameters\" ask for different "
              "scalings");
  config["rope_parameters"] = {{"rope_type", "default"}};
  EXPECT_SAYS(parse(config.dump()).error().message(),
              "(\"llama3\" and \"default\"");
}

TEST(ConfigTest, RopeScalingIsCheckedFieldByField) {
  auto with = [](Json rope, const char *key, const Json &value) {
    rope[key] = value;
    return messageFor("rope_scaling", rope.dump());
  };
  for (auto &[rope, keys] :
       {std::pair(linear, std::vector<const char *>{"factor"}),
        std::pair(llama3, std::vector<const char *>{
                              "factor", "low_freq_factor", "high_freq_factor",
                              "original_max_position_embeddings"})}) {
    EXPECT_EQ(messageFor("rope_scaling", rope.dump()), "");
    for (const char *key : keys) {
      Json without = rope;
      without.erase(key);
      EXPECT_SAYS(messageFor("rope_scaling", without.dump()),
                  "config.json: \"rope_scaling\": the key \"" +
                      std::string(key) + "\" is missing");
      for (const Json &bad : {Json("8"), Json(-1), Json(0), Json(1e300),
                              Json(true), Json::array({8})})
        EXPECT_SAYS(with(rope, key, bad),
                    "\"rope_scaling\": \"" + std::string(key) + "\" is the");
    }
    EXPECT_SAYS(with(rope, "factor", 0.5), "expected a number from 1 to 1e6");
    EXPECT_SAYS(with(rope, "beta_fast", 32), "has the key \"beta_fast\"");
    EXPECT_SAYS(with(rope, "partial_rotary_factor", 0.5),
                "rotation of a part of each head");
    EXPECT_EQ(with(rope, "partial_rotary_factor", 1.0), "");
    EXPECT_EQ(with(rope, "rope_theta", 10000), "");
    EXPECT_SAYS(with(rope, "rope_theta", 5000),
                "\"rope_theta\" is 10000.0 but \"rope_scaling\" says 5000.0");
  }
  EXPECT_SAYS(with(linear, "low_freq_factor", 1),
              "has the key \"low_freq_factor\", which the rope type "
              "\"linear\" does not take");
  EXPECT_SAYS(with(llama3, "original_max_position_embeddings", 64.5),
              "a whole number from 1");
  EXPECT_SAYS(with(llama3, "low_freq_factor", 4),
              "\"low_freq_factor\" is 4.0, expected less than "
              "\"high_freq_factor\", which is 4.0");
}

TEST(ConfigTest, OtherRopeTypesAreRefusedByName) {
  for (const char *spelling : {"type", "rope_type"})
    for (const char *type : {"longrope", "su", "proportional"})
      for (const char *key : {"rope_scaling", "rope_parameters"})
        EXPECT_SAYS(
            messageFor(key, Json{{spelling, type}, {"factor", 8.0}}.dump()),
            "asks for rope scaling \"" + std::string(type) +
                "\", which is not built yet");
  EXPECT_SAYS(messageFor("rope_scaling", R"({"type": "spiral"})"),
              "has the unknown rope type \"spiral\"");
  EXPECT_SAYS(messageFor("rope_scaling", R"({"factor": 2})"),
              "has no \"rope_type\"");
  EXPECT_SAYS(
      messageFor("rope_scaling", R"({"type": "linear", "rope_type": "yarn"})"),
      "says both rope type \"yarn\" and \"linear\"");
  EXPECT_SAYS(messageFor("rope_scaling", R"({"type": 3})"),
              "\"type\" is the number 3, expected a string");
  EXPECT_SAYS(messageFor("rope_scaling",
                         R"({"type": "default", "attention_factor": 2})"),
              "has the key \"attention_factor\"");
  EXPECT_SAYS(messageFor("rope_scaling", "3"), "expected an object or null");
}

TEST(ConfigTest, NumbersHaveRanges) {
  EXPECT_SAYS(messageFor("rms_norm_eps", "-1e-5"), "above 0");
  EXPECT_SAYS(messageFor("rms_norm_eps", "\"1e-5\""), "the string");
  EXPECT_SAYS(messageFor("rope_theta", "-1"), "from 1 to 1e12");
  EXPECT_SAYS(messageFor("tie_word_embeddings", "1"), "true or false");
  EXPECT_SAYS(messageFor("eos_token_id", "512"),
              "token ids below the vocabulary's 512");
  EXPECT_SAYS(messageFor("torch_dtype", "\"int8\""), "\"bfloat16\"");
}

TEST(ConfigTest, TextThatIsNoObject) {
  for (const char *text : {"", "{", "{\"a\": }", "{\"a\": 1,}", "nonsense",
                           "{\"a\": 1} x", "{\"a\": \"\xff\"}"}) {
    llrt::Result<Config> result = parse(text);
    ASSERT_FALSE(result) << text;
    EXPECT_SAYS(result.error().message(), "config.json: is not JSON");
  }
  EXPECT_SAYS(parse("[1]").error().message(), "expected a JSON object");
  EXPECT_SAYS(
      parse(R"({"hidden_size": 1, "hidden_size": 2})").error().message(),
      "the key \"hidden_size\" occurs twice");
  std::string deep(100000, '[');
  EXPECT_SAYS(parse("{\"a\": " + deep).error().message(),
              "nested deeper than 32 levels");
}

TEST(ConfigTest, CutAtEveryByte) {
  std::string text = makeConfig().dump();
  for (size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(parse(text.substr(0, size))) << size;
}

TEST(ConfigTest, GenerationConfig) {
  auto read = [](const char *text) {
    return parseGenerationConfig(text, "generation_config.json");
  };
  llrt::Result<GenerationConfig> result =
      read(R"({"bos_token_id": 1, "eos_token_id": [2, 7], "top_p": 0.9})");
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->eosGiven);
  EXPECT_EQ(result->eosIds, (std::vector<int64_t>{2, 7}));
  EXPECT_FALSE(read("{}")->eosGiven);
  EXPECT_SAYS(read(R"({"eos_token_id": "x"})").error().message(), "token ids");
  EXPECT_SAYS(read("{").error().message(), "is not JSON");
}

TEST(ConfigTest, GenerationConfigSaysHowToSample) {
  auto read = [](const std::string &text) {
    return parseGenerationConfig(text, "generation_config.json");
  };
  llrt::Result<GenerationConfig> all = read(
      R"({"do_sample": false, "temperature": 0.7, "top_p": 1, "top_k": 50,
          "min_p": 0.05, "repetition_penalty": 1.1, "presence_penalty": 0.5,
          "frequency_penalty": 2.0})");
  ASSERT_TRUE(all) << all.error().message();
  EXPECT_FALSE(all->doSample);
  EXPECT_EQ(*all->temperature, 0.7);
  EXPECT_EQ(*all->topP, 1);
  EXPECT_EQ(*all->topK, 50);
  EXPECT_EQ(*all->minP, 0.05);
  EXPECT_EQ(*all->repetitionPenalty, 1.1);
  EXPECT_EQ(*all->presencePenalty, 0.5);
  EXPECT_EQ(*all->frequencyPenalty, 2);
  llrt::Result<GenerationConfig> none =
      read(R"({"temperature": null, "top_k": null})");
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->doSample);
  EXPECT_FALSE(none->temperature || none->topP || none->topK || none->minP);
  struct {
    const char *key, *value, *expected;
  } const wrong[] = {{"temperature", "-1", "a number from 0 to 100"},
                     {"temperature", "\"hot\"", "a number from 0 to 100"},
                     {"top_p", "1.5", "a number from 0 to 1"},
                     {"min_p", "-0.1", "a number from 0 to 1"},
                     {"top_k", "-5", "a whole number from 0"},
                     {"top_k", "1.5", "a whole number from 0"},
                     {"repetition_penalty", "0", "a number from 0.01 to 100"},
                     {"presence_penalty", "3", "a number from 0 to 2"},
                     {"frequency_penalty", "[1]", "a number from 0 to 2"},
                     {"do_sample", "1", "true or false"}};
  for (const auto &entry : wrong) {
    auto result =
        read(std::string("{\"") + entry.key + "\": " + entry.value + "}");
    ASSERT_FALSE(result) << entry.key;
    EXPECT_SAYS(result.error().message(),
                std::string("generation_config.json: \"") + entry.key);
    EXPECT_SAYS(result.error().message(), entry.expected);
  }
}

} // namespace
