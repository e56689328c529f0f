// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The compiled test models on this device, against the reference within the
// numerics contract and against the emulator bit by bit. The tensor cores of a
// GPU add in an order of their own, so bits may differ from the emulator's: how
// many do, and by how much, is recorded; only the contract is judged.
#include "bench/gpu-kit/Kit.h"

#include "bench/gpu-kit/Comparison.h"
#include "test/models/TestModels.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>

using namespace llrt;
using namespace llrt::kit;
using namespace llrt::test;

namespace {

class ModelCheck {
public:
  ModelCheck(const Options &options, const std::string &path, Oracle &oracle)
      : options(options), path(path), oracle(oracle) {}

  Error run(Json &row, bool &right);

private:
  Error greedy(CompiledModel &model, CompiledModel *emulated, size_t prompt,
               size_t count, Json &row);

  const Options &options;
  const std::string &path;
  Oracle &oracle;
};

} // namespace

Error ModelCheck::run(Json &row, bool &right) {
  std::unique_ptr<CompiledModel> model, emulated;
  if (Error error = openBoth(options, path, std::nullopt, model, emulated))
    return error;
  const auto dtype = static_cast<LlamacDtype>(model->plan().dtype);
  const size_t most =
      std::min<size_t>(model->plan().max_seq_len, oracle.tokens().size());
  // Prompts on both sides of a KV page, and tokens one by one.
  std::vector<std::pair<size_t, size_t>> shapes = {{5, 3}};
  if (!options.quick)
    shapes = {{1, 24}, {64, 3}, {65, 3}, {most - 4, 4}};
  for (const auto &[prompt, forced] : shapes)
    if (prompt + forced > most)
      return Error("tested on " + std::to_string(prompt + forced) +
                   " tokens, but there are " + std::to_string(most) +
                   ": compile it with the options that make-test-model prints");
  Difference difference;
  bool holds = true, repeats = true;
  size_t steps = 0, covered = 0;
  double worst = 0, meanRatio = 0;
  std::vector<ForcedRun> runs;
  std::vector<FloatLogits> alone;
  for (const auto &[prompt, forced] : shapes) {
    runs.push_back(oracle.run(prompt, forced));
    Result<FloatLogits> logits = model->run(runs.back());
    if (!logits)
      return logits.error();
    Result<FloatLogits> again = model->run(runs.back());
    if (!again)
      return again.error();
    repeats &= *again == *logits;
    const Verdict verdict = oracle.judge(dtype, prompt, *logits);
    holds &= verdict.holds();
    if (!verdict.holds())
      note(path + ", prompt of " + std::to_string(prompt) + ": " +
           verdict.text());
    steps += verdict.steps;
    covered += verdict.covered;
    worst = std::max(worst, verdict.worstRatio);
    meanRatio = std::max(meanRatio, verdict.meanRatio);
    if (emulated) {
      Result<FloatLogits> there = emulated->run(runs.back());
      if (!there)
        return there.error();
      difference.add(*logits, *there);
    }
    alone.push_back(std::move(*logits));
  }
  // What a sequence gets does not depend on its neighbours.
  Result<std::vector<FloatLogits>> batch = model->runBatch(runs);
  if (!batch)
    return batch.error();
  const bool batchEqual = *batch == alone;
  row["steps"] = steps;
  row["worst_of_bound"] = worst;
  row["mean_of_bound"] = meanRatio;
  row["argmax_covered"] = covered;
  row["repeats"] = repeats;
  row["batch_equals_alone"] = batchEqual;
  if (Error error = greedy(*model, emulated.get(), options.quick ? 5 : 48,
                           options.quick ? 3 : 24, row))
    return error;
  if (emulated) {
    difference.tell(row);
  }
  row["holds"] = holds;
  right = holds && repeats && batchEqual && row["greedy_right"].get<bool>();
  return Error::success();
}

/// The device's own choices: right up to the first step that is not covered.
Error ModelCheck::greedy(CompiledModel &model, CompiledModel *emulated,
                         size_t prompt, size_t count, Json &row) {
  count = std::min(count, oracle.tokens().size() - prompt);
  const auto dtype = static_cast<LlamacDtype>(model.plan().dtype);
  const Expectation expectation = oracle.expect(dtype, prompt, prompt + count);
  const std::vector<int32_t> ids = oracle.run(prompt, 0).prompt;
  Result<std::vector<int32_t>> chosen = model.greedy(ids, count);
  if (!chosen)
    return chosen.error();
  size_t equal = 0;
  bool right = true;
  for (; equal < count && expectation.covers(prompt - 1 + equal) && right;
       ++equal)
    right =
        (*chosen)[equal] == argmax(expectation.reference[prompt - 1 + equal]);
  row["greedy_tokens"] = count;
  row["greedy_covered"] = equal;
  row["greedy_right"] = right;
  if (emulated) {
    Result<std::vector<int32_t>> there = emulated->greedy(ids, count);
    if (!there)
      return there.error();
    row["greedy_as_emulator"] = static_cast<size_t>(
        std::mismatch(chosen->begin(), chosen->end(), there->begin()).first -
        chosen->begin());
  }
  return Error::success();
}

Result<int> llrt::kit::runModels(const Options &options) {
  namespace fs = std::filesystem;
  if (options.arguments.empty())
    return Error("models takes a folder of executables, MODEL.DTYPE");
  std::vector<fs::path> files;
  std::error_code failed;
  for (const fs::directory_entry &entry :
       fs::directory_iterator(options.arguments[0], failed))
    files.push_back(entry.path());
  if (failed || files.empty())
    return Error(options.arguments[0] + ": " +
                 (failed ? failed.message() : "is empty"));
  std::sort(files.begin(), files.end());
  std::map<std::string, std::unique_ptr<Oracle>> oracles;
  int failures = 0;
  for (const fs::path &file : files) {
    const auto start = std::chrono::steady_clock::now();
    const std::string name = file.stem().string(), path = file.string();
    Json row = {{"part", "correctness"},
                {"model", name},
                {"dtype", file.extension().string().substr(1)}};
    bool right = false;
    Error error = Error::success();
    const TestModel *model = findTestModel(name);
    std::unique_ptr<Oracle> &oracle = oracles[name];
    if (model && !oracle) {
      Result<std::unique_ptr<Oracle>> made = Oracle::create(
          model->config, makeTensors(*model),
          promptIds(model->config, options.quick ? 5 : 48),
          std::min<size_t>(options.quick ? 16 : 120,
                           static_cast<size_t>(model->testedPositions())));
      if (made)
        oracle = std::move(*made);
      else
        error = made.error();
    }
    if (!model)
      error = Error("no test model is called " + name);
    else if (!error)
      error = ModelCheck(options, path, *oracle).run(row, right);
    row["seconds"] =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
            .count();
    if (error)
      row["error"] = error.message();
    failures += right ? 0 : 1;
    note(std::string(right ? "ok      " : "FAILED  ") + row.dump());
    emitRow(row);
  }
  return failures;
}
