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

/// A sequence that outlives its requests: each one goes on where the one before
/// ended, and only what is new of its prompt is computed.
struct Conversation {
  /// Taken by the first request, and freed with the engine.
  std::optional<KvCache::Sequence> sequence;
  std::vector<int32_t> stored; ///< ids whose keys and values it holds
};

struct Request {
  std::vector<int32_t> prompt; ///< ids, BOS included
  /// Not null: its entries are used where `prompt` starts with all of them (if
  /// it does not, it starts anew), and stay when the request ends. Of those
  /// that run at once each has its own; no echo with it.
  Conversation *conversation = nullptr;
  std::vector<int32_t> ends; ///< end the text, besides the model's own ids
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
  Stop,     ///< a stop string appeared
  Length,   ///< maxTokens, or the context is full
  Interrupt ///< see Generator::setInterrupt
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
  uint32_t cachedTokens = 0; ///< of the prompt: not computed again
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
  /// Asked before every step: true ends all that runs.
  void setInterrupt(std::function<bool()> asked) {
    interrupted = std::move(asked);
  }
  const GenerationStatistics &statistics() const { return counts; }

private:
  struct Active;
  Error admit(size_t index, const Request &request);
  Error step();
  Error begin();
  bool wantsMore() const;
  Error drain();
  /// The sequence that `request` is to use, with what it stores of the prompt.
  Result<KvCache::Sequence> takeSequence(const Request &request,
                                         uint32_t &stored);
  void leaveSequence(const Active &active);
  /// How the next token of `active` is chosen.
  static Choice nextChoice(Active &active);
  /// `row` of what the step gave is the next output token's.
  Error accept(Active &active, const StepOutput &out, size_t row);
  Error emit(Active &active, const std::string &text);
  Error finish(Active &active, FinishReason reason);
  Error refuse(size_t index, const std::string &why);
  uint32_t limit(const Request &request) const;

  bool endsText(const Request &request, int32_t token) const;
  Error interruptAll();

  Engine &engine;
  std::function<bool()> interrupted;
  const Tokenizer *tokenizer;
  const TextHandler *textHandler = nullptr;
  const DoneHandler *doneHandler = nullptr;
  std::vector<Active> running;
  GenerationStatistics counts;
};

} // namespace llrt

#endif
