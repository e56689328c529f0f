// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// tokenizer.model of sentencepiece: that it is whole, how many pieces it has,
// and which tokens other files put beside it.
#include "compiler/import/TokenizerSettings.h"

#include <sentencepiece_processor.h>

#include <exception>

namespace mlir::llama {
namespace {

/// A protobuf message cut at a field's edge is still a message. SentencePiece
/// writes the pieces (field 1), then the trainer spec (2) and the normalizer
/// spec (3): a file without these two was cut.
bool isWhole(std::string_view bytes) {
  size_t at = 0;
  auto varint = [&](uint64_t &value) {
    value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at >= bytes.size())
        return false;
      uint8_t byte = static_cast<uint8_t>(bytes[at++]);
      value |= uint64_t(byte & 0x7f) << shift;
      if (!(byte & 0x80))
        return true;
    }
    return false;
  };
  bool trainer = false, normalizer = false;
  while (at < bytes.size()) {
    uint64_t tag, value;
    if (!varint(tag))
      return false;
    trainer |= tag >> 3 == 2;
    normalizer |= tag >> 3 == 3;
    switch (tag & 7) {
    case 0:
      if (!varint(value))
        return false;
      break;
    case 1:
      value = 8;
      break;
    case 2:
      if (!varint(value))
        return false;
      break;
    case 5:
      value = 4;
      break;
    default:
      return false;
    }
    if ((tag & 7) != 0) {
      if (value > bytes.size() - at)
        return false;
      at += value;
    }
  }
  return trainer && normalizer;
}

/// Its trie throws where a piece has a NUL character.
llrt::Error load(sentencepiece::SentencePieceProcessor &processor,
                 std::string_view bytes, const std::string &name) {
  std::string why;
  sentencepiece::SetMinLogLevel(3); // the message below is ours
  try {
    auto status = processor.LoadFromSerializedProto(bytes);
    if (status.ok())
      return llrt::Error::success();
    why = status.error_message();
  } catch (const std::exception &exception) {
    why = exception.what();
  }
  return llrt::Error(name + ": is no SentencePiece model: " + why);
}

} // namespace

llrt::Result<Tokenizer> parseTokenizerModel(std::string_view bytes,
                                            const std::string &name) {
  if (!isWhole(bytes))
    return llrt::Error(name +
                       ": is cut or no SentencePiece model; fetch it again");
  sentencepiece::SentencePieceProcessor processor;
  if (llrt::Error error = load(processor, bytes, name))
    return error;
  Tokenizer tokenizer;
  tokenizer.bytes = bytes;
  tokenizer.pieces = processor.GetPieceSize();
  if (processor.bos_id() >= 0)
    tokenizer.bosId = processor.bos_id();
  if (processor.eos_id() >= 0)
    tokenizer.eosIds.push_back(processor.eos_id());
  return tokenizer;
}

llrt::Result<Tokenizer> parseSentencePiece(std::string_view bytes,
                                           const std::string &name,
                                           const TokenizerSettings &settings,
                                           int64_t vocabSize,
                                           std::vector<std::string> &warnings) {
  llrt::Result<Tokenizer> plain = parseTokenizerModel(bytes, name);
  if (!plain)
    return plain;
  plain->addBos = settings.addBos.value_or(true);
  sentencepiece::SentencePieceProcessor processor;
  if (llrt::Error error = load(processor, bytes, name))
    return error;
  BpeModel model;
  model.kind = LLAMAC_TOKENIZER_SENTENCEPIECE;
  model.sentencePiece = bytes;
  model.pieces.resize(size_t(plain->pieces));
  for (int id = 0; id < processor.GetPieceSize(); ++id)
    if (processor.IsControl(id) || processor.IsUnknown(id))
      model.added.push_back(
          {processor.IdToPiece(id), uint32_t(id), LLAMAC_ADDED_SPECIAL});
  size_t own = model.added.size();
  bool changed = false;
  auto add = [&](const NamedToken &token) {
    for (BpeAddedToken &known : model.added)
      if (known.text == token.text) {
        changed |= known.flags != token.flags;
        known.flags = token.flags;
        return;
      }
    int piece = processor.PieceToId(token.text);
    bool isPiece = processor.IdToPiece(piece) == token.text;
    uint32_t id = isPiece ? uint32_t(piece)
                          : token.id.value_or(uint32_t(model.pieces.size()));
    if (int64_t(id) >= vocabSize) {
      warnings.push_back(name + ": added token \"" + token.text +
                         "\" has the id " + std::to_string(id) +
                         ", but the config's \"vocab_size\" is " +
                         std::to_string(vocabSize) + ": it is left out");
      return;
    }
    model.added.push_back({token.text, id, token.flags});
    if (id >= model.pieces.size())
      model.pieces.resize(id + 1);
  };
  for (const NamedToken &token :
       settings.added.value_or(std::vector<NamedToken>()))
    add(token);
  for (const NamedToken &token : settings.special) {
    bool known = false;
    for (const BpeAddedToken &other : model.added)
      known |= other.text == token.text;
    if (!known)
      add(token);
  }
  if (settings.prefixesFirstAlone())
    model.flags |= LLAMAC_TOKENIZER_PREFIX_FIRST;
  else if (model.added.size() == own && !changed)
    return plain;
  llrt::Result<Tokenizer> tokenizer = buildTokenizer(model, name);
  if (tokenizer) {
    tokenizer->addBos = plain->addBos;
    tokenizer->bosId = plain->bosId;
    tokenizer->eosIds = plain->eosIds;
  }
  return tokenizer;
}

} // namespace mlir::llama
