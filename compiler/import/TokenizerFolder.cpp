// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which of a folder's files is its tokenizer.
#include "compiler/import/SourceFiles.h"
#include "compiler/import/TokenizerSettings.h"

namespace mlir::llama {
namespace {

/// tokenizer_config.json, where there is one.
llrt::Result<TokenizerSettings> openSettings(Checkpoint &checkpoint,
                                             const std::string &folder) {
  std::string path = folder + "/tokenizer_config.json";
  if (!exists(path))
    return TokenizerSettings();
  auto file = openSource(checkpoint, path, "tokenizer_config.json");
  if (!file)
    return file.error();
  return parseTokenizerSettings((*file)->text(), path, checkpoint.warnings);
}

llrt::Result<Tokenizer> openModel(Checkpoint &checkpoint,
                                  const std::string &folder,
                                  TokenizerSettings settings) {
  std::string path = folder + "/tokenizer.model";
  auto file = openSource(checkpoint, path, "tokenizer.model");
  if (!file)
    return file.error();
  if (isTiktoken((*file)->text())) {
    bool scaled = checkpoint.config.ropeScaling.kind == RopeScaling::Llama3;
    return parseTiktoken((*file)->text(), path,
                         scaled ? Llama3Names::Llama31 : Llama3Names::Llama3);
  }
  std::string older = folder + "/added_tokens.json";
  if (!settings.added && exists(older)) {
    auto addedFile = openSource(checkpoint, older, "added_tokens.json");
    if (!addedFile)
      return addedFile.error();
    auto added = parseAddedTokens((*addedFile)->text(), older);
    if (!added)
      return added.error();
    settings.added = std::move(*added);
  }
  return parseSentencePiece((*file)->text(), path, settings,
                            checkpoint.config.vocabSize, checkpoint.warnings);
}

llrt::Result<Tokenizer> openJson(Checkpoint &checkpoint,
                                 const std::string &folder,
                                 const TokenizerSettings &settings) {
  std::string path = folder + "/tokenizer.json";
  auto file = openSource(checkpoint, path, "tokenizer.json");
  if (!file)
    return file.error();
  return parseTokenizerJson((*file)->text(), path, settings,
                            checkpoint.config.vocabSize, checkpoint.warnings);
}

} // namespace

llrt::Error openTokenizer(Checkpoint &checkpoint, const std::string &folder) {
  bool hasJson = exists(folder + "/tokenizer.json");
  bool hasModel = exists(folder + "/tokenizer.model");
  if (!hasJson && !hasModel) {
    checkpoint.warnings.push_back(
        folder + ": no tokenizer.json and no tokenizer.model; the executable "
                 "will take only --ids");
    return llrt::Error::success();
  }
  llrt::Result<TokenizerSettings> settings = openSettings(checkpoint, folder);
  if (!settings)
    return settings.error();
  if (hasJson && hasModel)
    checkpoint.notes.push_back(folder + "/tokenizer.json: is read; "
                                        "tokenizer.model beside it is not");
  if (hasJson && settings->isLlamaClass())
    checkpoint.notes.push_back(
        folder + "/tokenizer_config.json: \"tokenizer_class\" is " +
        settings->tokenizerClass +
        ", so spaces are read as transformers 5 reads them for this class, "
        "not as tokenizer.json says");
  llrt::Result<Tokenizer> tokenizer =
      hasJson ? openJson(checkpoint, folder, *settings)
              : openModel(checkpoint, folder, *settings);
  if (!tokenizer)
    return tokenizer.error();
  if (tokenizer->pieces > checkpoint.config.vocabSize)
    return llrt::Error(folder +
                       (hasJson ? "/tokenizer.json" : "/tokenizer.model") +
                       ": has " + std::to_string(tokenizer->pieces) +
                       " pieces, more than the config's \"vocab_size\" of " +
                       std::to_string(checkpoint.config.vocabSize) +
                       "; it belongs to another model");
  checkpoint.tokenizer = std::move(*tokenizer);
  return llrt::Error::success();
}

} // namespace mlir::llama
