// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Hugging Face's tokenizer.json as a BpeModel.
#include "compiler/import/TokenizerPipeline.h"
#include "compiler/import/TokenizerSettings.h"

#include <algorithm>
#include <unordered_map>

namespace mlir::llama {
namespace {

constexpr std::string_view block = "\xE2\x96\x81"; // U+2581

/// Reads one file. The vocabulary's keys are the file's; pieces have the texts
/// that they decode to.
class JsonReader {
public:
  JsonReader(const Json &file, const std::string &name,
             const TokenizerSettings &settings, int64_t vocabSize,
             std::vector<std::string> &warnings)
      : file(file), name(name), settings(settings), vocabSize(vocabSize),
        warnings(warnings) {}

  llrt::Result<Tokenizer> read(size_t fileSize);

private:
  llrt::Error checkKeys();
  llrt::Error readModel(size_t fileSize);
  llrt::Error readMerges();
  llrt::Error readAddedTokens();
  llrt::Error addToken(const NamedToken &token, bool atStatedId);
  /// What the piece of an added token is and says.
  void markPiece(const BpeAddedToken &token);
  std::string decodeText(std::string_view text) const;
  uint16_t kindOf(std::string_view text) const;
  /// LlamaTokenizer of transformers 5 makes its own pipeline.
  bool isRebuilt() const { return settings.isLlamaClass() && !byteLevel; }
  llrt::Error refuse(const std::string &where, const Json &found,
                     const std::string &expected) const {
    return llrt::Error(name + ": " + where + " is " + describeJson(found) +
                       ", expected " + expected +
                       "; other ones are not supported");
  }

