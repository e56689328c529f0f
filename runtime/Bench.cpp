// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Warm up, repeat, report.
#include "runtime/Bench.h"

#include "runtime/Info.h"
#include "runtime/StreamRead.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

using namespace llrt;

namespace {

/// Ids that are the same in every run and on every machine.
std::vector<int32_t> randomIds(uint32_t count, uint32_t vocabulary) {
  std::vector<int32_t> ids(count);
  uint64_t state = 1;
  for (int32_t &id : ids) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    id = static_cast<int32_t>((state >> 33) % vocabulary);
  }
  return ids;
}

/// Runs one test again and again between two events.
class Runner {
public:
  Runner(Engine &engine, Device &device, const BenchTest &test)
      : engine(engine), device(device), test(test),
        ids(randomIds(std::max(test.prompt, test.batch),
                      engine.plan().vocab_size)) {}

  /// Milliseconds of the device.
  Result<double> once(Event *start, Event *end) {
    std::vector<KvCache::Sequence> sequences;
    for (uint32_t i = 0; i < test.batch; ++i) {
      Result<KvCache::Sequence> sequence = engine.addSequence();
      if (!sequence)
        return sequence.error();
      sequences.push_back(*sequence);
    }
    Error error = engine.record(start);
    if (!error)
      error = test.prompt ? prefill(sequences[0]) : decode(sequences);
    if (!error)
      error = engine.record(end);
    for (KvCache::Sequence sequence : sequences)
      engine.freeSequence(sequence);
    if (error)
      return error;
    return device.elapsedMilliseconds(start, end);
  }

private:
  Error prefill(KvCache::Sequence sequence) {
    StepOutput out;
    return engine.prefill(sequence, ids, Rows::Last, out, false);
  }

  Error decode(const std::vector<KvCache::Sequence> &sequences) {
    std::vector<DecodeInput> inputs;
    for (size_t i = 0; i < sequences.size(); ++i)
      inputs.push_back({sequences[i], ids[i]});
    StepOutput out;
    for (uint32_t step = 0; step < test.generated; ++step) {
      if (engine.underway() == 0)
        if (Error error = engine.begin(inputs, false))
          return error;
      // As in generating, the next step begins before this one has ended.
      if (step + 1 < test.generated)
        if (Result<bool> follows = engine.follow(); !follows)
          return follows.error();
      if (Error error = engine.finish(out))
        return error;
      for (size_t i = 0; i < inputs.size(); ++i) {
        if (!out.refused[i].empty())
          return Error(out.refused[i]);
        inputs[i].token = out.next[i];
      }
    }
    return Error::success();
  }

  Engine &engine;
  Device &device;
  const BenchTest &test;
  std::vector<int32_t> ids;
};

} // namespace

Result<BenchRequest> BenchRequest::make(const CommandLine::Bench &asked,
                                        const LlamacPlanHeader &plan,
                                        std::optional<uint32_t> contextSize) {
  const uint32_t most = contextSize.value_or(plan.max_seq_len);
  auto lengths = [&](const std::optional<std::vector<uint32_t>> &given,
                     uint32_t usual) {
    return given.value_or(std::vector<uint32_t>{std::min(usual, most)});
  };
  BenchRequest request;
  request.prompts = lengths(asked.prompts, 512);
  request.generations = lengths(asked.generations, 128);
  request.batches = asked.batches;
  request.repetitions = asked.repetitions;
  request.contextSize = contextSize.value_or(0);
  const std::vector<BenchTest> tests = request.tests();
  if (tests.empty())
    return Error("--bench: every length is 0, so there is nothing to measure; "
                 "give -p or -n");
  for (const BenchTest &test : tests) {
    const std::string needs = "--bench: " + test.name() + " needs ";
    const uint32_t length = std::max(test.prompt, test.generated);
    if (length > most)
      return Error(
          needs + "a context of " + std::to_string(length) + " tokens; " +
          (contextSize ? "--ctx-size is "
                       : "this executable was compiled for ") +
          std::to_string(most) + ": ask for less, or " +
          (most < plan.max_seq_len ? "raise --ctx-size"
                                   : "compile with a larger --max-seq-len"));
    if (test.batch > plan.max_batch)
      return Error(needs + std::to_string(test.batch) +
                   " sequences at once; this executable was compiled for " +
                   std::to_string(plan.max_batch) +
                   ": ask for fewer, or compile with a larger --max-batch");
  }
  return request;
}

