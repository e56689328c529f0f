// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// tokenizer.model: that it is whole, and how many pieces it has.
#include "compiler/import/Checkpoint.h"

#include <sentencepiece_processor.h>

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

} // namespace

llrt::Result<Tokenizer> parseTokenizerModel(std::string_view bytes,
                                            const std::string &name) {
  if (!isWhole(bytes))
    return llrt::Error(name +
                       ": is cut or no SentencePiece model; fetch it again");
  sentencepiece::SentencePieceProcessor processor;
  sentencepiece::SetMinLogLevel(3); // the message below is ours
  auto status = processor.LoadFromSerializedProto(bytes);
  if (!status.ok())
    return llrt::Error(
        name + ": is no SentencePiece model: " + status.error_message());
  Tokenizer tokenizer;
  tokenizer.bytes = bytes;
  tokenizer.pieces = processor.GetPieceSize();
  if (processor.bos_id() >= 0)
    tokenizer.bosId = processor.bos_id();
  if (processor.eos_id() >= 0)
    tokenizer.eosIds.push_back(processor.eos_id());
  return tokenizer;
}

} // namespace mlir::llama
