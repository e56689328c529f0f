// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A Hugging Face folder, or a bare config.json, as a Checkpoint.
#include "compiler/import/ChatTemplateText.h"
#include "compiler/import/OutOfScope.h"
#include "compiler/import/SourceFiles.h"

#include <cerrno>
#include <cstring>
#include <sys/stat.h>

namespace mlir::llama {

namespace {

/// The first of the places that has one, in transformers' order.
llrt::Error openChatTemplate(Checkpoint &checkpoint,
                             const std::string &folder) {
  for (const char *name : {"chat_template.jinja", "tokenizer_config.json",
                           "chat_template.json"}) {
    std::string path = folder + "/" + name;
    if (!exists(path))
      continue;
    auto file = openSource(checkpoint, path, name);
    if (!file)
      return file.error();
    std::optional<std::string> text;
    if (std::string_view(name) == "chat_template.jinja") {
      text = std::string((*file)->text());
    } else {
      auto parsed = parseChatTemplate((*file)->text(), path);
      if (!parsed)
        return parsed.error();
      text = std::move(*parsed);
    }
    if (!text)
      continue;
    checkpoint.chatTemplate = ChatTemplateText{std::move(*text), name};
    break;
  }
  return llrt::Error::success();
}

llrt::Error openGenerationConfig(Checkpoint &checkpoint,
                                 const std::string &folder) {
  std::string path = folder + "/generation_config.json";
  if (!exists(path))
    return llrt::Error::success();
  auto file = openSource(checkpoint, path, "generation_config.json");
  if (!file)
    return file.error();
  auto generation = parseGenerationConfig((*file)->text(), path);
  if (!generation)
    return generation.error();
  auto tooLarge = [&](int64_t id) { return id >= checkpoint.config.vocabSize; };
  for (int64_t id : generation->eosIds)
    if (tooLarge(id))
      return llrt::Error(path + ": \"eos_token_id\" holds " +
                         std::to_string(id) +
                         ", but the config's \"vocab_size\" is " +
                         std::to_string(checkpoint.config.vocabSize));
  if (generation->bosId && tooLarge(*generation->bosId))
    return llrt::Error(path + ": \"bos_token_id\" is " +
                       std::to_string(*generation->bosId) +
                       ", but the config's \"vocab_size\" is " +
                       std::to_string(checkpoint.config.vocabSize));
  checkpoint.generation = *generation;
  return llrt::Error::success();
}

} // namespace

llrt::Result<Checkpoint> openHuggingFace(const std::string &path,
                                         bool needWeights) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0)
    return llrt::Error(path + ": cannot be opened: " + std::strerror(errno));
  bool isFolder = S_ISDIR(status.st_mode);
  size_t length = path.size();
  bool isConfig = length > 5 && path.compare(length - 5, 5, ".json") == 0;
  if (!isFolder && !isConfig)
    return llrt::Error(path + ": is a file; expected a Hugging Face folder "
                              "(with config.json), Meta's folder, a .gguf file "
                              "or a config.json");

  Checkpoint checkpoint;
  checkpoint.path = path;
  checkpoint.name = getLastName(path);
  if (!isFolder)
    checkpoint.name.resize(checkpoint.name.size() - 5);
  if (isFolder && exists(path + "/adapter_config.json")) {
    auto adapter = openSource(checkpoint, path + "/adapter_config.json",
                              "adapter_config.json");
    return adapter ? llrt::Error(refuseAdapter(path, (*adapter)->text()))
                   : adapter.error();
  }
  std::string configPath = isFolder ? path + "/config.json" : path;
  auto file = openSource(checkpoint, configPath, "config.json");
  if (!file) {
    std::string text = file.error().message();
    if (isFolder && !exists(configPath))
      text += "; a model folder has a config.json";
    return llrt::Error(text);
  }
  auto config = parseConfig((*file)->text(), configPath, checkpoint.warnings);
  if (!config)
    return config.error();
  checkpoint.config = *config;
  if (!isFolder)
    return checkpoint;

  if (llrt::Error error = openGenerationConfig(checkpoint, path))
    return error;
  if (llrt::Error error = openTokenizer(checkpoint, path))
    return error;
  if (llrt::Error error = openChatTemplate(checkpoint, path))
    return error;
  if (needWeights)
    if (llrt::Error error = openHuggingFaceWeights(checkpoint, path))
      return error;
  return checkpoint;
}

} // namespace mlir::llama
