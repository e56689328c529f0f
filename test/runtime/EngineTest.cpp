// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The engine and the generator on the toy model: chunks, batches, forks, pages,
// ends of text. Runs on a plain host device.
#include "HostDevice.h"

#include "runtime/Engine.h"
#include "runtime/Generator.h"

#include <gtest/gtest.h>
#include <random>
#include <unistd.h>

using namespace llrt;

namespace {

class EngineTest : public testing::Test {
protected:
  void SetUp() override { make({}); }
  void TearDown() override { std::remove(path.c_str()); }

  void make(const toy::Options &options,
            void (*alter)(toy::Sections &) = nullptr) {
    toyOptions = options;
    path = testing::TempDir() + "engine-" + std::to_string(getpid());
    toy::Sections sections = toy::makeSections(options);
    if (alter) {
      alter(sections);
      sections.seal();
    }
    toy::writeFile(path, toy::append(toy::emptyElf(), sections));
    auto opened = Executable::open(path);
    ASSERT_TRUE(opened) << opened.error().message();
    executable = std::move(*opened);
  }
  void start(const EngineOptions &options = {}) {
    engine = nullptr;
    auto created = Engine::create(*executable, device, options);
    ASSERT_TRUE(created) << created.error().message();
    engine = std::move(*created);
  }
  std::vector<int32_t> randomIds(size_t count, uint32_t seed) {
    std::mt19937 random(seed);
    std::vector<int32_t> ids(count);
    for (int32_t &id : ids)
      id = static_cast<int32_t>(random() % toyOptions.vocabulary);
    return ids;
  }
  std::vector<int32_t> begin(const std::vector<int32_t> &ids, size_t count) {
    return {ids.begin(), ids.begin() + count};
  }
  int32_t choice(const std::vector<int32_t> &ids) {
    return toy::choice(ids, toyOptions);
  }
  /// The greedy continuation by the model said again, in place of the engine.
  std::vector<int32_t> expectedOutput(std::vector<int32_t> ids, size_t count) {
    std::vector<int32_t> output;
    while (output.size() < count) {
      output.push_back(choice(ids));
      if (toyOptions.eos && output.back() == 2)
        break;
      ids.push_back(output.back());
    }
    return output;
  }
  std::vector<Completion> generate(const std::vector<Request> &requests,
                                   const Tokenizer *tokenizer = nullptr) {
    std::vector<Completion> completions(requests.size());
    std::vector<std::string> streamed(requests.size());
    Generator generator(*engine, tokenizer);
    Error error = generator.run(
        requests,
        [&](size_t index, const std::string &text) {
          streamed[index] += text;
          return Error::success();
        },
        [&](size_t index, Completion &completion) {
          completions[index] = completion;
          return Error::success();
        });
    EXPECT_FALSE(error) << error.message();
    for (size_t i = 0; i < requests.size(); ++i)
      EXPECT_EQ(streamed[i], completions[i].text);
    return completions;
  }

  toy::Options toyOptions;
  std::string path;
  std::unique_ptr<Executable> executable;
  toy::HostDevice device;
  std::unique_ptr<Engine> engine;
};

} // namespace

TEST(ExpressionTest, RoundsUp) {
  std::array<uint64_t, LLAMAC_VARIABLE_COUNT> variables{1, 100, 3, 4, 5, 1};
  EXPECT_EQ(evaluate({LLAMAC_VARIABLE_ONE, 7, 1, 0}, variables), 7u);
  EXPECT_EQ(evaluate({LLAMAC_VARIABLE_TOKENS, 1, 64, 0}, variables), 2u);
  EXPECT_EQ(evaluate({LLAMAC_VARIABLE_TOKENS, 1, 100, 0}, variables), 1u);
  EXPECT_EQ(evaluate({LLAMAC_VARIABLE_TOKENS, 3, 8, 0}, variables), 38u);
  EXPECT_EQ(evaluate({LLAMAC_VARIABLE_SPLITS, 0xFFFFFFFFu, 1, 0}, variables),
            5ull * 0xFFFFFFFFull);
  EXPECT_EQ(evaluate({LLAMAC_VARIABLE_HEAD_ROWS, 0, 1, 0}, variables), 0u);
}

