// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Command line -> requests -> device -> text.
#include "runtime/Run.h"

#include "runtime/Chat.h"
#include "runtime/CommandLine.h"
#include "runtime/CompletionJson.h"
#include "runtime/Generator.h"
#include "runtime/Info.h"
#include "runtime/Measurement.h"
#include "runtime/Npy.h"
#include "runtime/Output.h"
#include "runtime/PositionScheme.h"
#include "runtime/ProgressBar.h"
#include "runtime/Prompts.h"

#include <chrono>
#include <cstdio>
#include <optional>
#include <random>
#include <sstream>
#include <unistd.h>

using namespace llrt;

namespace {

/// For -v: what is on.
std::string describe(const Sampling &sampling) {
  std::ostringstream text;
  if (sampling.temperature == 0)
    text << "greedy";
  else
    text << "temperature " << sampling.temperature;
  struct {
    const char *name;
    double value, off;
    bool greedy; ///< means something without draws
  } const all[] = {{"top-k", static_cast<double>(sampling.topK), 0, false},
                   {"top-p", sampling.topP, 1, false},
                   {"min-p", sampling.minP, 0, false},
                   {"repeat-penalty", sampling.repeatPenalty, 1, true},
                   {"presence-penalty", sampling.presencePenalty, 0, true},
                   {"frequency-penalty", sampling.frequencyPenalty, 0, true}};
  for (const auto &entry : all)
    if (entry.value != entry.off && (entry.greedy || sampling.temperature != 0))
      text << ", " << entry.name << " " << entry.value;
  return text.str();
}

class Session {
public:
  Session(const CommandLine &line, std::string program)
      : line(line), program(std::move(program)) {}
  int run();

private:
  Outcome open();
  Outcome checkRange(const char *option, std::optional<uint32_t> value,
                     uint32_t most);
  void chooseSampling();
  Outcome readRequests();
  /// What every prompt of this command line has.
  Request makeRequest() const;
  Outcome encode(Prompt &prompt, Request &request);
  Outcome encodeDialog(Prompt &prompt, Request &request);
  Outcome openChatTemplate();
  Outcome addRequest(Prompt prompt);
  Outcome openWeights();
  Outcome startDevice();
  Outcome generate();
  Outcome chat();
  Error finishOne(size_t index, Completion &completion);
  Error writeLogits(size_t index, const Completion &completion);
  void say(const std::string &text) const {
    std::fprintf(stderr, "%s: %s\n", program.c_str(), text.c_str());
  }
  void showStatistics(const GenerationStatistics &counts) const;
  void showStart(const GenerationStatistics &counts) const;

  const CommandLine &line;
  std::string program;
  Output output;
  std::unique_ptr<Executable> executable;
  std::unique_ptr<Tokenizer> tokenizer;
  std::optional<ChatTemplate> chatTemplate;
  std::unique_ptr<Device> device;
  std::unique_ptr<Engine> engine; // after the device: it goes first
  EngineOptions settings;
  Sampling sampling;
  uint64_t seed = 0; ///< of prompt 0
  double openSeconds = 0, deviceSeconds = 0;
  std::unique_ptr<Measurement> measurement; ///< null: text is made
  std::vector<Request> requests;
  std::vector<std::optional<std::string>>
      finished; ///< JSON lines that wait for earlier ones
  size_t shown = 0;
  bool someFailed = false;
};

} // namespace

Outcome Session::checkRange(const char *option, std::optional<uint32_t> value,
                            uint32_t most) {
  if (!value || *value <= most)
    return std::nullopt;
  return Failure{exitUsage, std::string(option) + ": found " +
                                std::to_string(*value) + ", expected 1 to " +
                                std::to_string(most) +
                                ", which this executable was compiled for"};
}

