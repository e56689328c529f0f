// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the command line takes and refuses; prompt files; .npy.
#include "ToyExecutable.h"

#include "runtime/CommandLine.h"
#include "runtime/Npy.h"
#include "runtime/Prompts.h"

#include <cstring>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace llrt;
using Source = CommandLine::Source;

namespace {

CommandLine good(const std::vector<std::string> &arguments) {
  Result<CommandLine> line = CommandLine::parse(arguments);
  EXPECT_TRUE(line) << line.error().message();
  return line ? *line : CommandLine();
}

std::string bad(const std::vector<std::string> &arguments) {
  Result<CommandLine> line = CommandLine::parse(arguments);
  EXPECT_FALSE(line) << "it was taken";
  return line ? "" : line.error().message();
}

std::string temporary(const std::string &name, const std::string &content) {
  std::string path = testing::TempDir() + std::to_string(getpid()) + "-" + name;
  toy::writeFile(path, toy::Bytes(content.begin(), content.end()));
  return path;
}

} // namespace

TEST(CommandLineTest, TakesAPromptInEachForm) {
  EXPECT_EQ(good({}).source, Source::None);
  CommandLine line = good({"The capital of France is"});
  EXPECT_EQ(line.source, Source::Text);
  EXPECT_EQ(line.argument, "The capital of France is");
  EXPECT_EQ(good({""}).source, Source::Text) << "an empty prompt is a prompt";
  EXPECT_EQ(good({"-p", ""}).source, Source::Text);
  EXPECT_EQ(good({"-p", "-n"}).argument, "-n");
  EXPECT_EQ(good({"-p", "--json", "--json"}).argument, "--json");
  EXPECT_EQ(good({"--", "-n"}).argument, "-n");
  EXPECT_EQ(good({"--", "--json"}).argument, "--json");
  line = good({"-"});
  EXPECT_EQ(line.source, Source::File);
  EXPECT_EQ(line.argument, "-");
  EXPECT_EQ(good({"-f", "a.txt"}).source, Source::File);
  EXPECT_EQ(good({"--ids", "1 2"}).source, Source::Ids);
  EXPECT_TRUE(good({"--prompts", "a.jsonl"}).json) << "a batch implies --json";
  EXPECT_EQ(good({"[1,2]"}).argument, "[1,2]");
  EXPECT_EQ(good({"a, b; 'c' \"d\" $e %s {}"}).argument,
            "a, b; 'c' \"d\" $e %s {}");
}

TEST(CommandLineTest, TakesTheOptions) {
  CommandLine line = good({"-n",
                           "5",
                           "--temperature",
                           "0.5",
                           "--top-k",
                           "40",
                           "--top-p",
                           "0.95",
                           "--min-p",
                           "0.05",
                           "--repeat-penalty",
                           "1.1",
                           "--presence-penalty",
                           "0.25",
                           "--frequency-penalty",
                           "2",
                           "--seed",
                           "18446744073709551615",
                           "--logprobs",
                           "20",
                           "--stop",
                           "a b",
                           "--stop",
                           "[c",
                           "x",
                           "--json",
                           "--echo",
                           "--no-special",
                           "-v",
                           "--dump-logits",
                           "l.npy",
                           "--force-ids",
                           "1 2,3",
                           "--device",
                           "cuda:1",
                           "-c",
                           "64",
                           "--max-batch=2"});
  EXPECT_EQ(*line.maxTokens, 5u);
  EXPECT_TRUE(line.noSpecial);
  EXPECT_EQ(*line.temperature, 0.5);
  EXPECT_EQ(*line.topK, 40u);
  EXPECT_EQ(*line.topP, 0.95);
  EXPECT_EQ(*line.minP, 0.05);
  EXPECT_EQ(*line.repeatPenalty, 1.1);
  EXPECT_EQ(*line.presencePenalty, 0.25);
  EXPECT_EQ(*line.frequencyPenalty, 2);
  EXPECT_EQ(*line.seed, 18446744073709551615u);
  EXPECT_EQ(*line.logProbabilities, 20u);
  EXPECT_TRUE(good({"--logprobs", "0", "x"}).json) << "implied";
  EXPECT_FALSE(good({"x"}).temperature) << "the plan decides";
  EXPECT_EQ(line.stops, (std::vector<std::string>{"a b", "[c"}));
  EXPECT_EQ(line.argument, "x");
  EXPECT_EQ(line.forced, (std::vector<int32_t>{1, 2, 3}));
  EXPECT_EQ(line.device.kind, DeviceChoice::Cuda);
  EXPECT_EQ(line.device.ordinal, 1);
  EXPECT_EQ(*line.contextSize, 64u);
  EXPECT_EQ(*line.maxBatch, 2u);
  EXPECT_EQ(*good({"-n0", "x"}).maxTokens, 0u);
}