TEST_F(EngineTest, GivesTheLogitsOfEveryRow) {
  for (uint32_t chunk : {1u, 7u, 64u}) {
    start({0, 0, chunk, 0});
    for (size_t length : {1u, 63u, 64u, 65u, 127u, 200u, 255u, 256u}) {
      std::vector<int32_t> ids =
          randomIds(length, static_cast<uint32_t>(length));
      KvCache::Sequence sequence = *engine->addSequence();
      StepOutput out;
      Error error = engine->prefill(sequence, ids, Rows::All, out);
      ASSERT_FALSE(error) << error.message();
      ASSERT_EQ(out.next.size(), length);
      ASSERT_EQ(out.logits.size(), length * toyOptions.vocabulary);
      for (size_t row = 0; row < length; ++row) {
        ASSERT_EQ(out.next[row], choice(begin(ids, row + 1)))
            << "row " << row << " chunk " << chunk;
        std::vector<float> expected =
            toy::logits(begin(ids, row + 1), toyOptions);
        ASSERT_TRUE(
            std::equal(expected.begin(), expected.end(),
                       out.logits.begin() + row * toyOptions.vocabulary));
      }
      engine->freeSequence(sequence);
    }
  }
}

TEST_F(EngineTest, LastAndNoRows) {
  start({0, 0, 10, 0});
  std::vector<int32_t> ids = randomIds(25, 1);
  KvCache::Sequence sequence = *engine->addSequence();
  StepOutput out;
  ASSERT_FALSE(engine->prefill(sequence, ids, Rows::Last, out, false));
  EXPECT_EQ(out.next, std::vector<int32_t>{choice(ids)});
  EXPECT_TRUE(out.logits.empty());
  ASSERT_FALSE(engine->prefill(sequence, {7, 8}, Rows::None, out));
  EXPECT_TRUE(out.next.empty());
  ids.insert(ids.end(), {7, 8, 9});
  ASSERT_FALSE(engine->decode({{sequence, 9}}, out));
  EXPECT_EQ(out.next, std::vector<int32_t>{choice(ids)});
  EXPECT_EQ(engine->length(sequence), ids.size());
}

// Steps that begin before the one before has ended choose what steps choose
// that wait for it, past ends of pages and of splits.
TEST_F(EngineTest, StepsFollowWithoutTheHost) {
  start();
  std::vector<std::vector<int32_t>> ids = {randomIds(60, 1), randomIds(3, 2),
                                           randomIds(130, 3)};
  std::vector<DecodeInput> inputs;
  StepOutput out;
  for (std::vector<int32_t> &each : ids) {
    KvCache::Sequence sequence = *engine->addSequence();
    ASSERT_FALSE(engine->prefill(sequence, each, Rows::Last, out, false));
    inputs.push_back({sequence, out.next[0]});
    each.push_back(out.next[0]);
  }
  ASSERT_FALSE(engine->begin(inputs, false));
  EXPECT_TRUE(engine->begin(inputs, false)) << "one is underway";
  for (int step = 0; step < 100; ++step) {
    Result<bool> follows = engine->follow();
    ASSERT_TRUE(follows && *follows) << step;
    EXPECT_EQ(engine->underway(), 2u);
    follows = engine->follow();
    EXPECT_TRUE(follows && !*follows) << "two are underway";
    ASSERT_FALSE(engine->finish(out));
    for (size_t row = 0; row < ids.size(); ++row) {
      ASSERT_EQ(out.next[row], choice(ids[row])) << step;
      ids[row].push_back(out.next[row]);
    }
  }
  ASSERT_FALSE(engine->finish(out));
  EXPECT_EQ(out.next[2], choice(ids[2]));
  EXPECT_TRUE(engine->finish(out)) << "none is underway";
}

