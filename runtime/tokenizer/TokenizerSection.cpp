// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the tokenizers rely on is checked here, so that they need not.
#include "runtime/tokenizer/TokenizerSection.h"

#include <cstring>
#include <string>

using namespace llrt;

bool TokenizerSection::isHeader(std::string_view bytes) {
  uint64_t magic = 0;
  if (bytes.size() < sizeof magic)
    return false;
  std::memcpy(&magic, bytes.data(), sizeof magic);
  return magic == LLAMAC_TOKENIZER_MAGIC;
}

/// `count` elements at `offset` of `bytes`; false if they are not all there.
template <typename T>
static bool viewArray(std::string_view bytes, uint64_t offset, uint64_t count,
                      View<T> &view) {
  if (offset % 8 != 0 || offset > bytes.size() ||
      count > (bytes.size() - offset) / sizeof(T))
    return false;
  view = View<T>(reinterpret_cast<const T *>(bytes.data() + offset), count);
  return true;
}

Result<TokenizerSection> TokenizerSection::open(std::string_view bytes) {
  auto broken = [](const std::string &what) {
    return Error("is damaged: " + what);
  };
  if (bytes.size() < sizeof(LlamacTokenizerHeader) || !isHeader(bytes) ||
      reinterpret_cast<uintptr_t>(bytes.data()) % 8 != 0)
    return broken("no header");
  TokenizerSection section;
  section.header =
      reinterpret_cast<const LlamacTokenizerHeader *>(bytes.data());
  const LlamacTokenizerHeader &header = *section.header;
  if (header.version != LLAMAC_TOKENIZER_VERSION)
    return Error("has version " + std::to_string(header.version) +
                 ", expected " + std::to_string(LLAMAC_TOKENIZER_VERSION));
  if (header.bytes != bytes.size())
    return broken("it is cut");
  if (header.kind > LLAMAC_TOKENIZER_BYTE_FALLBACK ||
      header.split > LLAMAC_SPLIT_SPACES ||
      header.prefix > LLAMAC_PREFIX_ALWAYS)
    return broken("an unknown kind");
  View<char> strings, model;
  if (!viewArray(bytes, header.pieces_offset, header.piece_count,
                 section.pieces) ||
      !viewArray(bytes, header.merges_offset, header.merge_count,
                 section.merges) ||
      !viewArray(bytes, header.added_offset, header.added_count,
                 section.added) ||
      !viewArray(bytes, header.strings_offset, header.strings_bytes, strings) ||
      !viewArray(bytes, header.model_offset, header.model_bytes, model))
    return broken("an array is outside");
  section.strings = {strings.data(), strings.size()};
  section.sentencePiece = {model.data(), model.size()};

  auto isInside = [&](uint32_t offset, uint32_t size) {
    return offset <= strings.size() && size <= strings.size() - offset;
  };
  for (const LlamacPiece &piece : section.pieces)
    if (!isInside(piece.text_offset, piece.text_bytes) ||
        piece.kind > LLAMAC_PIECE_SPECIAL ||
        (piece.kind == LLAMAC_PIECE_BYTE && piece.text_bytes != 1))
      return broken("a piece");
  uint32_t rank = 0;
  for (const LlamacMerge &merge : section.merges) {
    if (merge.left >= header.piece_count || merge.right >= header.piece_count ||
        merge.result >= header.piece_count || merge.rank < rank)
      return broken("a merge");
    rank = merge.rank;
  }
  for (const LlamacAddedToken &token : section.added)
    if (!isInside(token.text_offset, token.text_bytes) ||
        token.text_bytes == 0 || token.id > INT32_MAX)
      return broken("an added token");
  if (header.unknown_id < -1 ||
      (header.unknown_id >= 0 &&
       uint32_t(header.unknown_id) >= header.piece_count))
    return broken("the unknown id");
  return section;
}