TEST(CommandLineTest, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(bad({"--self-test"}),
            "unknown option --self-test; is --selftest meant?");
  EXPECT_EQ(bad({"two", "words"}),
            "one argument too many: `words`; quote a prompt of several words");
  EXPECT_EQ(bad({"x", "-p", "y"}),
            "PROMPT and --prompt are both given; give one prompt");
  EXPECT_EQ(
      bad({"-n", "x", "y"}),
      "--max-tokens: found `x`, expected a whole number from 0 to 2147483647");
  EXPECT_EQ(
      bad({"-n", "-1", "y"}),
      "--max-tokens: found `-1`, expected a whole number from 0 to 2147483647");
  EXPECT_EQ(bad({"-n"}), "--max-tokens: takes one value, and is given once");
  EXPECT_EQ(bad({"-n", "1", "-n", "2"}),
            "--max-tokens: takes one value, and is given once");
  EXPECT_EQ(bad({"--json=x"}), "--json: takes no value");
  EXPECT_EQ(
      bad({"-c", "0"}),
      "--ctx-size: found `0`, expected a whole number from 1 to 2147483647");
  EXPECT_NE(bad({"--max-batch", "9223372036854775808"}), "");
  EXPECT_NE(bad({"--max-batch", ""}), "");
  struct {
    const char *option;
    const char *range;
    std::vector<const char *> wrong, right;
  } const ranges[] = {
      {"--temperature",
       "a number from 0 to 100",
       {"100.1"},
       {"0", "1e-9", "100"}},
      {"--top-p", "a number from 0 to 1", {"1.01"}, {"0", "1", ".5"}},
      {"--min-p", "a number from 0 to 1", {"1.01"}, {"0", "1"}},
      {"--top-k", "a whole number from 0 to 2147483647", {"0.5"}, {"0", "50"}},
      {"--repeat-penalty",
       "a number from 0.01 to 100",
       {"0", "101"},
       {"1", "0.01"}},
      {"--presence-penalty", "a number from 0 to 2", {"2.1"}, {"0", "2"}},
      {"--frequency-penalty", "a number from 0 to 2", {"2.1"}, {"0", "2"}},
      {"--seed",
       "a whole number from 0 to 18446744073709551615",
       {"18446744073709551616", "1.5"},
       {"0"}},
      {"--logprobs", "a whole number from 0 to 20", {"21"}, {"0", "20"}}};
  for (const auto &entry : ranges) {
    std::vector<const char *> wrong = entry.wrong;
    wrong.insert(wrong.end(), {"nan", "-1", "inf", "x", ""});
    for (const char *text : wrong)
      EXPECT_EQ(bad({entry.option, text, "x"}),
                std::string(entry.option) + ": found `" + text +
                    "`, expected " + entry.range);
    for (const char *text : entry.right)
      good({entry.option, text, "x"});
  }
  EXPECT_EQ(bad({"--device", "gpu"}),
            "--device gpu: expected auto, cuda, cuda:N or emulator");
  EXPECT_NE(bad({"--device", "cuda:"}), "");
  EXPECT_NE(bad({"--device", "cuda:x"}), "");
  EXPECT_NE(bad({"--stop", ""}), "");
  EXPECT_NE(bad({"--force-ids", "1 x"}), "");
  EXPECT_NE(bad({"--dump-logits", ""}), "");
}

TEST(CommandLineTest, HelpNamesEveryOptionThatIsBuiltAndNoOther) {
  std::string help = good({"--help"}).makePage("story");
  for (const char *option : {"--prompt",
                             "--file",
                             "--ids",
                             "--prompts",
                             "--no-special",
                             "--max-tokens",
                             "--temperature",
                             "--stop",
                             "--json",
                             "--echo",
                             "--dump-logits",
                             "--force-ids",
                             "--device",
                             "--ctx-size",
                             "--max-batch",
                             "--info",
                             "--verbose",
                             "--version",
                             "--help",
                             "--bench",
                             "PROMPT",
                             "--top-k",
                             "--top-p",
                             "--min-p",
                             "--repeat-penalty",
                             "--presence-penalty",
                             "--frequency-penalty",
                             "--seed",
                             "--logprobs",
                             "--chat",
                             "--messages",
                             "--system",
                             "--weights",
                             "--random-weights",
                             "--selftest",
                             "--perplexity",
                             "--perplexity-stride"})
    EXPECT_NE(help.find(option), std::string::npos) << option;
}

