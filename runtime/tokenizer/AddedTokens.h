// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tokens that are found in a text before it is split into pieces, by the rules
// of Hugging Face's tokenizers.
#ifndef LLAMAC_RUNTIME_TOKENIZER_ADDEDTOKENS_H
#define LLAMAC_RUNTIME_TOKENIZER_ADDEDTOKENS_H

#include "runtime/ExecutableFormat.h"
#include "runtime/Tokenizer.h"

#include <array>
#include <map>

namespace llrt {

struct AddedToken {
  std::string text;
  int32_t id = -1;
  uint32_t flags = 0; ///< LlamacAddedTokenFlags
};

/// A set of texts in which matches are leftmost-longest.
class TokenFinder {
public:
  TokenFinder() = default;
  /// Tokens without a text are not looked for; of two with one text the first
  /// counts.
  explicit TokenFinder(std::vector<AddedToken> tokens);
  bool empty() const { return sorted.empty(); }
  std::optional<int32_t> find(std::string_view text) const;
  /// `text`, valid UTF-8, at the tokens in it. Neither empty texts nor two in a
  /// row.
  std::vector<TextPart> split(std::string_view text,
                              SpecialTokens special) const;

private:
  /// The longest token that starts at `text`; null: none.
  const AddedToken *match(std::string_view text) const;
  std::vector<AddedToken> sorted; ///< by text
  /// Those that begin with byte b: sorted[starts[b]] to sorted[starts[b + 1]].
  std::array<size_t, 257> starts{};
};

/// A stretch of text without tokens, or a token.
struct Segment {
  std::string text;
  int32_t id = -1;
  /// The normalizer, which put the prefix, has seen it.
  bool normalized = false;
};

class AddedTokens {
public:
  AddedTokens() = default;
  /// `normalizes`: spaces are U+2581, and with `prefix` one stands in front,
  /// before tokens with LLAMAC_ADDED_NORMALIZED are looked for.
  AddedTokens(const std::vector<AddedToken> &tokens, bool normalizes,
              bool prefix);

  std::optional<int32_t> find(std::string_view text) const;
  /// Cuts a prompt at the tokens that are given and at those that are found in
  /// its texts. No empty texts, nor two in a row. Ill-formed UTF-8 becomes
  /// U+FFFD.
  std::vector<Segment> cut(View<TextPart> parts, SpecialTokens special) const;

private:
  /// Appends the texts and `normalized` tokens between two others.
  void cutStretch(View<TextPart> parts, SpecialTokens special,
                  std::vector<Segment> &segments) const;
  uint32_t flagsOf(int32_t id) const;
  TokenFinder plain, normalized;
  std::map<int32_t, uint32_t> flags; ///< by id
  bool normalizes = false, prefix = false;
};

} // namespace llrt

#endif
