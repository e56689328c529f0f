// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What all tokenizers do alike, and which part of a decoded text is final.
#include "runtime/Tokenizer.h"

#include "runtime/Utf8.h"
#include "runtime/tokenizer/BpeTokenizer.h"
#include "runtime/tokenizer/SentencePieceTokenizer.h"
#include "runtime/tokenizer/TokenizerSection.h"

#include <algorithm>

using namespace llrt;

Tokenizer::~Tokenizer() = default;

static Result<std::unique_ptr<Tokenizer>> loadKind(std::string_view bytes) {
  if (!TokenizerSection::isHeader(bytes))
    return loadSentencePiece(bytes);
  Result<TokenizerSection> section = TokenizerSection::open(bytes);
  if (!section)
    return section.error();
  if (section->header->kind == LLAMAC_TOKENIZER_SENTENCEPIECE)
    return loadSentencePiece(*section);
  return std::unique_ptr<Tokenizer>(std::make_unique<BpeTokenizer>(*section));
}

Result<std::unique_ptr<Tokenizer>> Tokenizer::load(std::string_view section,
                                                   int32_t bos, bool addBos) {
  Result<std::unique_ptr<Tokenizer>> result = loadKind(section);
  if (!result)
    return Error("section .llamac.tokenizer: " + result.error().message() +
                 "; compile the model again");
  (*result)->bos = bos;
  (*result)->addBos = addBos;
  return result;
}

Result<std::vector<int32_t>> Tokenizer::encode(std::string_view text,
                                               SpecialTokens special) const {
  TextPart part{std::string(text), -1};
  Result<std::vector<int32_t>> ids =
      encodeParts(View<TextPart>(&part, 1), special);
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

TextStream::TextStream(const Tokenizer &tokenizer, std::vector<int32_t> ids)
    : tokenizer(&tokenizer), window(std::move(ids)) {
  given = tokenizer.decode(window);
  size_t settled = tokenizer.getSettledLength(window, given);
  // A run of bytes that is whole characters already counts as said.
  if (given.find(replacementCharacter, settled) != std::string::npos)
    given.resize(settled);
  prompt = given;
}

std::string TextStream::settle(bool all) {
  std::string text = tokenizer->decode(window);
  size_t settled =
      all ? text.size() : tokenizer->getSettledLength(window, text);
  if (settled < given.size()) // a byte joined earlier ones; nothing new is
    return std::string();     // settled
  // Bytes that spoil a prompt's last characters change what was given: then the
  // text goes on where the two part.
  size_t same = 0;
  while (same < given.size() && text[same] == given[same])
    ++same;
  if (same < given.size())
    same = getWholeLength(text.substr(0, same));
  std::string fresh = text.substr(same, settled - same);
  text.resize(settled);
  given = std::move(text);
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
      given = std::move(alone);
    }
  }
  return fresh;
}

std::string TextStream::finish() { return settle(true); }
