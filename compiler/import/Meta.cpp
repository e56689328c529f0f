// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Meta's folder as a Checkpoint:
//
//   params.json            the arguments of its llama/model.py
//   consolidated.NN.pth    NN = 00, 01, ...: the part of each of the processes
//                          that ran it, as torch.save wrote them
//   tokenizer.model
//
// Each process has some rows of wq, wk, wv, w1, w3 and output, some columns of
// wo and w2, and all of the norms (fairscale's ColumnParallelLinear and
// RowParallelLinear, which name the transposed matrices). The embedding is cut
// by columns in Llama 1 and 2 and by rows in Llama 3.
#include "compiler/import/MetaParams.h"
#include "compiler/import/RowSources.h"
#include "compiler/import/SourceFiles.h"
#include "compiler/import/TensorNames.h"
#include "compiler/import/TensorValues.h"
#include "compiler/import/TorchFile.h"

#include <set>

namespace mlir::llama {
namespace {

using Tensors = std::map<std::string, Tensor>;

std::string getShardName(size_t index) {
  std::string number = std::to_string(index);
  return "consolidated." + std::string(number.size() < 2, '0') + number +
         ".pth";
}

class MetaFolder {
public:
  MetaFolder(const std::string &folder, const OpenOptions &options)
      : folder(folder), paramsPath(folder + "/params.json"), options(options) {}

  llrt::Result<Checkpoint> open();

private:
  llrt::Error openShards();
  llrt::Error readShapes();
  llrt::Error joinTensors();
  llrt::Result<Tensor> join(const NamedTensor &named,
                            const std::vector<int64_t> &shape) const;
  llrt::Error checkRest(const std::set<std::string> &used);
  llrt::Error fail(const std::string &text) const {
    return llrt::Error(folder + "/" + getShardName(0) + ": " + text);
  }
  static std::string quote(const std::string &text) {
    return "\"" + text + "\"";
  }

