// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which format a model is in. Where a folder holds several, Hugging Face's
// wins, and says in which of its own the weights are.
#include "compiler/import/SourceFiles.h"

namespace mlir::llama {
llrt::Result<Checkpoint> openCheckpoint(const std::string &path,
                                        const OpenOptions &options) {
  std::string params = path + "/params.json";
  std::string shard = path + "/consolidated.00.pth";
  bool hasMeta = exists(params);
  bool hasConfig = exists(path + "/config.json");
  if (hasMeta &&
      (!hasConfig || (!hasHuggingFaceWeights(path) && exists(shard))))
    return openMeta(path, options);
  if (options.ropeFactor)
    return llrt::Error(path +
                       ": --rope-factor is for Meta's params.json with "
                       "\"use_scaled_rope\"; this model says its own scaling");
  llrt::Result<Checkpoint> checkpoint =
      openHuggingFace(path, options.needWeights);
  if (checkpoint && hasMeta && exists(shard) && options.needWeights)
    checkpoint->notes.push_back(checkpoint->weightsPath + ": is read; " +
                                shard + " beside it is not");
  return checkpoint;
}

} // namespace mlir::llama
