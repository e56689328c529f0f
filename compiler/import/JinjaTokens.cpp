// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The lexer of Jinja 3, as far as templates need it.
#include "compiler/import/JinjaTokens.h"

#include <cctype>

namespace mlir::llama {
namespace {

bool isSpace(char c) { return std::isspace(static_cast<unsigned char>(c)); }
bool isWord(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

class Lexer {
public:
  explicit Lexer(std::string_view text) : text(text) {}
  bool run();
  std::vector<JinjaPiece> pieces;

private:
  bool isAt(std::string_view what) const {
    return text.compare(at, what.size(), what) == 0;
  }
  std::string readData();
  void trimBefore(std::string &data, char kind);
  void trimAfter(char sign, char kind);
  bool readComment();
  bool readTag(char kind);
  bool readString(JinjaToken &token);
  void addData(const std::string &data);

  std::string_view text;
  size_t at = 0;
  bool startsLine = true; // what was taken before `at` ends with a newline
};

} // namespace

/// Up to the next tag, or the end.
std::string Lexer::readData() {
  size_t start = at;
  while (at < text.size() && !isAt("{{") && !isAt("{%") && !isAt("{#"))
    ++at;
  return std::string(text.substr(start, at - start));
}

/// Data around a comment is one piece.
void Lexer::addData(const std::string &data) {
  if (data.empty())
    return;
  if (pieces.empty() || pieces.back().kind != JinjaPiece::Data)
    pieces.push_back({JinjaPiece::Data, "", {}});
  pieces.back().text += data;
}

/// `-` takes all white space before a tag; lstrip_blocks what stands before a
/// block or a comment that is the first on its line, unless the tag has a `+`.
void Lexer::trimBefore(std::string &data, char kind) {
  char sign = at < text.size() ? text[at] : 0;
  if (sign == '-' || sign == '+')
    ++at;
  if (sign == '-') {
    while (!data.empty() && isSpace(data.back()))
      data.pop_back();
  } else if (sign != '+' && kind != '{') {
    size_t newline = data.rfind('\n');
    size_t line = newline == std::string::npos ? 0 : newline + 1;
    bool blank = true;
    for (size_t i = line; i < data.size(); ++i)
      blank &= isSpace(data[i]);
    if (blank && (line > 0 || startsLine))
      data.resize(line);
  }
}

/// `-` takes all white space after a tag; trim_blocks one newline after a block
/// or a comment, unless the tag has a `+`.
void Lexer::trimAfter(char sign, char kind) {
  size_t end = at;
  if (sign == '-')
    while (at < text.size() && isSpace(text[at]))
      ++at;
  else if (sign != '+' && kind != '{' && at < text.size() && text[at] == '\n')
    ++at;
  startsLine = at > end && text[at - 1] == '\n';
}

bool Lexer::readComment() {
  size_t end = text.find("#}", at);
  if (end == std::string_view::npos)
    return false;
  char sign = end > at ? text[end - 1] : 0;
  at = end + 2;
  trimAfter(sign, '#');
  return true;
}

/// With its escapes read, so that 'a' and "a" are one.
bool Lexer::readString(JinjaToken &token) {
  char mark = text[at++];
  token.isString = true;
  for (; at < text.size() && text[at] != mark; ++at) {
    char c = text[at];
    if (c == '\\' && at + 1 < text.size()) {
      c = text[++at];
      if (c == 'n')
        c = '\n';
      else if (c == 't')
        c = '\t';
      else if (c == 'r')
        c = '\r';
      else if (c != '\\' && c != '\'' && c != '"')
        token.text += '\\'; // another escape stays as it is written
    }
    token.text += c;
  }
  return at++ < text.size();
}

bool Lexer::readTag(char kind) {
  const std::string_view end = kind == '{' ? "}}" : "%}";
  JinjaPiece piece;
  piece.kind = kind == '{' ? JinjaPiece::Output : JinjaPiece::Statement;
  for (;;) {
    while (at < text.size() && isSpace(text[at]))
      ++at;
    if (at >= text.size())
      return false;
    bool plain = isAt(end);
    if (plain || ((text[at] == '-' || text[at] == '+') &&
                  text.compare(at + 1, end.size(), end) == 0)) {
      char sign = plain ? 0 : text[at];
      at += end.size() + !plain;
      pieces.push_back(std::move(piece));
      trimAfter(sign, kind);
      return true;
    }
    JinjaToken token{false, ""};
    if (text[at] == '\'' || text[at] == '"') {
      if (!readString(token))
        return false;
    } else {
      size_t start = at;
      if (isWord(text[at]))
        while (at < text.size() && isWord(text[at]))
          ++at;
      else
        at += isAt("==") || isAt("!=") || isAt("<=") || isAt(">=") ? 2 : 1;
      token.text = text.substr(start, at - start);
    }
    piece.tokens.push_back(std::move(token));
  }
}

bool Lexer::run() {
  while (at < text.size()) {
    std::string data = readData();
    if (at >= text.size()) {
      if (!data.empty() && data.back() == '\n') // keep_trailing_newline is off
        data.pop_back();
      addData(data);
      break;
    }
    char kind = text[at + 1];
    at += 2;
    trimBefore(data, kind);
    addData(data);
    if (!(kind == '#' ? readComment() : readTag(kind)))
      return false;
  }
  return true;
}

std::optional<std::vector<JinjaPiece>> readJinja(std::string_view jinja) {
  std::string text; // Jinja reads \r\n and \r as \n
  for (size_t i = 0; i < jinja.size(); ++i)
    if (jinja[i] != '\r')
      text += jinja[i];
    else if (i + 1 == jinja.size() || jinja[i + 1] != '\n')
      text += '\n';
  Lexer lexer(text);
  if (!lexer.run())
    return std::nullopt;
  return std::move(lexer.pieces);
}

} // namespace mlir::llama
