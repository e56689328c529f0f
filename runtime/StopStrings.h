// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Finds the first stop string in streamed text and holds back what may begin
// one.
#ifndef LLAMAC_RUNTIME_STOPSTRINGS_H
#define LLAMAC_RUNTIME_STOPSTRINGS_H

#include <string>
#include <vector>

namespace llrt {

class StopStrings {
public:
  /// None may be empty.
  explicit StopStrings(std::vector<std::string> strings)
      : strings(std::move(strings)) {}

  /// Takes more text; gives what may be shown now. After a match: nothing more.
  /// The match that ends first counts (of two, the longer), however the text
  /// was cut into calls; it is not shown, nor what follows it.
  std::string append(const std::string &text);
  /// What was held back; "" after a match.
  std::string finish();
  bool matched() const { return found; }

private:
  std::vector<std::string> strings;
  std::string held;
  bool found = false;
};

} // namespace llrt

#endif
