// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The options, declared once for parsing and for --help.
#include "runtime/CommandLine.h"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <limits>

using namespace llrt;

namespace {

/// What CLI11 fills, before it is checked.
struct RawOptions {
  std::string prompt, text, file, ids, prompts, forced, device = "auto";
  std::string maxTokens, contextSize, maxBatch, temperature;
};

/// Declares every option on `app`.
void declare(CLI::App &app, CommandLine &line, RawOptions &raw) {
  app.set_help_flag(); // --help is an option like the others: it must not win
                       // over errors
  app.add_option("PROMPT", raw.prompt,
                 "The text to go on with; \"\" is the beginning of text alone, "
                 "- is standard input");
  app.add_option("-p,--prompt", raw.text,
                 "The same, for a text that starts with a dash")
      ->type_name("TEXT");
  app.add_option("-f,--file", raw.file,
                 "The prompt is a file, less one newline at its end; - is "
                 "standard input")
      ->type_name("FILE");
  app.add_option("--ids", raw.ids,
                 "The prompt as token ids, e.g. \"1 15043\"; nothing is put "
                 "before them")
      ->type_name("IDS");
  app.add_option("--prompts", raw.prompts,
                 "A batch: a prompt per line, or .jsonl objects with prompt or "
                 "prompt_ids; implies --json")
      ->type_name("FILE");
  app.add_option("-n,--max-tokens", raw.maxTokens,
                 "Tokens at most (until end-of-text or the context is full)")
      ->type_name("N");
  app.add_option("--temperature", raw.temperature,
                 "0: greedy, the only one that is built")
      ->type_name("T");
  app.add_option("--stop", line.stops, "End before this text (repeatable)")
      ->type_name("TEXT")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  app.add_flag("--json", line.json,
               "One JSON object per prompt: prompt_ids, output_ids, text, "
               "finish_reason");
  app.add_flag("--echo", line.echo, "The prompt before the text");
  app.add_option("--dump-logits", line.dumpLogits,
                 "Raw float32 logits as .npy, a row per generated token; with "
                 "--echo per prompt position too")
      ->type_name("FILE.npy");
  app.add_option("--force-ids", raw.forced,
                 "Feed these in place of the tokens chosen; they end no text")
      ->type_name("IDS");
  app.add_option("--device", raw.device,
                 "auto (the GPU; the emulator where there is none), cuda, "
                 "cuda:N or emulator")
      ->type_name("D");
  app.add_option("-c,--ctx-size", raw.contextSize,
                 "Tokens per sequence (the compiled maximum)")
      ->type_name("N");
  app.add_option("--max-batch", raw.maxBatch,
                 "Sequences at once (the compiled maximum)")
      ->type_name("N");
  app.add_flag("--info", line.info, "What this executable holds, and exit");
  app.add_flag("-v,--verbose", line.verbose,
               "Say what is being done, and how fast");
  app.add_flag("--version", line.version, "The version, and exit");
  app.add_flag("-h,--help", line.help, "This text, and exit");
}

Error parseCount(const CLI::App &app, const char *option,
                 const std::string &text, uint32_t least,
                 std::optional<uint32_t> &count) {
  if (app.count(option) == 0)
    return Error::success();
  char *end = nullptr;
  errno = 0;
  long long value = std::strtoll(text.c_str(), &end, 10);
  constexpr long long most = std::numeric_limits<int32_t>::max();
  if (text.empty() || *end || errno || value < static_cast<long long>(least) ||
      value > most)
    return Error(std::string(option) + ": found `" + text +
                 "`, expected a whole number from " + std::to_string(least) +
                 " to " + std::to_string(most));
  count = static_cast<uint32_t>(value);
  return Error::success();
}

Error parseTemperature(const std::string &text) {
  char *end = nullptr;
  double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end ||
      !(value >= 0 && value <= std::numeric_limits<float>::max()))
    return Error("--temperature: found `" + text +
                 "`, expected a number from 0 up");
  if (value != 0)
    return Error(
        "--temperature " + text +
        ": sampling is not built yet; only --temperature 0 (greedy) is");
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
      {"--prompts", CommandLine::Source::Prompts, raw.prompts}};
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
  try {
    // CLI11 takes them in reverse.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ExtrasError &) {
    std::vector<std::string> extras = app.remaining();
    std::string extra = extras.empty() ? "" : extras.front();
    if (extra.size() > 1 && extra[0] == '-')
      return Error("unknown option " + extra);
    return Error("one argument too many: `" + extra +
                 "`; quote a prompt of several words");
  } catch (const CLI::ArgumentMismatch &error) {
    std::string text = error.what();
    return Error(text.substr(0, text.find(':')) +
                 ": takes one value, and is given once");
  } catch (const CLI::ConversionError &error) {
    // Only flags are converted by CLI11: "Could not convert: --json = x".
    std::string text = error.what();
    size_t start = text.find('-'), end = text.find(' ', start);
    return Error(
        (start == std::string::npos ? text : text.substr(start, end - start)) +
        ": takes no value");
  } catch (const CLI::Error &error) {
    return Error(error.what());
  }
  if (Error error = chooseSource(app, line, raw))
    return error;
  if (Error error =
          parseCount(app, "--max-tokens", raw.maxTokens, 0, line.maxTokens))
    return error;
  if (Error error =
          parseCount(app, "--ctx-size", raw.contextSize, 1, line.contextSize))
    return error;
  if (Error error =
          parseCount(app, "--max-batch", raw.maxBatch, 1, line.maxBatch))
    return error;
  if (app.count("--temperature"))
    if (Error error = parseTemperature(raw.temperature))
      return error;
  if (app.count("--force-ids")) {
    Result<std::vector<int32_t>> ids = parseIds(raw.forced, "--force-ids");
    if (!ids)
      return ids.error();
    line.forced = std::move(*ids);
  }
  for (const std::string &stop : line.stops)
    if (stop.empty())
      return Error(
          "--stop: found an empty text, expected at least one character");
  if (app.count("--dump-logits") && line.dumpLogits.empty())
    return Error("--dump-logits: found an empty name, expected a file");
  Result<DeviceChoice> device = DeviceChoice::parse(raw.device);
  if (!device)
    return device.error();
  line.device = *device;
  return line;
}

std::string CommandLine::helpText(const std::string &program) {
  CommandLine line;
  RawOptions raw;
  CLI::App app(
      "Goes on with a text, by the Llama model that this executable holds.",
      program);
  declare(app, line, raw);
  app.get_formatter()->column_width(28);
  std::string text = app.help();
  text += "\nExit status: 0 done, 1 the work failed, 2 the command line is "
          "wrong, 130 interrupted.\n";
  return text;
}
