// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Cut at added tokens, put the prefix, split, merge; and back.
#include "runtime/tokenizer/BpeTokenizer.h"

#include "runtime/Utf8.h"
#include "runtime/tokenizer/Llama3Split.h"

using namespace llrt;

static constexpr std::string_view lowerBlock = "\xE2\x96\x81"; // U+2581

void PieceTable::reserve(size_t count) {
  size_t size = 2;
  while (size < 2 * count)
    size *= 2;
  slots.assign(size, -1);
}

size_t PieceTable::locate(std::string_view text) const {
  size_t mask = slots.size() - 1;
  size_t at = std::hash<std::string_view>()(text) & mask;
  while (slots[at] >= 0 &&
         section->text(section->pieces[static_cast<size_t>(slots[at])]) != text)
    at = (at + 1) & mask;
  return at;
}

void PieceTable::add(int32_t id) {
  size_t at = locate(section->text(section->pieces[static_cast<size_t>(id)]));
  if (slots[at] < 0)
    slots[at] = id;
}

int32_t PieceTable::find(std::string_view text) const {
  return slots[locate(text)];
}

BpeTokenizer::BpeTokenizer(const TokenizerSection &opened)
    : section(opened), merger(opened.merges), texts(section) {
  std::vector<AddedToken> tokens;
  for (const LlamacAddedToken &token : section.added)
    tokens.push_back({std::string(section.text(token)),
                      static_cast<int32_t>(token.id), token.flags});
  added = AddedTokens(
      tokens, section.header->flags & LLAMAC_TOKENIZER_NORMALIZES_TOKENS,
      section.header->prefix == LLAMAC_PREFIX_ALWAYS);
  byteIds.fill(-1);
  // A byte-level vocabulary needs its texts only for bytes and for whole
  // pieces; the other kind looks up characters.
  bool wholes = section.header->flags & LLAMAC_TOKENIZER_WHOLE_PIECES;
  if (wholes || !isByteLevel())
    texts.reserve(section.pieces.size());
  for (size_t i = 0; i < section.pieces.size(); ++i) {
    const LlamacPiece &piece = section.pieces[i];
    auto id = static_cast<int32_t>(i);
    std::string_view text = section.text(piece);
    bool isByte = isByteLevel()
                      ? piece.kind == LLAMAC_PIECE_TEXT && text.size() == 1
                      : piece.kind == LLAMAC_PIECE_BYTE;
    if (isByte && byteIds[static_cast<unsigned char>(text[0])] < 0)
      byteIds[static_cast<unsigned char>(text[0])] = id;
    if (piece.kind != LLAMAC_PIECE_TEXT || text.empty())
      continue;
    bool isCharacter = text.size() <= 4 && !isByteLevel();
    if (wholes || isCharacter)
      texts.add(id);
  }
}

LlamacPieceKind BpeTokenizer::kindOf(int32_t id) const {
  if (id < 0 || static_cast<size_t>(id) >= section.pieces.size())
    return LLAMAC_PIECE_NONE;
  return static_cast<LlamacPieceKind>(
      section.pieces[static_cast<size_t>(id)].kind);
}

std::string BpeTokenizer::prepare(const Segment &segment, bool isFirst) const {
  if (isByteLevel())
    return segment.text;
  std::string text;
  text.reserve(segment.text.size() + 1);
  for (size_t at = 0; at < segment.text.size();) {
    bool isBlock = segment.text.compare(at, lowerBlock.size(), lowerBlock) == 0;
    text += isBlock ? ' ' : segment.text[at];
    at += isBlock ? lowerBlock.size() : 1;
  }
  bool first = section.header->flags & LLAMAC_TOKENIZER_PREFIX_FIRST;
  if (segment.normalized || (first && !isFirst))
    return text;
  uint32_t prefix = section.header->prefix;
  if (prefix == LLAMAC_PREFIX_ALWAYS ||
      (prefix == LLAMAC_PREFIX_MISSING && text[0] != ' '))
    text.insert(text.begin(), ' ');
  return text;
}

size_t BpeTokenizer::getWordLength(std::string_view text) const {
  switch (section.header->split) {
  case LLAMAC_SPLIT_LLAMA3:
    return getLlama3SplitLength(text);
  case LLAMAC_SPLIT_SPACES: {
    size_t next = text.find(' ', 1);
    return next == std::string_view::npos ? text.size() : next;
  }
  default:
    return text.size();
  }
}

void BpeTokenizer::startBytes(std::string_view word,
                              std::vector<int32_t> &ids) const {
  for (char c : word) {
    int32_t id = byteIds[static_cast<unsigned char>(c)];
    if (id < 0)
      id = section.header->unknown_id;
    if (id >= 0)
      ids.push_back(id);
  }
}

