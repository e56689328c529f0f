// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Generation for any number of requests: each takes a free slot of the
// engine when one comes free (continuous batching) and ends for itself.
#ifndef LLAMAC_RUNTIME_GENERATOR_H
#define LLAMAC_RUNTIME_GENERATOR_H

#include "runtime/Engine.h"
#include "runtime/Tokenizer.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace llrt {

struct Request {
  std::vector<int32_t> prompt; ///< ids, BOS included
  uint32_t maxTokens = std::numeric_limits<uint32_t>::max();
  std::vector<std::string> stops;
  std::vector<int32_t>
      forced; ///< fed in place of the first choices; these end no text
  Sampling sampling;
  uint64_t seed = 0; ///< output token i is drawn with (seed, i)
  /// Log-probabilities: of each token, and that many of the highest.
  std::optional<uint32_t> logProbabilities;
  bool keepLogits = false; ///< a row per output token
  bool echo = false; ///< text starts with the prompt; logits have a row per
                     ///< prompt position, log-probabilities one per prompt
                     ///< token after the first
};

enum class FinishReason {
  Eos, ///< an end-of-text id was chosen; it is the last of `output`, and silent
  Stop,  ///< a stop string appeared
  Length ///< maxTokens, or the context is full
};
const char *finishReasonName(FinishReason reason);

/// Of the raw logits' log-softmax. -infinity: no share at all.
struct TokenProbability {
  int32_t id;
  double logProbability;
};
struct TokenReport {
  TokenProbability token;
  std::vector<TokenProbability> highest; ///< descending, ties by lower id
};

struct Completion {
  std::vector<int32_t> output;
  std::string text; ///< without a tokenizer: the ids, separated by spaces
  FinishReason reason = FinishReason::Length;
  /// [rows][vocab_size], rows in the order of their positions. With echo the
  /// row after the last prompt token is the row of the first output token.
  std::vector<float> logits;
  /// One for each output token; with echo those of the prompt's tokens, from
  /// its second on, before them.
  std::vector<TokenReport> reports;
  std::string failure; ///< why this request was refused; "" if it was not
};

struct GenerationStatistics {
  uint64_t promptTokens = 0, outputTokens = 0, decodeSteps = 0,
           decodedTokens = 0;
  double promptSeconds = 0, decodeSeconds = 0;
  double firstPromptSeconds = 0; ///< of promptSeconds: the first prompt's
};

class Generator {
public:
  /// Text of request `index` as it comes; whole characters. An error ends
  /// run().
  using TextHandler =
      std::function<Error(size_t index, const std::string &text)>;
  /// Request `index` is done; in the order in which they end.
  using DoneHandler =
      std::function<Error(size_t index, Completion &completion)>;

  /// `tokenizer` may be null.
  Generator(Engine &engine, const Tokenizer *tokenizer);
  ~Generator();
  /// Fails only when the device or a handler does; a request that fails says so
  /// in its completion.
  Error run(const std::vector<Request> &requests, const TextHandler &onText,
            const DoneHandler &onDone);
  const GenerationStatistics &statistics() const { return counts; }

private:
  struct Active;
  Error admit(size_t index, const Request &request);
  Error step();
  /// How the next token of `active` is chosen.
  static Choice nextChoice(Active &active);
  /// `row` of what the step gave is the next output token's.
  Error accept(Active &active, const StepOutput &out, size_t row);
  Error emit(Active &active, const std::string &text);
  Error finish(Active &active, FinishReason reason);
  Error refuse(size_t index, const std::string &why);
  uint32_t limit(const Request &request) const;

  Engine &engine;
  const Tokenizer *tokenizer;
  const TextHandler *textHandler = nullptr;
  const DoneHandler *doneHandler = nullptr;
  std::vector<Active> running;
  GenerationStatistics counts;
};

} // namespace llrt

#endif
