// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// tokenizer_config.json, as far as ids depend on it.
#ifndef LLAMAC_COMPILER_IMPORT_TOKENIZERSETTINGS_H
#define LLAMAC_COMPILER_IMPORT_TOKENIZERSETTINGS_H

#include "compiler/import/BpeModel.h"
#include "compiler/import/Json.h"

namespace mlir::llama {

/// A token that some file adds to the vocabulary, or marks in it.
struct NamedToken {
  std::string text;
  std::optional<uint32_t> id; // nothing: the vocabulary's, else a new one
  uint32_t flags = 0;         // LlamacAddedTokenFlags
};

struct TokenizerSettings {
  /// "tokenizer_class" without "Fast". transformers 5 builds LlamaTokenizer and
  /// CodeLlamaTokenizer anew from the vocabulary and the merges alone, whatever
  /// else tokenizer.json says; any other class leaves the file as it is.
  std::string tokenizerClass;
  bool isLlamaClass() const {
    return tokenizerClass == "LlamaTokenizer" ||
           tokenizerClass == "CodeLlamaTokenizer";
  }
  /// The space in front is for the text at the start alone, not for those after
  /// special tokens: what these classes do without "legacy": true.
  bool prefixesFirstAlone() const {
    return isLlamaClass() &&
           (!legacy || tokenizerClass == "CodeLlamaTokenizer");
  }
  bool legacy = false;
  bool addPrefixSpace = true;
  /// Not for a tokenizer.json, whose post-processor decides.
  std::optional<bool> addBos;
  std::optional<std::string> bosToken;
  /// "added_tokens_decoder", by id. Without one, those of tokenizer.json count.
  std::optional<std::vector<NamedToken>> added;
  /// "bos_token", "eos_token", ... and the additional ones: special, whether or
  /// not they are among the added.
  std::vector<NamedToken> special;
};

/// `warnings`: what is asked for and not done.
llrt::Result<TokenizerSettings>
parseTokenizerSettings(std::string_view text, const std::string &name,
                       std::vector<std::string> &warnings);

/// added_tokens.json of older folders: an object of texts and ids.
llrt::Result<std::vector<NamedToken>> parseAddedTokens(std::string_view text,
                                                       const std::string &name);

/// One entry of added_tokens or added_tokens_decoder. `where` opens messages.
llrt::Result<NamedToken> parseNamedToken(const Json &entry,
                                         const std::string &where);

/// A tokenizer.json with what tokenizer_config.json, if there is one, says to
/// it. Added tokens with ids from `vocabSize` on, which the model cannot take,
/// are left out with a warning.
llrt::Result<Tokenizer> parseTokenizerJson(std::string_view text,
                                           const std::string &name,
                                           const TokenizerSettings &settings,
                                           int64_t vocabSize,
                                           std::vector<std::string> &warnings);

/// Which names Meta's tokenizer.py gives to the 256 ids after the ranks: those
/// of the repository llama3, or of llama-models, which reads Llama 3.1 and
/// later.
enum class Llama3Names { Llama3, Llama31 };

/// True if `bytes` begin as a tiktoken file does: base64, a space, a number.
bool isTiktoken(std::string_view bytes);

/// Meta's tokenizer.model of Llama 3: a line of base64 and rank per token.
llrt::Result<Tokenizer> parseTiktoken(std::string_view bytes,
                                      const std::string &name,
                                      Llama3Names names);

/// A tokenizer.model of sentencepiece with tokens beside it.
llrt::Result<Tokenizer> parseSentencePiece(std::string_view bytes,
                                           const std::string &name,
                                           const TokenizerSettings &settings,
                                           int64_t vocabSize,
                                           std::vector<std::string> &warnings);

} // namespace mlir::llama

#endif
