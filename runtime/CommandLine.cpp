// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The options, declared once for parsing and for --help.
#include "runtime/CommandLine.h"

#include "runtime/OptionChecks.h"
#include "runtime/OptionPage.h"
#include "runtime/SamplingRanges.h"
#include "runtime/kernels/SamplerFormat.h"

#include <set>
#include <sstream>

using namespace llrt;

namespace {

/// What CLI11 fills, before it is checked.
struct RawOptions {
  std::string prompt, text, file, ids, prompts, messages, forced,
      device = "auto";
  std::string maxTokens, batches = "1";
  uint32_t repetitions = 5;
  bool bench = false, chat = false;
};

constexpr int64_t mostTokens = std::numeric_limits<int32_t>::max();

// How an option is declared is said in OptionPage.h, what its value may be in
// OptionChecks.h. One function a heading of --help.

void declarePrompt(CLI::App &app, CommandLine &line, RawOptions &raw) {
  const char *group = "Prompt (one of these; else standard input)";
  app.add_option("PROMPT", raw.prompt,
                 "The text to go on with; \"\" is the beginning of text alone, "
                 "- is standard input")
      ->group(group);
  app.add_option("-p,--prompt", raw.text,
                 "The same, for a text that starts with a dash")
      ->type_name("TEXT")
      ->group(group);
  app.add_option("-f,--file", raw.file,
                 "The prompt is a file, less one newline at its end; - is "
                 "standard input")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--ids", raw.ids,
                 "The prompt as token ids, e.g. \"1 15043\"; nothing is put "
                 "before them")
      ->type_name("IDS")
      ->group(group);
  app.add_option("--prompts", raw.prompts,
                 "A batch: a prompt per line, or .jsonl objects with prompt, "
                 "prompt_ids or messages; implies --json")
      ->type_name("FILE")
      ->group(group);
  app.add_flag("--no-special", line.noSpecial,
               "Read the names of special tokens in a text as plain text")
      ->group(group);
}

void declareConversation(CLI::App &app, CommandLine &line, RawOptions &raw) {
  const char *group = "Conversation (by the model's chat template)";
  app.add_flag("--chat", raw.chat,
               "Answer each line of standard input, as a turn of one "
               "conversation; Ctrl-C ends an answer, Ctrl-D the conversation")
      ->group(group);
  app.add_option(
         "--messages", raw.messages,
         "Answer one dialog: a JSON array of {\"role\", \"content\"}; - "
         "is standard input")
      ->type_name("FILE")
      ->group(group);
  app.add_option(
         "--system", line.system,
         "The system's message of --chat, --messages and the dialogs of "
         "--prompts (default: none)")
      ->type_name("TEXT")
      ->group(group);
}

