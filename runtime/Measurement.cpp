// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From the options to each measurement, and from its report to the output.
#include "runtime/Measurement.h"

#include "runtime/Bench.h"
#include "runtime/Perplexity.h"
#include "runtime/Prompts.h"
#include "runtime/Selftest.h"

#include <cstdio>
#include <unistd.h>

using namespace llrt;

namespace {

class BenchMeasurement : public Measurement {
public:
  explicit BenchMeasurement(const CommandLine &line) : line(line) {}

  Outcome prepare(const Executable &executable, const Tokenizer *,
                  EngineOptions &settings) override {
    Result<BenchRequest> made =
        BenchRequest::make(*line.bench, executable.plan(), line.contextSize);
    if (!made)
      return Failure{exitUsage, made.error().message()};
    request = std::move(*made);
    settings = request.engineOptions();
    return std::nullopt;
  }

  Outcome run(const Executable &executable, Device &device, Engine &engine,
              Output &output, const Say &say) override {
    const bool emulator = device.isEmulator();
    std::optional<double> streamRate;
    if (emulator) {
      say("counts of the emulator; it tells no time of a GPU");
    } else if (Result<double> rate = measureStreamRate(executable, device)) {
      streamRate = *rate;
      char text[96];
      std::snprintf(text, sizeof text,
                    "a streaming kernel reads %.1f GB/s on this GPU",
                    *rate / 1e9);
      say(text);
    } else {
      say(rate.error().message());
    }
    if (!line.json)
      if (Error error =
              output.write(benchTableHead(emulator, streamRate.has_value())))
        return failed(error);
    auto done = [&](const BenchReport &report) {
      return output.write(line.json ? report.json() : report.tableRow());
    };
    if (Error error = runBench(engine, device, BenchModel::of(executable),
                               request, streamRate, done))
      return failed(error);
    return std::nullopt;
  }

private:
  const CommandLine &line;
  BenchRequest request;
};

class SelftestMeasurement : public Measurement {
public:
  explicit SelftestMeasurement(const CommandLine &line) : line(line) {}

  Outcome prepare(const Executable &executable, const Tokenizer *,
                  EngineOptions &settings) override {
    Result<Selftest> read = Selftest::read(executable);
    if (!read)
      return failed(read.error());
    settings = read->engineOptions();
    test = std::move(*read);
    return std::nullopt;
  }

  Outcome run(const Executable &, Device &device, Engine &engine,
              Output &output, const Say &) override {
    if (!line.json)
      if (Error error = output.write(selftestTableHead()))
        return failed(error);
    Result<SelftestReport> report =
        test->run(engine, [&](const SelftestPart &part) {
          return line.json ? Error::success()
                           : output.write(selftestTableRow(part));
        });
    if (!report)
      return failed(report.error());
    const std::string text = line.json ? report->json()
                                       : selftestVerdict(*report) + " on " +
                                             device.description() + "\n";
    if (Error error = output.write(text))
      return failed(error);
    if (report->passed())
      return std::nullopt;
    return Failure{exitFailed, "selftest: " + report->failure()};
  }

private:
  const CommandLine &line;
  std::optional<Selftest> test;
};

class PerplexityMeasurement : public Measurement {
public:
  explicit PerplexityMeasurement(const CommandLine &line) : line(line) {}

  Outcome prepare(const Executable &executable, const Tokenizer *tokenizer,
                  EngineOptions &settings) override {
    if (!tokenizer)
      return Failure{exitUsage, "--perplexity: this executable has no "
                                "tokenizer, so it reads no text"};
    Result<std::string> text = readWhole(line.perplexity);
    if (!text)
      return failed(text.error());
    Result<std::vector<int32_t>> ids = tokenizer->encode(
        *text, line.noSpecial ? SpecialTokens::Plain : SpecialTokens::Parsed);
    if (!ids)
      return failed(ids.error());
    if (ids->size() < 2)
      return Failure{exitFailed,
                     "--perplexity " + line.perplexity + ": found " +
                         std::to_string(ids->size()) +
                         " tokens, expected 2 or more: nothing stands before "
                         "the first"};
    Result<PerplexityRequest> made = PerplexityRequest::make(
        std::move(*ids),
        line.contextSize.value_or(executable.plan().max_seq_len), line.stride);
    if (!made)
      return Failure{exitUsage, made.error().message()};
    request = std::move(*made);
    settings = request.engineOptions();
    return std::nullopt;
  }

  Outcome run(const Executable &, Device &device, Engine &engine,
              Output &output, const Say &say) override {
    const bool shows = line.verbose || isatty(STDERR_FILENO);
    Result<PerplexityReport> report =
        measurePerplexity(engine, request, [&](const PerplexityReport &sofar) {
          if (shows)
            say("window " + std::to_string(sofar.windows) + " of " +
                std::to_string(request.windows()) + ": " + sofar.text());
        });
    if (!report)
      return failed(report.error());
    if (Error error =
            output.write(line.json ? report->json() : report->text() + "\n"))
      return failed(error);
    return std::nullopt;
  }

private:
  const CommandLine &line;
  PerplexityRequest request;
};

} // namespace

std::unique_ptr<Measurement> Measurement::make(const CommandLine &line) {
  if (line.bench)
    return std::make_unique<BenchMeasurement>(line);
  if (line.selftest)
    return std::make_unique<SelftestMeasurement>(line);
  if (!line.perplexity.empty())
    return std::make_unique<PerplexityMeasurement>(line);
  return nullptr;
}
