// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A BPE tokenizer, whatever file it came from, and its form in the executable.
//
// For whoever reads a vocabulary (tokenizer.json, a tiktoken file, GGUF):
//
//   BpeModel model;
//   model.kind = ...; model.split = ...;          // how a text is cut
//   model.pieces = ...;                           // by id, see BpePiece
//   error = addMergesOfPairs(model, pairs, name); // or addMergesOfScores
//   model.added = ...;                            // control and added tokens
//   Result<Tokenizer> tokenizer = buildTokenizer(model, name);
#ifndef LLAMAC_COMPILER_IMPORT_BPEMODEL_H
#define LLAMAC_COMPILER_IMPORT_BPEMODEL_H

#include "compiler/import/Checkpoint.h"
#include "runtime/ExecutableFormat.h"

#include <utility>

namespace mlir::llama {

/// `text` is what the piece says when it is decoded: of a byte-level vocabulary
/// its bytes (getByteLevelBytes makes them), of a byte-fallback one UTF-8 with
/// a space for U+2581, of LLAMAC_PIECE_BYTE the one byte.
struct BpePiece {
  std::string text;
  uint16_t kind = LLAMAC_PIECE_NONE; // LlamacPieceKind; NONE: a gap
};

struct BpeAddedToken {
  std::string text; // as it stands in a prompt
  uint32_t id = 0;
  uint32_t flags = 0; // LlamacAddedTokenFlags
};

/// The members mean what they mean in LlamacTokenizerHeader.
struct BpeModel {
  LlamacTokenizerKind kind = LLAMAC_TOKENIZER_BYTE_LEVEL;
  LlamacTokenizerSplit split = LLAMAC_SPLIT_NONE;
  LlamacTokenizerPrefix prefix = LLAMAC_PREFIX_NONE;
  uint32_t flags = 0; // LlamacTokenizerFlags
  int32_t unknownId = -1;
  std::vector<BpePiece> pieces;
  std::vector<LlamacMerge> merges;
  std::vector<BpeAddedToken> added;
  /// Of LLAMAC_TOKENIZER_SENTENCEPIECE: the bytes of its tokenizer.model.
  std::string_view sentencePiece;
  bool addBos = false;
  std::optional<int64_t> bosId;
};

/// The bytes that a text of a byte-level vocabulary stands for ("\u0120a" is
/// " a"); nothing if a character of it stands for no byte.
std::optional<std::string> getByteLevelBytes(std::string_view text);

/// Merges by their order, first ones first; the texts are those of pieces as
/// `ids` has them. One whose parts or whole are no pieces is refused. `name`
/// opens every message.
llrt::Error addMergesOfPairs(
    BpeModel &model,
    const std::vector<std::pair<std::string_view, std::string_view>> &pairs,
    const std::vector<std::pair<std::string_view, uint32_t>> &ids,
    const std::string &name);

/// All merges of two pieces of kind TEXT into a third; those that make piece i
/// have rank ranks[i]. So tiktoken merges (rank: the id) and sentencepiece
/// (rank: the place of the score, highest first; equal scores share one).
void addMergesOfRanks(BpeModel &model, const std::vector<uint32_t> &ranks);

/// ranks for addMergesOfRanks from scores.
std::vector<uint32_t> rankScores(const std::vector<float> &scores);

/// The tokenizer with its section of the executable.
llrt::Result<Tokenizer> buildTokenizer(const BpeModel &model,
                                       const std::string &name);

} // namespace mlir::llama

#endif