Outcome Session::open() {
  Result<std::unique_ptr<Executable>> opened =
      Executable::openSelf(Executable::Check::AllButWeights);
  if (!opened)
    return failed(opened.error());
  executable = std::move(*opened);
  const LlamacPlanHeader &plan = executable->plan();
  if (Outcome outcome =
          checkRange("--ctx-size", line.contextSize, plan.max_seq_len))
    return outcome;
  if (Outcome outcome =
          checkRange("--max-batch", line.maxBatch, plan.max_batch))
    return outcome;
  settings.contextSize = line.contextSize.value_or(0);
  settings.maxBatch = line.maxBatch.value_or(0);
  if (!line.maxBatch && !line.info &&
      line.source != CommandLine::Source::Prompts)
    settings.maxBatch = 1; // one prompt needs the KV pages of one sequence
  if (!executable->hasTokenizer())
    return std::nullopt;
  Result<std::unique_ptr<Tokenizer>> loaded =
      Tokenizer::load(executable->tokenizer(), plan.bos_id, plan.add_bos != 0);
  if (!loaded)
    return Failure{exitFailed,
                   executable->path() + ": " + loaded.error().message()};
  tokenizer = std::move(*loaded);
  return std::nullopt;
}

Request Session::makeRequest() const {
  Request request;
  request.sampling = sampling;
  request.seed = seed;
  request.logProbabilities = line.logProbabilities;
  if (line.maxTokens)
    request.maxTokens = *line.maxTokens;
  else if (!line.forced.empty())
    request.maxTokens = static_cast<uint32_t>(line.forced.size());
  request.stops = line.stops;
  request.forced = line.forced;
  request.keepLogits = !line.dumpLogits.empty();
  request.echo = line.echo;
  return request;
}

/// Asked for when the first dialog comes: without one it need not be known.
Outcome Session::openChatTemplate() {
  if (chatTemplate)
    return std::nullopt;
  if (!tokenizer)
    return Failure{exitUsage,
                   "this executable has no tokenizer, so it takes no dialogs"};
  auto which =
      static_cast<LlamacChatTemplate>(executable->plan().chat_template);
  const std::string instead = "; compile it with --chat-template NAME (llamac "
                              "--help lists them), or give a prompt as text";
  if (which == LLAMAC_CHAT_NONE)
    return Failure{exitUsage,
                   "this model came without a chat template, so it takes no "
                   "dialogs" +
                       instead};
  if (which == LLAMAC_CHAT_UNKNOWN)
    return Failure{
        exitUsage,
        "this model's chat template is none that llamac knows, so it "
        "takes no dialogs" +
            instead};
  Result<ChatTemplate> created = ChatTemplate::create(
      which, executable->plan().bos_id,
      [&](std::string_view text) { return tokenizer->findSpecial(text); });
  if (!created)
    return Failure{exitUsage, created.error().message()};
  chatTemplate = std::move(*created);
  return std::nullopt;
}

Outcome Session::encodeDialog(Prompt &prompt, Request &request) {
  if (Outcome outcome = openChatTemplate())
    return outcome;
  if (line.system)
    if (Error error = addSystem(prompt.dialog, *line.system, prompt.where))
      return Failure{exitUsage, error.message()};
  Result<std::vector<int32_t>> ids =
      tokenizer->encodeParts(chatTemplate->render(prompt.dialog));
  if (!ids)
    return failed(ids.error());
  request.prompt = std::move(*ids);
  request.ends = {chatTemplate->endOfTurn()};
  return std::nullopt;
}

/// Fills the prompt of `request`.
Outcome Session::encode(Prompt &prompt, Request &request) {
  if (prompt.kind == Prompt::Kind::Dialog)
    return encodeDialog(prompt, request);
  if (line.system)
    return Failure{exitUsage, "--system: " + line.argument +
                                  " holds a prompt that is no dialog; give it "
                                  "as messages"};
  if (prompt.kind == Prompt::Kind::Ids) {
    request.prompt = std::move(prompt.ids);
    return std::nullopt;
  }
  if (!tokenizer)
    return Failure{
        exitUsage,
        "this executable has no tokenizer: give the prompt as --ids"};
  Result<std::vector<int32_t>> ids =
      tokenizer->encode(prompt.text, line.noSpecial ? SpecialTokens::Plain
                                                    : SpecialTokens::Parsed);
  if (!ids)
    return failed(ids.error());
  request.prompt = std::move(*ids);
  return std::nullopt;
}

