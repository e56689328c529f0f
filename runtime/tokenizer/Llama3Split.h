// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How Llama 3 cuts a text into words before it merges bytes.
//
// This is the regular expression of its tokenizer.json and of Meta's
// tokenizer.py, matched by hand: it needs no backtracking, and what a matcher
// of any expression would do with one from a checkpoint has no bound.
#ifndef LLAMAC_RUNTIME_TOKENIZER_LLAMA3SPLIT_H
#define LLAMAC_RUNTIME_TOKENIZER_LLAMA3SPLIT_H

#include <cstddef>
#include <string_view>

namespace llrt {

inline constexpr std::string_view llama3SplitPattern =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
    " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/// The bytes of the first match in `text`, which is valid UTF-8 and not empty.
/// Matches lie side by side: every character belongs to one.
size_t getLlama3SplitLength(std::string_view text);

} // namespace llrt

#endif
