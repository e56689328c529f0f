// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The alternatives of the expression in their order.
#include "runtime/tokenizer/Llama3Split.h"

#include "runtime/Utf8.h"
#include "runtime/tokenizer/UnicodeClasses.h"

using namespace llrt;

namespace {

bool isLineEnd(uint32_t c) { return c == '\r' || c == '\n'; }

/// [^\s\p{L}\p{N}]
bool isMark(uint32_t c) { return !isSpace(c) && !isLetter(c) && !isNumber(c); }

/// Where the run of characters that `test` takes ends, from `at` on.
template <typename Test>
size_t skip(std::string_view text, size_t at, Test test,
            size_t most = ~size_t(0)) {
  for (; at < text.size() && most > 0; --most) {
    CodePoint c = readCodePoint(text, at);
    if (!test(c.value))
      break;
    at += c.length;
  }
  return at;
}

/// 's 't 're 've 'm 'll 'd in either case after the apostrophe; else 0. U+017F
/// is the one other character that folds to a letter of these.
size_t matchContraction(std::string_view text) {
  if (text.size() < 2)
    return 0;
  auto lower = [&](size_t at) {
    return at < text.size() ? static_cast<char>(text[at] | 0x20) : '\0';
  };
  switch (lower(1)) {
  case 's':
  case 't':
  case 'm':
  case 'd':
    return 2;
  case 'r':
  case 'v':
    return lower(2) == 'e' ? 3 : 0;
  case 'l':
    return lower(2) == 'l' ? 3 : 0;
  default:
    return text.substr(1, 2) == "\xC5\xBF" ? 3 : 0;
  }
}

/// \s*[\r\n]+|\s+(?!\S)|\s+ on a text that begins with white space.
size_t matchSpaces(std::string_view text) {
  size_t end = 0, last = 0, afterLineEnd = 0;
  while (end < text.size()) {
    CodePoint c = readCodePoint(text, end);
    if (!isSpace(c.value))
      break;
    last = end;
    end += c.length;
    if (isLineEnd(c.value))
      afterLineEnd = end;
  }
  if (afterLineEnd > 0)
    return afterLineEnd;
  return end == text.size() || last == 0 ? end : last;
}

} // namespace

size_t llrt::getLlama3SplitLength(std::string_view text) {
  CodePoint first = readCodePoint(text, 0);
  if (first.value == '\'')
    if (size_t length = matchContraction(text))
      return length;
  if (isLetter(first.value))
    return skip(text, first.length, isLetter);
  if (isNumber(first.value))
    return skip(text, 0, isNumber, 3);
  if (!isLineEnd(first.value)) {
    size_t end = skip(text, first.length, isLetter);
    if (end > first.length)
      return end;
  }
  size_t marks = first.value == ' ' ? 1 : 0;
  size_t end = skip(text, marks, isMark);
  if (end > marks)
    return skip(text, end, isLineEnd);
  return matchSpaces(text);
}
