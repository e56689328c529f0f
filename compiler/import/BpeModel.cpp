// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Merges by pairs of ids, and the section LlamacTokenizerHeader describes.
#include "compiler/import/BpeModel.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <unordered_map>

namespace mlir::llama {
namespace {

/// GPT-2's table: the printable bytes of Latin-1 stand for themselves, the
/// others, in order, for U+0100 and what follows.
std::array<int16_t, 0x200> makeBytesOfCharacters() {
  std::array<int16_t, 0x200> bytes;
  bytes.fill(-1);
  unsigned next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    bool itself = (byte >= '!' && byte <= '~') ||
                  (byte >= 0xA1 && byte <= 0xFF && byte != 0xAD);
    bytes[itself ? unsigned(byte) : next++] = int16_t(byte);
  }
  return bytes;
}

template <typename T> void append(std::string &bytes, const T *data, size_t n) {
  bytes.append(reinterpret_cast<const char *>(data), n * sizeof(T));
}

/// Pads to 8 bytes and says where the next array starts.
uint64_t beginArray(std::string &bytes) {
  bytes.resize((bytes.size() + 7) / 8 * 8);
  return bytes.size();
}

} // namespace

std::optional<std::string> getByteLevelBytes(std::string_view text) {
  static const std::array<int16_t, 0x200> bytesOf = makeBytesOfCharacters();
  std::string bytes;
  for (size_t at = 0; at < text.size(); ++at) {
    unsigned value = static_cast<unsigned char>(text[at]);
    if (value >= 0xC2 && value <= 0xC7 && at + 1 < text.size()) // to U+01FF
      value =
          (value & 0x1F) << 6 | (static_cast<unsigned char>(text[++at]) & 0x3F);
    else if (value >= 0x80)
      return std::nullopt;
    if (bytesOf[value] < 0)
      return std::nullopt;
    bytes += static_cast<char>(bytesOf[value]);
  }
  return bytes;
}

llrt::Error addMergesOfPairs(
    BpeModel &model,
    const std::vector<std::pair<std::string_view, std::string_view>> &pairs,
    const std::vector<std::pair<std::string_view, uint32_t>> &ids,
    const std::string &name) {
  std::unordered_map<std::string_view, uint32_t> idOf(ids.begin(), ids.end());
  uint32_t rank = 0;
  for (auto [left, right] : pairs) {
    std::string whole = std::string(left) + std::string(right);
    uint32_t found[3];
    std::string_view texts[3] = {left, right, whole};
    for (int i = 0; i < 3; ++i) {
      auto at = idOf.find(texts[i]);
      if (at == idOf.end())
        return llrt::Error(name + ": merge " + std::to_string(rank) +
                           " needs the piece \"" + std::string(texts[i]) +
                           "\", which is not in the vocabulary; fetch the "
                           "file again");
      found[i] = at->second;
    }
    model.merges.push_back({found[0], found[1], found[2], rank++});
  }
  return llrt::Error::success();
}

void addMergesOfRanks(BpeModel &model, const std::vector<uint32_t> &ranks) {
  std::unordered_map<std::string_view, uint32_t> idOf;
  for (uint32_t id = 0; id < model.pieces.size(); ++id)
    if (model.pieces[id].kind == LLAMAC_PIECE_TEXT)
      idOf.emplace(model.pieces[id].text, id);
  for (auto [text, id] : idOf)
    for (size_t cut = 1; cut < text.size(); ++cut) {
      auto left = idOf.find(text.substr(0, cut));
      auto right = idOf.find(text.substr(cut));
      if (left != idOf.end() && right != idOf.end())
        model.merges.push_back({left->second, right->second, id, ranks[id]});
    }
  std::sort(model.merges.begin(), model.merges.end(),
            [](const LlamacMerge &a, const LlamacMerge &b) {
              return std::tie(a.rank, a.result, a.left) <
                     std::tie(b.rank, b.result, b.left);
            });
}

std::vector<uint32_t> rankScores(const std::vector<float> &scores) {
  std::vector<uint32_t> order(scores.size()), ranks(scores.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  });
  for (uint32_t i = 0; i < order.size(); ++i)
    ranks[order[i]] = i > 0 && !(scores[order[i - 1]] > scores[order[i]])
                          ? ranks[order[i - 1]]
                          : i;
  return ranks;
}

llrt::Result<Tokenizer> buildTokenizer(const BpeModel &model,
                                       const std::string &name) {
  LlamacTokenizerHeader header = {};
  header.magic = LLAMAC_TOKENIZER_MAGIC;
  header.version = LLAMAC_TOKENIZER_VERSION;
  header.kind = model.kind;
  header.split = model.split;
  header.prefix = model.prefix;
  header.flags = model.flags;
  header.unknown_id = model.unknownId;
  header.piece_count = uint32_t(model.pieces.size());
  header.merge_count = uint32_t(model.merges.size());
  header.added_count = uint32_t(model.added.size());

  std::string strings;
  std::vector<LlamacPiece> pieces;
  for (const BpePiece &piece : model.pieces) {
    if (piece.text.size() > UINT16_MAX)
      return llrt::Error(name + ": piece " + std::to_string(pieces.size()) +
                         " has " + std::to_string(piece.text.size()) +
                         " bytes, expected at most 65535");
    pieces.push_back(
        {uint32_t(strings.size()), uint16_t(piece.text.size()), piece.kind});
    strings += piece.text;
  }
  std::vector<LlamacAddedToken> added;
  for (const BpeAddedToken &token : model.added) {
    added.push_back({uint32_t(strings.size()), uint32_t(token.text.size()),
                     token.id, token.flags});
    strings += token.text;
  }
  if (strings.size() > INT32_MAX)
    return llrt::Error(name + ": its pieces have " +
                       std::to_string(strings.size()) +
                       " bytes, expected less than 2 GB");
  header.strings_bytes = uint32_t(strings.size());

  auto section = std::make_shared<std::string>();
  section->resize(sizeof header);
  header.pieces_offset = beginArray(*section);
  append(*section, pieces.data(), pieces.size());
  header.merges_offset = beginArray(*section);
  append(*section, model.merges.data(), model.merges.size());
  header.added_offset = beginArray(*section);
  append(*section, added.data(), added.size());
  header.strings_offset = beginArray(*section);
  *section += strings;
  if (model.kind == LLAMAC_TOKENIZER_SENTENCEPIECE) {
    header.model_offset = beginArray(*section);
    header.model_bytes = model.sentencePiece.size();
    *section += model.sentencePiece;
  }
  header.bytes = section->size();
  std::memcpy(section->data(), &header, sizeof header);

  Tokenizer tokenizer;
  tokenizer.bytes = *section;
  tokenizer.storage = section;
  tokenizer.pieces = int64_t(model.pieces.size());
  tokenizer.addBos = model.addBos;
  tokenizer.bosId = model.bosId;
  return tokenizer;
}

} // namespace mlir::llama