TEST(CommandLineTest, ADialogIsOneSourceOfThePrompt) {
  CommandLine line = good({"--chat", "--system", "", "-n", "5"});
  EXPECT_EQ(line.source, CommandLine::Source::Chat);
  EXPECT_EQ(line.system, "");
  EXPECT_FALSE(line.json);
  line = good({"--messages", "d.json"});
  EXPECT_EQ(line.source, CommandLine::Source::Messages);
  EXPECT_EQ(line.argument, "d.json");
  EXPECT_EQ(line.system, std::nullopt);
  EXPECT_EQ(good({"--prompts", "p.jsonl", "--system", "x"}).system, "x");
  EXPECT_EQ(bad({"--chat", "Hello"}),
            "PROMPT and --chat are both given; give one prompt");
  EXPECT_EQ(bad({"--chat", "--messages", "d.json"}),
            "--messages and --chat are both given; give one prompt");
  for (std::vector<std::string> arguments :
       {std::vector<std::string>{"--system", "x"},
        {"--system", "x", "Hello"},
        {"--system", "x", "--ids", "1"}})
    EXPECT_EQ(bad(arguments), "--system: belongs to --chat, --messages and the "
                              "dialogs of --prompts");
  EXPECT_EQ(bad({"--chat", "--echo"}), "--chat does not take --echo");
  EXPECT_EQ(bad({"--chat", "--force-ids", "1"}),
            "--chat does not take --force-ids");
  EXPECT_EQ(bad({"--chat", "--dump-logits", "l.npy"}),
            "--chat does not take --dump-logits");
  EXPECT_EQ(
      bad({"--messages", "d.json", "--no-special"}),
      "--no-special: what a message says is plain text in any case; leave "
      "it out");
}

// Neither makes a text: what belongs to one is refused, not ignored.
TEST(CommandLineTest, ChecksTakeNothingOfAText) {
  CommandLine line = good({"--selftest", "--json", "--device", "emulator"});
  EXPECT_TRUE(line.selftest && line.json && line.measures());
  EXPECT_EQ(bad({"--selftest", "x"}),
            "--selftest makes no text and does not take PROMPT");
  EXPECT_EQ(bad({"--selftest", "--random-weights", "1"}),
            "--selftest makes no text and does not take --random-weights");
  line = good({"--perplexity", "-", "--perplexity-stride", "64", "-c", "128"});
  EXPECT_EQ(line.perplexity, "-");
  EXPECT_EQ(*line.stride, 64u);
  EXPECT_EQ(*line.contextSize, 128u);
  EXPECT_TRUE(line.measures());
  EXPECT_EQ(bad({"--perplexity", "f", "-n", "3"}),
            "--perplexity makes no text and does not take --max-tokens");
  EXPECT_EQ(bad({"--perplexity", "f", "--selftest"}),
            "--selftest makes no text and does not take --perplexity");
  EXPECT_EQ(bad({"--perplexity-stride", "8", "x"}),
            "--perplexity-stride requires --perplexity");
}

TEST(CommandLineTest, NamesTheOptionThatIsMeant) {
  EXPECT_EQ(bad({"--max-token", "3"}),
            "unknown option --max-token; is --max-tokens meant?");
  EXPECT_EQ(bad({"--jsn"}), "unknown option --jsn; is --json meant?");
  EXPECT_EQ(bad({"--maxtokens=3"}),
            "unknown option --maxtokens=3; is --max-tokens meant?");
  EXPECT_EQ(bad({"--frobnicate"}), "unknown option --frobnicate");
  EXPECT_EQ(bad({"-z"}), "unknown option -z");
}

TEST(CommandLineTest, HelpSaysDefaultsAndRanges) {
  std::string help;
  for (char c : good({"--help"}).makePage("story"))
    if (c != '\n' && (c != ' ' || help.empty() || help.back() != ' '))
      help += c;
    else if (!help.empty() && help.back() != ' ')
      help += ' ';
  EXPECT_NE(help.find("-c, --ctx-size N Tokens per sequence (default, and at "
                      "most: what was compiled; 1 or more)"),
            std::string::npos)
      << help;
  EXPECT_NE(help.find("Usage: story [OPTION]... [PROMPT]"), std::string::npos);
  for (const char *title : {"Examples:", "Environment:", "Exit status:"})
    EXPECT_NE(help.find(title), std::string::npos) << title;
}

TEST(IdsTest, AreReadWithSpacesOrCommas) {
  EXPECT_EQ(*parseIds(" 1 15043,\n2 ", "--ids"),
            (std::vector<int32_t>{1, 15043, 2}));
  EXPECT_EQ(parseIds("1 b2 3", "--ids").error().message(),
            "--ids: found `b2`, expected token ids such as \"1 15043\"");
  EXPECT_FALSE(parseIds("", "--ids"));
  EXPECT_FALSE(parseIds("99999999999", "--ids"));
  EXPECT_FALSE(parseIds("1.5", "--ids"));
  EXPECT_EQ((*parseIds("-7", "--ids"))[0], -7) << "the engine names the range";
}

