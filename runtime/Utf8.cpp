// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Table 3-7 of the Unicode standard: which second byte may follow which first.
#include "runtime/Utf8.h"

using namespace llrt;

namespace {

struct Lead {
  unsigned length;         ///< of the whole sequence; 0: no first byte
  unsigned char low, high; ///< allowed second bytes
};

Lead leadOf(unsigned char byte) {
  if (byte < 0x80)
    return {1, 0, 0};
  if (byte >= 0xC2 && byte <= 0xDF)
    return {2, 0x80, 0xBF};
  if (byte == 0xE0)
    return {3, 0xA0, 0xBF};
  if (byte == 0xED)
    return {3, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF)
    return {3, 0x80, 0xBF};
  if (byte == 0xF0)
    return {4, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3)
    return {4, 0x80, 0xBF};
  if (byte == 0xF4)
    return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

} // namespace

/// The bytes at `at` that belong to a character of lead.length; less than that
/// if a byte is wrong, or if the text ends.
static unsigned countBytes(std::string_view bytes, size_t at, Lead lead) {
  unsigned length = 1;
  for (; length < lead.length && at + length < bytes.size(); ++length) {
    auto next = static_cast<unsigned char>(bytes[at + length]);
    if (length == 1 ? (next < lead.low || next > lead.high)
                    : (next & 0xC0) != 0x80)
      break;
  }
  return length;
}

std::string llrt::replaceInvalidUtf8(std::string_view bytes) {
  std::string result;
  result.reserve(bytes.size());
  for (size_t at = 0; at < bytes.size();) {
    Lead lead = leadOf(static_cast<unsigned char>(bytes[at]));
    unsigned length = countBytes(bytes, at, lead);
    if (length == lead.length)
      result.append(bytes.substr(at, length));
    else
      result.append(replacementCharacter);
    at += length;
  }
  return result;
}

size_t llrt::getWholeLength(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    size_t at = text.size() - back;
    Lead lead = leadOf(static_cast<unsigned char>(text[at]));
    if (lead.length > back && countBytes(text, at, lead) == back)
      return at;
  }
  return text.size();
}
