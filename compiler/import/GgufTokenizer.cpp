// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// GGUF's vocabulary (tokenizer.ggml.*) as the tokenizer that it was made from.
//
// "llama" holds the pieces, scores and types of a sentencepiece model: they are
// written as its tokenizer.model again, and sentencepiece reads that.
// "gpt2" holds a byte-level BPE by texts and merges; which texts it splits is
// in tokenizer.ggml.pre.
#include "compiler/import/BpeModel.h"
#include "compiler/import/Gguf.h"

#include <cstring>

namespace mlir::llama {
namespace {

/// enum token_type of llama.cpp, which are those of sentencepiece's pieces.
enum TokenType {
  Normal = 1,
  Unknown = 2,
  Control = 3,
  UserDefined = 4,
  Unused = 5,
  Byte = 6
};

/// A protobuf message, field by field.
class Message {
public:
  void addNumber(unsigned field, uint64_t value) {
    addVarint(field << 3);
    addVarint(value);
  }
  void addFloat(unsigned field, float value) {
    addVarint(field << 3 | 5);
    char bytes[4];
    std::memcpy(bytes, &value, 4);
    text.append(bytes, 4);
  }
  void addText(unsigned field, std::string_view value) {
    addVarint(field << 3 | 2);
    addVarint(value.size());
    text += value;
  }
  std::string text;

private:
  void addVarint(uint64_t value) {
    for (; value > 0x7f; value >>= 7)
      text += char(value | 0x80);
    text += char(value);
  }
};

class Vocabulary {
public:
  Vocabulary(const GgufFile &file, const std::string &name)
      : file(file), name(name) {}

  llrt::Result<std::optional<Tokenizer>> read();

private:
  llrt::Error fail(const std::string &text) const {
    return llrt::Error(name + ": " + text);
  }
  const GgufValue *find(const std::string &key) const {
    auto at = file.metadata.find("tokenizer.ggml." + key);
    return at == file.metadata.end() ? nullptr : &at->second;
  }
  std::string text(const std::string &key) const {
    const GgufValue *value = find(key);
    return value && value->type == GgufValue::Text
               ? std::string(value->texts[0])
               : "";
  }
  bool flag(const std::string &key, bool otherwise) const {
    const GgufValue *value = find(key);
    return value && value->type == GgufValue::Bool ? value->bytes[0] != 0
                                                   : otherwise;
  }
  /// -1: none.
  int64_t id(const std::string &key) const {
    const GgufValue *value = find(key);
    if (!value || value->isArray() || !value->isInteger())
      return -1;
    int64_t found = value->getInteger();
    return found < int64_t(tokens->count) ? found : -1;
  }
  int64_t typeOf(size_t token) const {
    return types ? types->getInteger(token) : int64_t(Normal);
  }

  llrt::Error checkLists();
  llrt::Result<Tokenizer> makeSentencePiece();
  llrt::Result<Tokenizer> makeByteLevel();