void declareGeneration(CLI::App &app, CommandLine &line, RawOptions &raw) {
  const char *group = "Generation";
  // Checked in parse(): after --bench it is a list.
  app.add_option("-n,--max-tokens", raw.maxTokens,
                 "Tokens at most (default: until end-of-text or the context is "
                 "full)")
      ->type_name("N")
      ->group(group);
  app.add_option("--temperature", line.temperature,
                 "0 is greedy: the highest logit (default: the model's, else "
                 "0.6)")
      ->type_name("T")
      ->check(number(0, temperatureMax))
      ->group(group);
  app.add_option("--top-k", line.topK,
                 "Draw from the K most likely tokens; 0: from all (default: "
                 "the model's, else 0)")
      ->type_name("K")
      ->check(wholeNumber(0, mostTokens))
      ->group(group);
  app.add_option("--top-p", line.topP,
                 "Draw from the most likely tokens that together have the "
                 "probability P; 1: from all (default: the model's, else 0.9)")
      ->type_name("P")
      ->check(number(0, 1))
      ->group(group);
  app.add_option("--min-p", line.minP,
                 "Draw from tokens with at least P times the highest "
                 "probability; 0: from all (default: the model's, else 0)")
      ->type_name("P")
      ->check(number(0, 1))
      ->group(group);
  app.add_option("--repeat-penalty", line.repeatPenalty,
                 "Divide positive and multiply negative logits of tokens in "
                 "prompt or output; 1: off (default: the model's, else 1)")
      ->type_name("R")
      ->check(number(repeatPenaltyMin, repeatPenaltyMax))
      ->group(group);
  app.add_option("--presence-penalty", line.presencePenalty,
                 "Take this from the logits of tokens in the output (default: "
                 "the model's, else 0)")
      ->type_name("R")
      ->check(number(0, penaltyMax))
      ->group(group);
  app.add_option("--frequency-penalty", line.frequencyPenalty,
                 "The same for every time that they are there (default: the "
                 "model's, else 0)")
      ->type_name("R")
      ->check(number(0, penaltyMax))
      ->group(group);
  app.add_option("--seed", line.seed,
                 "Of the draws; prompt i of a batch uses S+i (default: one is "
                 "drawn, and shown by --json and -v)")
      ->type_name("S")
      ->check(seedNumber())
      ->group(group);
  app.add_option("--stop", line.stops,
                 "End before this text, which is not shown (repeatable)")
      ->type_name("TEXT")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false)
      ->check(notEmpty("at least one character"))
      ->group(group);
  app.add_option("--force-ids", raw.forced,
                 "Feed these in place of the tokens chosen; they end no text")
      ->type_name("IDS")
      ->group(group);
}

void declareOutput(CLI::App &app, CommandLine &line) {
  const char *group = "Output";
  app.add_flag("--json", line.json,
               "One JSON object per prompt or turn: prompt_ids, output_ids, "
               "text, finish_reason, seed, logprobs")
      ->group(group);
  app.add_option("--logprobs", line.logProbabilities,
                 "The log-probability of each token and the N highest; with "
                 "--echo of prompt tokens too; implies --json")
      ->type_name("N")
      ->check(wholeNumber(0, logProbabilitiesMax))
      ->group(group);
  app.add_flag("--echo", line.echo, "The prompt before the text")->group(group);
  app.add_option("--dump-logits", line.dumpLogits,
                 "Raw float32 logits as .npy, a row per generated token; with "
                 "--echo per prompt position too; FILE.0.npy, ... of a batch")
      ->type_name("FILE.npy")
      ->check(notEmpty("a file"))
      ->group(group);
}

void declareDevice(CLI::App &app, CommandLine &line, RawOptions &raw) {
  const char *group = "Device and memory";
  app.add_option("--device", raw.device,
                 "auto is the GPU, and the emulator where there is none "
                 "(default auto)")
      ->type_name("auto|cuda[:N]|emulator")
      ->group(group);
  app.add_option("-c,--ctx-size", line.contextSize,
                 "Tokens per sequence (default, and at most: what was "
                 "compiled)")
      ->type_name("N")
      ->check(wholeNumber(1, mostTokens))
      ->group(group);
  app.add_option("--max-batch", line.maxBatch,
                 "Sequences at once (default, and at most: what was compiled; "
                 "without --prompts 1)")
      ->type_name("N")
      ->check(wholeNumber(1, mostTokens))
      ->group(group);
}

void declareWeights(CLI::App &app, CommandLine &line) {
  const char *group = "Weights (where they are not inside)";
  app.add_option("--weights", line.weights.file,
                 "The file with the weights (default: the executable's own "
                 "name, symlinks resolved, with .weights after it)")
      ->type_name("FILE")
      ->check(notEmpty("a file"))
      ->group(group);
  app.add_option("--random-weights", line.weights.seed,
                 "Fill them with random values, the same for the same seed on "
                 "every machine")
      ->type_name("SEED")
      ->check(seedNumber())
      ->excludes("--weights")
      ->group(group);
}

