// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A Hugging Face folder, or a bare config.json, as a Checkpoint.
#include "compiler/import/ChatTemplateText.h"
#include "compiler/import/Checkpoint.h"
#include "compiler/import/ShardIndex.h"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

namespace mlir::llama {
namespace {

bool exists(const std::string &path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0;
}

/// The last part of the folder's absolute path, so that `.` has a name too.
std::string getFolderName(const std::string &path) {
  std::string name = path;
  if (char *absolute = ::realpath(path.c_str(), nullptr)) {
    // A symlink is named as the user spelled it, unless it ends in a dot part.
    while (name.size() > 1 && name.back() == '/')
      name.pop_back();
    std::string last = name.substr(name.rfind('/') + 1);
    name = last.empty() || last == "." || last == ".." ? absolute : last;
    ::free(absolute);
  }
  return name.substr(name.rfind('/') + 1);
}

llrt::Error missingWeights(const std::string &folder) {
  std::string text = folder + "/model.safetensors: there is no such file, and "
                              "no model.safetensors.index.json";
  if (exists(folder + "/pytorch_model.bin") ||
      exists(folder + "/pytorch_model.bin.index.json"))
    text += "; pytorch_model.bin can run code when read: save the model again "
            "with safe_serialization=True";
  else
    text += "; --no-weights compiles without";
  return llrt::Error(text);
}

/// Maps `name` inside the folder and notes it as a source.
llrt::Result<std::shared_ptr<const llrt::MappedFile>>
openSource(Checkpoint &checkpoint, const std::string &path,
           const std::string &name) {
  for (size_t i = 0; i < checkpoint.sources.size(); ++i)
    if (checkpoint.sources[i].name == name) // two parts of it are used
      return checkpoint.files[i];
  auto opened = llrt::MappedFile::open(path);
  if (!opened)
    return opened.error();
  std::shared_ptr<const llrt::MappedFile> file = std::move(*opened);
  checkpoint.files.push_back(file);
  checkpoint.sources.push_back({name, file->size(), 0});
  return file;
}

llrt::Error openTokenizer(Checkpoint &checkpoint, const std::string &folder) {
  std::string path = folder + "/tokenizer.model";
  if (!exists(path)) {
    std::string text = folder + ": no tokenizer.model";
    if (exists(folder + "/tokenizer.json"))
      text += " (tokenizer.json is not built yet)";
    checkpoint.warnings.push_back(text +
                                  "; the executable will take only --ids");
    return llrt::Error::success();
  }
  auto file = openSource(checkpoint, path, "tokenizer.model");
  if (!file)
    return file.error();
  auto tokenizer = parseTokenizerModel((*file)->text(), path);
  if (!tokenizer)
    return tokenizer.error();
  if (tokenizer->pieces > checkpoint.config.vocabSize)
    return llrt::Error(path + ": has " + std::to_string(tokenizer->pieces) +
                       " pieces, more than the config's \"vocab_size\" of " +
                       std::to_string(checkpoint.config.vocabSize) +
                       "; it belongs to another model");
  checkpoint.tokenizer = *tokenizer;
  std::string settings = folder + "/tokenizer_config.json";
  if (!exists(settings))
    return llrt::Error::success();
  file = openSource(checkpoint, settings, "tokenizer_config.json");
  if (!file)
    return file.error();
  auto addBos = parseAddBos((*file)->text(), settings);
  if (!addBos)
    return addBos.error();
  checkpoint.tokenizer->addBos = *addBos;
  return llrt::Error::success();
}

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

/// Maps one safetensors file and reads its header.
llrt::Result<Tensors> openTensors(Checkpoint &checkpoint,
                                  const std::string &folder,
                                  const std::string &name) {
  std::string path = folder + "/" + name;
  auto file = openSource(checkpoint, path, name);
  if (!file)
    return file.error();
  auto tensors = parseSafetensors((*file)->data(), (*file)->size(), path);
  if (tensors)
    for (auto &[unused, tensor] : *tensors)
      tensor.isMapped = true;
  return tensors;
}

/// Every shard that the index names, in the order of their names.
llrt::Error openShards(Checkpoint &checkpoint, const std::string &folder) {
  const std::string &path = checkpoint.weightsPath;
  auto file = openSource(checkpoint, path, "model.safetensors.index.json");
  if (!file)
    return file.error();
  llrt::Result<ShardIndex> index = parseShardIndex((*file)->text(), path);
  if (!index)
    return index.error();
  std::map<std::string, Tensors> shards;
  for (auto &[tensor, shard] : *index) {
    if (shards.count(shard))
      continue;
    if (!exists(folder + "/" + shard))
      return llrt::Error(folder + "/" + shard +
                         ": there is no such file, but " + path +
                         " says that it holds tensor \"" + tensor +
                         "\"; fetch the missing shard");
    shards.emplace(shard, Tensors());
  }
  for (auto &[shard, tensors] : shards) {
    llrt::Result<Tensors> opened = openTensors(checkpoint, folder, shard);
    if (!opened)
      return opened.error();
    tensors = std::move(*opened);
  }
  if (llrt::Error error = checkShards(*index, path, shards))
    return error;
  for (auto &[shard, tensors] : shards)
    checkpoint.tensors.merge(tensors);
  return llrt::Error::success();
}

/// As transformers does, it takes the one file where there are both.
llrt::Error openWeights(Checkpoint &checkpoint, const std::string &folder) {
  std::string whole = folder + "/model.safetensors";
  std::string index = folder + "/model.safetensors.index.json";
  checkpoint.weightsPath = exists(whole) ? whole : index;
  if (exists(whole)) {
    if (exists(index))
      checkpoint.warnings.push_back(whole + ": is read; " + index +
                                    " beside it is not");
    llrt::Result<Tensors> tensors =
        openTensors(checkpoint, folder, "model.safetensors");
    if (!tensors)
      return tensors.error();
    checkpoint.tensors = std::move(*tensors);
  } else if (exists(index)) {
    if (llrt::Error error = openShards(checkpoint, folder))
      return error;
  } else {
    return missingWeights(folder);
  }
  checkpoint.hasWeights = true;
  if (llrt::Error error = checkTensors(checkpoint))
    return llrt::Error(checkpoint.weightsPath + ": " + error.message());
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
                              "(with config.json) or a config.json");

  Checkpoint checkpoint;
  checkpoint.path = path;
  checkpoint.name = getFolderName(path);
  if (!isFolder)
    checkpoint.name.resize(checkpoint.name.size() - 5);
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
    if (llrt::Error error = openWeights(checkpoint, path))
      return error;
  return checkpoint;
}

} // namespace mlir::llama
