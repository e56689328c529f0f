// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The position schemes and windows of config.json: read as transformers reads
// them, or refused by name.
#include "compiler/import/Checkpoint.h"
#include "compiler/import/Json.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace mlir::llama;

namespace {
Json makeConfig() {
  return Json::parse(R"({
    "architectures": ["LlamaForCausalLM"], "model_type": "llama",
    "hidden_size": 64, "intermediate_size": 172, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 512,
    "max_position_embeddings": 128, "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0, "eos_token_id": 2})");
}

Json makeMistral() {
  Json config = makeConfig();
  config["architectures"] = {"MistralForCausalLM"};
  config["model_type"] = "mistral";
  return config;
}

struct Parsed {
  Config config;
  std::string message;  ///< "" where it is accepted
  std::string warnings; ///< joined
};

Parsed parse(const Json &json) {
  std::vector<std::string> warnings;
  llrt::Result<Config> result =
      parseConfig(json.dump(), "config.json", warnings);
  Parsed parsed;
  if (result)
    parsed.config = *result;
  else
    parsed.message = result.error().message();
  for (const std::string &warning : warnings)
    parsed.warnings += warning + "\n";
  return parsed;
}

Parsed parseWith(Json config, const char *key, const Json &value) {
  config[key] = value;
  return parse(config);
}

Parsed parseRope(const Json &rope) {
  return parseWith(makeConfig(), "rope_scaling", rope);
}

Parsed parseRopeWith(Json rope, const char *key, const Json &value) {
  rope[key] = value;
  return parseRope(rope);
}

#define EXPECT_SAYS(message, part)                                             \
  EXPECT_NE((message).find(part), std::string::npos) << message
} // namespace

TEST(ConfigPositions, DynamicGrowsPastTheTrainedMaximum) {
  const Json dynamic = {{"type", "dynamic"}, {"factor", 2.5}};
  Parsed parsed = parseRope(dynamic);
  ASSERT_EQ(parsed.message, "");
  EXPECT_EQ(parsed.config.ropeScaling.kind, RopeScaling::Dynamic);
  EXPECT_EQ(parsed.config.ropeScaling.factor, 2.5);
  EXPECT_EQ(parsed.config.ropeScaling.originalMaxPositions, 128);
  EXPECT_EQ(parsed.warnings, "");
  // transformers does not look at it.
  parsed = parseRopeWith(dynamic, "original_max_position_embeddings", 64);
  EXPECT_EQ(parsed.config.ropeScaling.originalMaxPositions, 128);
  EXPECT_SAYS(parsed.warnings, "\"original_max_position_embeddings\" is not "
                               "used: as in transformers");
  EXPECT_SAYS(parseRope({{"type", "dynamic"}}).message,
              "the key \"factor\" is missing");
  EXPECT_SAYS(parseRopeWith(dynamic, "alpha", 2).message,
              "has the key \"alpha\", which the rope type \"dynamic\" does not "
              "take");
  Json tiny = makeConfig();
  tiny["rope_scaling"] = dynamic;
  tiny["head_dim"] = 2;
  EXPECT_SAYS(parse(tiny).message, "not defined for a head dimension of 2");
}