void declareChecks(CLI::App &app, CommandLine &line) {
  const char *group = "Checks (in place of making text)";
  app.add_flag("--selftest", line.selftest,
               "Compare what this device computes, layer by layer, with what "
               "the reference said at build time; a layer that drifts is named")
      ->group(group);
  app.add_option("--perplexity", line.perplexity,
                 "The perplexity of a text, in windows of --ctx-size tokens "
                 "(default: as many as were compiled); - is standard input")
      ->type_name("FILE")
      ->check(notEmpty("a file"))
      ->group(group);
  app.add_option("--perplexity-stride", line.stride,
                 "With --perplexity: tokens from one window's start to the "
                 "next (default 512, and at most the window)")
      ->type_name("N")
      ->check(wholeNumber(1, mostTokens))
      ->needs("--perplexity")
      ->group(group);
}

void declareSpeed(CLI::App &app, RawOptions &raw) {
  const char *group = "Speed";
  app.add_flag("--bench", raw.bench,
               "Measure in place of making text, as llama-bench does; -p is "
               "then a list of prompt lengths (default 512) and -n one of "
               "lengths to generate (default 128), 0 leaves one out; the "
               "emulator gives counts, no time")
      ->group(group);
  app.add_option("-r,--repetitions", raw.repetitions,
                 "With --bench: timed runs of each test, after one to warm up "
                 "(default 5)")
      ->type_name("N")
      ->check(wholeNumber(1, 1000000))
      ->group(group);
  app.add_option(
         "-b,--batches", raw.batches,
         "With --bench: how many sequences generate at once (default 1)")
      ->type_name("N,N...")
      ->check(wholeNumbers(1, mostTokens))
      ->group(group);
}

void declareInformation(CLI::App &app, CommandLine &line) {
  const char *group = "Information";
  app.add_flag("--info", line.info, "What this executable holds, and exit")
      ->group(group);
  app.add_flag("-v,--verbose", line.verbose,
               "Say what is being done, and how fast")
      ->group(group);
  app.add_flag("--version", line.version, "The version, and exit")
      ->group(group);
  app.add_flag("-h,--help", line.help, "This text, and exit")->group(group);
  app.add_flag("--manual", line.manual,
               "The same as a manual page, for `man -l -`")
      ->group(group);
  app.add_option("--completion", line.completion,
                 "A script that completes this command line, for the shell to "
                 "source")
      ->type_name("bash|zsh")
      ->check(oneOf({"bash", "zsh"}))
      ->group(group);
}

/// Declares every option on `app`, in the order of --help.
void declare(CLI::App &app, CommandLine &line, RawOptions &raw) {
  app.set_help_flag(); // --help is an option like the others: it must not win
                       // over errors
  declarePrompt(app, line, raw);
  declareConversation(app, line, raw);
  declareGeneration(app, line, raw);
  declareOutput(app, line);
  declareDevice(app, line, raw);
  declareWeights(app, line);
  line.device.emulator.declare(app, "Emulator", "off");
  declareChecks(app, line);
  declareSpeed(app, raw);
  declareInformation(app, line);
}

OptionPage getPage(const std::string &program) {
  OptionPage page;
  page.program = program;
  page.summary =
      "Goes on with a text, by the Llama model that this executable holds.";
  page.usage = {"[OPTION]... [PROMPT]", "[OPTION]... < FILE",
                "--chat [--system TEXT] [OPTION]...",
                "--bench [-p N,N...] [-n N,N...] [OPTION]...",
                "--selftest | --perplexity FILE [OPTION]..."};
  page.extraArgument = "; quote a prompt of several words";
  page.sections = {
      {"Examples",
       " " + program + " \"The capital of France is\" -n 20\n " + program +
           " -f letter.txt --stop \"Yours\"\n " + program +
           " --prompts questions.jsonl > answers.jsonl\n " + program +
           " --chat --system \"Answer in one sentence.\"\n " + program +
           " --bench -p 512,2048 -n 128 -b 1,8\n eval \"$(" + program +
           " --completion bash)\""},
      {"Streams",
       "Standard output has the text and one newline, or the JSON objects; "
       "progress, statistics and warnings go to standard error."},
      {"Environment", "CUDA_VISIBLE_DEVICES: the GPUs that the driver shows, "
                      "and how they are numbered for --device cuda:N."},
      {"Exit status", " 0    done, also when the reader of a pipe went away\n"
                      " 1    the work failed\n"
                      " 2    the command line is wrong\n"
                      " 130  interrupted"}};
  return page;
}

