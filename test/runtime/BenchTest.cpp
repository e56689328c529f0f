// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// --bench: which tests are run, the bytes that they need, and what is printed.
#include "HostDevice.h"

#include "runtime/Bench.h"
#include "runtime/CommandLine.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

using namespace llrt;
using Lengths = std::vector<uint32_t>;

namespace {

CommandLine parse(const std::vector<std::string> &arguments) {
  Result<CommandLine> line = CommandLine::parse(arguments);
  EXPECT_TRUE(line) << line.error().message();
  return line ? *line : CommandLine();
}

std::string refusal(const std::vector<std::string> &arguments) {
  Result<CommandLine> line = CommandLine::parse(arguments);
  EXPECT_FALSE(line) << "it was taken";
  return line ? "" : line.error().message();
}

/// What remains of `arguments` on a model compiled for 300 tokens and 4
/// sequences.
Result<BenchRequest> request(const std::vector<std::string> &arguments) {
  LlamacPlanHeader plan{};
  plan.max_seq_len = 300;
  plan.max_batch = 4;
  CommandLine line = parse(arguments);
  return BenchRequest::make(*line.bench, plan, line.contextSize);
}

std::string names(const std::vector<std::string> &arguments) {
  Result<BenchRequest> made = request(arguments);
  if (!made)
    return made.error().message();
  std::string text;
  for (const BenchTest &test : made->tests())
    text += (text.empty() ? "" : ", ") + test.name();
  return text;
}

/// 10 rows of 128 bytes, 64 to a tile; 3 tokens a chunk.
BenchModel smallModel(bool tied) {
  BenchModel model;
  model.name = "small BF16";
  model.bytes = 100000;
  model.parameters = 1235814400;
  model.embeddingRow = 128;
  model.embedding = 64 * 128;
  model.kvToken = 16;
  model.chunk = 3;
  model.tiedHead = tied;
  return model;
}

} // namespace

TEST(BenchTest, CommandLineTakesLists) {
  CommandLine line = parse({"--bench", "-p", "512,2048", "-n", "128,0", "-r",
                            "3", "-b", "1,8", "--json"});
  ASSERT_TRUE(line.bench);
  EXPECT_EQ(*line.bench->prompts, (Lengths{512, 2048}));
  EXPECT_EQ(*line.bench->generations, (Lengths{128, 0}));
  EXPECT_EQ(line.bench->batches, (Lengths{1, 8}));
  EXPECT_EQ(line.bench->repetitions, 3u);
  EXPECT_TRUE(line.json);
  EXPECT_EQ(line.source, CommandLine::Source::None) << "-p is no prompt here";
  line = parse({"-p", "7", "--bench"});
  EXPECT_EQ(*line.bench->prompts, (Lengths{7})) << "the order does not matter";
  EXPECT_FALSE(line.bench->generations);
  EXPECT_EQ(line.bench->batches, (Lengths{1}));
  EXPECT_EQ(line.bench->repetitions, 5u);
  EXPECT_FALSE(parse({"-p", "7"}).bench);
  EXPECT_EQ(parse({"-p", "7"}).argument, "7");
}

TEST(BenchTest, CommandLineRefuses) {
  for (const char *list : {"", "a", "1,,2", "1,", ",1", "1 2", "-1", "1.5",
                           "+1", " 1", "2147483648", "99999999999999999999"})
    EXPECT_NE(refusal({"--bench", "-p", list})
                  .find("--prompt: found `" + std::string(list) +
                        "`, expected whole numbers from 0 to 2147483647, "
                        "such as 512,2048"),
              std::string::npos)
        << list;
  EXPECT_NE(refusal({"--bench", "-n", "x"}).find("--max-tokens: found `x`"),
            std::string::npos);
  EXPECT_NE(refusal({"--bench", "-b", "0"}).find("whole numbers from 1"),
            std::string::npos);
  EXPECT_NE(refusal({"--bench", "-r", "0"}).find("--repetitions: found `0`"),
            std::string::npos);
  EXPECT_EQ(refusal({"-r", "2", "x"}), "--repetitions: belongs to --bench");
  EXPECT_EQ(refusal({"-b", "2", "x"}), "--batches: belongs to --bench");
  for (std::vector<std::string> others : {std::vector<std::string>{"hello"},
                                          {"--ids", "1"},
                                          {"-f", "x"},
                                          {"--prompts", "x"},
                                          {"--stop", "x"},
                                          {"--echo"},
                                          {"--force-ids", "1"},
                                          {"--dump-logits", "x"},
                                          {"--temperature", "0"},
                                          {"--info"},
                                          {"--max-batch", "2"}}) {
    others.push_back("--bench");
    EXPECT_NE(refusal(others).find("--bench makes no text and does not take "),
              std::string::npos)
        << others[0];
  }
}

