// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// EXE --bench: the tests of llama-bench on the model that the executable holds.
// ppN feeds a prompt of N random ids to an empty sequence; tgN decodes N tokens
// greedily from an empty one, tgN xB in B sequences at once.
//
// On a GPU each test has a warm-up run and then `repetitions` timed ones, by
// events of the device that enclose the host's part between the steps. On the
// emulator a test runs once and gives counts: a time there says nothing of a
// GPU, so none is shown.
#ifndef LLAMAC_RUNTIME_BENCH_H
#define LLAMAC_RUNTIME_BENCH_H

#include "runtime/BenchReport.h"
#include "runtime/CommandLine.h"
#include "runtime/Engine.h"

#include <functional>
#include <optional>
#include <vector>

namespace llrt {

/// What to measure; 0 among the lengths leaves that test out.
struct BenchRequest {
  std::vector<uint32_t> prompts, generations, batches;
  uint32_t repetitions = 5;
  uint32_t contextSize = 0; ///< tokens a sequence; 0: the longest test's

  /// The lengths that were asked for (512 and 128 without, or as many as fit);
  /// an Error where one needs more than this executable was compiled for.
  static Result<BenchRequest> make(const CommandLine::Bench &asked,
                                   const LlamacPlanHeader &plan,
                                   std::optional<uint32_t> contextSize);

  /// All tests, in the order in which they are run.
  std::vector<BenchTest> tests() const;
  /// The longest sequence, the largest batch and the KV pages that these need.
  EngineOptions engineOptions() const;
};

/// The rate that shares are of, in bytes a second: what runtime/kernels'
/// streaming kernel reads from this GPU's memory. An Error says why there is
/// none: no room, or a rate that this GPU ought to pass.
Result<double> measureStreamRate(const Executable &executable, Device &device);

/// Runs every test and hands each report to `done` as it is complete.
Error runBench(Engine &engine, Device &device, const BenchModel &model,
               const BenchRequest &request, std::optional<double> streamRate,
               const std::function<Error(const BenchReport &)> &done);

} // namespace llrt

#endif