Outcome Session::addRequest(Prompt prompt) {
  Request request = makeRequest();
  request.seed = seed + requests.size();
  if (Outcome outcome = encode(prompt, request))
    return outcome;
  requests.push_back(std::move(request));
  return std::nullopt;
}

/// The command line's, else the plan's.
void Session::chooseSampling() {
  sampling = Sampling::of(executable->plan().sampling);
  sampling.temperature = line.temperature.value_or(sampling.temperature);
  sampling.topP = line.topP.value_or(sampling.topP);
  sampling.minP = line.minP.value_or(sampling.minP);
  sampling.topK = line.topK.value_or(sampling.topK);
  sampling.repeatPenalty = line.repeatPenalty.value_or(sampling.repeatPenalty);
  sampling.presencePenalty =
      line.presencePenalty.value_or(sampling.presencePenalty);
  sampling.frequencyPenalty =
      line.frequencyPenalty.value_or(sampling.frequencyPenalty);
  // Drawn: short enough for every reader of JSON.
  seed = line.seed ? *line.seed : std::random_device()();
}

Outcome Session::readRequests() {
  chooseSampling();
  if (!line.stops.empty() && !tokenizer)
    return Failure{
        exitUsage,
        "--stop: this executable has no tokenizer, so it makes no text"};
  Prompt prompt;
  switch (line.source) {
  case CommandLine::Source::Text:
    prompt.text = line.argument;
    break;
  case CommandLine::Source::Ids: {
    Result<std::vector<int32_t>> ids = parseIds(line.argument, "--ids");
    if (!ids)
      return Failure{exitUsage, ids.error().message()};
    prompt.kind = Prompt::Kind::Ids;
    prompt.ids = std::move(*ids);
    break;
  }
  case CommandLine::Source::File:
  case CommandLine::Source::None: {
    Result<std::string> text = readWhole(
        line.source == CommandLine::Source::None ? "-" : line.argument);
    if (!text)
      return failed(text.error());
    prompt.text = withoutLastNewline(std::move(*text));
    break;
  }
  case CommandLine::Source::Messages: {
    Result<Prompt> dialog = readMessages(line.argument);
    if (!dialog)
      return failed(dialog.error());
    prompt = std::move(*dialog);
    break;
  }
  case CommandLine::Source::Chat: // its turns come later
    return openChatTemplate();
  case CommandLine::Source::Prompts: {
    Result<std::vector<Prompt>> prompts = readPrompts(line.argument);
    if (!prompts)
      return failed(prompts.error());
    for (Prompt &entry : *prompts)
      if (Outcome outcome = addRequest(std::move(entry)))
        return outcome;
    return std::nullopt;
  }
  }
  return addRequest(std::move(prompt));
}

Outcome Session::openWeights() {
  Result<std::shared_ptr<const WeightSource>> opened =
      WeightSource::open(*executable, line.weights);
  if (!opened)
    return failed(opened.error());
  settings.weights = std::move(*opened);
  if (line.verbose)
    say("weights: " + settings.weights->description());
  return std::nullopt;
}

static double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