// A sequence gets back what a step too many took from it.
TEST_F(EngineTest, ForgetsTheTokenThatWasOneTooMany) {
  start();
  std::vector<int32_t> ids = randomIds(63, 5); // to the end of a page, but one
  KvCache::Sequence sequence = *engine->addSequence();
  StepOutput out;
  ASSERT_FALSE(engine->prefill(sequence, ids, Rows::None, out));
  const uint32_t pages = engine->kvCache().freePages();
  ASSERT_FALSE(engine->begin({{sequence, 9}}, false));
  ids.push_back(9);
  ASSERT_TRUE(*engine->follow());
  ASSERT_FALSE(engine->finish(out));
  EXPECT_EQ(engine->kvCache().freePages(), pages - 1);
  engine->forget(sequence, 1);
  EXPECT_EQ(engine->kvCache().freePages(), pages);
  ASSERT_FALSE(engine->finish(out));
  EXPECT_EQ(engine->length(sequence), ids.size());
  ids.push_back(11);
  ASSERT_FALSE(engine->decode({{sequence, 11}}, out, false));
  EXPECT_EQ(out.next, std::vector<int32_t>{choice(ids)});
}

TEST_F(EngineTest, DoesNotFollowWhereTheHostMustAct) {
  start();
  KvCache::Sequence sequence = *engine->addSequence(),
                    other = *engine->addSequence();
  StepOutput out;
  auto follows = [&] {
    Result<bool> result = engine->follow();
    return result && *result;
  };
  EXPECT_FALSE(follows()) << "nothing is underway";
  // A prompt of another sequence takes the place of the step's tokens.
  ASSERT_FALSE(engine->begin({{sequence, 9}}, false));
  ASSERT_FALSE(engine->prefill(other, {5, 6}, Rows::Last, out, false));
  EXPECT_FALSE(follows());
  ASSERT_FALSE(engine->finish(out));
  EXPECT_EQ(out.next, std::vector<int32_t>{choice({9})})
      << "its own choice stays";
  Sampling penalty;
  penalty.repeatPenalty = 1.5;
  SeenTokens seen;
  Choice penalised, asked;
  penalised.sampling = &penalty;
  penalised.seen = &seen;
  asked.logProbabilities = 1;
  for (const Choice &choice : {penalised, asked}) {
    ASSERT_FALSE(engine->begin({{sequence, 9, choice}}, false));
    EXPECT_FALSE(follows());
    ASSERT_FALSE(engine->finish(out));
  }
  ASSERT_FALSE(engine->begin({{sequence, 9}}, /*logits=*/true));
  EXPECT_FALSE(follows());
  ASSERT_FALSE(engine->finish(out));
  // Room for one more token, not for two.
  ASSERT_FALSE(engine->prefill(
      sequence, randomIds(255 - engine->length(sequence), 3), Rows::None, out));
  ASSERT_FALSE(engine->begin({{sequence, 9}}, false));
  EXPECT_FALSE(follows());
  ASSERT_FALSE(engine->finish(out));
  EXPECT_TRUE(out.refused[0].empty());
}

TEST_F(EngineTest, TakesAllMemoryAtStartAndGivesItBack) {
  start();
  EXPECT_EQ(device.allocations(), 6u);
  KvCache::Sequence sequence = *engine->addSequence();
  StepOutput out;
  ASSERT_FALSE(engine->prefill(sequence, randomIds(100, 3), Rows::All, out));
  for (int i = 0; i < 50; ++i)
    ASSERT_FALSE(engine->decode({{sequence, 5}}, out));
  EXPECT_EQ(device.allocations(), 6u);
  engine = nullptr;
  EXPECT_EQ(device.allocations(), 0u);
}

