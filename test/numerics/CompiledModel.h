// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An executable made by llamac, opened as a file and run through the runtime
// library: the numeric tests need many prompts of one model, and settings that
// the command line does not have.
#ifndef LLAMAC_TEST_NUMERICS_COMPILEDMODEL_H
#define LLAMAC_TEST_NUMERICS_COMPILEDMODEL_H

#include "runtime/Engine.h"
#include "runtime/Selftest.h"

#include <memory>
#include <string>
#include <vector>

namespace llrt::test {

/// One sequence: a prompt, then tokens that are fed one by one.
struct ForcedRun {
  std::vector<int32_t> prompt, forced;
};
using FloatLogits = std::vector<std::vector<float>>; ///< [rows][vocab]

class CompiledModel {
public:
  /// On the emulator or, with LLAMAC_TEST_DEVICE=cuda, on the first GPU.
  static Result<std::unique_ptr<CompiledModel>> open(const std::string &path);
  /// On a GPU by its number or, where that is negative, on the emulator, which
  /// checks the program unless told not to.
  static Result<std::unique_ptr<CompiledModel>>
  open(std::unique_ptr<Executable> executable, const EngineOptions &options,
       int gpu = environmentsGpu(), bool check = true);
  static int environmentsGpu();

  /// Tokens of one @prefill call in the runs that follow; 0: the compiled
  /// maximum.
  Error setChunk(uint32_t chunk);
  /// Logits after every prompt token and after every forced one.
  Result<FloatLogits> run(const ForcedRun &one);
  /// The same for several sequences that are decoded together. Run i joins
  /// before step joins[i] (0 where that is not given), and leaves its place
  /// when it has no more forced tokens.
  Result<std::vector<FloatLogits>> runBatch(const std::vector<ForcedRun> &runs,
                                            std::vector<size_t> joins = {});
  /// `count` tokens that the device itself chooses after `prompt`.
  Result<std::vector<int32_t>> greedy(const std::vector<int32_t> &prompt,
                                      size_t count);

  /// What --selftest says, with the weights of `packed` where that is given.
  Result<SelftestReport> selftest(View<uint8_t> packed = {});

  const LlamacPlanHeader &plan() const { return executable->plan(); }

private:
  CompiledModel() = default;
  EngineOptions options;
  // The device uses the executable's mapped weights, the engine both.
  std::unique_ptr<Executable> executable;
  std::unique_ptr<Device> device;
  std::unique_ptr<Engine> engine;
};

} // namespace llrt::test

#endif
