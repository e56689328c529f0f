// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Draws at most ten times a second, over its own line.
#include "runtime/ProgressBar.h"

#include <algorithm>
#include <cstdio>
#include <unistd.h>

using namespace llrt;

std::string llrt::progressLine(const std::string &what, uint64_t done,
                               uint64_t bytes, double seconds) {
  constexpr int width = 30;
  double share = bytes ? double(done) / double(bytes) : 1;
  std::string bar(static_cast<size_t>(share * width), '#');
  bar.resize(width, ' ');
  char text[160];
  std::snprintf(text, sizeof text, "%s [%s] %3d%%  %.2f of %.2f GB  %.2f GB/s",
                what.c_str(), bar.c_str(), int(share * 100), double(done) / 1e9,
                double(bytes) / 1e9,
                seconds > 0 ? double(done) / 1e9 / seconds : 0.0);
  return text;
}

ProgressBar::ProgressBar(std::string what, uint64_t bytes, bool quiet)
    : what(std::move(what)), bytes(bytes),
      active(!quiet && ::isatty(STDERR_FILENO)), start(Clock::now()),
      last(start) {}

void ProgressBar::show(uint64_t done) {
  if (!active)
    return;
  Clock::time_point now = Clock::now();
  if (now - last < std::chrono::milliseconds(100))
    return;
  last = now;
  drawn = true;
  std::string line =
      progressLine(what, std::min(done, bytes), bytes,
                   std::chrono::duration<double>(now - start).count());
  std::fprintf(stderr, "\r%s\x1b[K", line.c_str());
  std::fflush(stderr);
}

void ProgressBar::clear() {
  if (!drawn)
    return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  drawn = false;
}