TEST_F(EngineTest, AForkSharesItsPastAndHasItsOwnFuture) {
  start();
  std::vector<int32_t> parentIds = randomIds(100, 4), childIds = parentIds;
  KvCache::Sequence parent = *engine->addSequence();
  StepOutput out;
  ASSERT_FALSE(engine->prefill(parent, parentIds, Rows::None, out));
  KvCache::Sequence child = *engine->forkSequence(parent);
  for (int32_t i = 0; i < 70; ++i) {
    ASSERT_FALSE(
        engine->decode({{parent, 10 + i}, {child, 200 + i}}, out, false));
    parentIds.push_back(10 + i);
    childIds.push_back(200 + i);
    ASSERT_EQ(out.next,
              (std::vector<int32_t>{choice(parentIds), choice(childIds)}))
        << i;
  }
  EXPECT_EQ(device.pageCopies, 1u);
}

TEST_F(EngineTest, RefusesOneSequenceAndServesItsNeighbours) {
  start({0, 3, 0, 3}); // three pages for three sequences
  std::vector<int32_t> a = randomIds(64, 1), b = randomIds(60, 2),
                       c = randomIds(20, 3);
  KvCache::Sequence first = *engine->addSequence(),
                    second = *engine->addSequence(),
                    third = *engine->addSequence();
  StepOutput out;
  ASSERT_FALSE(engine->prefill(first, a, Rows::None, out));
  ASSERT_FALSE(engine->prefill(second, b, Rows::None, out));
  ASSERT_FALSE(engine->prefill(third, c, Rows::None, out));
  ASSERT_FALSE(engine->decode({{second, 7}, {first, 8}, {third, 9}}, out));
  b.push_back(7);
  c.push_back(9);
  EXPECT_EQ(out.next, (std::vector<int32_t>{choice(b), -1, choice(c)}));
  EXPECT_EQ(out.refused[0], "");
  EXPECT_NE(out.refused[1].find("out of pages"), std::string::npos);
  ASSERT_EQ(out.logits.size(), 3u * toyOptions.vocabulary);
  std::vector<float> expected = toy::logits(c, toyOptions);
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(),
                         out.logits.begin() + 2 * toyOptions.vocabulary));
  EXPECT_EQ(engine->length(first), 64u) << "refused, it is as it was";
  engine->freeSequence(third);
  ASSERT_FALSE(engine->decode({{first, 8}}, out));
  a.push_back(8);
  EXPECT_EQ(out.next, std::vector<int32_t>{choice(a)});
  Error error = engine->prefill(second, randomIds(65, 9), Rows::Last, out);
  ASSERT_TRUE(error);
  EXPECT_EQ(engine->length(second), 61u) << "all or none";
}

TEST_F(EngineTest, MakesNoLaunchWithoutBlocks) {
  toy::Options options;
  options.maxSeqLen = 320;
  // As a merge of attention's splits: not for sequences of up to 256 tokens.
  make(options, [](toy::Sections &sections) {
    uint32_t decode = sections.header().functions[LLAMAC_FUNCTION_DECODE].first;
    sections.array<LlamacLaunch>(sections.header().launches_offset)[decode]
        .grid[2] = {LLAMAC_VARIABLE_SEVERAL_SPLITS, 1, 1, 0};
  });
  start();
  KvCache::Sequence sequence = *engine->addSequence();
  StepOutput out;
  ASSERT_FALSE(engine->prefill(sequence, randomIds(255, 1), Rows::None, out));
  for (uint64_t launches : {2, 3}) { // tokens 256, 257; @head, advance, ...
    uint64_t before = device.launches;
    ASSERT_FALSE(engine->decode({{sequence, 9}}, out));
    EXPECT_EQ(device.launches - before, launches);
  }
}

