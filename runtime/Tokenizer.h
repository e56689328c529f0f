// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Text to ids and back. One interface; each kind of tokenizer is a class of its
// own in runtime/tokenizer.
#ifndef LLAMAC_RUNTIME_TOKENIZER_H
#define LLAMAC_RUNTIME_TOKENIZER_H

#include "runtime/Result.h"
#include "runtime/View.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llrt {

/// One stretch of a prompt: text that is never read as special tokens, or one
/// token by its id.
struct TextPart {
  std::string text;
  int32_t id = -1; ///< not negative: this token, and `text` is not looked at
};

/// Whether the names of special tokens in a raw prompt are these tokens.
enum class SpecialTokens { Parsed, Plain };

class Tokenizer {
public:
  /// `section`: the bytes of section .llamac.tokenizer, which have to outlive
  /// the tokenizer. `bos` is put before every raw prompt exactly once if
  /// `addBos`; an empty one is `bos` alone in either case.
  static Result<std::unique_ptr<Tokenizer>> load(std::string_view section,
                                                 int32_t bos, bool addBos);
  virtual ~Tokenizer();

  /// The ids of a raw prompt. BOS stands in front once: a text that begins with
  /// its name gets no second one. Ill-formed UTF-8 is read with U+FFFD in its
  /// place, here and in encodeParts.
  Result<std::vector<int32_t>>
  encode(std::string_view text,
         SpecialTokens special = SpecialTokens::Parsed) const;

  /// The ids of the parts in order, as Hugging Face's tokenizer of this kind
  /// gives for the joined text in which exactly the id parts are its special
  /// tokens. (Added tokens that are not special are part of the vocabulary, and
  /// found in any text.) No BOS is added.
  Result<std::vector<int32_t>> encodeParts(View<TextPart> parts) const {
    return encodeParts(parts, SpecialTokens::Plain);
  }

  /// The id of a special (added or control) token with exactly this text.
  virtual std::optional<int32_t> findSpecial(std::string_view text) const = 0;

  /// Valid UTF-8. Special tokens are silent, as are ids without a piece.
  virtual std::string decode(View<int32_t> ids) const = 0;
  /// Ids at or past this have no piece.
  virtual uint32_t pieceCount() const = 0;

  /// The bytes of decode(ids), given as `text`, that no later id can change:
  /// all but a character, or a run of byte pieces, that is not at its end yet.
  virtual size_t getSettledLength(View<int32_t> ids,
                                  std::string_view text) const = 0;
  /// True if what follows `id` is decoded the same whatever stands before it:
  /// a plain piece of whole characters.
  virtual bool isText(int32_t id) const = 0;

protected:
  /// encodeParts, with special tokens in the texts parsed or not.
  virtual Result<std::vector<int32_t>>
  encodeParts(View<TextPart> parts, SpecialTokens special) const = 0;

private:
  int32_t bos = -1;
  bool addBos = false;
};

/// The text of a sequence as it grows: decode(prompt + output) less what
/// decode(prompt) already says. Every piece that it gives ends on a character.
class TextStream {
public:
  TextStream(const Tokenizer &tokenizer, std::vector<int32_t> prompt);
  /// The text that `id` settles; "" while a character is incomplete.
  std::string append(int32_t id);
  /// What is left: an incomplete character as U+FFFD.
  std::string finish();
  /// What decode(prompt) says, less the beginning of a character at its end,
  /// which the output may complete.
  const std::string &promptText() const { return prompt; }

private:
  std::string settle(bool all);
  const Tokenizer *tokenizer;
  std::string prompt;
  /// The ids from an anchor on. Pieces before a plain piece do not change what
  /// follows it, so decoding starts there instead of at the beginning.
  std::vector<int32_t> window;
  std::string given; ///< what of decode(window) was given already
};

} // namespace llrt

#endif
