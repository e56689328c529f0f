// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One line on a terminal that says how much of a long copy is done.
#ifndef LLAMAC_RUNTIME_PROGRESSBAR_H
#define LLAMAC_RUNTIME_PROGRESSBAR_H

#include <chrono>
#include <cstdint>
#include <string>

namespace llrt {

/// Draws on standard error if that is a terminal, else does nothing. Short work
/// draws nothing either.
class ProgressBar {
public:
  ProgressBar(std::string what, uint64_t bytes, bool quiet);
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar &) = delete;
  ProgressBar &operator=(const ProgressBar &) = delete;

  void show(uint64_t done);
  /// Takes the line away.
  void clear();

private:
  using Clock = std::chrono::steady_clock;
  std::string what;
  uint64_t bytes;
  bool active, drawn = false;
  Clock::time_point start, last;
};

/// "packing    [#####     ]  50%  1.20 of 2.40 GB  0.85 GB/s", without an end
/// of line; `seconds` since the start.
std::string progressLine(const std::string &what, uint64_t done, uint64_t bytes,
                         double seconds);

} // namespace llrt

#endif
