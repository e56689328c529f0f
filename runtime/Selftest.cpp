// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Layer by layer, then whole.
#include "runtime/Selftest.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

using namespace llrt;

namespace {

/// Of the stored values, twice: they have 18 bits of significand.
constexpr double storedError = 0x1p-17;

/// Keeps the value that is the most over its bound, or the closest to it.
class Worst {
public:
  explicit Worst(std::string name) { part.name = std::move(name); }
  /// `what` says where the value is.
  template <typename What>
  void add(float found, float expected, double bound, What what) {
    const double deviation = std::fabs(double(found) - double(expected));
    // NaN is over every bound.
    const double share =
        std::isfinite(found)
            ? (bound > 0 ? deviation / bound : (deviation > 0 ? INFINITY : 0))
            : INFINITY;
    if (any && !(share > worst))
      return;
    any = true;
    worst = share;
    part.deviation = std::isfinite(found) ? deviation : INFINITY;
    part.bound = bound;
    part.holds = share <= 1;
    char text[128];
    std::snprintf(text, sizeof text, "found %.6g, expected %.6g", found,
                  expected);
    part.where = what() + ": " + text;
  }
  SelftestPart take() { return std::move(part); }

private:
  SelftestPart part;
  double worst = 0;
  bool any = false;
};

double relativeError(const std::vector<float> &found, View<float> expected) {
  double difference = 0, size = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double d = double(found[i]) - double(expected[i]);
    difference += d * d;
    size += double(expected[i]) * double(expected[i]);
  }
  return size > 0 ? std::sqrt(difference / size) : std::sqrt(difference);
}

/// JSON has no infinity.
nlohmann::ordered_json number(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nullptr;
}

} // namespace

Result<Selftest> Selftest::read(const Executable &executable) {
  const LlamacPlanHeader &plan = executable.plan();
  const View<uint8_t> bytes = executable.selftest();
  if (bytes.empty())
    return Error(
        executable.path() +
        ": holds no values to test itself with: it was compiled with " +
        (plan.weights_place == LLAMAC_WEIGHTS_NONE ? "--no-weights"
                                                   : "--no-selftest") +
        "; compile the model again without that option");
  const std::string where =
      executable.path() + ": section " LLAMAC_SECTION_SELFTEST ": ";
  const std::string again =
      "; compile the model again with this version of llamac";
  Selftest test;
  LlamacSelftestHeader &header = test.header;
  if (bytes.size() < sizeof header)
    return Error(where + "found " + std::to_string(bytes.size()) +
                 " bytes, expected at least " + std::to_string(sizeof header) +
                 again);
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != LLAMAC_SELFTEST_MAGIC)
    return Error(where + "has another magic number" + again);
  const uint32_t mostTokens = std::min<uint32_t>(
      LLAMAC_SELFTEST_TOKENS_MAX, std::min(plan.max_chunk, plan.max_seq_len));
  if (header.token_count < 1 || header.token_count > mostTokens ||
      header.stages != plan.layers + 1 ||
      header.hidden_size != plan.hidden_size ||
      header.vocab_size != plan.vocab_size)
    return Error(where + "is of another model than the plan" + again);
  auto take = [&](auto &array, uint64_t offset, uint64_t count) {
    using Element =
        std::remove_const_t<std::remove_pointer_t<decltype(array.data())>>;
    if (offset % 8 || offset > bytes.size() ||
        count > (bytes.size() - offset) / sizeof(Element))
      return false;
    array = {reinterpret_cast<const Element *>(bytes.data() + offset),
             static_cast<size_t>(count)};
    return true;
  };
  const uint64_t rows = uint64_t(header.stages) * header.token_count;
  if (!take(test.tokens, header.tokens_offset, header.token_count) ||
      !take(test.residual, header.residual_offset, rows * header.hidden_size) ||
      !take(test.bounds, header.bounds_offset, rows) ||
      !take(test.logits, header.logits_offset, header.vocab_size))
    return Error(where + "an array reaches past its end" + again);
  return test;
}

EngineOptions Selftest::engineOptions() const {
  EngineOptions options;
  options.contextSize = header.token_count;
  options.maxBatch = 1;
  return options;
}

SelftestPart Selftest::compareStage(uint32_t stage,
                                    const std::vector<float> &found) const {
  const uint64_t hidden = header.hidden_size;
  Worst worst(stage == 0 ? "embedding" : "layer " + std::to_string(stage - 1));
  for (uint32_t t = 0; t < header.token_count; ++t) {
    const uint64_t row = uint64_t(stage) * header.token_count + t;
    for (uint64_t i = 0; i < hidden; ++i) {
      const float expected = residual[row * hidden + i];
      worst.add(found[t * hidden + i], expected,
                bounds[row] + storedError * std::fabs(expected), [&] {
                  return "token " + std::to_string(t) + ", value " +
                         std::to_string(i);
                });
    }
  }
  return worst.take();
}