TEST(ConfigPositions, YarnHasTransformersDefaults) {
  const Json yarn = {{"rope_type", "yarn"},
                     {"factor", 4.0},
                     {"original_max_position_embeddings", 32}};
  Parsed parsed = parseRope(yarn);
  ASSERT_EQ(parsed.message, "");
  const RopeScaling &scaling = parsed.config.ropeScaling;
  EXPECT_EQ(scaling.kind, RopeScaling::Yarn);
  EXPECT_EQ(scaling.factor, 4.0);
  EXPECT_EQ(scaling.originalMaxPositions, 32);
  EXPECT_EQ(scaling.betaFast, 32);
  EXPECT_EQ(scaling.betaSlow, 1);
  EXPECT_TRUE(scaling.truncate);
  EXPECT_DOUBLE_EQ(scaling.attentionFactor, 0.1 * std::log(4.0) + 1);

  auto factorOf = [&](const Json &keys) {
    Json rope = yarn;
    rope.update(keys);
    Parsed parsed = parseRope(rope);
    EXPECT_EQ(parsed.message, "");
    return parsed.config.ropeScaling.attentionFactor;
  };
  EXPECT_EQ(factorOf({{"attention_factor", 1.5}}), 1.5);
  EXPECT_DOUBLE_EQ(factorOf({{"mscale", 0.707}, {"mscale_all_dim", 0.5}}),
                   (0.0707 * std::log(4.0) + 1) / (0.05 * std::log(4.0) + 1));
  // One of the two alone changes nothing, nor do 0 and null.
  for (const Json &keys :
       {Json{{"mscale", 0.5}}, Json{{"mscale_all_dim", 0.5}},
        Json{{"mscale", 0}, {"mscale_all_dim", 1}},
        Json{{"attention_factor", nullptr}, {"beta_fast", nullptr}}})
    EXPECT_DOUBLE_EQ(factorOf(keys), 0.1 * std::log(4.0) + 1);
  EXPECT_EQ(factorOf({{"factor", 1}}), 1);

  // A null factor is the ratio of the lengths; no length, the config's.
  EXPECT_EQ(parseRopeWith(yarn, "factor", nullptr).config.ropeScaling.factor,
            4.0);
  Json without = yarn;
  without.erase("original_max_position_embeddings");
  EXPECT_EQ(parseRope(without).config.ropeScaling.originalMaxPositions, 128);
  Json beside = makeConfig();
  beside["rope_scaling"] = without;
  beside["original_max_position_embeddings"] = 64;
  EXPECT_EQ(parse(beside).config.ropeScaling.originalMaxPositions, 64);
  beside["rope_scaling"] = yarn;
  EXPECT_SAYS(parse(beside).message,
              "is 32, but that of the config itself is 64");
}

TEST(ConfigPositions, YarnIsCheckedFieldByField) {
  const Json yarn = {{"rope_type", "yarn"},
                     {"factor", 4.0},
                     {"original_max_position_embeddings", 32}};
  for (const char *key :
       {"factor", "original_max_position_embeddings", "beta_fast", "beta_slow",
        "attention_factor", "mscale", "mscale_all_dim", "truncate"})
    for (const Json &bad : {Json("8"), Json(-1), Json(1e300), Json::array({8})})
      EXPECT_SAYS(parseRopeWith(yarn, key, bad).message,
                  "\"" + std::string(key) + "\" is the")
          << key;
  Json without = yarn;
  without.erase("factor");
  EXPECT_SAYS(parseRope(without).message, "the key \"factor\" is missing");
  EXPECT_SAYS(parseRopeWith(yarn, "beta_fast", 0.5).message,
              "\"beta_fast\" is 0.5, expected at least \"beta_slow\", which is "
              "1.0");
  EXPECT_SAYS(parseRopeWith(yarn, "low_freq_factor", 1).message,
              "has the key \"low_freq_factor\"");
  Json null = yarn;
  null["factor"] = nullptr;
  null["original_max_position_embeddings"] = 256;
  EXPECT_SAYS(parseRope(null).message, "and that is below 1");
  Json flat = makeConfig();
  flat["rope_scaling"] = yarn;
  flat["rope_theta"] = 1;
  EXPECT_SAYS(parse(flat).message, "expected more than 1");
}

TEST(ConfigPositions, AlibiReplacesTheRotation) {
  Parsed parsed = parseWith(makeConfig(), "position_embedding_type", "alibi");
  ASSERT_EQ(parsed.message, "");
  EXPECT_TRUE(parsed.config.alibi);
  for (const Json &rotary : {Json("rope"), Json("rotary"), Json()}) {
    parsed = parseWith(makeConfig(), "position_embedding_type", rotary);
    EXPECT_EQ(parsed.message, "");
    EXPECT_FALSE(parsed.config.alibi);
  }
  for (const char *other : {"absolute", "learned", "nope", "sinusoidal"})
    EXPECT_SAYS(
        parseWith(makeConfig(), "position_embedding_type", other).message,
        "\"position_embedding_type\" is the string \"" + std::string(other) +
            "\"; llamac compiles \"rope\" and \"alibi\"");
  Json both = makeConfig();
  both["position_embedding_type"] = "alibi";
  both["rope_scaling"] = {{"type", "linear"}, {"factor", 2}};
  EXPECT_SAYS(parse(both).message, "there is a rope scaling");
}

