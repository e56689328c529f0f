// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An executable made by llamac, opened as a file and run through the runtime
// library.
#include "test/numerics/CompiledModel.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace llrt::test {

namespace {
void appendRows(const StepOutput &out, size_t first, size_t rows, size_t vocab,
                FloatLogits &logits) {
  for (size_t r = first; r < first + rows; ++r)
    logits.emplace_back(out.logits.begin() + r * vocab,
                        out.logits.begin() + (r + 1) * vocab);
}
} // namespace

Result<std::unique_ptr<CompiledModel>>
CompiledModel::open(const std::string &path) {
  Result<std::unique_ptr<Executable>> executable = Executable::open(path);
  if (!executable)
    return executable.error();
  return open(std::move(*executable), {});
}

int CompiledModel::environmentsGpu() {
  const char *kind = std::getenv("LLAMAC_TEST_DEVICE");
  return kind && std::strcmp(kind, "cuda") == 0 ? 0 : -1;
}

Result<std::unique_ptr<CompiledModel>>
CompiledModel::open(std::unique_ptr<Executable> executable,
                    const EngineOptions &options, int gpu, bool check) {
  std::unique_ptr<CompiledModel> model(new CompiledModel);
  model->executable = std::move(executable);
  model->options = options;
  EmulatorOptions checked;
  checked.check = check;
  Result<std::unique_ptr<Device>> device =
      gpu >= 0 ? createCudaDevice(gpu)
               : createEmulatorDevice(emulatedGpu(model->executable->gpu()),
                                      checked);
  if (!device)
    return device.error();
  model->device = std::move(*device);
  if (Error error = model->setChunk(0))
    return error;
  return model;
}

Error CompiledModel::setChunk(uint32_t chunk) {
  if (engine && (chunk ? chunk : plan().max_chunk) == engine->chunk())
    return Error::success();
  engine.reset();
  options.chunk = chunk;
  Result<std::unique_ptr<Engine>> made =
      Engine::create(*executable, *device, options);
  if (!made)
    return made.error();
  engine = std::move(*made);
  return Error::success();
}

Result<SelftestReport> CompiledModel::selftest(View<uint8_t> packed) {
  Result<Selftest> test = Selftest::read(*executable);
  if (!test)
    return test.error();
  auto nothing = [](const SelftestPart &) { return Error::success(); };
  if (packed.empty())
    return test->run(*engine, nothing);
  EngineOptions other = test->engineOptions();
  Result<std::shared_ptr<const WeightSource>> weights =
      WeightSource::fromMemory(*executable, packed);
  if (!weights)
    return weights.error();
  other.weights = *weights;
  Result<std::unique_ptr<Engine>> made =
      Engine::create(*executable, *device, other);
  if (!made)
    return made.error();
  return test->run(**made, nothing);
}

Result<FloatLogits> CompiledModel::run(const ForcedRun &one) {
  Result<std::vector<FloatLogits>> all = runBatch({one});
  if (!all)
    return all.error();
  return std::move((*all)[0]);
}

Result<std::vector<FloatLogits>>
CompiledModel::runBatch(const std::vector<ForcedRun> &runs,
                        std::vector<size_t> joins) {
  const size_t vocab = plan().vocab_size;
  joins.resize(runs.size());
  std::vector<FloatLogits> logits(runs.size());
  std::vector<KvCache::Sequence> sequences(runs.size());
  StepOutput out;
  size_t steps = 0;
  for (size_t i = 0; i < runs.size(); ++i)
    steps = std::max(steps, joins[i] + runs[i].forced.size());
  for (size_t step = 0; step <= steps; ++step) {
    for (size_t i = 0; i < runs.size(); ++i) {
      if (joins[i] + runs[i].forced.size() == step && joins[i] != step)
        engine->freeSequence(sequences[i]);
    }
    for (size_t i = 0; i < runs.size(); ++i) {
      if (joins[i] != step)
        continue;
      Result<KvCache::Sequence> sequence = engine->addSequence();
      if (!sequence)
        return sequence.error();
      sequences[i] = *sequence;
      if (Error error =
              engine->prefill(*sequence, runs[i].prompt, Rows::All, out))
        return error;
      appendRows(out, 0, runs[i].prompt.size(), vocab, logits[i]);
      if (runs[i].forced.empty())
        engine->freeSequence(*sequence);
    }
    std::vector<DecodeInput> inputs;
    std::vector<size_t> which;
    for (size_t i = 0; i < runs.size(); ++i)
      if (step >= joins[i] && step - joins[i] < runs[i].forced.size()) {
        inputs.push_back({sequences[i], runs[i].forced[step - joins[i]]});
        which.push_back(i);
      }
    if (inputs.empty())
      continue;
    if (Error error = engine->decode(inputs, out))
      return error;
    for (size_t row = 0; row < which.size(); ++row)
      appendRows(out, row, 1, vocab, logits[which[row]]);
  }
  return logits;
}

Result<std::vector<int32_t>>
CompiledModel::greedy(const std::vector<int32_t> &prompt, size_t count) {
  Result<KvCache::Sequence> sequence = engine->addSequence();
  if (!sequence)
    return sequence.error();
  StepOutput out;
  if (Error error = engine->prefill(*sequence, prompt, Rows::Last, out, false))
    return error;
  std::vector<int32_t> tokens = {out.next[0]};
  while (tokens.size() < count) {
    if (Error error = engine->decode({{*sequence, tokens.back()}}, out, false))
      return error;
    tokens.push_back(out.next[0]);
  }
  engine->freeSequence(*sequence);
  return tokens;
}

} // namespace llrt::test
