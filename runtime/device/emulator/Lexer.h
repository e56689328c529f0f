// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// PTX text into tokens, each with its line.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_LEXER_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_LEXER_H

#include "runtime/device/emulator/Ptx.h"

namespace llrt::emu {

struct Token {
  enum Kind : uint8_t {
    Word,    ///< identifier, opcode with its modifiers, directive, register
    Integer, ///< value
    Float32, ///< value: bits
    Float64, ///< value: bits
    String,
    Punctuation, ///< one character
    End
  };
  Kind kind = End;
  std::string_view text;
  uint64_t value = 0;
  unsigned line = 0;

  bool is(char c) const { return kind == Punctuation && text[0] == c; }
  bool is(std::string_view word) const { return kind == Word && text == word; }
};

/// Throws PtxError. The last token is End.
std::vector<Token> tokenize(std::string_view text);

} // namespace llrt::emu

#endif
