// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Admit, step, accept, finish.
#include "runtime/Generator.h"

#include "runtime/StopStrings.h"

#include <algorithm>
#include <chrono>
#include <optional>

using namespace llrt;

namespace {

class Timer {
public:
  explicit Timer(double &total) : total(total) {}
  ~Timer() { total += seconds(); }
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() -
                                         start)
        .count();
  }

private:
  double &total;
  std::chrono::steady_clock::time_point start =
      std::chrono::steady_clock::now();
};

/// What is to be said of token `id`, of which `row` tells.
TokenReport makeReport(int32_t id, const LogProbabilityRow &row, uint32_t count,
                       uint32_t vocabulary) {
  TokenReport report{{id, logProbability(row.target, row)}, {}};
  for (uint32_t i = 0; i < std::min(count, vocabulary); ++i)
    report.highest.push_back({row.ids[i], logProbability(row.logits[i], row)});
  return report;
}

} // namespace

struct Generator::Active {
  size_t index;
  const Request *request;
  KvCache::Sequence sequence;
  uint32_t limit; ///< output tokens at most
  std::optional<TextStream> stream;
  StopStrings stops;
  SeenTokens seen; ///< only where there are penalties
  Completion completion;
  bool finished = false; ///< it stays in its row until no step is underway
  uint32_t underway = 0; ///< steps with a row of it that were begun
};

Generator::Generator(Engine &engine, const Tokenizer *tokenizer)
    : engine(engine), tokenizer(tokenizer) {}
Generator::~Generator() = default;

const char *llrt::finishReasonName(FinishReason reason) {
  switch (reason) {
  case FinishReason::Eos:
    return "eos";
  case FinishReason::Stop:
    return "stop";
  case FinishReason::Interrupt:
    return "interrupt";
  case FinishReason::Length:
    break;
  }
  return "length";
}

Error Generator::run(const std::vector<Request> &requests,
                     const TextHandler &onText, const DoneHandler &onDone) {
  textHandler = &onText;
  doneHandler = &onDone;
  if (Error error = drain())
    return error;
  for (size_t next = 0; next < requests.size() || !running.empty();) {
    while (next < requests.size() && running.size() < engine.maxBatch()) {
      if (Error error = admit(next, requests[next]))
        return error;
      ++next;
    }
    if (interrupted && interrupted())
      if (Error error = interruptAll())
        return error;
    if (!running.empty())
      if (Error error = step())
        return error;
  }
  return Error::success();
}

Error Generator::interruptAll() {
  for (Active &active : running)
    if (!active.finished)
      if (Error error = finish(active, FinishReason::Interrupt))
        return error;
  running.clear();
  return drain();
}

/// Lets what is underway end, and looks at none of it.
Error Generator::drain() {
  StepOutput out;
  while (engine.underway() != 0)
    if (Error error = engine.finish(out))
      return error;
  return Error::success();
}

/// A conversation whose entries are of another prompt starts anew.
Result<KvCache::Sequence> Generator::takeSequence(const Request &request,
                                                  uint32_t &stored) {
  stored = 0;
  Conversation *conversation = request.conversation;
  if (!conversation)
    return engine.addSequence();
  const std::vector<int32_t> &ids = conversation->stored;
  if (conversation->sequence) {
    if (ids.size() < request.prompt.size() &&
        std::equal(ids.begin(), ids.end(), request.prompt.begin())) {
      stored = static_cast<uint32_t>(ids.size());
      return *conversation->sequence;
    }
    engine.freeSequence(*conversation->sequence);
    *conversation = {};
  }
  Result<KvCache::Sequence> sequence = engine.addSequence();
  if (sequence)
    conversation->sequence = *sequence;
  return sequence;
}

/// The last token that was chosen is never stored: by steps that began before
/// the text turned out to have ended it was, and is forgotten.
void Generator::leaveSequence(const Active &active) {
  Conversation *conversation = active.request->conversation;
  if (!conversation)
    return engine.freeSequence(active.sequence);
  engine.forget(active.sequence, active.underway);
  conversation->stored = active.request->prompt;
  conversation->stored.insert(conversation->stored.end(),
                              active.completion.output.begin(),
                              active.completion.output.end());
  conversation->stored.resize(engine.length(active.sequence));
}

