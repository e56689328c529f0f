// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The command line of an executable made by llamac. Only what is built is
// known.
#ifndef LLAMAC_RUNTIME_COMMANDLINE_H
#define LLAMAC_RUNTIME_COMMANDLINE_H

#include "runtime/DeviceChoice.h"
#include "runtime/Result.h"
#include "runtime/WeightSource.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace llrt {

/// The exit statuses that the command line promises.
enum ExitStatus : int {
  exitDone = 0,
  exitFailed = 1,
  exitUsage = 2,
  exitInterrupted = 130
};

struct CommandLine {
  /// Where the prompt comes from; `argument` is its text, file or ids.
  enum class Source {
    None,
    Text,
    File,
    Ids,
    Prompts,
    Messages, ///< one dialog
    Chat      ///< turns from standard input
  } source = Source::None;
  std::string argument; ///< of a file, "-" is standard input
  bool help = false, manual = false, version = false, info = false,
       verbose = false, json = false, echo = false;
  bool noSpecial = false; ///< names of special tokens in a prompt are text
  std::optional<std::string> system; ///< of every dialog
  std::string completion;            ///< a shell
  std::optional<uint32_t> maxTokens, contextSize, maxBatch;
  /// What the plan's defaults give way to.
  std::optional<double> temperature, topP, minP, repeatPenalty, presencePenalty,
      frequencyPenalty;
  std::optional<uint32_t> topK;
  std::optional<uint64_t> seed;
  std::optional<uint32_t> logProbabilities;
  std::vector<std::string> stops;
  std::vector<int32_t> forced;
  std::string dumpLogits;
  DeviceChoice device;
  WeightsChoice weights;
  /// With --bench: lengths that were not given are not there.
  struct Bench {
    std::optional<std::vector<uint32_t>> prompts, generations;
    std::vector<uint32_t> batches = {1};
    uint32_t repetitions = 5;
  };
  std::optional<Bench> bench;
  bool selftest = false;
  std::string perplexity; ///< a file; "-" is standard input, "" is not asked
  std::optional<uint32_t> stride; ///< with --perplexity
  /// No text is to be made, so no prompt is needed.
  bool measures() const { return bench || selftest || !perplexity.empty(); }

  /// `arguments` without the program's name. An Error is a wrong command line.
  static Result<CommandLine> parse(const std::vector<std::string> &arguments);
  /// What --help, --manual or --completion asks for; "" where none does.
  std::string makePage(const std::string &program) const;
};

/// "1 15043", also with commas; `option` is for messages.
Result<std::vector<int32_t>> parseIds(const std::string &text,
                                      const std::string &option);

} // namespace llrt

#endif
