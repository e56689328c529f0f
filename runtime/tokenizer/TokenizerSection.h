// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Section .llamac.tokenizer, checked once, read in place.
#ifndef LLAMAC_RUNTIME_TOKENIZER_TOKENIZERSECTION_H
#define LLAMAC_RUNTIME_TOKENIZER_TOKENIZERSECTION_H

#include "runtime/ExecutableFormat.h"
#include "runtime/Result.h"
#include "runtime/View.h"

#include <string_view>

namespace llrt {

/// Views into the section, which has to outlive it.
struct TokenizerSection {
  const LlamacTokenizerHeader *header = nullptr;
  View<LlamacPiece> pieces; ///< by id
  View<LlamacMerge> merges; ///< by rising rank
  View<LlamacAddedToken> added;
  std::string_view strings;
  std::string_view sentencePiece; ///< of that kind

  /// True if `bytes` begin as a header does, not as a tokenizer.model.
  static bool isHeader(std::string_view bytes);
  /// Every offset, id and enumerator is in its range afterwards. `bytes` are
  /// aligned to 8, as sections are.
  static Result<TokenizerSection> open(std::string_view bytes);

  std::string_view text(const LlamacPiece &piece) const {
    return strings.substr(piece.text_offset, piece.text_bytes);
  }
  std::string_view text(const LlamacAddedToken &token) const {
    return strings.substr(token.text_offset, token.text_bytes);
  }
};

} // namespace llrt

#endif