Error Generator::refuse(size_t index, const std::string &why) {
  Completion completion;
  completion.failure = why;
  return (*doneHandler)(index, completion);
}

/// The last token's KV is never stored: a prompt that fills the context still
/// gives one token.
uint32_t Generator::limit(const Request &request) const {
  uint32_t room =
      engine.contextSize() - static_cast<uint32_t>(request.prompt.size()) + 1;
  return std::min(room, request.maxTokens);
}

Error Generator::admit(size_t index, const Request &request) {
  if (request.prompt.empty())
    return refuse(index, "the prompt has no tokens");
  if (request.prompt.size() > engine.contextSize())
    return refuse(index,
                  "the prompt has " + std::to_string(request.prompt.size()) +
                      " tokens, but the context holds " +
                      std::to_string(engine.contextSize()) + ": shorten it" +
                      (engine.contextSize() < engine.plan().max_seq_len
                           ? ", or raise --ctx-size (up to " +
                                 std::to_string(engine.plan().max_seq_len) + ")"
                           : ", or compile with a larger --max-seq-len"));
  for (const std::vector<int32_t> *ids : {&request.prompt, &request.forced})
    for (int32_t id : *ids)
      if (id < 0 || static_cast<uint32_t>(id) >= engine.plan().vocab_size)
        return refuse(index,
                      "token id " + std::to_string(id) +
                          " is out of range: the vocabulary has ids 0 to " +
                          std::to_string(engine.plan().vocab_size - 1));
  uint32_t stored = 0;
  Result<KvCache::Sequence> sequence = takeSequence(request, stored);
  if (!sequence)
    return refuse(index, sequence.error().message());
  std::vector<int32_t> fresh(request.prompt.begin() + stored,
                             request.prompt.end());
  if (Error error = engine.kvCache().check(
          *sequence, static_cast<uint32_t>(fresh.size()))) {
    if (!request.conversation)
      engine.freeSequence(*sequence);
    return refuse(index, error.message());
  }

  running.push_back({index,
                     &request,
                     *sequence,
                     limit(request),
                     std::nullopt,
                     StopStrings(request.stops),
                     {},
                     {},
                     false});
  Active &active = running.back();
  active.completion.cachedTokens = stored;
  if (request.sampling.penalises())
    active.seen.addPrompt(request.prompt);
  bool all = request.echo && (request.keepLogits || request.logProbabilities);
  StepOutput out;
  if (request.maxTokens != 0 || all) {
    Timer timer(counts.promptSeconds);
    if (Error error =
            engine.prefill(*sequence, fresh, all ? Rows::All : Rows::Last, out,
                           request.keepLogits, nextChoice(active)))
      return error;
    if (counts.promptTokens == 0)
      counts.firstPromptSeconds = timer.seconds();
    counts.promptTokens += fresh.size();
  }
  if (tokenizer) {
    active.stream.emplace(*tokenizer, request.prompt);
    if (request.echo)
      if (Error error = emit(active, active.stream->promptText()))
        return error;
  } else if (request.echo) {
    std::string text;
    for (int32_t id : request.prompt)
      text += std::to_string(id) + " ";
    if (Error error = emit(active, text))
      return error;
  }
  size_t vocab = engine.plan().vocab_size;
  if (all && request.keepLogits) {
    // The last row belongs to the first output token, which accept() adds.
    size_t before =
        request.maxTokens == 0 ? out.next.size() : out.next.size() - 1;
    active.completion.logits.assign(out.logits.begin(),
                                    out.logits.begin() + before * vocab);
  }
  if (all && request.logProbabilities)
    for (size_t i = 0; i + 1 < request.prompt.size(); ++i)
      active.completion.reports.push_back(
          makeReport(request.prompt[i + 1], out.logProbabilities[i],
                     *request.logProbabilities, engine.plan().vocab_size));
  Error error = active.limit == 0 ? finish(active, FinishReason::Length)
                                  : accept(active, out, out.next.size() - 1);
  if (active.finished) // it never was in a step
    running.pop_back();
  return error;
}

Choice Generator::nextChoice(Active &active) {
  const Request &request = *active.request;
  Choice choice;
  choice.sampling = &request.sampling;
  choice.seed = request.seed;
  choice.step = static_cast<uint32_t>(active.completion.output.size());
  choice.seen = &active.seen;
  choice.logProbabilities = request.logProbabilities;
  if (choice.step < request.forced.size())
    choice.target = request.forced[choice.step];
  return choice;
}