TEST_F(EngineTest, RefusesWrongCalls) {
  start();
  StepOutput out;
  KvCache::Sequence sequence = *engine->addSequence();
  Error range = engine->prefill(sequence, {3, 500}, Rows::Last, out);
  ASSERT_TRUE(range);
  EXPECT_EQ(range.message(),
            "token id 500 is out of range: the vocabulary has ids 0 to 499");
  EXPECT_TRUE(engine->prefill(sequence, {-1}, Rows::Last, out));
  EXPECT_TRUE(engine->decode({{sequence, 500}}, out));
  EXPECT_TRUE(engine->decode({{sequence, 5}, {sequence, 6}}, out))
      << "twice in one batch";
  EXPECT_TRUE(engine->decode({{3, 5}}, out)) << "not a live sequence";
  EXPECT_TRUE(engine->decode({{9999, 5}}, out));
  EXPECT_EQ(engine->length(sequence), 0u);
  for (EngineOptions options :
       {EngineOptions{257, 0, 0, 0}, EngineOptions{0, 5, 0, 0},
        EngineOptions{0, 0, 65, 0}})
    EXPECT_FALSE(Engine::create(*executable, device, options));
}

TEST_F(EngineTest, SaysThatItCannotRunWithoutWeights) {
  toy::Options options;
  options.weights = false;
  make(options);
  auto created = Engine::create(*executable, device);
  ASSERT_FALSE(created);
  EXPECT_NE(created.error().message().find(
                "compiled with --no-weights and holds shapes only"),
            std::string::npos);
  EXPECT_NE(created.error().message().find("--random-weights"),
            std::string::npos);
}

TEST_F(EngineTest, GeneratesUntilEndOfTextOrTheLimit) {
  start();
  std::vector<Request> requests(12);
  for (size_t i = 0; i < requests.size(); ++i) {
    requests[i].prompt = randomIds(1 + i * 17, static_cast<uint32_t>(i));
    requests[i].maxTokens = static_cast<uint32_t>(i * 5);
  }
  std::vector<Completion> completions = generate(requests);
  bool eos = false, length = false;
  for (size_t i = 0; i < requests.size(); ++i) {
    size_t room = 256 - requests[i].prompt.size() + 1;
    std::vector<int32_t> expected =
        expectedOutput(requests[i].prompt, std::min(room, i * 5));
    EXPECT_EQ(completions[i].output, expected) << "request " << i;
    bool ended = !expected.empty() && expected.back() == 2;
    EXPECT_EQ(completions[i].reason,
              ended ? FinishReason::Eos : FinishReason::Length);
    (ended ? eos : length) = true;
  }
  EXPECT_TRUE(eos && length) << "the case must show both";
  EXPECT_EQ(engine->kvCache().freePages(), engine->kvCache().totalPages());
}

TEST_F(EngineTest, ABatchGivesWhatEachLineGivesAlone) {
  toy::Options options;
  options.eos = false;
  make(options);
  std::vector<Request> requests(9);
  for (size_t i = 0; i < requests.size(); ++i) {
    requests[i].prompt = randomIds(1 + i * 23, static_cast<uint32_t>(i));
    requests[i].maxTokens = 40;
    requests[i].keepLogits = true;
    requests[i].echo = i % 2;
  }
  start();
  std::vector<Completion> together = generate(requests);
  start({0, 1, 0, 0});
  for (size_t i = 0; i < requests.size(); ++i) {
    Completion alone = generate({requests[i]})[0];
    EXPECT_EQ(together[i].output, alone.output);
    EXPECT_EQ(together[i].logits, alone.logits);
    size_t rows = 40 + (requests[i].echo ? requests[i].prompt.size() - 1 : 0);
    EXPECT_EQ(alone.logits.size(), rows * options.vocabulary);
  }
}

TEST_F(EngineTest, APromptThatFillsTheContextGivesOneToken) {
  start();
  Request full, longer, one;
  full.prompt = randomIds(256, 1);
  longer.prompt = randomIds(257, 1);
  one.prompt = randomIds(255, 3);
  std::vector<Completion> completions = generate({full, longer, one});
  EXPECT_EQ(completions[0].output.size(), 1u);
  EXPECT_EQ(completions[0].reason, FinishReason::Length);
  EXPECT_EQ(completions[1].failure,
            "the prompt has 257 tokens, but the context holds 256: shorten it, "
            "or compile with a larger --max-seq-len");
  EXPECT_EQ(completions[2].output, expectedOutput(one.prompt, 2));
}

