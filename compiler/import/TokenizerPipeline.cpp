// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each part is compared with the forms that are known, key for key: a key that
// is not looked at cannot be one that counts.
#include "compiler/import/TokenizerPipeline.h"

#include "runtime/tokenizer/Llama3Split.h"

namespace mlir::llama {
namespace {

constexpr const char *block = "\xE2\x96\x81"; // U+2581

llrt::Error unknownPart(const std::string &name, const char *part,
                        const Json &found, const std::string &expected) {
  std::string what = describeJson(found);
  if (found.is_object() && found.contains("type") && found["type"].is_string())
    what = "the " + found["type"].get<std::string>() + " " +
           found.dump(-1, ' ', false, Json::error_handler_t::replace)
               .substr(0, 200);
  return llrt::Error(name + ": \"" + part + "\" has " + what + ", expected " +
                     expected + "; other ones are not supported");
}

/// The members of a Sequence (under `list`), or the part alone; none for null.
std::vector<Json> getSteps(const Json &file, const char *part,
                           const char *list) {
  auto at = file.find(part);
  if (at == file.end() || at->is_null())
    return {};
  if (at->is_object() && at->value("type", Json()) == "Sequence" &&
      at->contains(list) && (*at)[list].is_array())
    return (*at)[list].get<std::vector<Json>>();
  return {*at};
}

/// `found` less a key that does not count with any value.
Json without(Json found, const char *key) {
  if (found.is_object())
    found.erase(key);
  return found;
}

const Json replaceSpaces = {
    {"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", block}};

llrt::Error readNormalizer(const Json &file, const std::string &name,
                           BpeModel &model) {
  std::vector<Json> steps = getSteps(file, "normalizer", "normalizers");
  if (steps.empty())
    return llrt::Error::success();
  const Json prepend = {{"type", "Prepend"}, {"prepend", block}};
  // transformers 5 doubles the space at the start of a text in this way.
  const Json doubleStart = {
      {"type", "Replace"},
      {"pattern", {{"Regex", std::string("\\A") + block}}},
      {"content", std::string(block) + block}};
  bool prepends =
      steps.size() == 2 && steps[0] == prepend && steps[1] == replaceSpaces;
  bool replaces = steps.size() == 1 && steps[0] == replaceSpaces;
  bool doubles =
      steps.size() == 2 && steps[0] == replaceSpaces && steps[1] == doubleStart;
  if (!prepends && !replaces && !doubles) {
    for (const Json &step : steps)
      if (step != prepend && step != replaceSpaces && step != doubleStart)
        return unknownPart(name, "normalizer", step,
                           "Prepend and Replace of Llama 2, or null");
    return unknownPart(name, "normalizer", file["normalizer"],
                       "Prepend and Replace of Llama 2 in this order, or null");
  }
  if (!doubles)
    model.flags |= LLAMAC_TOKENIZER_NORMALIZES_TOKENS;
  if (!replaces)
    model.prefix = LLAMAC_PREFIX_ALWAYS;
  return llrt::Error::success();
}

llrt::Error readMetaspace(const Json &file, const Json &step,
                          const std::string &name, BpeModel &model) {
  auto refuse = [&](const char *expected) {
    return unknownPart(name, "pre_tokenizer", step, expected);
  };
  std::string scheme = "always";
  bool split = true;
  for (const auto &[key, value] : step.items()) {
    if (key == "type" || key == "str_rep")
      continue;
    if (key == "replacement" && value == block)
      continue;
    if (key == "prepend_scheme" && value.is_string()) {
      scheme = value.get<std::string>();
      continue;
    }
    if (key == "add_prefix_space" && value.is_boolean()) {
      if (!value.get<bool>() && !step.contains("prepend_scheme"))
        scheme = "never";
      continue;
    }
    if (key == "split" && value.is_boolean()) {
      split = value.get<bool>();
      continue;
    }
    return refuse("a Metaspace with replacement, prepend_scheme and split");
  }
  bool doubles = model.prefix == LLAMAC_PREFIX_ALWAYS &&
                 !(model.flags & LLAMAC_TOKENIZER_NORMALIZES_TOKENS);
  bool hasNormalizer = !getSteps(file, "normalizer", "normalizers").empty();
  if (hasNormalizer && !(doubles && scheme == "always"))
    return refuse("a Metaspace without a normalizer");
  if (split)
    model.split = LLAMAC_SPLIT_SPACES;
  if (doubles)
    return llrt::Error::success(); // a space is put before every text
  if (scheme == "never") {
    model.prefix = LLAMAC_PREFIX_NONE;
  } else if (scheme == "always" || scheme == "first") {
    model.prefix = LLAMAC_PREFIX_MISSING;
    if (scheme == "first")
      model.flags |= LLAMAC_TOKENIZER_PREFIX_FIRST;
  } else {
    return refuse("prepend_scheme always, first or never");
  }
  return llrt::Error::success();
}

llrt::Error readPreTokenizer(const Json &file, const std::string &name,
                             BpeModel &model) {
  std::vector<Json> steps = getSteps(file, "pre_tokenizer", "pretokenizers");
  auto refuse = [&](const Json &step) {
    return unknownPart(name, "pre_tokenizer", step,
                       "the Split and ByteLevel of Llama 3, Metaspace or null");
  };
  const Json split = {
      {"type", "Split"},
      {"pattern", {{"Regex", std::string(llrt::llama3SplitPattern)}}},
      {"behavior", "Isolated"},
      {"invert", false}};
  const Json byteLevel = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  if (hasByteLevel(file)) {
    for (const Json &step : steps)
      if (step != split && without(step, "trim_offsets") != byteLevel)
        return refuse(step);
    if (steps.size() != 2 || steps[0] != split)
      return refuse(file["pre_tokenizer"]);
    model.kind = LLAMAC_TOKENIZER_BYTE_LEVEL;
    model.split = LLAMAC_SPLIT_LLAMA3;
    if (model.flags != 0 || model.prefix != LLAMAC_PREFIX_NONE)
      return unknownPart(name, "normalizer", file["normalizer"],
                         "null beside a ByteLevel pre-tokenizer");
    return llrt::Error::success();
  }
  model.kind = LLAMAC_TOKENIZER_BYTE_FALLBACK;
  if (steps.size() > 1)
    return refuse(file["pre_tokenizer"]);
  for (const Json &step : steps) {
    if (!step.is_object() || step.value("type", Json()) != "Metaspace")
      return refuse(step);
    return readMetaspace(file, step, name, model);
  }
  if (model.prefix == LLAMAC_PREFIX_ALWAYS &&
      !(model.flags & LLAMAC_TOKENIZER_NORMALIZES_TOKENS))
    return unknownPart(name, "pre_tokenizer", Json(),
                       "Metaspace beside this normalizer");
  return llrt::Error::success();
}

llrt::Error readDecoder(const Json &file, const std::string &name,
                        BpeModel &model) {
  std::vector<Json> steps = getSteps(file, "decoder", "decoders");
  if (model.kind == LLAMAC_TOKENIZER_BYTE_LEVEL) {
    if (steps.size() == 1 && steps[0].is_object() &&
        steps[0].value("type", Json()) == "ByteLevel")
      return llrt::Error::success();
    return unknownPart(name, "decoder", file.value("decoder", Json()),
                       "ByteLevel");
  }
  const Json replace = {
      {"type", "Replace"}, {"pattern", {{"String", block}}}, {"content", " "}};
  const Json strip = {
      {"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}};
  std::vector<Json> expected = {
      replace, {{"type", "ByteFallback"}}, {{"type", "Fuse"}}};
  if (steps.size() == 4 && steps.back() == strip) {
    steps.pop_back();
    model.flags |= LLAMAC_TOKENIZER_STRIP_SPACE;
  }
  if (steps != expected)
    return unknownPart(name, "decoder", file.value("decoder", Json()),
                       "Replace, ByteFallback, Fuse and Strip of Llama 2");
  return llrt::Error::success();
}

} // namespace

bool hasByteLevel(const Json &file) {
  for (const Json &step : getSteps(file, "pre_tokenizer", "pretokenizers"))
    if (step.is_object() && step.value("type", Json()) == "ByteLevel")
      return true;
  return false;
}

llrt::Error readPipeline(const Json &file, const std::string &name,
                         BpeModel &model) {
  if (llrt::Error error = readNormalizer(file, name, model))
    return error;
  if (llrt::Error error = readPreTokenizer(file, name, model))
    return error;
  return readDecoder(file, name, model);
}

llrt::Result<std::optional<std::string>>
readTextStart(const Json &file, const std::string &name,
              std::vector<std::string> &warnings) {
  std::optional<std::string> start;
  const std::string expected = "TemplateProcessing with at most one token "
                               "before the text, ByteLevel or null";
  for (const Json &step : getSteps(file, "post_processor", "processors")) {
    auto refuse = [&] {
      return unknownPart(name, "post_processor", step, expected);
    };
    if (!step.is_object())
      return refuse();
    Json type = step.value("type", Json());
    if (type == "ByteLevel") // trims offsets, no ids
      continue;
    auto single = step.find("single");
    if (type != "TemplateProcessing" || single == step.end() ||
        !single->is_array() || start)
      return refuse();
    bool seenText = false;
    for (const Json &item : *single) {
      if (item.is_object() && item.contains("Sequence") && !seenText) {
        seenText = true;
        continue;
      }
      if (!item.is_object() || !item.contains("SpecialToken") ||
          !item["SpecialToken"].is_object())
        return refuse();
      Json id = item["SpecialToken"].value("id", Json());
      if (!id.is_string() || (start && !seenText))
        return refuse();
      if (!seenText)
        start = id.get<std::string>();
      else
        warnings.push_back(name + ": \"post_processor\" puts " +
                           id.get<std::string>() +
                           " after a text, but a prompt is to be continued: "
                           "none is put");
    }
    if (!seenText)
      return refuse();
  }
  return start;
}

} // namespace mlir::llama
