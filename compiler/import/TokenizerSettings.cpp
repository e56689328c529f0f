// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which keys count, and what a token of these files is.
#include "compiler/import/TokenizerSettings.h"

#include <algorithm>

namespace mlir::llama {
namespace {

llrt::Error wrong(const std::string &where, const Json &found,
                  const std::string &expected) {
  return llrt::Error(where + " is " + describeJson(found) + ", expected " +
                     expected);
}

/// Sets `value` where the key is there and not null.
llrt::Error readBoolean(const Json &object, const char *key,
                        const std::string &name, std::optional<bool> &value) {
  auto at = object.find(key);
  if (at == object.end() || at->is_null())
    return llrt::Error::success();
  if (!at->is_boolean())
    return wrong(name + ": \"" + key + "\"", *at, "true or false");
  value = at->get<bool>();
  return llrt::Error::success();
}

/// A token as its text, or as an object.
llrt::Result<NamedToken> readSpecial(const Json &entry,
                                     const std::string &where) {
  if (entry.is_string()) {
    NamedToken token;
    token.text = entry.get<std::string>();
    token.flags = LLAMAC_ADDED_SPECIAL;
    return token;
  }
  llrt::Result<NamedToken> token = parseNamedToken(entry, where);
  if (token)
    token->flags |= LLAMAC_ADDED_SPECIAL;
  return token;
}

llrt::Error readSpecials(const Json &object, const std::string &name,
                         TokenizerSettings &settings) {
  auto add = [&](const Json &entry, const std::string &key) {
    llrt::Result<NamedToken> token =
        readSpecial(entry, name + ": \"" + key + "\"");
    if (!token)
      return token.error();
    if (key == "bos_token")
      settings.bosToken = token->text;
    settings.special.push_back(std::move(*token));
    return llrt::Error::success();
  };
  // New tokens get their ids in this order.
  const char *first[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                         "pad_token", "cls_token", "mask_token"};
  for (const char *key : first) {
    auto at = object.find(key);
    if (at != object.end() && !at->is_null())
      if (llrt::Error error = add(*at, key))
        return error;
  }
  for (const char *key :
       {"additional_special_tokens", "extra_special_tokens"}) {
    auto at = object.find(key);
    if (at == object.end() || at->is_null())
      continue;
    if (!at->is_array() && !at->is_object())
      return wrong(name + ": \"" + key + "\"", *at, "a list of tokens");
    for (const Json &entry : *at)
      if (llrt::Error error = add(entry, key))
        return error;
  }
  return llrt::Error::success();
}

} // namespace

llrt::Result<NamedToken> parseNamedToken(const Json &entry,
                                         const std::string &where) {
  if (!entry.is_object())
    return wrong(where, entry, "an object with \"content\"");
  NamedToken token;
  bool special = false, normalized = true, normalizedGiven = false;
  struct Flag {
    const char *key;
    uint32_t flag;
  } const flags[] = {{"lstrip", LLAMAC_ADDED_LEFT_STRIP},
                     {"rstrip", LLAMAC_ADDED_RIGHT_STRIP},
                     {"single_word", LLAMAC_ADDED_SINGLE_WORD},
                     {"normalized", LLAMAC_ADDED_NORMALIZED},
                     {"special", LLAMAC_ADDED_SPECIAL}};
  for (const auto &[key, value] : entry.items()) {
    if (key == "content" && value.is_string()) {
      token.text = value.get<std::string>();
      continue;
    }
    if (key == "id" && value.is_number_unsigned() &&
        value.get<uint64_t>() < INT32_MAX) {
      token.id = value.get<uint32_t>();
      continue;
    }
    if (key == "__type")
      continue;
    const Flag *known = std::begin(flags);
    while (known != std::end(flags) && key != known->key)
      ++known;
    if (known == std::end(flags) || !value.is_boolean())
      return llrt::Error(where + ": \"" + key + "\" is " + describeJson(value) +
                         ", expected content, id, lstrip, rstrip, "
                         "single_word, normalized and special of a token");
    if (value.get<bool>())
      token.flags |= known->flag;
    special |= known->flag == LLAMAC_ADDED_SPECIAL && value.get<bool>();
    if (known->flag == LLAMAC_ADDED_NORMALIZED) {
      normalizedGiven = true;
      normalized = value.get<bool>();
    }
  }
  if (token.text.empty())
    return wrong(where, entry, "a token whose \"content\" is a text");
  // tokenizers' default: special tokens are not normalized, others are.
  if (!normalizedGiven && !special && normalized)
    token.flags |= LLAMAC_ADDED_NORMALIZED;
  return token;
}

llrt::Result<TokenizerSettings>
parseTokenizerSettings(std::string_view text, const std::string &name,
                       std::vector<std::string> &warnings) {
  llrt::Result<Json> object = parseJsonObject(text, name);
  if (!object)
    return object.error();
  TokenizerSettings settings;
  auto at = object->find("tokenizer_class");
  if (at != object->end() && at->is_string()) {
    std::string &tokenizerClass = settings.tokenizerClass;
    tokenizerClass = at->get<std::string>();
    size_t size = tokenizerClass.size();
    if (size > 4 && tokenizerClass.compare(size - 4, 4, "Fast") == 0)
      tokenizerClass.resize(size - 4);
  }
  std::optional<bool> legacy, prefix, addEos, splitSpecial;
  struct Read {
    const char *key;
    std::optional<bool> &value;
  } const reads[] = {{"legacy", legacy},
                     {"add_prefix_space", prefix},
                     {"add_bos_token", settings.addBos},
                     {"add_eos_token", addEos},
                     {"split_special_tokens", splitSpecial}};
  for (const Read &read : reads)
    if (llrt::Error error = readBoolean(*object, read.key, name, read.value))
      return error;
  settings.legacy = legacy.value_or(false);
  settings.addPrefixSpace = prefix.value_or(true);
  if (splitSpecial.value_or(false))
    return llrt::Error(name + ": \"split_special_tokens\" is true, which is "
                              "not supported; take it out, and run the "
                              "executable with --no-special");
  if (addEos.value_or(false))
    warnings.push_back(name + ": \"add_eos_token\" is true, but a prompt is to "
                              "be continued: none is put at its end");
  at = object->find("added_tokens_decoder");
  if (at != object->end() && !at->is_null()) {
    if (!at->is_object())
      return wrong(name + ": \"added_tokens_decoder\"", *at,
                   "an object of ids and tokens");
    settings.added.emplace();
    for (const auto &[key, value] : at->items()) {
      std::string where = name + ": \"added_tokens_decoder\", \"" + key + "\"";
      if (key.empty() || key.size() > 9 ||
          key.find_first_not_of("0123456789") != std::string::npos)
        return llrt::Error(where + ": expected an id");
      llrt::Result<NamedToken> token = parseNamedToken(value, where);
      if (!token)
        return token.error();
      token->id = uint32_t(std::stoul(key));
      settings.added->push_back(std::move(*token));
    }
    std::sort(
        settings.added->begin(), settings.added->end(),
        [](const NamedToken &a, const NamedToken &b) { return *a.id < *b.id; });
  }
  if (llrt::Error error = readSpecials(*object, name, settings))
    return error;
  return settings;
}

llrt::Result<std::vector<NamedToken>>
parseAddedTokens(std::string_view text, const std::string &name) {
  llrt::Result<Json> object = parseJsonObject(text, name);
  if (!object)
    return object.error();
  std::vector<NamedToken> tokens;
  for (const auto &[key, value] : object->items()) {
    if (!value.is_number_unsigned() || value.get<uint64_t>() >= INT32_MAX ||
        key.empty())
      return wrong(name + ": \"" + key + "\"", value, "an id");
    NamedToken token;
    token.text = key;
    token.id = value.get<uint32_t>();
    token.flags = LLAMAC_ADDED_NORMALIZED;
    tokens.push_back(std::move(token));
  }
  std::sort(
      tokens.begin(), tokens.end(),
      [](const NamedToken &a, const NamedToken &b) { return *a.id < *b.id; });
  return tokens;
}

} // namespace mlir::llama