TEST(PromptsTest, PlainLines) {
  std::string path = temporary("lines.txt", "one\r\n\n{\"prompt\": 1}\nlast");
  auto prompts = readPrompts(path);
  ASSERT_TRUE(prompts);
  ASSERT_EQ(prompts->size(), 4u);
  EXPECT_EQ((*prompts)[0].text, "one");
  EXPECT_EQ((*prompts)[1].text, "")
      << "an empty line is the beginning of text alone";
  EXPECT_EQ((*prompts)[3].text, "last");
  EXPECT_FALSE(readPrompts(temporary("empty.txt", "")));
  EXPECT_FALSE(readPrompts("/no/such/file"));
}

TEST(PromptsTest, JsonLines) {
  std::string path = temporary(
      "lines.jsonl", "{\"prompt\": \"a\\nb\"}\n\n{\"prompt_ids\": [1, 2]}\n");
  auto prompts = readPrompts(path);
  ASSERT_TRUE(prompts) << prompts.error().message();
  ASSERT_EQ(prompts->size(), 2u);
  EXPECT_EQ((*prompts)[0].text, "a\nb");
  EXPECT_EQ((*prompts)[1].ids, (std::vector<int32_t>{1, 2}));
  const std::pair<const char *, const char *> wrong[] = {
      {"{\"prompt\": \"a\"", "found no JSON object"},
      {"[1]", "found no JSON object"},
      {"{\"prompt\": 1}", "prompt: found number"},
      {"{\"messages\": []}", "no message of the user"},
      {"{\"promt\": \"a\"}", "unknown key promt"},
      {"{}", "found 0 keys"},
      {"{\"prompt_ids\": []}", "at least one id"},
      {"{\"prompt_ids\": [1.5]}", "found 1.5"},
      {"{\"prompt_ids\": [-1]}", "found -1"},
      {"{\"prompt_ids\": [4294967296]}", "found 4294967296"},
      {"{\"prompt\": \"a\", \"prompt_ids\": [1]}", "found 2 keys"}};
  for (const auto &[line, part] : wrong) {
    auto result = readPrompts(temporary(
        "wrong.jsonl", std::string("{\"prompt\":\"x\"}\n") + line + "\n"));
    ASSERT_FALSE(result) << line;
    EXPECT_NE(result.error().message().find(part), std::string::npos)
        << result.error().message();
    EXPECT_NE(result.error().message().find("wrong.jsonl:2: "),
              std::string::npos)
        << result.error().message();
  }
}

TEST(PromptsTest, OneNewlineAtTheEndIsDropped) {
  EXPECT_EQ(withoutLastNewline("a\n\n"), "a\n");
  EXPECT_EQ(withoutLastNewline("a\r\n"), "a");
  EXPECT_EQ(withoutLastNewline("a"), "a");
  EXPECT_EQ(withoutLastNewline(""), "");
}

TEST(NpyTest, IsWhatNumPyReads) {
  std::string path = testing::TempDir() + std::to_string(getpid()) + ".npy";
  std::vector<float> values{1, 2, 3, 4, 5, 6.5};
  Error error = writeNpy(path, values, 2, 3);
  ASSERT_FALSE(error) << error.message();
  toy::Bytes bytes = toy::readFile(path);
  ASSERT_EQ(bytes.size() % 64, 6 * sizeof(float));
  EXPECT_EQ(std::string(bytes.begin(), bytes.begin() + 8),
            std::string("\x93NUMPY\x01\x00", 8));
  size_t length = bytes[8] + 256u * bytes[9];
  EXPECT_EQ((10 + length) % 64, 0u);
  std::string dict(bytes.begin() + 10, bytes.begin() + 10 + length);
  EXPECT_EQ(
      dict.find("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"),
      0u);
  EXPECT_EQ(dict.back(), '\n');
  EXPECT_EQ(0, std::memcmp(bytes.data() + 10 + length, values.data(), 24));
  std::remove(path.c_str());
}

TEST(NpyTest, SaysWhyItCannotWrite) {
  std::vector<float> values(1 << 20);
  Error error = writeNpy("/no/such/folder/x.npy", values, 1024, 1024);
  ASSERT_TRUE(error);
  EXPECT_EQ(
      error.message(),
      "/no/such/folder/x.npy: cannot be written: No such file or directory");
  error = writeNpy("/dev/full", values, 1024, 1024);
  ASSERT_TRUE(error);
  EXPECT_EQ(error.message(),
            "/dev/full: cannot be written: No space left on device");
}
