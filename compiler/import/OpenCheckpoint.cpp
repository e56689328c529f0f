// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which format a model is in. Where a folder holds several, Hugging Face's
// wins, and says in which of its own the weights are.
#include "compiler/import/Gguf.h"
#include "compiler/import/SourceFiles.h"

#include <dirent.h>
#include <sys/stat.h>

namespace mlir::llama {
namespace {

bool isGgufName(const std::string &path) {
  const std::string end = ".gguf";
  return path.size() > end.size() &&
         path.compare(path.size() - end.size(), end.size(), end) == 0;
}

bool isFolder(const std::string &path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

/// The name of a .gguf file in the folder, the first in order; "" if none.
std::string findGguf(const std::string &folder) {
  std::string first;
  DIR *entries = ::opendir(folder.c_str());
  if (!entries)
    return first;
  while (dirent *entry = ::readdir(entries)) {
    std::string name = entry->d_name;
    if (isGgufName(name) && (first.empty() || name < first))
      first = name;
  }
  ::closedir(entries);
  return first;
}

llrt::Error refuseRopeFactor(const std::string &path) {
  return llrt::Error(path + ": --rope-factor is for Meta's params.json with "
                            "\"use_scaled_rope\"; this model says its own "
                            "scaling");
}

} // namespace

llrt::Result<Checkpoint> openCheckpoint(const std::string &path,
                                        const OpenOptions &options) {
  if (!isFolder(path)) {
    if (options.ropeFactor)
      return refuseRopeFactor(path);
    return isGgufName(path) ? openGguf(path, options)
                            : openHuggingFace(path, options.needWeights);
  }
  bool hasMeta = exists(path + "/params.json");
  bool hasConfig = exists(path + "/config.json");
  std::string shard = path + "/consolidated.00.pth";
  if (hasMeta &&
      (!hasConfig || (!hasHuggingFaceWeights(path) && exists(shard))))
    return openMeta(path, options);
  if (!hasMeta && !hasConfig)
    if (std::string gguf = findGguf(path); !gguf.empty())
      return llrt::Error(path + ": holds GGUF files; name one of them, as in " +
                         path + "/" + gguf);
  if (options.ropeFactor)
    return refuseRopeFactor(path);
  llrt::Result<Checkpoint> checkpoint =
      openHuggingFace(path, options.needWeights);
  if (checkpoint && hasMeta && exists(shard) && options.needWeights)
    checkpoint->notes.push_back(checkpoint->weightsPath + ": is read; " +
                                shard + " beside it is not");
  return checkpoint;
}

} // namespace mlir::llama
