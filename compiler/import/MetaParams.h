// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Meta's params.json: the arguments of its llama/model.py.
#ifndef LLAMAC_COMPILER_IMPORT_METAPARAMS_H
#define LLAMAC_COMPILER_IMPORT_METAPARAMS_H

#include "compiler/import/Checkpoint.h"

namespace mlir::llama {

/// params.json, with the defaults of Meta's code.
struct MetaParams {
  int64_t dim = 0, layers = 0, heads = 0;
  int64_t kvHeads = 0;
  int64_t multipleOf = 256;
  std::optional<double> ffnMultiplier;
  double normEps = 1e-5;
  double ropeTheta = 10000;
  std::optional<int64_t> vocabSize; // none: -1, the embedding says it
  std::optional<int64_t> maxSeqLen;
  bool useScaledRope = false;
  std::optional<double> ropeFactor;

  /// The width of the feed-forward layer, as Meta's FeedForward rounds it.
  int64_t getFfnSize() const;
};

/// `name` opens messages.
llrt::Result<MetaParams> parseMetaParams(std::string_view text,
                                         const std::string &name);

/// The model that the parameters and the weights describe. `ropeFactor` is
/// --rope-factor. A trained length that nothing says is taken from the family
/// and said in a warning.
llrt::Result<Config> makeMetaConfig(const MetaParams &params, int64_t vocabSize,
                                    bool tiedEmbeddings,
                                    std::optional<double> ropeFactor,
                                    const std::string &name,
                                    std::vector<std::string> &warnings);

} // namespace mlir::llama

#endif