Outcome Session::startDevice() {
  const auto start = std::chrono::steady_clock::now();
  std::string note;
  DeviceChoice choice = line.device;
  choice.emulator.count = line.bench.has_value();
  Result<std::unique_ptr<Device>> created =
      createDevice(choice, executable->gpu(), note);
  if (!created)
    return failed(created.error());
  device = std::move(*created);
  deviceSeconds = secondsSince(start);
  if (!note.empty())
    say(note);
  if (line.verbose) {
    say("device: " + device->description());
    say(describe(sampling));
    say("seed: " + std::to_string(seed));
  }
  ProgressBar bar("loading", settings.weights->bytes(), false);
  settings.progress = [&](uint64_t done) { bar.show(done); };
  Result<std::unique_ptr<Engine>> started =
      Engine::create(*executable, *device, settings);
  if (!started)
    return failed(started.error());
  bar.clear();
  settings.progress = {};
  engine = std::move(*started);
  if (line.verbose) {
    EngineMemory memory = engine->memory();
    say("device memory: " + readableBytes(memory.weights) + " weights, " +
        readableBytes(memory.workspace) + " workspace, " +
        readableBytes(memory.kvPool) + " KV (" + std::to_string(memory.pages) +
        " pages), context " + std::to_string(engine->contextSize()) +
        ", batch " + std::to_string(engine->maxBatch()));
    say("positions: " + describePositions(executable->plan()));
  }
  return std::nullopt;
}

/// FILE.npy, or FILE.3.npy in a batch.
Error Session::writeLogits(size_t index, const Completion &completion) {
  std::string path = line.dumpLogits;
  if (line.source == CommandLine::Source::Prompts) {
    size_t dot =
        path.size() >= 4 && path.compare(path.size() - 4, 4, ".npy") == 0
            ? path.size() - 4
            : path.size();
    path.insert(dot, "." + std::to_string(index));
  }
  uint64_t columns = executable->plan().vocab_size;
  return writeNpy(path, completion.logits, completion.logits.size() / columns,
                  columns);
}

Error Session::finishOne(size_t index, Completion &completion) {
  bool bad = !completion.failure.empty();
  if (bad) {
    someFailed = true;
    say((requests.size() > 1 ? "prompt " + std::to_string(index) + ": "
                             : std::string()) +
        completion.failure);
  } else if (!line.dumpLogits.empty()) {
    if (Error error = writeLogits(index, completion))
      return error;
  }
  if (!line.json)
    return bad ? Error::success() : output.write("\n");
  finished[index] =
      completionJson(requests[index], completion, tokenizer != nullptr);
  for (; shown < finished.size() && finished[shown]; ++shown)
    if (Error error = output.write(*finished[shown]))
      return error;
  return Error::success();
}

void Session::showStatistics(const GenerationStatistics &counts) const {
  char text[256];
  auto rate = [](uint64_t tokens, double seconds) {
    return seconds > 0 ? static_cast<double>(tokens) / seconds : 0.0;
  };
  std::snprintf(
      text, sizeof text,
      "prompt: %llu tokens in %.2f s (%.1f tokens/s); output: %llu tokens, "
      "decoding %.2f s (%.1f tokens/s) on ",
      static_cast<unsigned long long>(counts.promptTokens),
      counts.promptSeconds, rate(counts.promptTokens, counts.promptSeconds),
      static_cast<unsigned long long>(counts.outputTokens),
      counts.decodeSeconds, rate(counts.decodedTokens, counts.decodeSeconds));
  say(text + device->description());
}

/// Where the time from the start to the first token went.
void Session::showStart(const GenerationStatistics &counts) const {
  const StartTimes &times = engine->startTimes();
  char text[256];
  std::snprintf(text, sizeof text,
                "start to first token: %.3f s = open %.3f + device %.3f + "
                "weights %.3f (%.2f GB/s) + buffers %.3f + kernels %.3f + "
                "prompt %.3f",
                openSeconds + deviceSeconds + times.weights + times.buffers +
                    times.kernels + counts.firstPromptSeconds,
                openSeconds, deviceSeconds, times.weights,
                double(settings.weights->bytes()) / 1e9 /
                    std::max(times.weights, 1e-9),
                times.buffers, times.kernels, counts.firstPromptSeconds);
  say(text);
}

