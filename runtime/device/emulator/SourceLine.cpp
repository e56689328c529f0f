// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads .loc and .file lines.
#include "runtime/device/emulator/SourceLine.h"

#include <cstdio>

using namespace llrt::emu;

namespace {

/// The next line of `text`, without blanks in front; `text` goes behind it.
std::string_view takeLine(std::string_view &text) {
  size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  size_t begin = line.find_first_not_of(" \t");
  return begin == std::string_view::npos ? "" : line.substr(begin);
}

bool startsWith(std::string_view line, std::string_view word) {
  return line.substr(0, word.size()) == word;
}

/// The name of `.file NUMBER "NAME"`.
std::string findFile(std::string_view ptx, unsigned number) {
  while (!ptx.empty()) {
    std::string_view line = takeLine(ptx);
    unsigned found = 0;
    if (!startsWith(line, ".file") ||
        std::sscanf(std::string(line).c_str(), ".file %u", &found) != 1 ||
        found != number)
      continue;
    size_t open = line.find('"'), close = line.rfind('"');
    return open == close ? ""
                         : std::string(line.substr(open + 1, close - open - 1));
  }
  return "";
}

} // namespace

std::string llrt::emu::findSource(std::string_view ptx, uint32_t line) {
  std::string_view rest = ptx, location;
  for (uint32_t at = 1; at <= line && !rest.empty(); ++at) {
    std::string_view text = takeLine(rest);
    if (startsWith(text, ".loc"))
      location = text;
    else if (text.find(".entry ") != std::string_view::npos ||
             text.find(".func ") != std::string_view::npos)
      location = "";
  }
  unsigned file = 0, number = 0;
  if (std::sscanf(std::string(location).c_str(), ".loc %u %u", &file,
                  &number) != 2)
    return "";
  std::string name = findFile(ptx, file);
  return name.empty() || number == 0 ? name
                                     : name + ":" + std::to_string(number);
}
