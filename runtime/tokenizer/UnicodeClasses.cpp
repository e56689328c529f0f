// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sorted ranges; ASCII is answered at once.
#include "runtime/tokenizer/UnicodeClasses.h"

#include <algorithm>
#include <iterator>

namespace {

struct CodePointRange {
  uint32_t first, last;
};

#include "runtime/tokenizer/UnicodeTables.inc"

template <size_t N>
bool contains(const CodePointRange (&ranges)[N], uint32_t codePoint) {
  const CodePointRange *after = std::upper_bound(
      std::begin(ranges), std::end(ranges), codePoint,
      [](uint32_t c, const CodePointRange &range) { return c < range.first; });
  return after != ranges && codePoint <= after[-1].last;
}

} // namespace

bool llrt::isLetter(uint32_t codePoint) {
  if (codePoint < 0x80)
    return ((codePoint | 0x20) - 'a') < 26;
  return contains(letterRanges, codePoint);
}

bool llrt::isNumber(uint32_t codePoint) {
  if (codePoint < 0x80)
    return codePoint - '0' < 10;
  return contains(numberRanges, codePoint);
}

bool llrt::isSpace(uint32_t codePoint) {
  if (codePoint < 0x1680)
    return codePoint - 9 < 5 || codePoint == 0x20 || codePoint == 0x85 ||
           codePoint == 0xA0;
  return codePoint == 0x1680 || codePoint - 0x2000 < 11 ||
         codePoint == 0x2028 || codePoint == 0x2029 || codePoint == 0x202F ||
         codePoint == 0x205F || codePoint == 0x3000;
}

bool llrt::isWordPart(uint32_t codePoint) {
  return isLetter(codePoint) || contains(otherWordRanges, codePoint);
}