TEST(ConfigPositions, MistralHasAWindow) {
  Parsed parsed = parseWith(makeMistral(), "sliding_window", 96);
  ASSERT_EQ(parsed.message, "");
  EXPECT_EQ(parsed.config.architecture, "MistralForCausalLM");
  EXPECT_EQ(parsed.config.slidingWindow, 96);
  EXPECT_EQ(parsed.warnings, "");
  EXPECT_EQ(
      parseWith(makeMistral(), "sliding_window", nullptr).config.slidingWindow,
      0);
  // MistralConfig's own default.
  EXPECT_EQ(parse(makeMistral()).config.slidingWindow, 4096);
  for (const Json &bad : {Json(0), Json(-1), Json(4.5), Json("96"), Json(true)})
    EXPECT_SAYS(parseWith(makeMistral(), "sliding_window", bad).message,
                "\"sliding_window\" is the");
  EXPECT_SAYS(parseWith(makeMistral(), "model_type", "llama").message,
              "expected \"mistral\"");
  // Llama has none, in transformers neither.
  EXPECT_SAYS(parseWith(makeConfig(), "sliding_window", 96).message,
              "\"sliding_window\" is the number 96: it asks for "
              "sliding-window attention, which llamac compiles for "
              "MistralForCausalLM alone");
  EXPECT_SAYS(parseWith(makeConfig(), "use_sliding_window", true).message,
              "\"use_sliding_window\" is the boolean true: it asks for");
  EXPECT_EQ(parseWith(makeConfig(), "use_sliding_window", false).message, "");
  EXPECT_EQ(parseWith(makeConfig(), "sliding_window", nullptr).message, "");
}

TEST(ConfigPositions, MistralsOtherKeysAgreeWithTheWindow) {
  Json config = makeMistral();
  config["sliding_window"] = 96;
  EXPECT_EQ(parseWith(config, "use_sliding_window", true).warnings, "");
  Parsed parsed = parseWith(config, "use_sliding_window", false);
  EXPECT_EQ(parsed.config.slidingWindow, 96);
  EXPECT_SAYS(parsed.warnings, "\"use_sliding_window\" is not used: as in "
                               "transformers' Mistral, \"sliding_window\" "
                               "decides (96)");
  const Json sliding = {"sliding_attention", "sliding_attention"},
             full = {"full_attention", "full_attention"},
             mixed = {"sliding_attention", "full_attention"};
  EXPECT_EQ(parseWith(config, "layer_types", sliding).message, "");
  for (const Json &bad :
       {full, mixed, Json{"sliding_attention"}, Json("sliding_attention")})
    EXPECT_SAYS(parseWith(config, "layer_types", bad).message,
                "expected \"sliding_attention\" for each of the 2 layers");
  config["sliding_window"] = nullptr;
  EXPECT_EQ(parseWith(config, "layer_types", full).message, "");
  EXPECT_SAYS(parseWith(config, "layer_types", sliding).message,
              "expected \"full_attention\"");
  EXPECT_EQ(parseWith(makeConfig(), "layer_types", full).message, "");
}

TEST(ConfigPositions, MistralsKvHeads) {
  Json config = makeMistral();
  config["num_attention_heads"] = 16;
  EXPECT_EQ(parse(config).config.kvHeads, 2);
  config.erase("num_key_value_heads"); // MistralConfig's own default
  EXPECT_EQ(parse(config).config.kvHeads, 8);
  config["num_key_value_heads"] = nullptr;
  EXPECT_EQ(parse(config).config.kvHeads, 16);
}