TEST(BenchTest, ZeroLeavesATestOut) {
  EXPECT_EQ(names({"--bench", "-p", "10,0,20", "-n", "5", "-b", "1,4"}),
            "pp10, pp20, tg5, tg5 x4");
  EXPECT_EQ(names({"--bench", "-p", "0"}), "tg128");
  EXPECT_EQ(names({"--bench", "-n", "0"}), "pp300")
      << "512 tokens are more than fit, and nobody asked for them";
  EXPECT_EQ(names({"--bench", "-n", "0", "-p", "0,0"}),
            "--bench: every length is 0, so there is nothing to measure; give "
            "-p or -n");
}

TEST(BenchTest, MoreThanWasCompiledIsRefused) {
  EXPECT_EQ(names({"--bench", "-p", "300", "-n", "300", "-b", "4"}),
            "pp300, tg300 x4");
  EXPECT_EQ(names({"--bench", "-p", "8,301"}),
            "--bench: pp301 needs a context of 301 tokens; this executable was "
            "compiled for 300: ask for less, or compile with a larger "
            "--max-seq-len");
  EXPECT_EQ(names({"--bench", "-p", "8", "-n", "65", "-c", "64"}),
            "--bench: tg65 needs a context of 65 tokens; --ctx-size is 64: ask "
            "for less, or raise --ctx-size");
  EXPECT_EQ(names({"--bench", "-p", "8", "-n", "6", "-b", "1,5"}),
            "--bench: tg6 x5 needs 5 sequences at once; this executable was "
            "compiled for 4: ask for fewer, or compile with a larger "
            "--max-batch");
}

TEST(BenchTest, TakesThePagesOfTheLargestTest) {
  EngineOptions options =
      request({"--bench", "-p", "200", "-n", "70", "-b", "1,4"})
          ->engineOptions();
  EXPECT_EQ(options.contextSize, 200u);
  EXPECT_EQ(options.maxBatch, 4u);
  EXPECT_EQ(options.pages, 8u) << "4 sequences of 2 pages; the prompt has 4";
  options = request({"--bench", "-p", "200", "-n", "0", "-c", "256"})
                ->engineOptions();
  EXPECT_EQ(options.contextSize, 256u);
  EXPECT_EQ(options.maxBatch, 1u);
  EXPECT_EQ(options.pages, 4u);
}

TEST(BenchTest, CountsTheLeastBytes) {
  // Two steps of one sequence: all but the embedding, which gives a row each;
  // 1 and 2 KV entries.
  const uint64_t untied = smallModel(false).leastBytes({0, 2, 1});
  EXPECT_EQ(untied, 2 * (100000 - 8192 + 128) + (1 + 2) * 16u);
  // A tied head reads the table all the same.
  EXPECT_EQ(smallModel(true).leastBytes({0, 2, 1}),
            2 * (100000 + 128) + (1 + 2) * 16u);
  // Four sequences share the weights.
  EXPECT_EQ(smallModel(true).leastBytes({0, 2, 4}),
            2 * (100000 + 4 * 128) + 4 * (1 + 2) * 16u);
  // Chunks of 3, 3 and 1 tokens: the layers three times, the head once.
  EXPECT_EQ(smallModel(false).leastBytes({7, 0, 1}),
            3 * (100000 - 2 * 8192) + 8192 + 7 * 128 + (3 + 6 + 7) * 16u);
}

