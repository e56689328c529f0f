// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What all tokenizers do alike, and which part of a decoded text is final.
#include "runtime/Tokenizer.h"

#include "runtime/Utf8.h"
#include "runtime/tokenizer/SentencePieceTokenizer.h"

using namespace llrt;

Tokenizer::~Tokenizer() = default;

Result<std::unique_ptr<Tokenizer>> Tokenizer::load(std::string_view section,
                                                   int32_t bos, bool addBos) {
  Result<std::unique_ptr<Tokenizer>> result = loadSentencePiece(section);
  if (!result)
    return Error("section .llamac.tokenizer: " + result.error().message() +
                 "; compile the model again");
  (*result)->bos = bos;
  (*result)->addBos = addBos;
  return result;
}

Result<std::vector<int32_t>> Tokenizer::encode(std::string_view text,
                                               SpecialTokens special) const {
  std::vector<TextPart> parts;
  if (special == SpecialTokens::Parsed)
    parts = splitAtSpecial(replaceInvalidUtf8(text));
  else
    parts.push_back({std::string(text), -1});
  Result<std::vector<int32_t>> ids = encodeParts(parts);
  if (!ids)
    return ids;
  bool hasBos = !ids->empty() && ids->front() == bos;
  if (bos >= 0 && !hasBos && (addBos || ids->empty()))
    ids->insert(ids->begin(), bos);
  if (ids->empty())
    return Error("the prompt has no tokens, and this model has no token for "
                 "the beginning of text: give some text");
  return ids;
}

Result<std::vector<int32_t>>
Tokenizer::encodeParts(View<TextPart> parts) const {
  // Texts in a row are one, and lie between two tokens: text, id, text, ...
  std::vector<std::string> texts(1);
  std::vector<int32_t> tokens;
  for (const TextPart &part : parts) {
    if (part.id < 0) {
      texts.back() += part.text;
      continue;
    }
    tokens.push_back(part.id);
    texts.emplace_back();
  }
  for (std::string &text : texts)
    text = replaceInvalidUtf8(text);
  for (size_t i = 0; i < tokens.size(); ++i)
    strip(tokens[i], texts[i], texts[i + 1]);
  std::vector<int32_t> ids;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i > 0)
      ids.push_back(tokens[i - 1]);
    if (!texts[i].empty())
      if (Error error = encodeText(texts[i], i == 0, ids))
        return error;
  }
  return ids;
}

size_t llrt::stableLength(const Tokenizer &tokenizer, View<int32_t> ids,
                          std::string_view text) {
  if (ids.empty() || !tokenizer.isByte(ids[ids.size() - 1]))
    return text.size();
  // Each byte that is no part of a whole character reads as one U+FFFD. At most
  // three of them can be the beginning of a character.
  size_t stable = text.size();
  for (int i = 0; i < 3 && stable >= replacementCharacter.size(); ++i) {
    if (text.substr(stable - replacementCharacter.size(),
                    replacementCharacter.size()) != replacementCharacter)
      break;
    stable -= replacementCharacter.size();
  }
  return stable;
}

TextStream::TextStream(const Tokenizer &tokenizer, std::vector<int32_t> ids)
    : tokenizer(&tokenizer), window(std::move(ids)) {
  std::string text = tokenizer.decode(window);
  given = stableLength(tokenizer, window, text);
  prompt = text.substr(0, given);
}

std::string TextStream::settle(bool all) {
  std::string text = tokenizer->decode(window);
  size_t stable = all ? text.size() : stableLength(*tokenizer, window, text);
  if (stable < given) // a byte joined earlier ones; nothing new is settled
    return std::string();
  std::string fresh = text.substr(given, stable - given);
  given = stable;
  return fresh;
}

std::string TextStream::append(int32_t id) {
  window.push_back(id);
  std::string fresh = settle(false);
  // Start anew at a plain piece that has text of its own and text before it:
  // what follows then depends on nothing before it.
  if (window.size() > 16 && tokenizer->isText(id) && !fresh.empty()) {
    std::string alone = tokenizer->decode(View<int32_t>(&id, 1));
    if (!alone.empty()) {
      window.assign(1, id);
      given = alone.size();
    }
  }
  return fresh;
}

std::string TextStream::finish() { return settle(true); }
