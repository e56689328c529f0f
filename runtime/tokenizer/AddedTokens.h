// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tokens that are found in a text before it is split into pieces.
#ifndef LLAMAC_RUNTIME_TOKENIZER_ADDEDTOKENS_H
#define LLAMAC_RUNTIME_TOKENIZER_ADDEDTOKENS_H

#include "runtime/Tokenizer.h"

#include <array>

namespace llrt {

struct AddedToken {
  std::string text;
  int32_t id = -1;
};

/// Finds leftmost-longest matches, as Hugging Face's tokenizers does.
class AddedTokens {
public:
  AddedTokens() = default;
  /// Tokens without a text are not looked for; of two with one text the first
  /// counts.
  explicit AddedTokens(std::vector<AddedToken> tokens);

  std::optional<int32_t> find(std::string_view text) const;
  /// `text` at the tokens in it. Neither empty texts nor two in a row.
  std::vector<TextPart> split(std::string_view text) const;

private:
  /// The longest token that starts at `text`; null: none.
  const AddedToken *match(std::string_view text) const;
  std::vector<AddedToken> sorted; ///< by text
  /// Those that begin with byte b: sorted[starts[b]] to sorted[starts[b + 1]].
  std::array<size_t, 257> starts{};
};

} // namespace llrt

#endif
