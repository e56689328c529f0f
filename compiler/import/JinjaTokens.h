// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A Jinja template as text and tags, read as Hugging Face's apply_chat_template
// sets Jinja up (trim_blocks, lstrip_blocks). Nothing is run.
#ifndef LLAMAC_COMPILER_IMPORT_JINJATOKENS_H
#define LLAMAC_COMPILER_IMPORT_JINJATOKENS_H

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mlir::llama {

struct JinjaToken {
  bool isString; // its value, escapes read; else a word, number or operator
  std::string text;
};

struct JinjaPiece {
  enum Kind { Data, Output, Statement } kind; // text, {{ }}, {% %}
  std::string text;                           // of Data: what is printed
  std::vector<JinjaToken> tokens;             // of the others; maybe none
};

/// Without comments, and without the white space that the settings or a `-`
/// take away. Nothing where the text ends inside a tag, a comment or a string.
std::optional<std::vector<JinjaPiece>> readJinja(std::string_view text);

} // namespace mlir::llama

#endif
