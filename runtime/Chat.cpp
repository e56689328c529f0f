// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Read a line, feed what is new, stream the answer.
#include "runtime/Chat.h"

#include "runtime/CompletionJson.h"
#include "runtime/LineReader.h"
#include "runtime/Utf8.h"

#include <cstdio>
#include <unistd.h>

using namespace llrt;

namespace {

bool isBlank(const std::string &line) {
  return line.find_first_not_of(" \t\r\f\v") == std::string::npos;
}

/// The marker before a line that a user types.
void showPrompt(bool terminal, bool shown) {
  if (!terminal)
    return;
  if (shown)
    std::fputs("> ", stderr);
  Output::setPromptShown(shown);
}

} // namespace

/// What stands before the answer to `message`, all of the context included.
Error Chat::encode(const std::string &message, const Options &options,
                   std::vector<int32_t> &prompt) const {
  std::vector<TextPart> parts;
  if (context.empty()) {
    Dialog dialog{{Role::User, message}};
    if (options.system)
      dialog.insert(dialog.begin(), {Role::System, *options.system});
    parts = style.render(dialog);
  } else {
    parts = style.renderNext(message);
  }
  Result<std::vector<int32_t>> ids = tokenizer.encodeParts(parts);
  if (!ids)
    return ids.error();
  prompt = context;
  prompt.insert(prompt.end(), ids->begin(), ids->end());
  return Error::success();
}

/// The end-of-text id is the template's to write.
void Chat::take(const Request &request, const Completion &completion) {
  context = request.prompt;
  context.insert(context.end(), completion.output.begin(),
                 completion.output.end());
  if (completion.reason == FinishReason::Eos)
    context.pop_back();
  if (completion.reason == FinishReason::Length &&
      context.size() > engine.contextSize())
    say("the context of " + std::to_string(engine.contextSize()) +
        " tokens is full: this answer was cut, and no further one has room");
}

Error Chat::answer(const std::string &message, const Options &options) {
  std::vector<Request> requests{options.request};
  Request &request = requests[0];
  request.conversation = &conversation;
  request.ends = {style.endOfTurn()};
  request.seed += turn++;
  if (Error error = encode(message, options, request.prompt))
    return error;
  Completion result;
  if (request.prompt.size() > engine.contextSize()) {
    result.failure = "no room for this turn: with it the conversation has " +
                     std::to_string(request.prompt.size()) +
                     " tokens, but the context holds " +
                     std::to_string(engine.contextSize()) +
                     "; start a new one" +
                     (engine.contextSize() < engine.plan().max_seq_len
                          ? ", or raise --ctx-size (up to " +
                                std::to_string(engine.plan().max_seq_len) + ")"
                          : ", or compile with a larger --max-seq-len");
  } else {
    Error error = generator.run(
        requests,
        [&](size_t, const std::string &text) {
          return options.json ? Error::success() : output.write(text);
        },
        [&](size_t, Completion &completion) {
          result = std::move(completion);
          return Error::success();
        });
    if (error)
      return error;
  }
  bool bad = !result.failure.empty();
  if (!bad && !options.json)
    if (Error error = output.write("\n"))
      return error;
  if (options.json)
    if (Error error = output.write(completionJson(request, result, true)))
      return error;
  if (bad)
    say(result.failure);
  else
    take(request, result);
  if (!bad && options.verbose)
    say("turn " + std::to_string(turn) + ": " +
        std::to_string(result.cachedTokens) + " tokens kept, " +
        std::to_string(request.prompt.size() - result.cachedTokens) + " fed, " +
        std::to_string(result.output.size()) + " given (" +
        finishReasonName(result.reason) + ")");
  someFailed |= bad;
  return Error::success();
}

Error Chat::run(const Options &options) {
  bool terminal = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
  generator.setInterrupt(Output::interruptNoted);
  LineReader lines(STDIN_FILENO, "standard input");
  for (;;) {
    showPrompt(terminal, true);
    std::optional<std::string> line;
    if (Error error = lines.next(line))
      return error;
    showPrompt(terminal, false);
    if (!line) {
      if (terminal)
        std::fputs("\n", stderr);
      return Error::success();
    }
    if (isBlank(*line))
      continue;
    Output::noteInterrupts(true);
    Error error = answer(replaceInvalidUtf8(*line), options);
    Output::noteInterrupts(false);
    if (error)
      return error;
  }
}