/// What `check` says of the value of `option`.
Error checkValue(const char *option, const std::string &value,
                 const CLI::Validator &check) {
  std::string text = value, why = check(text);
  return why.empty() ? Error::success()
                     : Error(std::string(option) + ": " + why);
}

/// Of numbers that were checked.
std::vector<uint32_t> readNumbers(const std::string &text) {
  std::vector<uint32_t> numbers;
  std::istringstream items(text);
  for (std::string item; std::getline(items, item, ',');)
    numbers.push_back(static_cast<uint32_t>(std::stoul(item)));
  return numbers;
}

/// What a work that makes no text leaves of the command line: where and how,
/// nothing of a text, and `own`.
Error refuseOthers(const CLI::App &app, const std::string &work,
                   std::set<std::string> own) {
  own.insert({"--json", "--device", "--weights", "--verbose", "--help",
              "--manual", "--completion", "--version", "--emulator-check",
              "--emulator-schedule", "--profile", "--profile-json", work});
  for (const CLI::Option *option : app.get_options())
    if (option->count() && !own.count(option->get_name()))
      return Error(work + " makes no text and does not take " +
                   option->get_name());
  return Error::success();
}

Error readBench(const CLI::App &app, CommandLine &line, const RawOptions &raw) {
  if (Error error =
          refuseOthers(app, "--bench",
                       {"--prompt", "--max-tokens", "--repetitions",
                        "--batches", "--ctx-size", "--random-weights"}))
    return error;
  CommandLine::Bench &bench = line.bench.emplace();
  struct {
    const char *option;
    const std::string &text;
    std::optional<std::vector<uint32_t>> &numbers;
  } const lists[] = {{"--prompt", raw.text, bench.prompts},
                     {"--max-tokens", raw.maxTokens, bench.generations}};
  for (const auto &list : lists) {
    if (app.count(list.option) == 0)
      continue;
    if (Error error =
            checkValue(list.option, list.text, wholeNumbers(0, mostTokens)))
      return Error(error.message() + " (lengths, as --bench is given)");
    list.numbers = readNumbers(list.text);
  }
  bench.batches = readNumbers(raw.batches);
  bench.repetitions = raw.repetitions;
  return Error::success();
}

Error chooseSource(const CLI::App &app, CommandLine &line,
                   const RawOptions &raw) {
  struct {
    const char *option;
    CommandLine::Source source;
    const std::string &argument;
  } const sources[] = {
      {"PROMPT", CommandLine::Source::Text, raw.prompt},
      {"--prompt", CommandLine::Source::Text, raw.text},
      {"--file", CommandLine::Source::File, raw.file},
      {"--ids", CommandLine::Source::Ids, raw.ids},
      {"--prompts", CommandLine::Source::Prompts, raw.prompts},
      {"--messages", CommandLine::Source::Messages, raw.messages},
      {"--chat", CommandLine::Source::Chat, raw.prompt}};
  const char *chosen = nullptr;
  for (const auto &entry : sources) {
    if (app.count(entry.option) == 0)
      continue;
    if (chosen)
      return Error(std::string(chosen) + " and " + entry.option +
                   " are both given; give one prompt");
    chosen = entry.option;
    line.source = entry.source;
    line.argument = entry.argument;
  }
  if (chosen && std::string(chosen) == "PROMPT" && line.argument == "-")
    line.source = CommandLine::Source::File;
  if (line.source == CommandLine::Source::Prompts)
    line.json = true;
  return Error::success();
}

