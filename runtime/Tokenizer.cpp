// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// sentencepiece, and which part of its answer is final.
#include "runtime/Tokenizer.h"

#include "runtime/Utf8.h"

#include <sentencepiece_processor.h>

using namespace llrt;

Tokenizer::Tokenizer()
    : processor(std::make_unique<sentencepiece::SentencePieceProcessor>()) {}
Tokenizer::~Tokenizer() = default;

Result<std::unique_ptr<Tokenizer>> Tokenizer::load(std::string_view model,
                                                   int32_t bos, bool addBos) {
  sentencepiece::SetMinLogLevel(3); // it would write to stderr by itself
  std::unique_ptr<Tokenizer> result(new Tokenizer());
  auto status =
      result->processor->LoadFromSerializedProto({model.data(), model.size()});
  if (!status.ok())
    return Error(
        "section .llamac.tokenizer: found no sentencepiece model (" +
        status.ToString() +
        "), expected the bytes of a tokenizer.model; compile the model again");
  result->bos = bos;
  result->addBos = addBos;
  return result;
}

Result<std::vector<int32_t>> Tokenizer::encode(std::string_view text) const {
  std::vector<int> pieces;
  std::string valid = replaceInvalidUtf8(text);
  auto status = processor->Encode(valid, &pieces);
  if (!status.ok())
    return Error("the prompt cannot be split into tokens: " +
                 status.ToString());
  std::vector<int32_t> ids;
  if (bos >= 0 && (addBos || pieces.empty()))
    ids.push_back(bos);
  ids.insert(ids.end(), pieces.begin(), pieces.end());
  if (ids.empty())
    return Error("the prompt has no tokens, and this model has no token for "
                 "the beginning of text: give some text");
  return ids;
}

uint32_t Tokenizer::pieceCount() const {
  return static_cast<uint32_t>(processor->GetPieceSize());
}

std::string Tokenizer::decode(View<int32_t> ids) const {
  std::vector<int> known;
  known.reserve(ids.size());
  for (int32_t id : ids)
    if (id >= 0 && id < processor->GetPieceSize())
      known.push_back(id);
  std::string text;
  if (!processor->Decode(known, &text).ok())
    return std::string();
  return text;
}

bool Tokenizer::isByte(int32_t id) const {
  return id >= 0 && id < processor->GetPieceSize() && processor->IsByte(id);
}

bool Tokenizer::isText(int32_t id) const {
  return id >= 0 && id < processor->GetPieceSize() && !processor->IsByte(id) &&
         !processor->IsControl(id) && !processor->IsUnused(id);
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
