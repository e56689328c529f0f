// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Opens a .gguf file. llama.cpp's converter stores the rows of q and k pair by
// pair, and leaves the head out where it is the embedding.
#include "compiler/import/Gguf.h"
#include "compiler/import/RowSources.h"
#include "compiler/import/SourceFiles.h"
#include "compiler/import/TensorNames.h"

#include <set>

namespace mlir::llama {
namespace {

/// The model's tensors by Hugging Face's names; every other one is refused.
llrt::Error takeTensors(const GgufFile &file, Checkpoint &checkpoint) {
  Config &config = checkpoint.config;
  std::set<std::string> used = {"rope_freqs.weight"}; // of the config
  for (const ExpectedTensor &expected : getExpectedTensors(config)) {
    std::optional<NamedTensor> named = nameTensor(expected.name);
    if (!named)
      return llrt::Error("GGUF has no name for \"" + expected.name + "\"");
    std::string quoted = "tensor \"" + named->gguf + "\"";
    auto found = file.tensors.find(named->gguf);
    if (found == file.tensors.end())
      return llrt::Error(quoted + " of shape " + describeShape(expected.shape) +
                         " is missing");
    if (found->second.shape != expected.shape)
      return llrt::Error(
          quoted + " has shape " + describeShape(found->second.shape) +
          ", but the metadata ask for " + describeShape(expected.shape));
    checkpoint.tensors.emplace(
        expected.name, named->naming->isPaired
                           ? separatePairs(found->second, config.headDim)
                           : found->second);
    used.insert(named->gguf);
  }
  for (auto &[name, tensor] : file.tensors)
    if (!used.count(name))
      return llrt::Error("tensor \"" + name + "\" of shape " +
                         describeShape(tensor.shape) +
                         " is not part of the model that the metadata "
                         "describe");
  // A head that is stored, and is the embedding.
  auto head = checkpoint.tensors.find("lm_head.weight");
  if (head != checkpoint.tensors.end() &&
      haveEqualValues(head->second,
                      checkpoint.tensors.at("model.embed_tokens.weight"))) {
    config.tiedEmbeddings = true;
    checkpoint.tensors.erase(head);
  }
  return llrt::Error::success();
}

/// Of the matrices, for --no-weights.
DType getStoredType(const GgufFile &file) {
  const Tensor &embedding = file.tensors.at("token_embd.weight");
  return embedding.storedAs ? DType::F16 : embedding.dtype;
}

} // namespace

llrt::Result<Checkpoint> openGguf(const std::string &path,
                                  const OpenOptions &options) {
  Checkpoint checkpoint;
  checkpoint.path = checkpoint.weightsPath = path;
  std::string fileName = getLastName(path);
  const std::string end = ".gguf";
  checkpoint.name = fileName;
  if (fileName.size() > end.size() &&
      fileName.compare(fileName.size() - end.size(), end.size(), end) == 0)
    checkpoint.name.resize(fileName.size() - end.size());
  auto source = openSource(checkpoint, path, fileName);
  if (!source)
    return source.error();
  auto file = parseGguf((*source)->data(), (*source)->size(), path,
                        /*isMapped=*/true);
  if (!file)
    return file.error();
  auto config = makeGgufConfig(*file, path, checkpoint.warnings);
  if (!config)
    return config.error();
  checkpoint.config = *config;
  auto modelName = file->metadata.find("general.name");
  if (modelName != file->metadata.end() &&
      modelName->second.type == GgufValue::Text)
    checkpoint.config.name = std::string(modelName->second.texts[0]);
  checkpoint.config.dtype = getStoredType(*file);
  if (llrt::Error error = takeTensors(*file, checkpoint))
    return llrt::Error(path + ": " + error.message());
  if (llrt::Error error = checkTensors(checkpoint))
    return llrt::Error(path + ": " + error.message());
  checkpoint.hasWeights = options.needWeights;
  if (!options.needWeights)
    checkpoint.tensors.clear();

  auto tokenizer = makeGgufTokenizer(*file, path);
  if (!tokenizer)
    return tokenizer.error();
  checkpoint.tokenizer = std::move(*tokenizer);
  if (!checkpoint.tokenizer)
    checkpoint.warnings.push_back(
        path + ": has no vocabulary; the executable will take only --ids");
  auto addEos = file->metadata.find("tokenizer.ggml.add_eos_token");
  if (addEos != file->metadata.end() &&
      addEos->second.type == GgufValue::Bool && addEos->second.bytes[0] != 0)
    checkpoint.warnings.push_back(
        path + ": \"tokenizer.ggml.add_eos_token\" is true, but a prompt is "
               "to be continued: none is put at its end");
  auto chat = file->metadata.find("tokenizer.chat_template");
  if (chat != file->metadata.end() && chat->second.type == GgufValue::Text)
    checkpoint.chatTemplate =
        ChatTemplateText{std::string(chat->second.texts[0]),
                         "tokenizer.chat_template of " + fileName};
  return checkpoint;
}

} // namespace mlir::llama
