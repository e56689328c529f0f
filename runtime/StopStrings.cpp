// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `held` is always a proper beginning of some stop string, so it stays short.
#include "runtime/StopStrings.h"

#include <algorithm>

using namespace llrt;

/// The length of the longest end of `text` that begins `stop`, and is not all
/// of it.
static size_t pendingLength(const std::string &text, const std::string &stop) {
  for (size_t length = std::min(text.size(), stop.size() - 1); length > 0;
       --length)
    if (text.compare(text.size() - length, length, stop, 0, length) == 0)
      return length;
  return 0;
}

std::string StopStrings::append(const std::string &text) {
  if (found)
    return std::string();
  held += text;
  size_t first = std::string::npos, end = std::string::npos, pending = 0;
  for (const std::string &stop : strings) {
    size_t at = held.find(stop);
    if (at != std::string::npos &&
        (at + stop.size() < end || (at + stop.size() == end && at < first))) {
      first = at;
      end = at + stop.size();
    }
    pending = std::max(pending, pendingLength(held, stop));
  }
  found = first != std::string::npos;
  std::string shown = held.substr(0, found ? first : held.size() - pending);
  held.erase(0, shown.size());
  if (found)
    held.clear();
  return shown;
}

std::string StopStrings::finish() {
  std::string rest;
  rest.swap(held);
  return rest;
}
