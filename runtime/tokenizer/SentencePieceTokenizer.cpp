// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The library reads no special token in a text; they are looked for here.
#include "runtime/tokenizer/SentencePieceTokenizer.h"

#include "runtime/tokenizer/AddedTokens.h"

#include <sentencepiece_processor.h>

using namespace llrt;

namespace {

class SentencePieceTokenizer : public Tokenizer {
public:
  Error open(std::string_view model);

  std::optional<int32_t> findSpecial(std::string_view text) const override {
    return special.find(text);
  }
  std::string decode(View<int32_t> ids) const override;
  uint32_t pieceCount() const override {
    return static_cast<uint32_t>(processor.GetPieceSize());
  }
  bool isByte(int32_t id) const override {
    return hasPiece(id) && processor.IsByte(id);
  }
  bool isText(int32_t id) const override {
    return hasPiece(id) && !processor.IsByte(id) && !processor.IsControl(id) &&
           !processor.IsUnused(id);
  }

protected:
  std::vector<TextPart> splitAtSpecial(std::string_view text) const override {
    return special.split(text);
  }
  Error encodeText(std::string_view text, bool isFirst,
                   std::vector<int32_t> &ids) const override;
  void strip(int32_t, std::string &, std::string &) const override {}

private:
  bool hasPiece(int32_t id) const {
    return id >= 0 && id < processor.GetPieceSize();
  }
  sentencepiece::SentencePieceProcessor processor;
  AddedTokens special;
};

} // namespace

Error SentencePieceTokenizer::open(std::string_view model) {
  sentencepiece::SetMinLogLevel(3); // it would write to stderr by itself
  auto status = processor.LoadFromSerializedProto({model.data(), model.size()});
  if (!status.ok())
    return Error("found no sentencepiece model (" + status.ToString() +
                 "), expected the bytes of a tokenizer.model");
  std::vector<AddedToken> tokens;
  for (int id = 0; id < processor.GetPieceSize(); ++id)
    if (processor.IsControl(id) || processor.IsUnknown(id))
      tokens.push_back({processor.IdToPiece(id), id});
  special = AddedTokens(std::move(tokens));
  return Error::success();
}

Error SentencePieceTokenizer::encodeText(std::string_view text, bool,
                                         std::vector<int32_t> &ids) const {
  std::vector<int> pieces;
  auto status = processor.Encode({text.data(), text.size()}, &pieces);
  if (!status.ok())
    return Error("the prompt cannot be split into tokens: " +
                 status.ToString());
  ids.insert(ids.end(), pieces.begin(), pieces.end());
  return Error::success();
}

std::string SentencePieceTokenizer::decode(View<int32_t> ids) const {
  std::vector<int> known;
  known.reserve(ids.size());
  for (int32_t id : ids)
    if (hasPiece(id))
      known.push_back(id);
  std::string text;
  if (!processor.Decode(known, &text).ok())
    return std::string();
  return text;
}

Result<std::unique_ptr<Tokenizer>>
llrt::loadSentencePiece(std::string_view model) {
  auto result = std::make_unique<SentencePieceTokenizer>();
  if (Error error = result->open(model))
    return error;
  return std::unique_ptr<Tokenizer>(std::move(result));
}
