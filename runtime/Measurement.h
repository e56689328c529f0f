// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What an executable does in place of making text: --bench, --selftest,
// --perplexity. Each prepares what it needs of the engine, then runs.
#ifndef LLAMAC_RUNTIME_MEASUREMENT_H
#define LLAMAC_RUNTIME_MEASUREMENT_H

#include "runtime/CommandLine.h"
#include "runtime/Engine.h"
#include "runtime/Output.h"
#include "runtime/Tokenizer.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace llrt {

/// An error and the exit status that it means.
struct Failure {
  int status;
  std::string message;
};
using Outcome = std::optional<Failure>;

inline Outcome failed(const Error &error) {
  return Failure{exitFailed, error.message()};
}

class Measurement {
public:
  /// A line to standard error.
  using Say = std::function<void(const std::string &)>;

  /// The one that `line`, which must outlive it, asks for; null where it asks
  /// for none.
  static std::unique_ptr<Measurement> make(const CommandLine &line);
  virtual ~Measurement() = default;

  /// Before there is a device. `tokenizer` may be null; `settings` are changed
  /// to what run() needs.
  virtual Outcome prepare(const Executable &executable,
                          const Tokenizer *tokenizer,
                          EngineOptions &settings) = 0;
  virtual Outcome run(const Executable &executable, Device &device,
                      Engine &engine, Output &output, const Say &say) = 0;
};

} // namespace llrt

#endif
