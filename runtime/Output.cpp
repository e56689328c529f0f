// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// write(2), so that nothing is left in a buffer when a signal ends the process.
#include "runtime/Output.h"

#include "runtime/CommandLine.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <unistd.h>

using namespace llrt;

static volatile std::sig_atomic_t lineIsOpen = 0;
static volatile std::sig_atomic_t promptIsShown = 0;
static volatile std::sig_atomic_t notesInterrupts = 0, noted = 0;

static void onInterrupt(int) {
  if (notesInterrupts && !noted) {
    noted = 1;
    return;
  }
  if (promptIsShown && write(STDERR_FILENO, "\n", 1) < 0) {
    // The process ends in either case.
  }
  if (lineIsOpen && write(STDOUT_FILENO, "\n", 1) < 0) {
    // The process ends in either case.
  }
  _exit(exitInterrupted);
}

void Output::handleSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  struct sigaction action = {};
  // Started in the background, a process ignores SIGINT; let it.
  if (sigaction(SIGINT, nullptr, &action) == 0 && action.sa_handler == SIG_IGN)
    return;
  action = {};
  action.sa_handler = onInterrupt;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
}

void Output::noteInterrupts(bool on) {
  notesInterrupts = 0;
  noted = 0;
  notesInterrupts = on;
}

bool Output::interruptNoted() { return noted; }

void Output::setPromptShown(bool shown) { promptIsShown = shown; }

Error Output::write(const std::string &text) {
  bool leavesOpen = !text.empty() && text.back() != '\n';
  if (leavesOpen) // before: a signal may come as soon as the bytes are out
    lineIsOpen = 1;
  for (size_t at = 0; at < text.size();) {
    ssize_t count = ::write(STDOUT_FILENO, text.data() + at, text.size() - at);
    if (count < 0) {
      if (errno == EINTR)
        continue;
      readerGone = errno == EPIPE;
      return Error(std::string("standard output: cannot be written: ") +
                   std::strerror(errno));
    }
    at += static_cast<size_t>(count);
  }
  if (!text.empty() && !leavesOpen)
    lineIsOpen = 0;
  return Error::success();
}