  std::string folder, paramsPath;
  const OpenOptions &options;
  Checkpoint checkpoint;
  MetaParams params;
  std::vector<Tensors> shards;
  int64_t vocabSize = 0;
  bool embeddingByRows = false;
};

llrt::Error MetaFolder::openShards() {
  while (exists(folder + "/" + getShardName(shards.size()))) {
    std::string name = getShardName(shards.size()), path = folder + "/" + name;
    auto file = openSource(checkpoint, path, name);
    if (!file)
      return file.error();
    auto tensors = parseTorchFile((*file)->data(), (*file)->size(), path);
    if (!tensors)
      return tensors.error();
    for (auto &[unused, tensor] : *tensors)
      tensor.isMapped = true;
    shards.push_back(std::move(*tensors));
  }
  if (shards.empty() && options.needWeights)
    return fail("there is no such file; Meta's folder has one consolidated "
                "file for each process");
  return llrt::Error::success();
}

/// What the config needs of the weights: the vocabulary and whether the head is
/// the embedding.
llrt::Error MetaFolder::readShapes() {
  if (shards.empty()) {
    if (!params.vocabSize)
      return llrt::Error(paramsPath +
                         ": \"vocab_size\" is -1, and there is no " +
                         getShardName(0) + " whose embedding would say it");
    vocabSize = *params.vocabSize;
    return llrt::Error::success();
  }
  const char *name = "tok_embeddings.weight";
  auto found = shards[0].find(name);
  if (found == shards[0].end() || found->second.shape.size() != 2)
    return fail(std::string("has no matrix \"") + name + "\"");
  const std::vector<int64_t> &shape = found->second.shape;
  int64_t count = int64_t(shards.size());
  embeddingByRows = shape[1] == params.dim;
  if (!embeddingByRows &&
      (shape[1] > params.dim || shape[1] * count != params.dim))
    return fail(std::string("tensor \"") + name + "\" has shape " +
                describeShape(shape) + " in each of " + std::to_string(count) +
                " files, which joins neither by rows nor by columns to the " +
                std::to_string(params.dim) +
                " columns that params.json asks for; is a file missing?");
  int64_t rows = shape[0];
  if (rows > 1 << 22 || (embeddingByRows && rows * count > 1 << 22))
    return fail(std::string("tensor \"") + name + "\" has " +
                std::to_string(rows) + " rows, more than any vocabulary");
  vocabSize = embeddingByRows ? rows * count : rows;
  if (params.vocabSize && *params.vocabSize != vocabSize)
    return llrt::Error(paramsPath + ": \"vocab_size\" is " +
                       std::to_string(*params.vocabSize) +
                       ", but the embedding of " + std::to_string(count) +
                       (count == 1 ? " file" : " files") + " has " +
                       std::to_string(vocabSize) + " rows; is a file missing?");
  return llrt::Error::success();
}

/// One tensor of the model, of `shape`, from all shards.
llrt::Result<Tensor> MetaFolder::join(const NamedTensor &named,
                                      const std::vector<int64_t> &shape) const {
  int64_t count = int64_t(shards.size());
  ShardJoin how = named.naming->join;
  if (how == ShardJoin::Embedding)
    how = embeddingByRows ? ShardJoin::Rows : ShardJoin::Columns;
  std::vector<int64_t> part = shape;
  int64_t &cut = how == ShardJoin::Rows ? part.front() : part.back();
  if (how != ShardJoin::Equal) {
    if (cut % count != 0)
      return fail("tensor " + quote(named.meta) + " of shape " +
                  describeShape(shape) + " cannot lie in " +
                  std::to_string(count) + " equal files");
    cut /= count;
  }
  std::vector<Tensor> parts;
  for (size_t i = 0; i < shards.size(); ++i) {
    std::string where =
        folder + "/" + getShardName(i) + ": tensor " + quote(named.meta);
    auto found = shards[i].find(named.meta);
    if (found == shards[i].end())
      return llrt::Error(where + " of shape " + describeShape(part) +
                         " is missing");
    const Tensor &tensor = found->second;
    if (tensor.shape != part)
      return llrt::Error(where + " has shape " + describeShape(tensor.shape) +
                         ", but params.json and " + std::to_string(count) +
                         (count == 1 ? " file" : " files") + " ask for " +
                         describeShape(part));
    if (i != 0 && tensor.dtype != parts[0].dtype)
      return llrt::Error(where + " is stored as " + getName(tensor.dtype) +
                         ", but in " + getShardName(0) + " as " +
                         getName(parts[0].dtype));
    if (i != 0 && how == ShardJoin::Equal && !haveEqualValues(tensor, parts[0]))
      return llrt::Error(where + " differs from that in " + getShardName(0) +
                         ", and both should be the whole of it");
    parts.push_back(tensor);
  }
  Tensor joined = how == ShardJoin::Equal  ? parts[0]
                  : how == ShardJoin::Rows ? joinRows(std::move(parts))
                                           : joinColumns(std::move(parts));
  return named.naming->isPaired
             ? separatePairs(std::move(joined), checkpoint.config.headDim)
             : joined;
}

/// What is no part of the model: rope's frequencies, which Meta's code makes
/// anew and never reads.
llrt::Error MetaFolder::checkRest(const std::set<std::string> &used) {
  for (size_t i = 0; i < shards.size(); ++i)
    for (auto &[name, tensor] : shards[i]) {
      const std::string rope = "rope.freqs";
      bool isRope =
          name.size() >= rope.size() &&
          name.compare(name.size() - rope.size(), rope.size(), rope) == 0;
      if (!used.count(name) && !isRope)
        return llrt::Error(folder + "/" + getShardName(i) + ": tensor " +
                           quote(name) + " of shape " +
                           describeShape(tensor.shape) +
                           " is not part of the model that params.json "
                           "describes");
    }
  return llrt::Error::success();
}

llrt::Error MetaFolder::joinTensors() {
  std::set<std::string> used;
  Config whole = checkpoint.config;
  // The head is looked at even where it turns out to be the embedding.
  whole.tiedEmbeddings = !shards[0].count("output.weight");
  for (const ExpectedTensor &expected : getExpectedTensors(whole)) {
    std::optional<NamedTensor> named = nameTensor(expected.name);
    if (!named)
      return fail("Meta's format has no name for \"" + expected.name + "\"");
    llrt::Result<Tensor> joined = join(*named, expected.shape);
    if (!joined)
      return joined.error();
    checkpoint.tensors.emplace(expected.name, std::move(*joined));
    used.insert(named->meta);
  }
  if (llrt::Error error = checkRest(used))
    return error;
  auto head = checkpoint.tensors.find("lm_head.weight");
  const Tensor &embedding = checkpoint.tensors.at("model.embed_tokens.weight");
  checkpoint.config.tiedEmbeddings = head == checkpoint.tensors.end() ||
                                     haveEqualValues(head->second, embedding);
  if (checkpoint.config.tiedEmbeddings)
    checkpoint.tensors.erase("lm_head.weight");
  checkpoint.config.dtype = embedding.dtype;
  checkpoint.hasWeights = true;
  return llrt::Error::success();
}

llrt::Result<Checkpoint> MetaFolder::open() {
  checkpoint.path = folder;
  checkpoint.name = getLastName(folder);
  checkpoint.weightsPath = folder + "/" + getShardName(0);
  auto file = openSource(checkpoint, paramsPath, "params.json");
  if (!file)
    return file.error();
  auto parsed = parseMetaParams((*file)->text(), paramsPath);
  if (!parsed)
    return parsed.error();
  params = *parsed;
  size_t sources = checkpoint.sources.size();
  if (llrt::Error error = openShards())
    return error;
  if (llrt::Error error = readShapes())
    return error;
  auto config =
      makeMetaConfig(params, vocabSize, /*tiedEmbeddings=*/false,
                     options.ropeFactor, paramsPath, checkpoint.warnings);
  if (!config)
    return config.error();
  checkpoint.config = *config;
  if (!shards.empty()) {
    if (llrt::Error error = joinTensors())
      return error;
    if (llrt::Error error = checkTensors(checkpoint))
      return llrt::Error(checkpoint.weightsPath + ": " + error.message());
  }
  if (!options.needWeights) {
    // They have said what the config needs of them.
    checkpoint.tensors.clear();
    checkpoint.hasWeights = false;
    checkpoint.sources.resize(sources);
    checkpoint.files.resize(sources);
  }
  if (llrt::Error error = openTokenizer(checkpoint, folder))
    return error;
  if (checkpoint.tokenizer) {
    checkpoint.config.bosId = checkpoint.tokenizer->bosId;
    checkpoint.config.eosIds = checkpoint.tokenizer->eosIds;
  }
  return std::move(checkpoint);
}

} // namespace

llrt::Result<Checkpoint> openMeta(const std::string &folder,
                                  const OpenOptions &options) {
  return MetaFolder(folder, options).open();
}

} // namespace mlir::llama
