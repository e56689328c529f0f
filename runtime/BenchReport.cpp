// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bytes by the plan, rates by the runs, text by llama-bench's manner.
#include "runtime/BenchReport.h"

#include "runtime/Info.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

using namespace llrt;
using nlohmann::ordered_json;

namespace {

/// Printf into a string.
template <typename... Values>
std::string format(const char *text, Values... values) {
  char buffer[256];
  std::snprintf(buffer, sizeof buffer, text, values...);
  return buffer;
}

uint64_t roundUp(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

double mean(const std::vector<double> &values) {
  double sum = 0;
  for (double value : values)
    sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

double deviation(const std::vector<double> &values) {
  if (values.size() < 2)
    return 0;
  double middle = mean(values), squares = 0;
  for (double value : values)
    squares += (value - middle) * (value - middle);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

std::vector<double> rates(const BenchReport &report) {
  std::vector<double> result;
  for (double seconds : report.seconds)
    result.push_back(static_cast<double>(report.test.tokens()) / seconds);
  return result;
}

std::string parameterText(uint64_t count) {
  if (count == 0)
    return "";
  return count >= 1000000000
             ? format("%.2f B", static_cast<double>(count) / 1e9)
             : format("%.2f M", static_cast<double>(count) / 1e6);
}

std::string row(const std::vector<std::string> &cells) {
  std::string text = "|";
  for (const std::string &cell : cells)
    text += " " + cell + " |";
  return text + "\n";
}

} // namespace

std::string BenchTest::name() const {
  if (prompt)
    return "pp" + std::to_string(prompt);
  return "tg" + std::to_string(generated) +
         (batch > 1 ? " x" + std::to_string(batch) : std::string());
}

BenchModel BenchModel::of(const Executable &executable) {
  const LlamacPlanHeader &plan = executable.plan();
  static const char *const dtypes[] = {"BF16", "F16", "F32"};
  BenchModel model;
  ordered_json passport =
      ordered_json::parse(executable.passport(), nullptr, false);
  ordered_json facts = passport.is_object() && passport.contains("model") &&
                               passport["model"].is_object()
                           ? passport["model"]
                           : ordered_json::object();
  auto is = [&](const char *key, auto right) {
    return facts.contains(key) && (facts[key].*right)();
  };
  model.name = is("name", &ordered_json::is_string)
                   ? facts["name"].get<std::string>()
                   : executable.path().substr(executable.path().rfind('/') + 1);
  model.name += std::string(" ") + dtypes[plan.dtype];
  if (is("parameters", &ordered_json::is_number_unsigned))
    model.parameters = facts["parameters"].get<uint64_t>();
  model.tiedHead = is("tie_word_embeddings", &ordered_json::is_boolean) &&
                   facts["tie_word_embeddings"].get<bool>();
  const uint64_t element = plan.dtype == LLAMAC_F32 ? 4 : 2;
  model.bytes = plan.weights_bytes;
  // Tiles of 64 rows x 128 bytes.
  model.embeddingRow = roundUp(plan.hidden_size * element, 128);
  model.embedding = std::min(plan.weights_bytes,
                             roundUp(plan.vocab_size, 64) * model.embeddingRow);
  model.kvToken = plan.page_bytes / LLAMAC_PAGE_TOKENS;
  model.chunk = plan.max_chunk;
  return model;
}

uint64_t BenchModel::leastBytes(const BenchTest &test) const {
  // The head is as large as the embedding, tied or not.
  const uint64_t layers =
      bytes - std::min(bytes, (tiedHead ? 1 : 2) * embedding);
  uint64_t sum = 0;
  if (test.prompt) {
    for (uint64_t end = 0; end < test.prompt;) {
      end = std::min<uint64_t>(end + chunk, test.prompt);
      sum += layers + end * kvToken;
    }
    return sum + embedding + test.prompt * embeddingRow;
  }
  const uint64_t steps = test.generated;
  sum = steps * (layers + embedding + test.batch * embeddingRow);
  return sum + test.batch * kvToken * (steps * (steps + 1) / 2);
}

double BenchReport::meanRate() const { return mean(rates(*this)); }

double BenchReport::rateDeviation() const { return deviation(rates(*this)); }

double BenchReport::bytesPerToken() const {
  return static_cast<double>(leastBytes) / static_cast<double>(test.tokens());
}

double BenchReport::readRate() const { return bytesPerToken() * meanRate(); }

std::string llrt::benchTableHead(bool emulator, bool share) {
  std::vector<std::string> names = {"model", "size", "params", "backend",
                                    "test"};
  std::vector<std::string> lines = {"---", "---:", "---:", "---", "---:"};
  auto add = [&](const char *name) {
    names.push_back(name);
    lines.push_back("---:");
  };
  if (!emulator)
    add("t/s");
  add("MB/token");
  if (emulator) {
    add("MB read/token");
    add("MB written/token");
    add("warp instructions/token");
  } else {
    add("GB/s");
    if (share)
      add("of stream");
  }
  return row(names) + row(lines);
}

std::string BenchReport::tableRow() const {
  std::vector<std::string> cells = {model.name, readableBytes(model.bytes),
                                    parameterText(model.parameters), backend,
                                    test.name()};
  if (!counts)
    cells.push_back(format("%.2f ± %.2f", meanRate(), rateDeviation()));
  cells.push_back(format("%.3f", bytesPerToken() / 1e6));
  if (counts) {
    for (uint64_t bytes : {counts->bytesRead, counts->bytesWritten})
      cells.push_back(format("%.3f", static_cast<double>(bytes) / 1e6 /
                                         static_cast<double>(test.tokens())));
    cells.push_back(
        format("%.0f", static_cast<double>(counts->warpInstructions) /
                           static_cast<double>(test.tokens())));
  } else {
    cells.push_back(format("%.1f", readRate() / 1e9));
    if (streamRate)
      // A prompt is bound by arithmetic: a share of the bandwidth says nothing.
      cells.push_back(
          test.prompt ? "" : format("%.1f %%", 100 * readRate() / *streamRate));
  }
  return row(cells);
}

std::string BenchReport::json() const {
  ordered_json object = {{"model_name", model.name},
                         {"model_size", model.bytes},
                         {"model_n_params", model.parameters},
                         {"backend", backend},
                         {"device", device},
                         {"test", test.name()},
                         {"n_prompt", test.prompt},
                         {"n_gen", test.generated},
                         {"batch", test.batch},
                         {"bytes_per_token", bytesPerToken()}};
  if (counts) {
    object["warp_instructions_per_token"] =
        static_cast<double>(counts->warpInstructions) /
        static_cast<double>(test.tokens());
    object["warp_instructions"] = counts->warpInstructions;
    object["global_bytes_read"] = counts->bytesRead;
    object["global_bytes_written"] = counts->bytesWritten;
  } else {
    std::vector<double> nanoseconds;
    for (double second : seconds)
      nanoseconds.push_back(std::round(second * 1e9));
    object["avg_ns"] = std::round(mean(nanoseconds));
    object["stddev_ns"] = std::round(deviation(nanoseconds));
    object["avg_ts"] = meanRate();
    object["stddev_ts"] = rateDeviation();
    object["samples_ns"] = nanoseconds;
    object["samples_ts"] = rates(*this);
    object["bytes_per_second"] = readRate();
    object["stream_bytes_per_second"] =
        streamRate ? ordered_json(*streamRate) : ordered_json();
    object["stream_share"] = streamRate && !test.prompt
                                 ? ordered_json(readRate() / *streamRate)
                                 : ordered_json();
  }
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) +
         "\n";
}