Outcome Session::generate() {
  finished.resize(requests.size());
  Generator generator(*engine, tokenizer.get());
  auto onText = [&](size_t, const std::string &text) {
    return line.json ? Error::success() : output.write(text);
  };
  auto onDone = [&](size_t index, Completion &completion) {
    return finishOne(index, completion);
  };
  if (Error error = generator.run(requests, onText, onDone))
    return failed(error);
  if (line.verbose || isatty(STDERR_FILENO))
    showStatistics(generator.statistics());
  if (line.verbose)
    showStart(generator.statistics());
  return someFailed ? Outcome(Failure{exitFailed, ""}) : std::nullopt;
}

Outcome Session::chat() {
  Chat::Options options;
  options.request = makeRequest();
  options.system = line.system;
  options.json = line.json;
  options.verbose = line.verbose;
  Generator generator(*engine, tokenizer.get());
  Chat conversation(*engine, *tokenizer, *chatTemplate, generator, output,
                    [&](const std::string &text) { say(text); });
  if (Error error = conversation.run(options))
    return failed(error);
  if (line.verbose || isatty(STDERR_FILENO))
    showStatistics(generator.statistics());
  return conversation.failed() ? Outcome(Failure{exitFailed, ""})
                               : std::nullopt;
}

int Session::run() {
  auto work = [&]() -> Outcome {
    const auto start = std::chrono::steady_clock::now();
    if (Outcome outcome = open())
      return outcome;
    openSeconds = secondsSince(start);
    if (line.info) {
      Error error = output.write(describe(*executable, settings));
      return error ? failed(error) : std::nullopt;
    }
    measurement = Measurement::make(line);
    if (Outcome outcome =
            measurement
                ? measurement->prepare(*executable, tokenizer.get(), settings)
                : readRequests())
      return outcome;
    if (Outcome outcome = openWeights())
      return outcome;
    if (Outcome outcome = startDevice())
      return outcome;
    auto toUser = [&](const std::string &text) { say(text); };
    Outcome outcome = measurement ? measurement->run(*executable, *device,
                                                     *engine, output, toUser)
                      : line.source == CommandLine::Source::Chat ? chat()
                                                                 : generate();
    // A run that failed has a profile, too.
    if (Error error = line.device.emulator.report(*device, executable->gpu());
        error && !outcome)
      return failed(error);
    return outcome;
  };
  Outcome outcome = work();
  if (!outcome || output.closed())
    return exitDone;
  if (!outcome->message.empty())
    say(outcome->message);
  return outcome->status;
}

int llrt::runExecutable(int argumentCount, char **arguments) {
  std::string program = argumentCount ? arguments[0] : "llama";
  program.erase(0, program.rfind('/') + 1);
  Output::handleSignals();
  Result<CommandLine> line = CommandLine::parse(std::vector<std::string>(
      arguments + (argumentCount ? 1 : 0), arguments + argumentCount));
  if (!line) {
    std::fprintf(stderr, "%s: %s; --help lists the options\n", program.c_str(),
                 line.error().message().c_str());
    return exitUsage;
  }
  Output output;
  std::string text = line->makePage(program);
  if (text.empty() && line->version)
    text = program + ": made by llamac " LLAMAC_VERSION ", executable format " +
           std::to_string(LLAMAC_FORMAT_VERSION) + "\n";
  if (!text.empty())
    return output.write(text) && !output.closed() ? exitFailed : exitDone;
  if (line->source == CommandLine::Source::None && !line->info &&
      !line->measures() && isatty(STDIN_FILENO)) {
    std::fprintf(stderr,
                 "%s: no prompt: give a text, -p TEXT, -f FILE, --ids IDS or "
                 "--prompts FILE; --help says more\n",
                 program.c_str());
    return exitUsage;
  }
  return Session(*line, program).run();
}
