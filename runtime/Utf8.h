// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// UTF-8 as the prompt and the streamed text need it.
#ifndef LLAMAC_RUNTIME_UTF8_H
#define LLAMAC_RUNTIME_UTF8_H

#include <string>
#include <string_view>

namespace llrt {

/// U+FFFD.
inline constexpr std::string_view replacementCharacter = "\xEF\xBF\xBD";

/// `bytes` with each maximal part of an ill-formed sequence replaced by U+FFFD,
/// as Python's bytes.decode(errors="replace") and the Unicode standard do it.
std::string replaceInvalidUtf8(std::string_view bytes);

} // namespace llrt

#endif
