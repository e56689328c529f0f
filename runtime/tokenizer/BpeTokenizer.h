// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Byte-pair tokenizers: byte-level (Llama 3), and with a fallback to bytes
// (Llama 2's tokenizer.json).
#ifndef LLAMAC_RUNTIME_TOKENIZER_BPETOKENIZER_H
#define LLAMAC_RUNTIME_TOKENIZER_BPETOKENIZER_H

#include "runtime/tokenizer/AddedTokens.h"
#include "runtime/tokenizer/BpeMerger.h"
#include "runtime/tokenizer/TokenizerSection.h"

namespace llrt {

/// Pieces by their text: open addressing, half full at most. A map of 128k
/// texts would take longer to fill than all else at start.
class PieceTable {
public:
  explicit PieceTable(const TokenizerSection &section) : section(&section) {}
  void reserve(size_t count);
  /// Of two pieces with one text the first counts. Room was reserved.
  void add(int32_t id);
  /// -1: none.
  int32_t find(std::string_view text) const;

private:
  /// Where `text` is, or would be.
  size_t locate(std::string_view text) const;
  const TokenizerSection *section;
  std::vector<int32_t> slots = {-1}; ///< ids; -1: empty
};

class BpeTokenizer : public Tokenizer {
public:
  explicit BpeTokenizer(const TokenizerSection &section);
  BpeTokenizer(const BpeTokenizer &) = delete; // `texts` points to `section`

  std::optional<int32_t> findSpecial(std::string_view text) const override {
    return added.find(text);
  }
  std::string decode(View<int32_t> ids) const override;
  uint32_t pieceCount() const override { return section.header->piece_count; }
  size_t getSettledLength(View<int32_t> ids,
                          std::string_view text) const override;
  bool isText(int32_t id) const override;

protected:
  Result<std::vector<int32_t>>
  encodeParts(View<TextPart> parts, SpecialTokens special) const override;

private:
  bool isByteLevel() const {
    return section.header->kind == LLAMAC_TOKENIZER_BYTE_LEVEL;
  }
  LlamacPieceKind kindOf(int32_t id) const;
  std::string_view textOf(int32_t id) const {
    return section.text(section.pieces[static_cast<size_t>(id)]);
  }
  /// Appends the ids of a text that nothing is merged across.
  void encodeWord(std::string_view word, std::vector<int32_t> &ids) const;
  /// The pieces of the characters, or bytes, of `word`.
  void startBytes(std::string_view word, std::vector<int32_t> &ids) const;
  void startCharacters(std::string_view word, std::vector<int32_t> &ids) const;
  /// A text with its spaces and its prefix as pieces have them.
  std::string prepare(const Segment &segment, bool isFirst) const;
  size_t getWordLength(std::string_view text) const;
  /// The bytes that `ids` say, before what is no UTF-8 is replaced.
  std::string joinBytes(View<int32_t> ids) const;

  TokenizerSection section;
  AddedTokens added;
  BpeMerger merger;
  std::array<int32_t, 256> byteIds; ///< -1: no piece
  PieceTable texts;                 ///< of kind TEXT
};

} // namespace llrt

#endif
