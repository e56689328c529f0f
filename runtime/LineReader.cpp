// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// read(2), which gives a terminal's line as soon as it is one.
#include "runtime/LineReader.h"

#include "runtime/Prompts.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

using namespace llrt;

Error LineReader::next(std::optional<std::string> &line) {
  line.reset();
  size_t looked = 0; // no newline before it
  for (;;) {
    size_t end = held.find('\n', looked);
    if (end != std::string::npos || (ended && !held.empty())) {
      size_t taken = end == std::string::npos ? held.size() : end + 1;
      line = withoutLastNewline(held.substr(0, taken));
      held.erase(0, taken);
      return Error::success();
    }
    if (ended)
      return Error::success();
    looked = held.size();
    char buffer[65536];
    ssize_t count = ::read(descriptor, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return Error(name + ": cannot be read: " + std::strerror(errno));
    ended = count == 0;
    held.append(buffer, static_cast<size_t>(count));
  }
}
