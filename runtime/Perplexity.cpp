// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Window by window.
#include "runtime/Perplexity.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

using namespace llrt;

static constexpr uint32_t defaultStride = 512; // the recipe's

Result<PerplexityRequest>
PerplexityRequest::make(std::vector<int32_t> ids, uint32_t window,
                        std::optional<uint32_t> stride) {
  if (window < 2)
    return Error("--perplexity: a window of one token has nothing to score; "
                 "give --ctx-size 2 or more");
  if (stride && *stride > window)
    return Error("--perplexity-stride: found " + std::to_string(*stride) +
                 ", expected at most the window, " + std::to_string(window) +
                 ": tokens between two windows would not be scored");
  PerplexityRequest request;
  request.ids = std::move(ids);
  request.window = window;
  request.stride = stride.value_or(std::min(defaultStride, window));
  return request;
}

size_t PerplexityRequest::windows() const {
  if (ids.size() <= window)
    return 1;
  return (ids.size() - window + stride - 1) / stride + 1;
}

EngineOptions PerplexityRequest::engineOptions() const {
  EngineOptions options;
  options.contextSize = window;
  options.maxBatch = 1;
  return options;
}

double PerplexityReport::nll() const {
  return scored ? sum / static_cast<double>(scored) : 0;
}

double PerplexityReport::perplexity() const { return std::exp(nll()); }

double PerplexityReport::error() const {
  if (scored < 2)
    return 0;
  const auto count = static_cast<double>(scored);
  const double mean = nll();
  const double variance =
      std::max(0.0, (squares - count * mean * mean) / (count - 1));
  return perplexity() * std::sqrt(variance / count);
}

std::string PerplexityReport::text() const {
  char text[160];
  std::snprintf(text, sizeof text,
                "perplexity %.4f +/- %.4f (NLL %.6f, %llu of %llu tokens "
                "scored, window %u, stride %u)",
                perplexity(), error(), nll(),
                static_cast<unsigned long long>(scored),
                static_cast<unsigned long long>(tokens), window, stride);
  return text;
}

std::string PerplexityReport::json() const {
  auto number = [](double value) { // JSON has no infinity
    return std::isfinite(value) ? nlohmann::ordered_json(value) : nullptr;
  };
  nlohmann::ordered_json object;
  object["perplexity"] = number(perplexity());
  object["error"] = number(error());
  object["nll"] = number(nll());
  object["tokens"] = tokens;
  object["scored"] = scored;
  object["window"] = window;
  object["stride"] = stride;
  object["windows"] = windows;
  return object.dump() + "\n";
}

/// Scores the last `fresh` tokens of `ids`, or all but the first.
static Error scoreWindow(Engine &engine, const std::vector<int32_t> &ids,
                         size_t fresh, PerplexityReport &report) {
  Result<KvCache::Sequence> sequence = engine.addSequence();
  if (!sequence)
    return sequence.error();
  // The row before the first scored token is the first that has to be there.
  const size_t scored = std::min(fresh, ids.size() - 1),
               before = ids.size() - scored - 1;
  // What comes before it needs no logits; but where the angles follow the
  // length of what is fed, a window is fed whole, as transformers does.
  const bool whole = engine.plan().positions.scaling == LLAMAC_DYNAMIC;
  const size_t context = whole ? 0 : before;
  StepOutput out;
  if (context)
    if (Error error = engine.prefill(
            *sequence, {ids.begin(), ids.begin() + context}, Rows::None, out,
            /*logits=*/false))
      return error;
  Choice choice;
  choice.logProbabilities = 0; // of the tokens that follow
  if (Error error =
          engine.prefill(*sequence, {ids.begin() + context, ids.end()},
                         Rows::All, out, /*logits=*/false, choice))
    return error;
  for (size_t i = 0; i < scored; ++i) {
    const LogProbabilityRow &row = out.logProbabilities[before - context + i];
    const double loss = -logProbability(row.target, row);
    report.sum += loss;
    report.squares += loss * loss;
  }
  report.scored += scored;
  engine.freeSequence(*sequence);
  return Error::success();
}

Result<PerplexityReport> llrt::measurePerplexity(
    Engine &engine, const PerplexityRequest &request,
    const std::function<void(const PerplexityReport &)> &done) {
  PerplexityReport report;
  report.tokens = request.ids.size();
  report.window = request.window;
  report.stride = request.stride;
  size_t known = 0; // tokens that a window had
  for (size_t begin = 0; known < request.ids.size(); begin += request.stride) {
    const size_t end =
        std::min<size_t>(begin + request.window, request.ids.size());
    const std::vector<int32_t> ids(request.ids.begin() + begin,
                                   request.ids.begin() + end);
    // A last window of one token has nothing before it.
    if (ids.size() > 1)
      if (Error error = scoreWindow(engine, ids, end - known, report))
        return error;
    ++report.windows;
    known = end;
    done(report);
  }
  return report;
}
