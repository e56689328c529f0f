// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Greedy generation for any number of requests: each takes a free slot of the
// engine when one comes free (continuous batching) and ends for itself.
#ifndef LLAMAC_RUNTIME_GENERATOR_H
#define LLAMAC_RUNTIME_GENERATOR_H

#include "runtime/Engine.h"
#include "runtime/Tokenizer.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace llrt {

struct Request {
  std::vector<int32_t> prompt; ///< ids, BOS included
  uint32_t maxTokens = std::numeric_limits<uint32_t>::max();
  std::vector<std::string> stops;
  std::vector<int32_t>
      forced; ///< fed in place of the first choices; these end no text
  bool keepLogits = false; ///< a row per output token
  bool echo = false; ///< text starts with the prompt; logits have a row per
                     ///< prompt position
};

enum class FinishReason {
  Eos, ///< an end-of-text id was chosen; it is the last of `output`, and silent
  Stop,  ///< a stop string appeared
  Length ///< maxTokens, or the context is full
};
const char *finishReasonName(FinishReason reason);

struct Completion {
  std::vector<int32_t> output;
  std::string text; ///< without a tokenizer: the ids, separated by spaces
  FinishReason reason = FinishReason::Length;
  /// [rows][vocab_size], rows in the order of their positions. With echo the
  /// row after the last prompt token is the row of the first output token.
  std::vector<float> logits;
  std::string failure; ///< why this request was refused; "" if it was not
};

struct GenerationStatistics {
  uint64_t promptTokens = 0, outputTokens = 0, decodeSteps = 0,
           decodedTokens = 0;
  double promptSeconds = 0, decodeSeconds = 0;
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
  Error accept(Active &active, int32_t choice, const float *logits);
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
