// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// model.safetensors.index.json: {"metadata": {...}, "weight_map": {tensor:
// shard}}. Every tensor is in the shard that the index names and in no other,
// and no shard has one that the index lacks: an index that is older than its
// shards would mix two models.
#include "compiler/import/ShardIndex.h"
#include "compiler/import/Json.h"

#include <set>
#include <vector>

namespace mlir::llama {
namespace {

/// Parts between slashes: each a name, none of them a step elsewhere.
bool staysInside(const std::string &path) {
  size_t begin = 0;
  while (begin <= path.size()) {
    size_t end = std::min(path.find('/', begin), path.size());
    std::string part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == ".." ||
        part.find('\0') != std::string::npos)
      return false;
    begin = end + 1;
  }
  return true;
}

} // namespace

llrt::Result<ShardIndex> parseShardIndex(std::string_view text,
                                         const std::string &name) {
  llrt::Result<Json> object = parseJsonObject(text, name, /*maxDepth=*/8);
  if (!object)
    return object.error();
  for (auto &[key, value] : object->items())
    if (key != "metadata" && key != "weight_map")
      return llrt::Error(name + ": the key \"" + key +
                         "\" is not known to llamac; an index has "
                         "\"metadata\" and \"weight_map\"");
  auto map = object->find("weight_map");
  if (map == object->end() || !map->is_object() || map->empty())
    return llrt::Error(
        name + ": \"weight_map\" is " +
        (map == object->end() ? "missing" : describeJson(*map)) +
        ", expected an object that says the shard of every tensor");
  ShardIndex index;
  for (auto &[tensor, shard] : map->items()) {
    if (!shard.is_string() || !staysInside(shard.get<std::string>()))
      return llrt::Error(name + ": the shard of tensor \"" + tensor + "\" is " +
                         describeJson(shard) +
                         ", expected the name of a file inside the folder");
    index.emplace(tensor, shard.get<std::string>());
  }
  return index;
}

llrt::Error checkShards(const ShardIndex &index, const std::string &name,
                        const std::map<std::string, Tensors> &shards) {
  auto quoted = [](const std::string &text) { return "\"" + text + "\""; };
  const char *again = "; fetch the folder again";
  std::map<std::string, std::string> found;
  for (auto &[shard, tensors] : shards)
    for (auto &[tensor, unused] : tensors) {
      auto [at, isNew] = found.emplace(tensor, shard);
      if (!isNew)
        return llrt::Error(name + ": tensor " + quoted(tensor) +
                           " is in two shards, " + at->second + " and " +
                           shard + again);
    }
  for (auto &[tensor, shard] : index) {
    auto at = found.find(tensor);
    if (at == found.end())
      return llrt::Error(name + ": is stale: it names tensor " +
                         quoted(tensor) + " in " + shard +
                         ", which has no such tensor" + again);
    if (at->second != shard)
      return llrt::Error(name + ": is stale: it names tensor " +
                         quoted(tensor) + " in " + shard + ", but that is in " +
                         at->second + again);
  }
  for (auto &[tensor, shard] : found)
    if (!index.count(tensor))
      return llrt::Error(name + ": is stale: " + shard + " has tensor " +
                         quoted(tensor) + ", which the index does not name" +
                         again);
  return llrt::Error::success();
}

} // namespace mlir::llama
