// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Keys in the order in which they are read.
#include "runtime/CompletionJson.h"

#include <cmath>
#include <nlohmann/json.hpp>

using namespace llrt;
using nlohmann::ordered_json;

namespace {

/// Rounded to what float32 logits can tell; null where there is no share.
ordered_json jsonNumber(double logProbability) {
  if (!std::isfinite(logProbability))
    return nullptr;
  return std::round(logProbability * 1e6) / 1e6 + 0.0; // no -0
}

/// [{"id", "logprob", "top": [{"id", "logprob"}, ...]}, ...]
ordered_json jsonReports(const std::vector<TokenReport> &reports, bool echo) {
  auto list = ordered_json::array();
  if (echo) // nothing stands before the prompt's first token
    list.push_back(nullptr);
  for (const TokenReport &report : reports) {
    ordered_json entry, top = ordered_json::array();
    entry["id"] = report.token.id;
    entry["logprob"] = jsonNumber(report.token.logProbability);
    for (const TokenProbability &token : report.highest)
      top.push_back(
          {{"id", token.id}, {"logprob", jsonNumber(token.logProbability)}});
    entry["top"] = std::move(top);
    list.push_back(std::move(entry));
  }
  return list;
}

} // namespace

std::string llrt::completionJson(const Request &request,
                                 const Completion &completion, bool hasText) {
  ordered_json object;
  object["prompt_ids"] = request.prompt;
  if (request.conversation)
    object["cached_tokens"] = completion.cachedTokens;
  if (!completion.failure.empty()) {
    object["error"] = completion.failure;
  } else {
    object["output_ids"] = completion.output;
    object["text"] = hasText ? ordered_json(completion.text) : ordered_json();
    object["finish_reason"] = finishReasonName(completion.reason);
    object["seed"] = request.seed;
    if (request.logProbabilities)
      object["logprobs"] = jsonReports(completion.reports, request.echo);
  }
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) +
         "\n";
}
