// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A conversation: each line of standard input is a turn of the user's, answered
// on standard output. What was said stays in the KV cache; a turn feeds what is
// new alone.
//
//   context, as ids                                         fed by turn 2
//   <prompt of turn 1> <answer, less its end-of-text id>  | <end of turn> ...
//
// The answer stays as it was chosen: it is not split into tokens again. Where
// it did not end by itself (a limit, --stop, Ctrl-C), its last token, which has
// no entries yet, is fed first.
#ifndef LLAMAC_RUNTIME_CHAT_H
#define LLAMAC_RUNTIME_CHAT_H

#include "runtime/ChatTemplate.h"
#include "runtime/Generator.h"
#include "runtime/Output.h"

#include <functional>
#include <optional>
#include <string>

namespace llrt {

class Chat {
public:
  struct Options {
    Request request; ///< of every turn, less its prompt; turn i has seed + i
    std::optional<std::string> system;
    bool json = false;    ///< an object a turn in place of the text
    bool verbose = false; ///< what each turn took
  };
  /// `say` writes a line to standard error.
  Chat(Engine &engine, const Tokenizer &tokenizer, const ChatTemplate &style,
       Generator &generator, Output &output,
       std::function<void(const std::string &)> say)
      : engine(engine), tokenizer(tokenizer), style(style),
        generator(generator), output(output), say(std::move(say)) {}

  /// Until standard input ends. A turn that has no room is told and leaves the
  /// conversation as it was; an error ends it.
  Error run(const Options &options);
  /// Whether a turn was refused.
  bool failed() const { return someFailed; }

private:
  Error answer(const std::string &message, const Options &options);
  Error encode(const std::string &message, const Options &options,
               std::vector<int32_t> &prompt) const;
  void take(const Request &request, const Completion &completion);

  Engine &engine;
  const Tokenizer &tokenizer;
  const ChatTemplate &style;
  Generator &generator;
  Output &output;
  std::function<void(const std::string &)> say;
  Conversation conversation;
  std::vector<int32_t> context; ///< empty before the first answer
  uint64_t turn = 0;
  bool someFailed = false;
};

} // namespace llrt

#endif