/// What belongs to dialogs, and what does not.
Error checkConversation(const CLI::App &app, const CommandLine &line) {
  using Source = CommandLine::Source;
  bool one = line.source == Source::Chat || line.source == Source::Messages;
  if (line.system && !one && line.source != Source::Prompts)
    return Error("--system: belongs to --chat, --messages and the dialogs of "
                 "--prompts");
  if (one && line.noSpecial)
    return Error("--no-special: what a message says is plain text in any case; "
                 "leave it out");
  if (line.source == Source::Chat)
    for (const char *option : {"--echo", "--dump-logits", "--force-ids"})
      if (app.count(option))
        return Error(std::string("--chat does not take ") + option);
  return Error::success();
}

} // namespace

Result<std::vector<int32_t>> llrt::parseIds(const std::string &text,
                                            const std::string &option) {
  std::vector<int32_t> ids;
  const char *at = text.c_str(), *last = at + text.size();
  for (;;) {
    while (at != last &&
           (std::isspace(static_cast<unsigned char>(*at)) || *at == ','))
      ++at;
    if (at == last)
      break;
    char *end = nullptr;
    errno = 0;
    long long value = std::strtoll(at, &end, 10);
    if (end == at || errno || value > std::numeric_limits<int32_t>::max() ||
        value < std::numeric_limits<int32_t>::min() ||
        (end != last && *end != ',' &&
         !std::isspace(static_cast<unsigned char>(*end))))
      return Error(option + ": found `" +
                   std::string(at, std::find_if(at, last,
                                                [](unsigned char c) {
                                                  return std::isspace(c) ||
                                                         c == ',';
                                                })) +
                   "`, expected token ids such as \"1 15043\"");
    ids.push_back(static_cast<int32_t>(value));
    at = end;
  }
  if (ids.empty())
    return Error(option +
                 ": found no ids, expected token ids such as \"1 15043\"");
  return ids;
}

Result<CommandLine>
CommandLine::parse(const std::vector<std::string> &arguments) {
  CommandLine line;
  RawOptions raw;
  CLI::App app;
  declare(app, line, raw);
  if (Error error = parseOptions(app, getPage(""), arguments))
    return error;
  Result<DeviceChoice> device = DeviceChoice::parse(raw.device);
  if (!device)
    return device.error();
  device->emulator = line.device.emulator;
  line.device = *device;
  if (std::string given = line.device.emulator.given();
      !given.empty() && line.device.kind == DeviceChoice::Cuda)
    return Error(given + ": belongs to the emulator; found --device " +
                 raw.device);
  if (raw.bench) {
    if (Error error = readBench(app, line, raw))
      return error;
    return line;
  }
  for (const char *option : {"--repetitions", "--batches"})
    if (app.count(option))
      return Error(std::string(option) + ": belongs to --bench");
  if (line.selftest) {
    if (Error error = refuseOthers(app, "--selftest", {}))
      return error;
    return line;
  }
  if (!line.perplexity.empty()) {
    if (Error error = refuseOthers(app, "--perplexity",
                                   {"--perplexity-stride", "--ctx-size",
                                    "--random-weights", "--no-special"}))
      return error;
    return line;
  }
  if (app.count("--max-tokens")) {
    if (Error error = checkValue("--max-tokens", raw.maxTokens,
                                 wholeNumber(0, mostTokens)))
      return error;
    line.maxTokens = readNumbers(raw.maxTokens)[0];
  }
  if (Error error = chooseSource(app, line, raw))
    return error;
  if (Error error = checkConversation(app, line))
    return error;
  line.json |= line.logProbabilities.has_value();
  if (app.count("--force-ids")) {
    Result<std::vector<int32_t>> ids = parseIds(raw.forced, "--force-ids");
    if (!ids)
      return ids.error();
    line.forced = std::move(*ids);
  }
  return line;
}

std::string CommandLine::makePage(const std::string &program) const {
  CommandLine line;
  RawOptions raw;
  CLI::App app;
  declare(app, line, raw);
  OptionPage page = getPage(program);
  return help                  ? makeHelp(app, page)
         : manual              ? makeManual(app, page, "llamac " LLAMAC_VERSION)
         : !completion.empty() ? makeCompletion(app, page, completion)
                               : "";
}
