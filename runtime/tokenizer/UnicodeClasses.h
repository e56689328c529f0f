// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What regular expressions ask of a character, by Unicode 16.0: the version of
// Hugging Face tokenizers and of tiktoken. (Debian's PCRE2 has 14.0, which
// knows ten thousand letters fewer, and takes U+180E for a space.)
#ifndef LLAMAC_RUNTIME_TOKENIZER_UNICODECLASSES_H
#define LLAMAC_RUNTIME_TOKENIZER_UNICODECLASSES_H

#include <cstdint>

namespace llrt {

bool isLetter(uint32_t codePoint);   ///< \p{L}
bool isNumber(uint32_t codePoint);   ///< \p{N}
bool isSpace(uint32_t codePoint);    ///< \s, White_Space
bool isWordPart(uint32_t codePoint); ///< \w

} // namespace llrt

#endif
