// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The library reads no special token in a text; they are looked for here.
#include "runtime/tokenizer/SentencePieceTokenizer.h"

#include "runtime/Utf8.h"
#include "runtime/tokenizer/AddedTokens.h"

#include <sentencepiece_processor.h>

#include <exception>
#include <map>

using namespace llrt;
using sentencepiece::SentencePieceProcessor;

namespace {

class SentencePieceTokenizer : public Tokenizer {
public:
  Error open(std::string_view model);
  Error open(const TokenizerSection &section);

  std::optional<int32_t> findSpecial(std::string_view text) const override {
    return added.find(text);
  }
  std::string decode(View<int32_t> ids) const override;
  uint32_t pieceCount() const override { return pieces; }
  size_t getSettledLength(View<int32_t> ids,
                          std::string_view text) const override;
  bool isText(int32_t id) const override {
    return hasPiece(id) && !processor.IsByte(id) && !processor.IsControl(id) &&
           !processor.IsUnused(id) && !beside.count(id);
  }

protected:
  Result<std::vector<int32_t>>
  encodeParts(View<TextPart> parts, SpecialTokens special) const override;

private:
  bool hasPiece(int32_t id) const {
    return id >= 0 && id < processor.GetPieceSize();
  }
  SentencePieceProcessor processor;
  /// The same without the dummy prefix, for texts after a token; or null.
  std::unique_ptr<SentencePieceProcessor> withoutPrefix;
  AddedTokens added;
  /// What tokens that the library does not know say; "" of special ones.
  std::map<int32_t, std::string> beside;
  uint32_t pieces = 0;
};

} // namespace

static Error loadModel(SentencePieceProcessor &processor,
                       std::string_view model) {
  sentencepiece::SetMinLogLevel(3); // it would write to stderr by itself
  std::string why;
  try {
    auto status =
        processor.LoadFromSerializedProto({model.data(), model.size()});
    if (status.ok())
      return Error::success();
    why = status.ToString();
  } catch (const std::exception &exception) { // its trie throws
    why = exception.what();
  }
  return Error("found no sentencepiece model (" + why +
               "), expected the bytes of a tokenizer.model");
}

Error SentencePieceTokenizer::open(std::string_view model) {
  if (Error error = loadModel(processor, model))
    return error;
  std::vector<AddedToken> tokens;
  for (int id = 0; id < processor.GetPieceSize(); ++id)
    if (processor.IsControl(id) || processor.IsUnknown(id))
      tokens.push_back({processor.IdToPiece(id), id, LLAMAC_ADDED_SPECIAL});
  added = AddedTokens(tokens, false, false);
  pieces = static_cast<uint32_t>(processor.GetPieceSize());
  return Error::success();
}

Error SentencePieceTokenizer::open(const TokenizerSection &section) {
  if (Error error = loadModel(processor, section.sentencePiece))
    return error;
  if (section.header->flags & LLAMAC_TOKENIZER_PREFIX_FIRST) {
    // Messages one after the other are one message, in which the later fields
    // count: here normalizer_spec (3) with add_dummy_prefix (3) false.
    std::string model(section.sentencePiece);
    model += std::string("\x1A\x02\x18\x00", 4);
    withoutPrefix = std::make_unique<SentencePieceProcessor>();
    if (Error error = loadModel(*withoutPrefix, model))
      return error;
  }
  std::vector<AddedToken> tokens;
  for (const LlamacAddedToken &token : section.added) {
    auto id = static_cast<int32_t>(token.id);
    tokens.push_back({std::string(section.text(token)), id, token.flags});
    if (!hasPiece(id))
      beside[id] =
          token.flags & LLAMAC_ADDED_SPECIAL ? "" : section.text(token);
  }
  added = AddedTokens(tokens, false, false);
  pieces = section.header->piece_count;
  return Error::success();
}

Result<std::vector<int32_t>>
SentencePieceTokenizer::encodeParts(View<TextPart> parts,
                                    SpecialTokens special) const {
  std::vector<int32_t> ids;
  for (const Segment &segment : added.cut(parts, special)) {
    if (segment.id >= 0) {
      ids.push_back(segment.id);
      continue;
    }
    bool prefixed = ids.empty() || !withoutPrefix;
    std::vector<int> some;
    auto status =
        (prefixed ? processor : *withoutPrefix).Encode(segment.text, &some);
    if (!status.ok())
      return Error("the prompt cannot be split into tokens: " +
                   status.ToString());
    ids.insert(ids.end(), some.begin(), some.end());
  }
  return ids;
}

std::string SentencePieceTokenizer::decode(View<int32_t> ids) const {
  std::string text;
  std::vector<int> known;
  auto decodeKnown = [&] {
    // It takes the dummy prefix from whatever it is given: nothing but the
    // beginning of the text has one.
    std::string some;
    bool inside = !text.empty() && !known.empty();
    const SentencePieceProcessor &by =
        inside && withoutPrefix ? *withoutPrefix : processor;
    if (by.Decode(known, &some).ok())
      text += some;
    known.clear();
  };
  for (int32_t id : ids) {
    if (hasPiece(id)) {
      known.push_back(id);
      continue;
    }
    auto token = beside.find(id);
    if (token == beside.end() || token->second.empty())
      continue;
    decodeKnown();
    text += token->second;
  }
  decodeKnown();
  return replaceInvalidUtf8(text); // a piece may be anything
}

size_t SentencePieceTokenizer::getSettledLength(View<int32_t> ids,
                                                std::string_view text) const {
  int32_t last = ids.empty() ? -1 : ids[ids.size() - 1];
  if (!hasPiece(last) || !processor.IsByte(last))
    return text.size();
  // Each byte that is no part of a whole character reads as one U+FFFD. At most
  // three of them can be the beginning of a character.
  size_t settled = text.size();
  for (int i = 0; i < 3 && settled >= replacementCharacter.size(); ++i) {
    if (text.substr(settled - replacementCharacter.size(),
                    replacementCharacter.size()) != replacementCharacter)
      break;
    settled -= replacementCharacter.size();
  }
  return settled;
}

template <typename Source>
static Result<std::unique_ptr<Tokenizer>> make(const Source &source) {
  auto result = std::make_unique<SentencePieceTokenizer>();
  if (Error error = result->open(source))
    return error;
  return std::unique_ptr<Tokenizer>(std::move(result));
}

Result<std::unique_ptr<Tokenizer>>
llrt::loadSentencePiece(std::string_view model) {
  return make(model);
}

Result<std::unique_ptr<Tokenizer>>
llrt::loadSentencePiece(const TokenizerSection &section) {
  return make(section);
}