void BpeTokenizer::startCharacters(std::string_view word,
                                   std::vector<int32_t> &ids) const {
  int32_t unknown = section.header->unknown_id;
  bool fuse = section.header->flags & LLAMAC_TOKENIZER_FUSE_UNKNOWN;
  bool afterUnknown = false;
  for (size_t at = 0; at < word.size();) {
    std::string_view character =
        word.substr(at, readCodePoint(word, at).length);
    at += character.size();
    int32_t known = texts.find(character);
    if (known >= 0) {
      ids.push_back(known);
      afterUnknown = false;
      continue;
    }
    bool allBytes = true;
    for (char c : character)
      allBytes &= byteIds[static_cast<unsigned char>(c)] >= 0;
    if (allBytes) {
      for (char c : character)
        ids.push_back(byteIds[static_cast<unsigned char>(c)]);
      afterUnknown = false;
      continue;
    }
    if (unknown >= 0 && !(fuse && afterUnknown))
      ids.push_back(unknown);
    afterUnknown = true;
  }
}

void BpeTokenizer::encodeWord(std::string_view word,
                              std::vector<int32_t> &ids) const {
  if (section.header->flags & LLAMAC_TOKENIZER_WHOLE_PIECES) {
    int32_t whole = texts.find(word);
    if (whole >= 0) {
      ids.push_back(whole);
      return;
    }
  }
  std::vector<int32_t> some;
  if (isByteLevel())
    startBytes(word, some);
  else
    startCharacters(word, some);
  merger.merge(some);
  ids.insert(ids.end(), some.begin(), some.end());
}

Result<std::vector<int32_t>>
BpeTokenizer::encodeParts(View<TextPart> parts, SpecialTokens special) const {
  std::vector<int32_t> ids;
  bool isFirst = true;
  for (const Segment &segment : added.cut(parts, special)) {
    if (segment.id >= 0) {
      ids.push_back(segment.id);
    } else {
      std::string text = prepare(segment, isFirst);
      std::string_view rest = text;
      while (!rest.empty()) {
        size_t length = getWordLength(rest);
        encodeWord(rest.substr(0, length), ids);
        rest.remove_prefix(length);
      }
    }
    isFirst = false;
  }
  return ids;
}

std::string BpeTokenizer::joinBytes(View<int32_t> ids) const {
  std::string bytes;
  for (int32_t id : ids) {
    LlamacPieceKind kind = kindOf(id);
    if (kind != LLAMAC_PIECE_NONE && kind != LLAMAC_PIECE_SPECIAL)
      bytes += textOf(id);
  }
  return bytes;
}

std::string BpeTokenizer::decode(View<int32_t> ids) const {
  if (isByteLevel())
    return replaceInvalidUtf8(joinBytes(ids));
  std::string text, run;
  // As tokenizers' ByteFallback: a run of byte pieces is a text, or else each
  // of its bytes is U+FFFD.
  auto finishRun = [&] {
    if (replaceInvalidUtf8(run) == run)
      text += run;
    else
      for (size_t i = 0; i < run.size(); ++i)
        text += replacementCharacter;
    run.clear();
  };
  for (int32_t id : ids) {
    switch (kindOf(id)) {
    case LLAMAC_PIECE_NONE:
    case LLAMAC_PIECE_SPECIAL:
      break;
    case LLAMAC_PIECE_BYTE:
      run += textOf(id);
      break;
    default:
      finishRun();
      text += textOf(id);
    }
  }
  finishRun();
  if (section.header->flags & LLAMAC_TOKENIZER_STRIP_SPACE && !text.empty() &&
      text[0] == ' ')
    text.erase(0, 1);
  return replaceInvalidUtf8(text); // a piece may be anything
}

size_t BpeTokenizer::getSettledLength(View<int32_t> ids,
                                      std::string_view text) const {
  if (isByteLevel()) {
    std::string bytes = joinBytes(ids);
    bool isWhole = getWholeLength(bytes) == bytes.size();
    return isWhole ? text.size() : text.size() - replacementCharacter.size();
  }
  // Any byte that follows can still spoil a run of them.
  size_t count = ids.size();
  bool inRun = false;
  for (; count > 0; --count) {
    LlamacPieceKind kind = kindOf(ids[count - 1]);
    inRun |= kind == LLAMAC_PIECE_BYTE;
    if (kind == LLAMAC_PIECE_TEXT || kind == LLAMAC_PIECE_ADDED)
      break;
  }
  return inRun ? decode(ids.slice(0, count)).size() : text.size();
}

bool BpeTokenizer::isText(int32_t id) const {
  LlamacPieceKind kind = kindOf(id);
  if (kind != LLAMAC_PIECE_TEXT && kind != LLAMAC_PIECE_ADDED)
    return false;
  std::string_view text = textOf(id);
  return replaceInvalidUtf8(text) == text;
}
