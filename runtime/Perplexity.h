// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// EXE --perplexity: how well the model foresees a text, by the strided recipe
// of Hugging Face transformers
// (https://huggingface.co/docs/transformers/perplexity).
//
// Windows of `window` tokens start every `stride` tokens. Each window is read
// by a sequence of its own, and scores the tokens that no window before it had;
// the others are context. A window's first token is scored by none: nothing
// stands before it. docs/executable.md says what follows from that.
#ifndef LLAMAC_RUNTIME_PERPLEXITY_H
#define LLAMAC_RUNTIME_PERPLEXITY_H

#include "runtime/Engine.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace llrt {

struct PerplexityRequest {
  std::vector<int32_t> ids; ///< the text, BOS included
  uint32_t window = 0, stride = 0;

  /// `ids`: two or more. `stride`: 512, at most `window`. An Error where these
  /// leave tokens out.
  static Result<PerplexityRequest> make(std::vector<int32_t> ids,
                                        uint32_t window,
                                        std::optional<uint32_t> stride);
  size_t windows() const;
  EngineOptions engineOptions() const;
};

struct PerplexityReport {
  uint64_t tokens = 0;  ///< of the text
  uint64_t scored = 0;  ///< of these, so far
  uint64_t windows = 0; ///< so far
  uint32_t window = 0, stride = 0;
  double sum = 0, squares = 0; ///< of the scored tokens' -log p, natural

  double nll() const; ///< mean, in nats
  double perplexity() const;
  /// Of the perplexity: one standard error of the mean, to first order.
  double error() const;
  std::string text() const; ///< without an end of line
  std::string json() const; ///< one line
};

/// `done` is told after every window. Log-probabilities are taken on the
/// device: of the logits no more than one call of @head is ever in memory.
Result<PerplexityReport>
measurePerplexity(Engine &engine, const PerplexityRequest &request,
                  const std::function<void(const PerplexityReport &)> &done);

} // namespace llrt

#endif
