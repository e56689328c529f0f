// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The command line of ptx-run.
#ifndef LLAMAC_RUNTIME_PTXRUNOPTIONS_H
#define LLAMAC_RUNTIME_PTXRUNOPTIONS_H

#include "runtime/EmulatorChoice.h"
#include "runtime/PtxArgument.h"

namespace llrt {

struct PtxRunOptions {
  std::vector<std::string> files;
  std::string kernel, gpu = "h200";
  LaunchShape shape;
  std::vector<PtxArgument> arguments;
  std::vector<std::string> texts; ///< of --arg, for messages
  struct Print {
    size_t argument;
    uint64_t from, to;
  };
  std::vector<Print> prints;
  struct Save {
    size_t argument;
    std::string path;
  };
  std::vector<Save> saves;
  struct Expect {
    size_t argument;
    std::vector<uint8_t> bytes;
    std::string text;
  };
  std::vector<Expect> expects;
  double maxDiff = 0;
  uint32_t repeat = 1, schedules = 0;
  unsigned threads = 0;
  bool list = false, verbose = false;
  EmulatorChoice emulator;

  /// An Error is a wrong command line. `page`: what --help and its like print.
  static Result<PtxRunOptions> parse(const std::string &program,
                                     const std::vector<std::string> &arguments,
                                     std::string &page);
};

} // namespace llrt

#endif