TEST_F(EngineTest, ForcedIdsAreFedAndEndNothing) {
  start();
  Request request;
  request.prompt = {1, 50, 60};
  request.forced = {2, 2, 499, 7};
  request.maxTokens = 6;
  request.keepLogits = true;
  Completion completion = generate({request})[0];
  std::vector<int32_t> ids = request.prompt;
  ids.insert(ids.end(), {2, 2, 499, 7});
  ASSERT_GE(completion.output.size(), 5u);
  EXPECT_EQ(begin(completion.output, 4), request.forced);
  EXPECT_EQ(completion.output[4], choice(ids)) << "it goes on by choosing";
  for (size_t row = 0; row < 5; ++row) {
    std::vector<float> expected = toy::logits(begin(ids, 3 + row), toyOptions);
    EXPECT_TRUE(
        std::equal(expected.begin(), expected.end(),
                   completion.logits.begin() + row * toyOptions.vocabulary));
  }
}

TEST_F(EngineTest, TextIsStreamedAndStopped) {
  start();
  toy::Bytes bytes = toy::readFile(toy::input("toy.model"));
  auto tokenizer = Tokenizer::load(
      {reinterpret_cast<char *>(bytes.data()), bytes.size()}, 1, true);
  ASSERT_TRUE(tokenizer);
  Request request;
  request.prompt = *(*tokenizer)->encode("Once upon a time");
  request.maxTokens = 60;
  Completion plain = generate({request}, tokenizer->get())[0];
  std::vector<int32_t> all = request.prompt;
  all.insert(all.end(), plain.output.begin(), plain.output.end());
  EXPECT_EQ("Once upon a time" + plain.text, (*tokenizer)->decode(all));
  request.echo = true;
  EXPECT_EQ(generate({request}, tokenizer->get())[0].text,
            "Once upon a time" + plain.text);
  request.echo = false;
  for (size_t at = 0; at + 3 < plain.text.size(); at += 5) {
    std::string stop = plain.text.substr(at, 3);
    if (stop.find('\xEF') != std::string::npos)
      continue; // part of a U+FFFD
    request.stops = {"never in it", stop};
    Completion stopped = generate({request}, tokenizer->get())[0];
    EXPECT_EQ(stopped.reason, FinishReason::Stop);
    EXPECT_EQ(stopped.text, plain.text.substr(0, plain.text.find(stop)));
    EXPECT_LE(stopped.output.size(), plain.output.size());
  }
}

TEST_F(EngineTest, WithoutATokenizerTheTextIsTheIds) {
  start();
  Request request;
  request.prompt = {1, 50};
  request.maxTokens = 3;
  request.echo = true;
  Completion completion = generate({request})[0];
  std::string expected = "1 50";
  for (int32_t id : completion.output)
    expected += " " + std::to_string(id);
  EXPECT_EQ(completion.text, expected);
}

TEST_F(EngineTest, AFullPoolRefusesRequestsOneByOne) {
  toy::Options options;
  options.eos = false;
  make(options);
  start({0, 2, 0, 2});
  std::vector<Request> requests(3);
  for (size_t i = 0; i < 3; ++i) {
    requests[i].prompt = randomIds(50, static_cast<uint32_t>(i));
    requests[i].maxTokens = i == 1 ? 10 : 30;
  }
  std::vector<Completion> completions = generate(requests);
  EXPECT_NE(completions[0].failure, "") << "its second page was not to be had";
  EXPECT_EQ(completions[1].output, expectedOutput(requests[1].prompt, 10));
  EXPECT_EQ(engine->kvCache().freePages(), 2u);
}
