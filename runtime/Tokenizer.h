// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Text to ids and back, by the sentencepiece library.
#ifndef LLAMAC_RUNTIME_TOKENIZER_H
#define LLAMAC_RUNTIME_TOKENIZER_H

#include "runtime/Result.h"
#include "runtime/View.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace llrt {

class Tokenizer {
public:
  /// `model`: the bytes of a tokenizer.model. `bos` is put before every text
  /// exactly once if `addBos`; an empty text is `bos` alone in either case.
  static Result<std::unique_ptr<Tokenizer>> load(std::string_view model,
                                                 int32_t bos, bool addBos);
  ~Tokenizer();

  /// Ill-formed UTF-8 is read with U+FFFD in its place.
  Result<std::vector<int32_t>> encode(std::string_view text) const;
  /// Valid UTF-8. Control pieces are silent, as are ids without a piece.
  std::string decode(View<int32_t> ids) const;
  uint32_t pieceCount() const;

  /// True if `id` is one byte of a character that other ids may continue.
  bool isByte(int32_t id) const;
  /// True if `id` is a plain piece: neither control nor byte nor missing.
  bool isText(int32_t id) const;

private:
  Tokenizer();
  std::unique_ptr<sentencepiece::SentencePieceProcessor> processor;
  int32_t bos = -1;
  bool addBos = false;
};

/// The bytes of `text` that no later id can change: all, less the U+FFFD that a
/// character in progress ends with. `ids` are what `text` was decoded from.
size_t stableLength(const Tokenizer &tokenizer, View<int32_t> ids,
                    std::string_view text);

/// The text of a sequence as it grows: decode(prompt + output) less what
/// decode(prompt) already says. Every piece that it gives ends on a character.
class TextStream {
public:
  TextStream(const Tokenizer &tokenizer, std::vector<int32_t> prompt);
  /// The text that `id` settles; "" while a character is incomplete.
  std::string append(int32_t id);
  /// What is left: an incomplete character as U+FFFD.
  std::string finish();
  /// What decode(prompt) says, less a character that the output may complete.
  const std::string &promptText() const { return prompt; }

private:
  std::string settle(bool all);
  const Tokenizer *tokenizer;
  std::string prompt;
  /// The ids from an anchor on. Pieces before a plain piece do not change what
  /// follows it, so decoding starts there instead of at the beginning.
  std::vector<int32_t> window;
  size_t given = 0; ///< bytes of decode(window) that were given already
};

} // namespace llrt

#endif