Result<SelftestReport>
Selftest::run(Engine &engine,
              const std::function<Error(const SelftestPart &)> &done) const {
  SelftestReport report;
  report.tokens.assign(tokens.begin(), tokens.end());
  auto add = [&](SelftestPart part) {
    report.parts.push_back(std::move(part));
    return done(report.parts.back());
  };
  Result<KvCache::Sequence> sequence = engine.addSequence();
  if (!sequence)
    return sequence.error();
  uint32_t stage = 0;
  StepOutput out;
  if (Error error = engine.prefillByLayer(
          *sequence, report.tokens,
          [&](int32_t layer, std::vector<float> &values) {
            if (layer + 1 != static_cast<int32_t>(stage))
              return Error("@prefill has its layers in another order; compile "
                           "the model again with this version of llamac");
            Error failed = add(compareStage(stage, values));
            // The next layer gets what the reference's got.
            std::copy_n(&residual[uint64_t(stage) * values.size()],
                        values.size(), values.begin());
            ++stage;
            return failed;
          },
          out))
    return error;
  if (stage != header.stages)
    return Error("@prefill has the launches of " + std::to_string(stage) +
                 " parts, expected " + std::to_string(header.stages) +
                 "; compile the model again with this version of llamac");
  Worst head("head");
  for (uint32_t i = 0; i < header.vocab_size; ++i)
    head.add(out.logits[i], logits[i],
             header.head_bound + storedError * std::fabs(logits[i]),
             [&] { return "logit " + std::to_string(i); });
  if (Error error = add(head.take()))
    return error;
  engine.freeSequence(*sequence);

  // As a prompt and a first token.
  sequence = engine.addSequence();
  if (!sequence)
    return sequence.error();
  const LlamacPositions &positions = engine.plan().positions;
  // Angles that follow the length are those of all tokens at once.
  const bool atOnce = positions.scaling == LLAMAC_DYNAMIC &&
                      positions.original < header.token_count;
  std::vector<int32_t> prompt(report.tokens.begin(),
                              report.tokens.end() - (atOnce ? 0 : 1));
  if (!prompt.empty())
    if (Error error = engine.prefill(*sequence, prompt,
                                     atOnce ? Rows::Last : Rows::None, out))
      return error;
  if (!atOnce)
    if (Error error = engine.decode({{*sequence, report.tokens.back()}}, out))
      return error;
  engine.freeSequence(*sequence);
  SelftestPart whole;
  whole.name = "whole run";
  whole.deviation = relativeError(out.logits, logits);
  whole.bound = header.run_bound;
  whole.holds = whole.deviation <= whole.bound; // not with NaN
  whole.where = "the last token's logits, relative";
  if (Error error = add(std::move(whole)))
    return error;
  report.greedyFound = out.next.at(0);
  report.greedyExpected = header.greedy_id;
  report.greedySettled = header.greedy_settled != 0;
  return report;
}

bool SelftestReport::passed() const {
  return greedyHolds() &&
         std::all_of(parts.begin(), parts.end(),
                     [](const SelftestPart &part) { return part.holds; });
}

std::string SelftestReport::failure() const {
  if (passed())
    return "";
  const SelftestPart *first = nullptr;
  size_t drifting = 0;
  for (const SelftestPart &part : parts) {
    if (part.holds)
      continue;
    if (!first)
      first = &part;
    ++drifting;
  }
  const std::string advice =
      "; the weights are not those that this executable was compiled with, or "
      "this device computes wrongly";
  if (!first)
    return "the greedy token drifts: found " + std::to_string(greedyFound) +
           ", expected " + std::to_string(greedyExpected) + advice;
  char text[96];
  std::snprintf(text, sizeof text, ": deviation %.3g, bound %.3g",
                first->deviation, first->bound);
  return first->name + " drifts first (" + std::to_string(drifting) + " of " +
         std::to_string(parts.size()) + " parts do): " + first->where + text +
         advice;
}

std::string SelftestReport::json() const {
  nlohmann::ordered_json object, list = nlohmann::ordered_json::array();
  nlohmann::ordered_json first;
  for (const SelftestPart &part : parts) {
    list.push_back({{"part", part.name},
                    {"deviation", number(part.deviation)},
                    {"bound", number(part.bound)},
                    {"where", part.where},
                    {"holds", part.holds}});
    if (!part.holds && first.is_null())
      first = part.name;
  }
  object["selftest"] = passed() ? "passed" : "failed";
  object["first_drift"] =
      first.is_null() && !greedyHolds() ? "greedy token" : first;
  object["tokens"] = tokens;
  object["parts"] = std::move(list);
  object["greedy_token"] = {{"found", greedyFound},
                            {"expected", greedyExpected},
                            {"settled", greedySettled}};
  return object.dump() + "\n";
}

std::string llrt::selftestTableHead() {
  return "part           deviation      bound   share\n";
}

std::string llrt::selftestTableRow(const SelftestPart &part) {
  char text[160];
  std::snprintf(text, sizeof text, "%-12s  %10.3e %10.3e %7.2f%s\n",
                part.name.c_str(), part.deviation, part.bound,
                part.bound > 0 ? part.deviation / part.bound : 0.0,
                part.holds ? "" : "  drifts");
  return text;
}

std::string llrt::selftestVerdict(const SelftestReport &report) {
  std::string text = "greedy token  " + std::to_string(report.greedyFound);
  if (report.greedyFound != report.greedyExpected)
    text += ", expected " + std::to_string(report.greedyExpected) +
            (report.greedySettled ? "" : " (rounding may choose either)");
  return text + "\nselftest: " + (report.passed() ? "passed" : "failed") +
         ": " + std::to_string(report.parts.size()) + " parts, " +
         std::to_string(report.tokens.size()) + " tokens,";
}
