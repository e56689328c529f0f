// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The weights of a Hugging Face folder: safetensors, else PyTorch's .bin, each
// as one file or as shards that an index names.
#include "compiler/import/ShardIndex.h"
#include "compiler/import/SourceFiles.h"
#include "compiler/import/TorchFile.h"

namespace mlir::llama {
namespace {

struct WeightFormat {
  const char *whole, *index;
  llrt::Result<Tensors> (*parse)(const uint8_t *, uint64_t,
                                 const std::string &);
};

/// The first that a folder has is read.
const WeightFormat formats[] = {
    {"model.safetensors", "model.safetensors.index.json", parseSafetensors},
    {"pytorch_model.bin", "pytorch_model.bin.index.json", parseTorchFile},
};

/// Maps one file and reads its header.
llrt::Result<Tensors> openTensors(Checkpoint &checkpoint,
                                  const WeightFormat &format,
                                  const std::string &folder,
                                  const std::string &name) {
  std::string path = folder + "/" + name;
  auto file = openSource(checkpoint, path, name);
  if (!file)
    return file.error();
  auto tensors = format.parse((*file)->data(), (*file)->size(), path);
  if (tensors)
    for (auto &[unused, tensor] : *tensors)
      tensor.isMapped = true;
  return tensors;
}

/// Every shard that the index names, in the order of their names.
llrt::Error openShards(Checkpoint &checkpoint, const WeightFormat &format,
                       const std::string &folder) {
  const std::string &path = checkpoint.weightsPath;
  auto file = openSource(checkpoint, path, format.index);
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
    llrt::Result<Tensors> opened =
        openTensors(checkpoint, format, folder, shard);
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

} // namespace

bool hasHuggingFaceWeights(const std::string &folder) {
  for (const WeightFormat &format : formats)
    if (exists(folder + "/" + format.whole) ||
        exists(folder + "/" + format.index))
      return true;
  return false;
}

llrt::Error openHuggingFaceWeights(Checkpoint &checkpoint,
                                   const std::string &folder) {
  const WeightFormat *chosen = nullptr;
  for (const WeightFormat &format : formats) {
    std::string whole = folder + "/" + format.whole;
    std::string index = folder + "/" + format.index;
    bool hasWhole = exists(whole), hasIndex = exists(index);
    if (!hasWhole && !hasIndex)
      continue;
    if (chosen) {
      checkpoint.notes.push_back(checkpoint.weightsPath + ": is read; " +
                                 (hasWhole ? whole : index) +
                                 " beside it is not");
      continue;
    }
    chosen = &format;
    // As transformers does, it takes the one file where there are both.
    checkpoint.weightsPath = hasWhole ? whole : index;
    if (hasWhole && hasIndex)
      checkpoint.warnings.push_back(whole + ": is read; " + index +
                                    " beside it is not");
  }
  if (!chosen)
    return llrt::Error(folder +
                       "/model.safetensors: there is no such file, and no "
                       "model.safetensors.index.json, pytorch_model.bin or "
                       "pytorch_model.bin.index.json; --no-weights compiles "
                       "without");
  if (checkpoint.weightsPath == folder + "/" + chosen->whole) {
    llrt::Result<Tensors> tensors =
        openTensors(checkpoint, *chosen, folder, chosen->whole);
    if (!tensors)
      return tensors.error();
    checkpoint.tensors = std::move(*tensors);
  } else if (llrt::Error error = openShards(checkpoint, *chosen, folder)) {
    return error;
  }
  checkpoint.hasWeights = true;
  if (llrt::Error error = checkTensors(checkpoint))
    return llrt::Error(checkpoint.weightsPath + ": " + error.message());
  return llrt::Error::success();
}

} // namespace mlir::llama
