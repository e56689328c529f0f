// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Standard output, unbuffered, and the ways in which it ends early.
#ifndef LLAMAC_RUNTIME_OUTPUT_H
#define LLAMAC_RUNTIME_OUTPUT_H

#include "runtime/Result.h"

#include <string>

namespace llrt {

class Output {
public:
  /// From here on a closed pipe is an error of write() and SIGINT ends the
  /// process with status 130, after a newline if a line of text is open.
  static void handleSignals();

  /// While a turn of a conversation comes: the first SIGINT is only noted, so
  /// that the turn can end; the next one ends the process. Off again, or never
  /// on, each ends it. Both calls forget one that was noted.
  static void noteInterrupts(bool on);
  static bool interruptNoted();
  /// A marker stands on the terminal's line (standard error), or does no more.
  static void setPromptShown(bool shown);

  /// All of `text`, at once. Fails when the reader is gone or the disk is full.
  Error write(const std::string &text);
  /// The reader went away: the caller ends quietly.
  bool closed() const { return readerGone; }

private:
  bool readerGone = false;
};

} // namespace llrt

#endif