TEST(BenchTest, PrintsAsLlamaBenchDoes) {
  BenchReport report;
  report.model = smallModel(true);
  report.test = {0, 10, 2};
  report.backend = "CUDA";
  report.device = "a GPU";
  report.leastBytes = 2000000;
  report.seconds = {0.010, 0.020, 0.010}; // 2000, 1000, 2000 tokens a second
  EXPECT_DOUBLE_EQ(report.meanRate(), 5000.0 / 3);
  EXPECT_NEAR(report.rateDeviation(), 577.350269, 1e-5);
  EXPECT_EQ(report.tableRow(),
            "| small BF16 | 97.66 KiB | 1.24 B | CUDA | tg10 x2 | 1666.67 ± "
            "577.35 | 0.100 | 0.2 |\n");
  nlohmann::json object = nlohmann::json::parse(report.json());
  EXPECT_EQ(object["test"], "tg10 x2");
  EXPECT_EQ(object["n_gen"], 10);
  EXPECT_EQ(object["n_prompt"], 0);
  EXPECT_EQ(object["batch"], 2);
  EXPECT_EQ(object["samples_ns"],
            nlohmann::json::parse("[10000000, 20000000, 10000000]"));
  EXPECT_EQ(object["bytes_per_token"], 100000);
  EXPECT_TRUE(object["stream_share"].is_null());

  report.streamRate = 1e9;
  EXPECT_NE(report.tableRow().find("| 0.2 | 16.7 % |\n"), std::string::npos)
      << report.tableRow();
  EXPECT_NEAR(
      nlohmann::json::parse(report.json())["stream_share"].get<double>(),
      0.16667, 1e-5);
}

TEST(BenchTest, TheEmulatorGivesCountsAndNoTime) {
  BenchReport report;
  report.model = smallModel(true);
  report.test = {4, 0, 1};
  report.backend = "emulator";
  report.leastBytes = 4000;
  report.counts = BenchCounts{1000, 8000, 400};
  EXPECT_EQ(report.tableRow(), "| small BF16 | 97.66 KiB | 1.24 B | emulator | "
                               "pp4 | 0.001 | 0.002 | 0.000 | 250 "
                               "|\n");
  nlohmann::json object = nlohmann::json::parse(report.json());
  EXPECT_EQ(object["warp_instructions"], 1000);
  EXPECT_EQ(object["global_bytes_read"], 8000);
  EXPECT_EQ(object["global_bytes_written"], 400);
  for (const char *key : {"avg_ns", "avg_ts", "samples_ns", "samples_ts",
                          "bytes_per_second", "stream_share"})
    EXPECT_FALSE(object.contains(key)) << key;
  EXPECT_EQ(benchTableHead(true, false).find("t/s"), std::string::npos);
}

namespace {

/// A GPU whose n-th run takes n milliseconds; it is no emulator.
class ClockedDevice final : public toy::HostDevice {
public:
  bool isEmulator() const override { return false; }
  Result<Event *> createEvent() override {
    return reinterpret_cast<Event *>(++events);
  }
  Error record(Event *event, Stream *) override {
    records += reinterpret_cast<uintptr_t>(event) > eventsOfEngine;
    return Error::success();
  }
  Result<double> elapsedMilliseconds(Event *, Event *) override {
    return static_cast<double>(++runs);
  }
  uintptr_t events = 0, eventsOfEngine = 0;
  int records = 0, runs = 0;
};

} // namespace

TEST(BenchTest, WarmsUpOnceAndRepeats) {
  std::string path = testing::TempDir() + "bench-" + std::to_string(getpid());
  toy::writeFile(path, toy::append(toy::emptyElf(), toy::makeSections()));
  auto executable = Executable::open(path);
  ASSERT_TRUE(executable) << executable.error().message();
  Result<BenchRequest> made = BenchRequest::make(
      *parse({"--bench", "-p", "100", "-n", "9", "-b", "3", "-r", "2"}).bench,
      (*executable)->plan(), std::nullopt);
  ASSERT_TRUE(made) << made.error().message();
  ClockedDevice device;
  auto engine = Engine::create(**executable, device, made->engineOptions());
  ASSERT_TRUE(engine) << engine.error().message();
  device.eventsOfEngine = device.events;
  std::vector<BenchReport> reports;
  Error error = runBench(**engine, device, BenchModel::of(**executable), *made,
                         1e9, [&](const BenchReport &report) {
                           reports.push_back(report);
                           return Error::success();
                         });
  ASSERT_FALSE(error) << error.message();
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].test.name(), "pp100");
  EXPECT_EQ(reports[0].seconds, (std::vector<double>{0.002, 0.003}));
  EXPECT_EQ(reports[1].test.name(), "tg9 x3");
  EXPECT_EQ(reports[1].seconds, (std::vector<double>{0.005, 0.006}));
  EXPECT_FALSE(reports[1].counts);
  EXPECT_EQ(reports[1].streamRate, 1e9);
  EXPECT_EQ(device.records, 12) << "a start and an end for each run";
  EXPECT_EQ((*engine)->kvCache().freePages(), made->engineOptions().pages)
      << "every run gives its pages back";
  std::remove(path.c_str());
}
