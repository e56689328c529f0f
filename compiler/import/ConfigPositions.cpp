// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The position scheme of config.json, as transformers reads it. Test:
// test/import/ConfigPositionsTest.cpp.
#include "compiler/import/ConfigPositions.h"

#include <limits>

namespace mlir::llama {
namespace {
using Reader = ConfigReader;

/// What one rope object says.
struct Rope {
  std::string type; // "" where there is no object
  std::optional<double> theta;
  RopeScaling scaling;
};

/// The type of a rope object, by either spelling of the key.
std::string readRopeType(Reader &rope) {
  std::string type;
  for (const char *spelling : {"rope_type", "type"}) {
    const Json *value = rope.find(spelling);
    if (!value)
      continue;
    if (!value->is_string())
      rope.expected(spelling, *value, "a string");
    else if (!type.empty() && type != value->get<std::string>())
      rope.fail("says both rope type \"" + type + "\" and \"" +
                value->get<std::string>() + "\"");
    else
      type = value->get<std::string>();
  }
  if (rope.fault.empty() && type.empty())
    rope.fail("has no \"rope_type\" (or \"type\")");
  return type;
}

/// What the config outside of a rope object says that a scaling needs.
struct RopeContext {
  int64_t maxPositions;                        // "max_position_embeddings"
  std::optional<int64_t> originalMaxPositions; // the key of that name
  int64_t headDim;
};

/// How many positions the model was trained with before the scaling: in the
/// object, beside it, or `otherwise`; 0 where that is no default.
int64_t readOriginal(Reader &rope, const RopeContext &context,
                     int64_t otherwise) {
  const char *key = "original_max_position_embeddings";
  std::optional<int64_t> outer = context.originalMaxPositions;
  int64_t original = rope.count(key, 1, 1 << 24, outer.value_or(otherwise));
  if (rope.fault.empty() && outer && *outer != original)
    rope.fail("\"" + std::string(key) + "\" is " + std::to_string(original) +
              ", but that of the config itself is " + std::to_string(*outer) +
              ": remove the wrong one");
  return original;
}

/// YaRN as transformers reads it (_compute_yarn_parameters).
void readYarn(Reader &rope, const RopeContext &context, RopeScaling &scaling) {
  scaling.originalMaxPositions =
      readOriginal(rope, context, context.maxPositions);
  // A null factor is the ratio of the two lengths.
  auto factor = rope.object.find("factor");
  if (factor != rope.object.end() && factor->is_null())
    scaling.factor = double(context.maxPositions) /
                     double(std::max<int64_t>(scaling.originalMaxPositions, 1));
  else
    scaling.factor = rope.real("factor", 1, 1e6, "a number from 1 to 1e6",
                               std::numeric_limits<double>::quiet_NaN());
  if (rope.fault.empty() && scaling.factor < 1)
    rope.fail("\"factor\" is null, which stands for "
              "\"max_position_embeddings\" / "
              "\"original_max_position_embeddings\", and that is below 1");
  auto positive = [&](const char *key, double otherwise) {
    return rope.real(key, 1e-6, 1e6, "a number from 1e-6 to 1e6", otherwise);
  };
  scaling.betaFast = positive("beta_fast", 32);
  scaling.betaSlow = positive("beta_slow", 1);
  if (rope.fault.empty() && scaling.betaFast < scaling.betaSlow)
    rope.fail("\"beta_fast\" is " + Json(scaling.betaFast).dump() +
              ", expected at least \"beta_slow\", which is " +
              Json(scaling.betaSlow).dump());
  scaling.truncate = rope.boolean("truncate", true);
  auto number = [&](const char *key) { // 0 means none, as in Python
    return rope.real(key, 0, 1e6, "a number from 0 to 1e6", 0);
  };
  double mscale = number("mscale"), allDims = number("mscale_all_dim");
  auto grown = [&](double weight) {
    return 0.1 * weight * std::log(scaling.factor) + 1;
  };
  scaling.attentionFactor = positive(
      "attention_factor",
      mscale > 0 && allDims > 0 ? grown(mscale) / grown(allDims) : grown(1));
}

constexpr const char *compiledRopeTypes =
    "llamac compiles \"default\", \"linear\", \"llama3\", \"dynamic\" and "
    "\"yarn\"";

/// What the object says of the scaling of `type`.
void readScaling(Reader &rope, const std::string &type,
                 const RopeContext &context, RopeScaling &scaling) {
  const double missing = std::numeric_limits<double>::quiet_NaN();
  auto positive = [&](const char *key) {
    return rope.real(key, 1e-6, 1e6, "a number from 1e-6 to 1e6", missing);
  };
  if (type == "default")
    return;
  if (type == "yarn") {
    scaling.kind = RopeScaling::Yarn;
    return readYarn(rope, context, scaling);
  }
  if (type != "linear" && type != "llama3" && type != "dynamic") {
    for (const char *known : {"longrope", "su", "proportional", "axial"})
      if (type == known)
        return rope.fail("asks for rope scaling \"" + type +
                         "\", which is not built yet; " + compiledRopeTypes);
    return rope.fail("has the unknown rope type \"" + type + "\"; " +
                     compiledRopeTypes);
  }
  scaling.factor =
      rope.real("factor", 1, 1e6, "a number from 1 to 1e6", missing);
  scaling.kind = RopeScaling::Linear;
  if (type == "linear")
    return;
  if (type == "dynamic") {
    // transformers takes max_position_embeddings here, whatever else is said.
    scaling.kind = RopeScaling::Dynamic;
    scaling.originalMaxPositions = context.maxPositions;
    if (rope.fault.empty() && context.headDim == 2)
      rope.fail("asks for rope scaling \"dynamic\", which is not defined for a "
                "head dimension of 2");
    return;
  }
  scaling.kind = RopeScaling::Llama3;
  scaling.lowFreqFactor = positive("low_freq_factor");
  scaling.highFreqFactor = positive("high_freq_factor");
  scaling.originalMaxPositions = readOriginal(rope, context, 0);
  if (rope.fault.empty() && scaling.lowFreqFactor >= scaling.highFreqFactor)
    rope.fail("\"low_freq_factor\" is " + Json(scaling.lowFreqFactor).dump() +
              ", expected less than \"high_freq_factor\", which is " +
              Json(scaling.highFreqFactor).dump());
}

/// Every key of a rope object is used, or the object is refused.
void accountRope(Reader &rope, const std::string &type,
                 std::vector<std::string> &warnings) {
  auto isIn = [](const std::string &name, auto &&list) {
    for (const char *entry : list)
      if (name == entry)
        return true;
    return false;
  };
  for (auto &[name, value] : rope.object.items()) {
    if (isIn(name, std::initializer_list<const char *>{"rope_type", "type",
                                                       "rope_theta"}) ||
        (type != "default" && name == "factor") ||
        (type == "llama3" && isIn(name,
                                  std::initializer_list<const char *>{
                                      "low_freq_factor", "high_freq_factor",
                                      "original_max_position_embeddings"})) ||
        (type == "yarn" &&
         isIn(name,
              std::initializer_list<const char *>{
                  "original_max_position_embeddings", "beta_fast", "beta_slow",
                  "attention_factor", "mscale", "mscale_all_dim", "truncate"})))
      continue;
    if (type == "dynamic" && name == "original_max_position_embeddings") {
      warnings.push_back(rope.name + ": \"" + name +
                         "\" is not used: as in transformers, the base of "
                         "\"dynamic\" grows past \"max_position_embeddings\"");
      continue;
    }
    if (name == "partial_rotary_factor") {
      if (!value.is_null() && value != 1)
        rope.fail("\"partial_rotary_factor\" is " + describeJson(value) +
                  ": it asks for rotation of a part of each head, which is "
                  "not built yet");
      continue;
    }
    rope.fail("has the key \"" + name + "\", which the rope type \"" + type +
              "\" does not take");
  }
}

Rope readRope(Reader &reader, const char *key, const RopeContext &context,
              std::vector<std::string> &warnings) {
  Rope result;
  const Json *object = reader.find(key);
  if (!object)
    return result;
  if (!object->is_object()) {
    reader.expected(key, *object, "an object or null");
    return result;
  }
  Reader rope(*object, reader.name + ": \"" + key + "\"");
  result.type = readRopeType(rope);
  if (rope.fault.empty())
    readScaling(rope, result.type, context, result.scaling);
  double theta =
      rope.real("rope_theta", 1, 1e12, "a number from 1 to 1e12", -1);
  if (theta > 0)
    result.theta = theta;
  if (rope.fault.empty())
    accountRope(rope, result.type, warnings);
  if (reader.fault.empty())
    reader.fault = rope.fault;
  return result;
}

/// rope_theta, rope_scaling (the older key) and rope_parameters: what two of
/// them say has to be the same.
void readRopes(Reader &reader, Config &config,
               std::vector<std::string> &warnings) {
  RopeContext context{config.maxPositionEmbeddings, {}, config.headDim};
  const char *originalKey = "original_max_position_embeddings";
  if (reader.find(originalKey))
    context.originalMaxPositions = reader.count(originalKey, 1, 1 << 24);
  Rope scaling = readRope(reader, "rope_scaling", context, warnings);
  Rope parameters = readRope(reader, "rope_parameters", context, warnings);
  double outer =
      reader.real("rope_theta", 1, 1e12, "a number from 1 to 1e12", -1);
  if (!reader.fault.empty())
    return;
  if (!scaling.type.empty() && !parameters.type.empty() &&
      !(scaling.scaling == parameters.scaling))
    return reader.fail("\"rope_scaling\" and \"rope_parameters\" ask for "
                       "different scalings (\"" +
                       scaling.type + "\" and \"" + parameters.type +
                       "\", or different factors): remove the wrong one");
  // What transformers takes for a config from before the key existed.
  config.ropeTheta = outer > 0 ? outer : 10000.0;
  const char *from = outer > 0 ? "rope_theta" : nullptr;
  for (auto [key, theta] : {std::pair("rope_scaling", scaling.theta),
                            std::pair("rope_parameters", parameters.theta)}) {
    if (!theta)
      continue;
    if (from && *theta != config.ropeTheta)
      return reader.fail(std::string("\"") + from + "\" is " +
                         Json(config.ropeTheta).dump() + " but \"" + key +
                         "\" says " + Json(*theta).dump() +
                         ": remove the wrong one");
    config.ropeTheta = *theta;
    from = key;
  }
  config.ropeScaling =
      scaling.type.empty() ? parameters.scaling : scaling.scaling;
  RopeScaling::Kind kind = config.ropeScaling.kind;
  if (context.originalMaxPositions &&
      (kind == RopeScaling::None || kind == RopeScaling::Linear))
    warnings.push_back(reader.name + ": \"" + originalKey +
                       "\" is not used: no rope scaling asks for it");
  if (kind == RopeScaling::Yarn && config.ropeTheta <= 1)
    reader.fail("\"rope_theta\" is " + Json(config.ropeTheta).dump() +
                ", expected more than 1 for rope scaling \"yarn\"");
}

/// "position_embedding_type": rotary where it is absent.
void readPositionScheme(Reader &reader, Config &config) {
  const Json *value = reader.find("position_embedding_type");
  if (!value || *value == "rope" || *value == "rotary")
    return;
  if (*value != "alibi")
    return reader.fail("\"position_embedding_type\" is " +
                       describeJson(*value) +
                       "; llamac compiles \"rope\" and \"alibi\"");
  config.alibi = true;
  if (config.ropeScaling.kind != RopeScaling::None)
    reader.fail("\"position_embedding_type\" is \"alibi\", which has no "
                "rotation, but there is a rope scaling: remove the wrong one");
}

/// "sliding_window" and what goes with it: MistralForCausalLM alone has it.
void readWindow(Reader &reader, Config &config,
                std::vector<std::string> &warnings) {
  constexpr int64_t mistralDefault = 4096; // of transformers' MistralConfig
  bool isMistral = config.architecture == "MistralForCausalLM";
  bool given = reader.object.contains("sliding_window");
  if (reader.find("sliding_window"))
    config.slidingWindow = reader.count("sliding_window", 1, 1 << 24);
  else if (isMistral && !given)
    config.slidingWindow = mistralDefault;
  bool used = reader.boolean("use_sliding_window", config.slidingWindow != 0);
  if (!isMistral && (config.slidingWindow || used))
    for (const char *key : {"sliding_window", "use_sliding_window"})
      if (const Json *value = reader.find(key); value && *value != false)
        return reader.fail(std::string("\"") + key + "\" is " +
                           describeJson(*value) +
                           ": it asks for sliding-window attention, which "
                           "llamac compiles for MistralForCausalLM alone");
  if (used != (config.slidingWindow != 0))
    warnings.push_back(reader.name +
                       ": \"use_sliding_window\" is not used: as in "
                       "transformers' Mistral, \"sliding_window\" decides (" +
                       (config.slidingWindow
                            ? std::to_string(config.slidingWindow)
                            : std::string("none")) +
                       ")");
  const Json *types = reader.find("layer_types");
  if (!types)
    return;
  const char *expected =
      config.slidingWindow ? "sliding_attention" : "full_attention";
  bool fits = types->is_array() && types->size() == size_t(config.layers);
  for (const Json &type : *types)
    fits = fits && type == expected;
  if (!fits)
    reader.fail("\"layer_types\" is " + describeJson(*types) + ", expected \"" +
                expected + "\" for each of the " +
                std::to_string(config.layers) +
                " layers: layers that differ in their attention are not built "
                "yet");
}
} // namespace

void readPositions(ConfigReader &reader, Config &config,
                   std::vector<std::string> &warnings) {
  if (reader.fault.empty())
    readRopes(reader, config, warnings);
  readPositionScheme(reader, config);
  readWindow(reader, config, warnings);
}

} // namespace mlir::llama
