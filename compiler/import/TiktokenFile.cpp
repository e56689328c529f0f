// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Meta's tokenizer.model of Llama 3. What the file does not say, the split
// pattern and the special tokens, is in Meta's code (tokenizer.py of llama3 and
// of llama-models) and stated here.
#include "compiler/import/TokenizerSettings.h"

#include <algorithm>
#include <set>

namespace mlir::llama {
namespace {

constexpr uint32_t reservedTokens = 256;

/// Names of the ids after the ranks, in order.
std::vector<std::string> getSpecialNames(Llama3Names names) {
  std::vector<std::string> result = {"<|begin_of_text|>", "<|end_of_text|>",
                                     "<|reserved_special_token_0|>",
                                     "<|reserved_special_token_1|>"};
  unsigned next = 2;
  auto addReserved = [&] {
    result.push_back("<|reserved_special_token_" + std::to_string(next++) +
                     "|>");
  };
  if (names == Llama3Names::Llama3) {
    addReserved();
    addReserved();
    for (const char *name : {"<|start_header_id|>", "<|end_header_id|>"})
      result.push_back(name);
    addReserved();
    result.push_back("<|eot_id|>");
  } else {
    for (const char *name :
         {"<|finetune_right_pad_id|>", "<|step_id|>", "<|start_header_id|>",
          "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>",
          "<|image|>"})
      result.push_back(name);
  }
  while (result.size() < reservedTokens)
    addReserved();
  return result;
}

int getBase64Value(char c) {
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/// RFC 4648 with padding.
std::optional<std::string> decodeBase64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0)
    return std::nullopt;
  size_t padding = text.back() != '='             ? 0
                   : text[text.size() - 2] != '=' ? 1
                                                  : 2;
  std::string bytes;
  uint32_t bits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    int value = i + padding < text.size() ? getBase64Value(text[i]) : 0;
    if (value < 0)
      return std::nullopt;
    bits = bits << 6 | uint32_t(value);
    if (i % 4 != 3)
      continue;
    for (int shift : {16, 8, 0})
      bytes += char(bits >> shift & 0xFF);
    bits = 0;
  }
  bytes.resize(bytes.size() - padding);
  return bytes;
}

struct Line {
  std::string bytes;
  uint32_t rank = 0;
};

std::optional<Line> readLine(std::string_view text) {
  if (!text.empty() && text.back() == '\r')
    text.remove_suffix(1);
  size_t space = text.find(' ');
  if (space == std::string_view::npos)
    return std::nullopt;
  std::string_view digits = text.substr(space + 1);
  std::optional<std::string> bytes = decodeBase64(text.substr(0, space));
  if (!bytes || digits.empty() || digits.size() > 9)
    return std::nullopt;
  Line line{std::move(*bytes), 0};
  for (char c : digits) {
    if (c < '0' || c > '9')
      return std::nullopt;
    line.rank = line.rank * 10 + uint32_t(c - '0');
  }
  return line;
}

} // namespace

bool isTiktoken(std::string_view bytes) {
  return readLine(bytes.substr(0, bytes.find('\n'))).has_value();
}

llrt::Result<Tokenizer> parseTiktoken(std::string_view bytes,
                                      const std::string &name,
                                      Llama3Names names) {
  BpeModel model;
  model.kind = LLAMAC_TOKENIZER_BYTE_LEVEL;
  model.split = LLAMAC_SPLIT_LLAMA3;
  model.flags = LLAMAC_TOKENIZER_WHOLE_PIECES;
  std::set<std::string> seen;
  for (size_t at = 0, number = 1; at < bytes.size(); ++number) {
    size_t end = std::min(bytes.find('\n', at), bytes.size());
    std::string_view text = bytes.substr(at, end - at);
    at = end + 1;
    if (text.empty())
      continue;
    std::optional<Line> line = readLine(text);
    std::string where = name + ": line " + std::to_string(number);
    if (!line)
      return llrt::Error(where + " is no base64 text, a space and a rank; the "
                                 "file is cut or altered, fetch it again");
    // Ids are ranks, and the special tokens follow the last: no gaps.
    if (line->rank != model.pieces.size())
      return llrt::Error(where + " has the rank " + std::to_string(line->rank) +
                         ", expected " + std::to_string(model.pieces.size()) +
                         ": ranks rise by one from 0; fetch the file again");
    if (!seen.insert(line->bytes).second)
      return llrt::Error(where + " has the bytes of an earlier line; fetch the "
                                 "file again");
    model.pieces.push_back({std::move(line->bytes), LLAMAC_PIECE_TEXT});
  }
  for (int byte = 0; byte < 256; ++byte)
    if (!seen.count(std::string(1, char(byte))))
      return llrt::Error(name + ": the byte " + std::to_string(byte) +
                         " has no token, so not every text can be read; fetch "
                         "the file again");
  std::vector<uint32_t> ranks(model.pieces.size());
  for (uint32_t id = 0; id < ranks.size(); ++id)
    ranks[id] = id;
  addMergesOfRanks(model, ranks);
  for (std::string &special : getSpecialNames(names)) {
    auto id = uint32_t(model.pieces.size());
    model.pieces.push_back({special, LLAMAC_PIECE_SPECIAL});
    model.added.push_back({std::move(special), id, LLAMAC_ADDED_SPECIAL});
  }
  model.addBos = true;
  model.bosId = int64_t(ranks.size()); // <|begin_of_text|>
  llrt::Result<Tokenizer> tokenizer = buildTokenizer(model, name);
  if (tokenizer)
    for (const BpeAddedToken &token : model.added)
      if (token.text == "<|end_of_text|>" || token.text == "<|eot_id|>" ||
          token.text == "<|eom_id|>")
        tokenizer->eosIds.push_back(token.id);
  return tokenizer;
}

} // namespace mlir::llama
