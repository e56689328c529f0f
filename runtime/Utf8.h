// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// UTF-8 as the prompt and the streamed text need it.
#ifndef LLAMAC_RUNTIME_UTF8_H
#define LLAMAC_RUNTIME_UTF8_H

#include <cstdint>
#include <string>
#include <string_view>

namespace llrt {

/// U+FFFD.
inline constexpr std::string_view replacementCharacter = "\xEF\xBF\xBD";

/// `bytes` with each maximal part of an ill-formed sequence replaced by U+FFFD,
/// as Python's bytes.decode(errors="replace") and the Unicode standard do it.
std::string replaceInvalidUtf8(std::string_view bytes);

struct CodePoint {
  uint32_t value;
  unsigned length; ///< in bytes
};

/// The character at `at`, which is the start of one in valid UTF-8.
inline CodePoint readCodePoint(std::string_view text, size_t at) {
  auto byte = [&](size_t i) {
    return static_cast<uint32_t>(static_cast<unsigned char>(text[at + i]));
  };
  uint32_t lead = byte(0);
  if (lead < 0x80)
    return {lead, 1};
  if (lead < 0xE0)
    return {(lead & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  if (lead < 0xF0)
    return {(lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
  return {(lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 |
              (byte(3) & 0x3F),
          4};
}

/// Where `text`, whatever its bytes are, stops being whole characters because
/// more bytes may follow: its size, less the beginning of a character.
size_t getWholeLength(std::string_view text);

} // namespace llrt

#endif