/// All rows have tokens to come after those of the steps underway.
bool Generator::wantsMore() const {
  return std::all_of(running.begin(), running.end(), [](const Active &active) {
    return !active.finished &&
           active.completion.output.size() + active.underway < active.limit &&
           active.completion.output.size() + active.underway >=
               active.request->forced.size();
  });
}

Error Generator::begin() {
  std::vector<DecodeInput> inputs;
  bool logits = false;
  for (Active &active : running) {
    inputs.push_back(
        {active.sequence, active.completion.output.back(), nextChoice(active)});
    logits |= active.request->keepLogits;
    ++active.underway;
  }
  return engine.begin(inputs, logits);
}

/// While the device works on a step, the host looks at the tokens of the one
/// before. A text that ends there has one token too many underway.
Error Generator::step() {
  StepOutput out;
  {
    Timer timer(counts.decodeSeconds);
    if (engine.underway() == 0)
      if (Error error = begin())
        return error;
    if (engine.underway() == 1 && wantsMore()) {
      Result<bool> follows = engine.follow();
      if (!follows)
        return follows.error();
      for (Active &active : running)
        active.underway += *follows;
    }
    if (Error error = engine.finish(out))
      return error;
  }
  ++counts.decodeSteps;
  // Rows past the step's were admitted after it began.
  for (size_t row = 0; row < out.refused.size(); ++row) {
    Active &active = running[row];
    --active.underway;
    if (active.finished)
      continue;
    if (!out.refused[row].empty()) {
      active.completion.failure = out.refused[row];
      if (Error error = finish(active, FinishReason::Length))
        return error;
      continue;
    }
    ++counts.decodedTokens;
    if (Error error = accept(active, out, row))
      return error;
  }
  if (engine.underway() != 0)
    return Error::success();
  running.erase(
      std::remove_if(running.begin(), running.end(),
                     [](const Active &active) { return active.finished; }),
      running.end());
  return Error::success();
}

bool Generator::endsText(const Request &request, int32_t token) const {
  for (View<int32_t> ids : {engine.eosIds(), View<int32_t>(request.ends)})
    if (std::find(ids.begin(), ids.end(), token) != ids.end())
      return true;
  return false;
}

Error Generator::emit(Active &active, const std::string &text) {
  if (text.empty())
    return Error::success();
  active.completion.text += text;
  return (*textHandler)(active.index, text);
}

/// Takes the next output token: the choice, or the one that is forced.
Error Generator::accept(Active &active, const StepOutput &out, size_t row) {
  const Request &request = *active.request;
  uint32_t vocab = engine.plan().vocab_size;
  std::vector<int32_t> &output = active.completion.output;
  bool forced = output.size() < request.forced.size();
  int32_t token = forced ? request.forced[output.size()] : out.next[row];
  if (request.keepLogits)
    active.completion.logits.insert(active.completion.logits.end(),
                                    out.logits.begin() + row * vocab,
                                    out.logits.begin() + (row + 1) * vocab);
  if (request.logProbabilities)
    active.completion.reports.push_back(makeReport(
        token, out.logProbabilities[row], *request.logProbabilities, vocab));
  if (request.sampling.penalises())
    active.seen.addOutput(token);
  std::string separator = output.empty() ? "" : " ";
  output.push_back(token);
  ++counts.outputTokens;
  if (!forced && endsText(request, token))
    return finish(active, FinishReason::Eos);
  std::string text = active.stream ? active.stream->append(token)
                                   : separator + std::to_string(token);
  if (Error error = emit(active, active.stops.append(text)))
    return error;
  if (active.stops.matched())
    return finish(active, FinishReason::Stop);
  if (output.size() == active.limit)
    return finish(active, FinishReason::Length);
  return Error::success();
}

Error Generator::finish(Active &active, FinishReason reason) {
  if (reason != FinishReason::Stop) {
    std::string rest = active.stream
                           ? active.stops.append(active.stream->finish())
                           : std::string();
    if (active.stops.matched())
      reason = FinishReason::Stop;
    else
      rest += active.stops.finish();
    if (Error error = emit(active, rest))
      return error;
  }
  active.completion.reason = reason;
  active.finished = true;
  leaveSequence(active);
  return (*doneHandler)(active.index, active.completion);
}