  const Json &file;
  const std::string &name;
  const TokenizerSettings &settings;
  int64_t vocabSize;
  std::vector<std::string> &warnings;
  bool byteLevel = false;
  bool byteFallback = false;
  BpeModel model;
  std::unordered_map<std::string_view, uint32_t> idOf; // keys of `file`
  std::map<std::string, uint32_t> addedIds;            // text -> in model.added
  uint32_t nextId = 0;
};

} // namespace

llrt::Error JsonReader::checkKeys() {
  for (const auto &[key, value] : file.items()) {
    // What a tokenizer does only when it is asked to: no ids depend on it.
    if (key == "version" || key == "truncation" || key == "padding")
      continue;
    if (key == "added_tokens" || key == "normalizer" || key == "model" ||
        key == "pre_tokenizer" || key == "post_processor" || key == "decoder")
      continue;
    return llrt::Error(name + ": the key \"" + key +
                       "\" is not known, so what it does is not done; take it "
                       "out if it does nothing");
  }
  auto at = file.find("model");
  if (at == file.end() || !at->is_object())
    return refuse("\"model\"", at == file.end() ? Json() : *at,
                  "an object of type BPE");
  const Json &bpe = *at;
  if (bpe.value("type", Json("BPE")) != "BPE")
    return refuse("the type of \"model\"", bpe["type"], "\"BPE\"");
  for (const auto &[key, value] : bpe.items()) {
    std::string where = "\"model\", \"" + key + "\"";
    bool isEmpty = value.is_null() || value == "";
    if (key == "type" || key == "vocab" || key == "merges" ||
        key == "cache_capacity")
      continue;
    if (key == "dropout") {
      if (!value.is_null() && value != 0.0)
        return refuse(where, value, "null");
    } else if (key == "continuing_subword_prefix" ||
               key == "end_of_word_suffix") {
      if (!isEmpty)
        return refuse(where, value, "null");
    } else if (key == "unk_token") {
      if (!value.is_null() && !value.is_string())
        return refuse(where, value, "a text or null");
    } else if (key == "fuse_unk" || key == "byte_fallback" ||
               key == "ignore_merges") {
      if (!value.is_boolean())
        return refuse(where, value, "true or false");
    } else {
      return llrt::Error(name + ": " + where +
                         " is not known, so what it does is not done");
    }
  }
  return llrt::Error::success();
}

std::string JsonReader::decodeText(std::string_view text) const {
  if (byteLevel)
    return getByteLevelBytes(text).value_or(std::string(text));
  std::string result;
  for (size_t at = 0; at < text.size();) {
    bool isBlock = text.substr(at, block.size()) == block;
    result += isBlock ? ' ' : text[at];
    at += isBlock ? block.size() : 1;
  }
  return result;
}

/// <0x00> to <0xFF>: the byte, else -1.
static int getByteOfPiece(std::string_view text) {
  if (text.size() != 6 || text.substr(0, 3) != "<0x" || text[5] != '>')
    return -1;
  int byte = 0;
  for (char c : text.substr(3, 2)) {
    if (c >= '0' && c <= '9')
      byte = byte * 16 + (c - '0');
    else if (c >= 'A' && c <= 'F')
      byte = byte * 16 + (c - 'A' + 10);
    else
      return -1;
  }
  return byte;
}

uint16_t JsonReader::kindOf(std::string_view text) const {
  if (byteLevel)
    return getByteLevelBytes(text) ? LLAMAC_PIECE_TEXT : LLAMAC_PIECE_ADDED;
  if (byteFallback && getByteOfPiece(text) >= 0)
    return LLAMAC_PIECE_BYTE;
  // A text has no spaces by the time that it is merged.
  return text.find(' ') == std::string_view::npos && !text.empty()
             ? LLAMAC_PIECE_TEXT
             : LLAMAC_PIECE_ADDED;
}

llrt::Error JsonReader::readModel(size_t fileSize) {
  const Json &bpe = file["model"];
  auto vocab = bpe.find("vocab");
  if (vocab == bpe.end() || !vocab->is_object())
    return refuse("\"model\", \"vocab\"", vocab == bpe.end() ? Json() : *vocab,
                  "an object of pieces and ids");
  byteFallback = isRebuilt() || bpe.value("byte_fallback", false);
  if (byteLevel && byteFallback)
    return refuse("\"model\", \"byte_fallback\"", Json(true),
                  "false beside a ByteLevel pre-tokenizer");
  for (const auto &[text, value] : vocab->items()) {
    uint64_t id = value.is_number_unsigned() ? value.get<uint64_t>() : ~0ull;
    // Gaps cost memory, too.
    if (id >= fileSize || id >= INT32_MAX)
      return refuse("\"model\", \"vocab\", \"" + text + "\"", value,
                    "an id without large gaps before it");
    if (int64_t(id) >= vocabSize)
      return llrt::Error(
          name + ": \"" + text + "\" has the id " + std::to_string(id) +
          ", but the config's \"vocab_size\" is " + std::to_string(vocabSize) +
          "; it belongs to another model");
    if (id >= model.pieces.size())
      model.pieces.resize(id + 1);
    BpePiece &piece = model.pieces[id];
    if (piece.kind != LLAMAC_PIECE_NONE)
      return llrt::Error(name + ": two pieces have the id " +
                         std::to_string(id) + ", one of them is \"" + text +
                         "\"; fetch the file again");
    piece.kind = kindOf(text);
    piece.text = piece.kind == LLAMAC_PIECE_BYTE
                     ? std::string(1, char(getByteOfPiece(text)))
                     : decodeText(text);
    idOf.emplace(text, uint32_t(id));
  }
  // As tokenizers counts: by entries, not by the highest id.
  nextId = uint32_t(vocab->size());
  bool fuse = isRebuilt() || bpe.value("fuse_unk", false);
  if (fuse)
    model.flags |= LLAMAC_TOKENIZER_FUSE_UNKNOWN;
  if (!isRebuilt() && bpe.value("ignore_merges", false))
    model.flags |= LLAMAC_TOKENIZER_WHOLE_PIECES;
  Json unknown = bpe.value("unk_token", Json());
  // transformers 5 gives LlamaTokenizer none.
  if (settings.tokenizerClass == "LlamaTokenizer" && isRebuilt())
    unknown = Json();
  if (unknown.is_string()) {
    std::string text = unknown.get<std::string>();
    auto at = idOf.find(text);
    if (at == idOf.end())
      return refuse("\"model\", \"unk_token\"", unknown,
                    "a piece of the vocabulary");
    model.unknownId = int32_t(at->second);
  }
  return llrt::Error::success();
}

llrt::Error JsonReader::readMerges() {
  const Json &bpe = file["model"];
  auto merges = bpe.find("merges");
  if (merges == bpe.end() || !merges->is_array())
    return refuse("\"model\", \"merges\"",
                  merges == bpe.end() ? Json() : *merges, "a list of pairs");
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  pairs.reserve(merges->size());
  for (const Json &merge : *merges) {
    std::string where = "merge " + std::to_string(pairs.size());
    if (merge.is_string()) {
      std::string_view text = merge.get_ref<const std::string &>();
      size_t space = text.find(' ');
      if (space == std::string_view::npos ||
          text.find(' ', space + 1) != std::string_view::npos)
        return refuse(where, merge, "two pieces with one space between them");
      pairs.emplace_back(text.substr(0, space), text.substr(space + 1));
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
               merge[1].is_string()) {
      pairs.emplace_back(merge[0].get_ref<const std::string &>(),
                         merge[1].get_ref<const std::string &>());
    } else {
      return refuse(where, merge, "a pair of pieces");
    }
  }
  std::vector<std::pair<std::string_view, uint32_t>> ids(idOf.begin(),
                                                         idOf.end());
  return addMergesOfPairs(model, pairs, ids, name);
}

void JsonReader::markPiece(const BpeAddedToken &token) {
  BpePiece &piece = model.pieces[token.id];
  if (piece.kind == LLAMAC_PIECE_NONE)
    piece = {decodeText(token.text), LLAMAC_PIECE_ADDED};
  if (token.flags & LLAMAC_ADDED_SPECIAL)
    piece.kind = LLAMAC_PIECE_SPECIAL;
  // tokenizers decodes such a token to what it looks for.
  bool normalizes = model.flags & LLAMAC_TOKENIZER_NORMALIZES_TOKENS;
  if (normalizes && token.flags & LLAMAC_ADDED_NORMALIZED)
    piece.text = (model.prefix == LLAMAC_PREFIX_ALWAYS ? " " : "") +
                 decodeText(token.text);
}

/// As tokenizers adds one: of a text that is there it changes the flags.
llrt::Error JsonReader::addToken(const NamedToken &token, bool atStatedId) {
  auto known = addedIds.find(token.text);
  if (known != addedIds.end()) {
    BpeAddedToken &added = model.added[known->second];
    added.flags = token.flags;
    markPiece(added);
    return llrt::Error::success();
  }
  auto piece = idOf.find(token.text);
  uint32_t id = piece != idOf.end() ? piece->second : nextId;
  if (token.id && *token.id != id && atStatedId)
    return llrt::Error(name + ": added token \"" + token.text +
                       "\" has the id " + std::to_string(*token.id) +
                       ", but Hugging Face tokenizers would give it " +
                       std::to_string(id) +
                       ": ids have to follow each other; fetch the file again");
  nextId = std::max(nextId, id + 1);
  if (int64_t(id) >= vocabSize) {
    warnings.push_back(name + ": added token \"" + token.text +
                       "\" has the id " + std::to_string(id) +
                       ", but the config's \"vocab_size\" is " +
                       std::to_string(vocabSize) + ": it is left out");
    return llrt::Error::success();
  }
  addedIds.emplace(token.text, uint32_t(model.added.size()));
  model.added.push_back({token.text, id, token.flags});
  if (id >= model.pieces.size())
    model.pieces.resize(id + 1);
  markPiece(model.added.back());
  return llrt::Error::success();
}

llrt::Error JsonReader::readAddedTokens() {
  auto at = file.find("added_tokens");
  std::vector<NamedToken> tokens;
  if (at != file.end() && !at->is_array())
    return refuse("\"added_tokens\"", *at, "a list of tokens");
  if (at != file.end())
    for (const Json &entry : *at) {
      llrt::Result<NamedToken> token =
          parseNamedToken(entry, name + ": \"added_tokens\"");
      if (!token)
        return token.error();
      tokens.push_back(std::move(*token));
    }
  // A class that builds itself anew takes them from tokenizer_config.json
  // alone, if that has any.
  if (!isRebuilt() || !settings.added)
    for (const NamedToken &token : tokens)
      if (llrt::Error error = addToken(token, true))
        return error;
  if (settings.added)
    for (const NamedToken &token : *settings.added)
      if (llrt::Error error = addToken(token, true))
        return error;
  for (const NamedToken &token : settings.special)
    if (!addedIds.count(token.text))
      if (llrt::Error error = addToken(token, false))
        return error;
  if (!isRebuilt())
    return llrt::Error::success();
  for (const char *text : {"<s>", "</s>", "<unk>"})
    if (idOf.count(text) && !addedIds.count(text))
      if (llrt::Error error =
              addToken({text, std::nullopt, LLAMAC_ADDED_SPECIAL}, false))
        return error;
  return llrt::Error::success();
}

llrt::Result<Tokenizer> JsonReader::read(size_t fileSize) {
  if (llrt::Error error = checkKeys())
    return error;
  byteLevel = hasByteLevel(file);
  if (isRebuilt()) {
    bool always = settings.tokenizerClass == "CodeLlamaTokenizer";
    model.kind = LLAMAC_TOKENIZER_BYTE_FALLBACK;
    if (settings.addPrefixSpace)
      model.prefix = LLAMAC_PREFIX_MISSING;
    if (settings.prefixesFirstAlone())
      model.flags |= LLAMAC_TOKENIZER_PREFIX_FIRST;
    if (settings.addPrefixSpace || always)
      model.flags |= LLAMAC_TOKENIZER_STRIP_SPACE;
  } else if (llrt::Error error = readPipeline(file, name, model)) {
    return error;
  }
  if (llrt::Error error = readModel(fileSize))
    return error;
  if (llrt::Error error = readMerges())
    return error;
  if (llrt::Error error = readAddedTokens())
    return error;
  // A text never becomes a special token by merging.
  model.merges.erase(
      std::remove_if(model.merges.begin(), model.merges.end(),
                     [&](const LlamacMerge &merge) {
                       for (uint32_t id :
                            {merge.left, merge.right, merge.result})
                         if (model.pieces[id].kind != LLAMAC_PIECE_TEXT)
                           return true;
                       return false;
                     }),
      model.merges.end());
  llrt::Result<std::optional<std::string>> start =
      readTextStart(file, name, warnings);
  if (!start)
    return start.error();
  model.addBos = start->has_value();
  std::optional<std::string> bos = *start ? *start : settings.bosToken;
  if (bos) {
    auto piece = idOf.find(*bos);
    auto token = addedIds.find(*bos);
    if (token != addedIds.end())
      model.bosId = model.added[token->second].id;
    else if (piece != idOf.end())
      model.bosId = piece->second;
    else if (*start)
      return llrt::Error(name + ": \"post_processor\" begins a text with \"" +
                         *bos + "\", which is no token of the vocabulary");
  }
  return buildTokenizer(model, name);
}

llrt::Result<Tokenizer> parseTokenizerJson(std::string_view text,
                                           const std::string &name,
                                           const TokenizerSettings &settings,
                                           int64_t vocabSize,
                                           std::vector<std::string> &warnings) {
  llrt::Result<Json> file = parseJsonObject(text, name);
  if (!file)
    return file.error();
  JsonReader reader(*file, name, settings, vocabSize, warnings);
  return reader.read(text.size());
}

} // namespace mlir::llama
