// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// PTX text into tokens.
#include "runtime/device/emulator/Lexer.h"

#include <cctype>
#include <cstdlib>
#include <cstring>

using namespace llrt::emu;

namespace {

bool isWordStart(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || c == '$' ||
         c == '%' || c == '.';
}

bool isWordPart(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' ||
         c == '%' || c == '.';
}

class Lexer {
public:
  explicit Lexer(std::string_view text) : text(text) {}

  std::vector<Token> run() {
    std::vector<Token> tokens;
    tokens.reserve(text.size() / 4 + 1);
    while (skipBlanks())
      tokens.push_back(next());
    tokens.push_back(make(Token::End, at));
    return tokens;
  }

private:
  std::string_view text;
  size_t at = 0;
  unsigned line = 1;

  char peek(size_t ahead = 0) const {
    return at + ahead < text.size() ? text[at + ahead] : '\0';
  }

  [[noreturn]] void fail(const std::string &message) const {
    throw PtxError{line, message};
  }

  Token make(Token::Kind kind, size_t begin, uint64_t value = 0) const {
    Token token;
    token.kind = kind;
    token.text = text.substr(begin, at - begin);
    token.value = value;
    token.line = line;
    return token;
  }

  /// False at the end of the text.
  bool skipBlanks() {
    while (at < text.size()) {
      char c = text[at];
      if (c == '\n') {
        ++line;
        ++at;
      } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
        ++at;
      } else if (c == '/' && peek(1) == '/') {
        while (at < text.size() && text[at] != '\n')
          ++at;
      } else if (c == '/' && peek(1) == '*') {
        size_t end = text.find("*/", at + 2);
        if (end == std::string_view::npos)
          fail("the comment that starts here never ends");
        for (size_t i = at; i < end; ++i)
          line += text[i] == '\n';
        at = end + 2;
      } else if (c == '\0') {
        // A NUL ends the text: images may be passed with their terminator.
        for (size_t i = at; i < text.size(); ++i)
          if (text[i] != '\0')
            fail("a NUL byte inside the text");
        return false;
      } else {
        return true;
      }
    }
    return false;
  }

  Token next() {
    char c = text[at];
    size_t begin = at;
    if (std::isdigit(static_cast<unsigned char>(c)) ||
        (c == '.' && std::isdigit(static_cast<unsigned char>(peek(1)))))
      return number();
    if (isWordStart(c)) {
      ++at;
      while (at < text.size() &&
             (isWordPart(text[at]) || (text[at] == ':' && peek(1) == ':'))) {
        // ".reg.b16" is two directives, "ld.global" one opcode.
        if (c == '.' && text[at] == '.')
          break;
        // "shared::cluster" is one word, "label:" is a word and a colon.
        at += text[at] == ':' ? 2 : 1;
      }
      return make(Token::Word, begin);
    }
    if (c == '"') {
      ++at;
      while (peek() != '"') {
        if (at >= text.size() || text[at] == '\n')
          fail("the string that starts here never ends");
        at += peek() == '\\' && at + 1 < text.size() ? 2 : 1;
      }
      ++at;
      return make(Token::String, begin);
    }
    if (std::strchr("{}[]()<>,;:@!+-*/|=~&^?", c)) {
      ++at;
      return make(Token::Punctuation, begin);
    }
    if (std::isprint(static_cast<unsigned char>(c)))
      fail(std::string("the character '") + c + "' has no place in PTX");
    fail("the byte " + std::to_string(static_cast<unsigned char>(c)) +
         " has no place in PTX");
  }

  uint64_t hexDigits(unsigned count) {
    uint64_t value = 0;
    for (unsigned i = 0; i < count; ++i) {
      if (!std::isxdigit(static_cast<unsigned char>(peek())))
        fail("a float constant of " + std::to_string(count) +
             " hexadecimal digits is cut short");
      char digit = static_cast<char>(std::tolower(text[at++]));
      value = value << 4 | static_cast<uint64_t>(
                               digit <= '9' ? digit - '0' : digit - 'a' + 10);
    }
    return value;
  }

  Token number() {
    size_t begin = at;
    if (peek() == '0' && (peek(1) == 'f' || peek(1) == 'F')) {
      at += 2;
      uint64_t bits = hexDigits(8);
      return make(Token::Float32, begin, bits);
    }
    if (peek() == '0' && (peek(1) == 'd' || peek(1) == 'D')) {
      at += 2;
      uint64_t bits = hexDigits(16);
      return make(Token::Float64, begin, bits);
    }
    unsigned base = 10;
    if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X'))
      base = 16, at += 2;
    else if (peek() == '0' && (peek(1) == 'b' || peek(1) == 'B'))
      base = 2, at += 2;
    size_t digits = at;
    while (base == 16 ? std::isxdigit(static_cast<unsigned char>(peek()))
                      : std::isdigit(static_cast<unsigned char>(peek())))
      ++at;
    bool decimalPoint =
        base == 10 && (peek() == '.' || ((peek() == 'e' || peek() == 'E')));
    if (decimalPoint) {
      if (peek() == '.')
        ++at;
      while (std::isdigit(static_cast<unsigned char>(peek())))
        ++at;
      if (peek() == 'e' || peek() == 'E') {
        ++at;
        if (peek() == '+' || peek() == '-')
          ++at;
        while (std::isdigit(static_cast<unsigned char>(peek())))
          ++at;
      }
      double value = std::strtod(
          std::string(text.substr(begin, at - begin)).c_str(), nullptr);
      uint64_t bits;
      std::memcpy(&bits, &value, 8);
      return make(Token::Float64, begin, bits);
    }
    if (at == digits)
      fail("a number without digits");
    if (base == 10 && at - digits > 1 && text[digits] == '0')
      base = 8;
    uint64_t value = 0;
    for (size_t i = digits; i < at; ++i) {
      char c = static_cast<char>(std::tolower(text[i]));
      unsigned digit = static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
      if (digit >= base)
        fail("a digit that its base does not have in '" +
             std::string(text.substr(begin, at - begin)) + "'");
      if (value > (~uint64_t(0) - digit) / base)
        fail("the number '" + std::string(text.substr(begin, at - begin)) +
             "' does not fit 64 bits");
      value = value * base + digit;
    }
    if (peek() == 'U' || peek() == 'u')
      ++at;
    return make(Token::Integer, begin, value);
  }
};

} // namespace

std::vector<Token> llrt::emu::tokenize(std::string_view text) {
  return Lexer(text).run();
}
