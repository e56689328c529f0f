// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What every fuzz target of a loader asks: a message opens with the file.
#ifndef LLAMAC_TEST_FUZZ_REFUSAL_H
#define LLAMAC_TEST_FUZZ_REFUSAL_H

#include <cstdio>
#include <cstdlib>
#include <string>

/// Aborts unless `message` begins with `name`, a colon and a space and says
/// something after them.
inline void requireNamed(const std::string &message, const std::string &name) {
  std::string prefix = name + ": ";
  if (message.size() > prefix.size() &&
      message.compare(0, prefix.size(), prefix) == 0)
    return;
  std::fprintf(stderr, "an error that does not name its file: %s\n",
               message.c_str());
  std::abort();
}

#endif