std::vector<BenchTest> BenchRequest::tests() const {
  std::vector<BenchTest> all;
  for (uint32_t prompt : prompts)
    if (prompt)
      all.push_back({prompt, 0, 1});
  for (uint32_t generated : generations)
    for (uint32_t batch : batches)
      if (generated)
        all.push_back({0, generated, batch});
  return all;
}

EngineOptions BenchRequest::engineOptions() const {
  EngineOptions options;
  options.contextSize = contextSize;
  options.maxBatch = 1;
  for (const BenchTest &test : tests()) {
    uint32_t length = std::max(test.prompt, test.generated);
    options.contextSize = std::max(options.contextSize, length);
    options.maxBatch = std::max(options.maxBatch, test.batch);
    options.pages = std::max(
        options.pages,
        test.batch * ((length + LLAMAC_PAGE_TOKENS - 1) / LLAMAC_PAGE_TOKENS));
  }
  return options;
}

Result<double> llrt::measureStreamRate(const Executable &executable,
                                       Device &device) {
  constexpr uint64_t most = uint64_t(4) << 30, least = uint64_t(512) << 20;
  Result<uint64_t> available = device.freeMemory();
  if (!available)
    return available.error();
  // Half of what is left; far more than any second cache.
  const uint64_t bytes = std::min(most, *available / 2);
  if (bytes < least)
    return Error(
        "no share of the read bandwidth: " + readableBytes(*available) +
        " of device memory are free, and measuring it takes twice " +
        readableBytes(least));
  Result<Module *> module =
      device.loadModule(executable.kernelsImage(device.isEmulator()),
                        executable.path() + ": runtime/kernels");
  if (!module)
    return Error("no share of the read bandwidth: " + module.error().message());
  Result<double> rate = measureStreamRead(device, *module, bytes,
                                          executable.gpu().multiprocessors);
  if (!rate)
    return Error("no share of the read bandwidth: " + rate.error().message());
  const double wanted = leastStreamRate(device.description());
  if (*rate < wanted) {
    char text[160];
    std::snprintf(text, sizeof text,
                  "no share of the read bandwidth: the streaming kernel "
                  "reached %.2f TB/s, and at least %.1f are this GPU's",
                  *rate / 1e12, wanted / 1e12);
    return Error(text);
  }
  return rate;
}

Error llrt::runBench(Engine &engine, Device &device, const BenchModel &model,
                     const BenchRequest &request,
                     std::optional<double> streamRate,
                     const std::function<Error(const BenchReport &)> &done) {
  Result<Event *> start = device.createEvent(), end = device.createEvent();
  if (!start)
    return start.error();
  if (!end)
    return end.error();
  if (device.isEmulator() && !device.counters())
    return Error("--bench: this emulator counts nothing");
  for (const BenchTest &test : request.tests()) {
    BenchReport report;
    report.model = model;
    report.test = test;
    report.backend = device.isEmulator() ? "emulator" : "CUDA";
    report.device = device.description();
    report.streamRate = streamRate;
    report.leastBytes = model.leastBytes(test);
    Runner runner(engine, device, test);
    const uint32_t runs = device.isEmulator() ? 1 : 1 + request.repetitions;
    for (uint32_t run = 0; run < runs; ++run) {
      EmulatorCounters before;
      if (const EmulatorCounters *now = device.counters())
        before = *now;
      Result<double> milliseconds = runner.once(*start, *end);
      if (!milliseconds)
        return milliseconds.error();
      if (const EmulatorCounters *after = device.counters())
        report.counts =
            BenchCounts{after->warpInstructions - before.warpInstructions,
                        after->global.read - before.global.read,
                        after->global.written - before.global.written};
      else if (run > 0) // the first one warms up
        report.seconds.push_back(*milliseconds / 1000);
    }
    if (Error error = done(report))
      return error;
  }
  return Error::success();
}