  const GgufFile &file;
  const std::string &name;
  const GgufValue *tokens = nullptr, *types = nullptr, *scores = nullptr;
};

llrt::Error Vocabulary::checkLists() {
  tokens = find("tokens");
  types = find("token_type");
  scores = find("scores");
  if (!tokens || !tokens->isArray() || tokens->elements != GgufValue::Text ||
      tokens->count == 0)
    return fail("\"tokenizer.ggml.tokens\" is missing or no list of texts");
  uint64_t count = tokens->count;
  auto rows = file.tensors.find("token_embd.weight");
  if (rows != file.tensors.end() && !rows->second.shape.empty() &&
      count > uint64_t(rows->second.shape[0]))
    return fail("\"tokenizer.ggml.tokens\" has " + std::to_string(count) +
                " tokens, more than the " +
                std::to_string(rows->second.shape[0]) +
                " rows of \"token_embd.weight\"");
  if (types &&
      (!types->isArray() || !types->isInteger() || types->count != count))
    return fail("\"tokenizer.ggml.token_type\" is no list of " +
                std::to_string(count) + " whole numbers");
  for (size_t i = 0; i < count; ++i)
    if (typeOf(i) < Normal || typeOf(i) > Byte)
      return fail("\"tokenizer.ggml.token_type\" holds " +
                  std::to_string(typeOf(i)) + ", expected 1 to 6");
  if (scores &&
      (!scores->isArray() || !scores->isReal() || scores->count != count))
    return fail("\"tokenizer.ggml.scores\" is no list of " +
                std::to_string(count) + " numbers");
  return llrt::Error::success();
}

llrt::Result<Tokenizer> Vocabulary::makeSentencePiece() {
  if (!scores)
    return fail("\"tokenizer.ggml.scores\" is missing, without which pieces "
                "are not merged");
  // The fields are those of sentencepiece_model.proto.
  Message model;
  bool hasBytes = false;
  for (size_t i = 0; i < tokens->count; ++i) {
    Message piece;
    piece.addText(1, tokens->texts[i]);
    piece.addFloat(2, float(scores->getReal(i)));
    piece.addNumber(3, uint64_t(typeOf(i)));
    model.addText(1, piece.text);
    hasBytes |= typeOf(i) == Byte;
  }
  Message trainer;
  trainer.addNumber(3, 2); // model_type: BPE
  trainer.addNumber(35, hasBytes);
  const std::pair<unsigned, int64_t> ids[] = {{40, id("unknown_token_id")},
                                              {41, id("bos_token_id")},
                                              {42, id("eos_token_id")},
                                              {43, id("padding_token_id")}};
  for (auto [field, value] : ids) {
    // The one piece that has to be there is the first where nothing says it.
    trainer.addNumber(field, uint64_t(field == 40 && value < 0 ? 0 : value));
    const unsigned pieceField = field + 5; // unk_piece, bos_piece, ...
    if (value >= 0)
      trainer.addText(pieceField, tokens->texts[size_t(value)]);
  }
  model.addText(2, trainer.text);
  Message normalizer;
  normalizer.addText(1, "identity");
  normalizer.addNumber(3, flag("add_space_prefix", true));
  normalizer.addNumber(4, flag("remove_extra_whitespaces", false));
  normalizer.addNumber(5, 1); // spaces are U+2581
  model.addText(3, normalizer.text);

  auto bytes = std::make_shared<const std::string>(std::move(model.text));
  llrt::Result<Tokenizer> tokenizer =
      parseTokenizerModel(*bytes, name + ": \"tokenizer.ggml\"");
  if (!tokenizer)
    return tokenizer;
  tokenizer->storage = bytes;
  tokenizer->addBos = flag("add_bos_token", true);
  if (id("bos_token_id") >= 0)
    tokenizer->bosId = id("bos_token_id");
  return tokenizer;
}

llrt::Result<Tokenizer> Vocabulary::makeByteLevel() {
  std::string pre = text("pre");
  if (pre != "llama-bpe" && pre != "llama3" && pre != "llama-v3")
    return fail("\"tokenizer.ggml.pre\" is \"" + pre +
                "\"; llamac splits texts as \"llama-bpe\" does");
  const GgufValue *merges = find("merges");
  if (!merges || !merges->isArray() || merges->elements != GgufValue::Text)
    return fail("\"tokenizer.ggml.merges\" is missing or no list of texts");
  BpeModel model;
  model.kind = LLAMAC_TOKENIZER_BYTE_LEVEL;
  model.split = LLAMAC_SPLIT_LLAMA3;
  model.flags = LLAMAC_TOKENIZER_WHOLE_PIECES;
  std::vector<std::pair<std::string_view, uint32_t>> ids;
  for (uint32_t i = 0; i < tokens->count; ++i) {
    std::string_view token = tokens->texts[i];
    ids.push_back({token, i});
    int64_t type = typeOf(i);
    if (type == Normal) {
      std::optional<std::string> bytes = getByteLevelBytes(token);
      if (!bytes)
        return fail("token " + std::to_string(i) + ", \"" + std::string(token) +
                    "\", is no text of a byte-level vocabulary");
      model.pieces.push_back({std::move(*bytes), LLAMAC_PIECE_TEXT});
      continue;
    }
    if (type == Unused) {
      model.pieces.push_back({});
      continue;
    }
    bool isSpecial = type != UserDefined;
    model.pieces.push_back(
        {std::string(token),
         uint16_t(isSpecial ? LLAMAC_PIECE_SPECIAL : LLAMAC_PIECE_ADDED)});
    model.added.push_back({std::string(token), i,
                           uint32_t(isSpecial ? LLAMAC_ADDED_SPECIAL : 0)});
  }
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  for (std::string_view merge : merges->texts) {
    size_t space = merge.find(' ');
    if (space == std::string_view::npos)
      return fail("\"tokenizer.ggml.merges\" holds \"" + std::string(merge) +
                  "\", expected two pieces with a space between them");
    pairs.push_back({merge.substr(0, space), merge.substr(space + 1)});
  }
  if (llrt::Error error = addMergesOfPairs(model, pairs, ids, name))
    return error;
  model.addBos = flag("add_bos_token", true);
  if (id("bos_token_id") >= 0)
    model.bosId = id("bos_token_id");
  return buildTokenizer(model, name);
}

llrt::Result<std::optional<Tokenizer>> Vocabulary::read() {
  std::string kind = text("model");
  if (kind.empty() || kind == "none" || kind == "no_vocab")
    return std::optional<Tokenizer>();
  if (kind != "llama" && kind != "gpt2")
    return fail("\"tokenizer.ggml.model\" is \"" + kind +
                "\"; llamac reads \"llama\" (sentencepiece) and \"gpt2\" "
                "(byte-level BPE)");
  if (llrt::Error error = checkLists())
    return error;
  llrt::Result<Tokenizer> tokenizer =
      kind == "llama" ? makeSentencePiece() : makeByteLevel();
  if (!tokenizer)
    return tokenizer.error();
  return std::optional<Tokenizer>(std::move(*tokenizer));
}

} // namespace

llrt::Result<std::optional<Tokenizer>>
makeGgufTokenizer(const GgufFile &file, const std::string &name) {
  return Vocabulary(file, name).read();
}

} // namespace mlir::llama
