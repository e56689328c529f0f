// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A sequence that goes on from request to request, on the toy model, whose
// choice depends on every id of the sequence: what is stored, what is fed, and
// how a turn is ended.
#include "HostDevice.h"

#include "runtime/Generator.h"

#include <gtest/gtest.h>
#include <unistd.h>

using namespace llrt;

namespace {

class ConversationTest : public testing::Test {
protected:
  void SetUp() override {
    toyOptions.eos = false;
    path = testing::TempDir() + "conversation-" + std::to_string(getpid());
    toy::writeFile(path,
                   toy::append(toy::emptyElf(), toy::makeSections(toyOptions)));
    auto opened = Executable::open(path);
    ASSERT_TRUE(opened) << opened.error().message();
    executable = std::move(*opened);
    start({});
  }
  void TearDown() override { std::remove(path.c_str()); }

  void start(const EngineOptions &options) {
    generator = nullptr;
    engine = nullptr;
    auto created = Engine::create(*executable, device, options);
    ASSERT_TRUE(created) << created.error().message();
    engine = std::move(*created);
    generator = std::make_unique<Generator>(*engine, nullptr);
  }
  std::vector<int32_t> expectedOutput(std::vector<int32_t> ids, size_t count) {
    std::vector<int32_t> output;
    while (output.size() < count) {
      output.push_back(toy::choice(ids, toyOptions));
      ids.push_back(output.back());
    }
    return output;
  }
  Request makeRequest(std::vector<int32_t> prompt, uint32_t tokens) {
    Request request;
    request.prompt = std::move(prompt);
    request.maxTokens = tokens;
    request.conversation = &conversation;
    return request;
  }
  Completion run(const Request &request) {
    Completion result;
    Error error = generator->run(
        {request}, [](size_t, const std::string &) { return Error::success(); },
        [&](size_t, Completion &completion) {
          result = std::move(completion);
          return Error::success();
        });
    EXPECT_FALSE(error) << error.message();
    return result;
  }
  uint64_t fed() const { return generator->statistics().promptTokens; }
  uint32_t stored() const { return engine->length(*conversation.sequence); }

  toy::Options toyOptions;
  std::string path;
  toy::HostDevice device;
  std::unique_ptr<Executable> executable;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Generator> generator;
  Conversation conversation;
};

std::vector<int32_t> operator+(std::vector<int32_t> one,
                               const std::vector<int32_t> &other) {
  one.insert(one.end(), other.begin(), other.end());
  return one;
}

TEST_F(ConversationTest, FeedsWhatIsNewAlone) {
  std::vector<int32_t> context;
  uint64_t fedBefore = 0;
  for (int32_t turn = 0; turn < 8; ++turn) {
    // Over the edges of pages (64) and chunks, and turns of one token.
    std::vector<int32_t> message(turn == 3 ? 1 : 5 + turn * 3, 10 + turn);
    std::vector<int32_t> prompt = context + message;
    uint32_t cached = turn ? stored() : 0;
    Completion completion = run(makeRequest(prompt, 6));
    EXPECT_EQ(completion.failure, "");
    EXPECT_EQ(completion.output, expectedOutput(prompt, 6)) << turn;
    EXPECT_EQ(completion.cachedTokens, cached);
    // The last token of the answer before has no entries: it is fed now.
    EXPECT_EQ(fed() - fedBefore, message.size() + (turn ? 1 : 0)) << turn;
    EXPECT_EQ(stored(), prompt.size() + 5);
    fedBefore = fed();
    context = prompt + completion.output;
  }
  EXPECT_GT(context.size(), 128u);
  EXPECT_EQ(conversation.stored.size() + 1, context.size());
}

TEST_F(ConversationTest, TheLastTokenMayBeAnother) {
  // A template writes the end of the turn in place of another end-of-text id.
  std::vector<int32_t> first{1, 20, 30};
  Completion one = run(makeRequest(first, 4));
  one.output.back() = 77;
  std::vector<int32_t> prompt = first + one.output + std::vector<int32_t>{40};
  Completion two = run(makeRequest(prompt, 4));
  EXPECT_EQ(two.cachedTokens, 6u);
  EXPECT_EQ(two.output, expectedOutput(prompt, 4));
}

TEST_F(ConversationTest, StartsAnewWithAnotherPrompt) {
  run(makeRequest({1, 20, 30}, 4));
  std::vector<int32_t> other{1, 21, 30, 40, 50, 60, 70, 80, 90};
  Completion completion = run(makeRequest(other, 4));
  EXPECT_EQ(completion.cachedTokens, 0u);
  EXPECT_EQ(completion.output, expectedOutput(other, 4));
  EXPECT_EQ(stored(), other.size() + 3);
  // Nothing new to feed: the logits are gone, so it starts anew.
  Completion same = run(makeRequest(conversation.stored, 4));
  EXPECT_EQ(same.cachedTokens, 0u);
  EXPECT_EQ(same.output, expectedOutput(other + expectedOutput(other, 3), 4));
}

TEST_F(ConversationTest, LeavesOtherSequencesAlone) {
  std::vector<int32_t> prompt{1, 20, 30};
  Completion mine = run(makeRequest(prompt, 4));
  for (int32_t i = 0; i < 6; ++i) {
    Request other = makeRequest({1, 50 + i}, 10);
    other.conversation = nullptr;
    EXPECT_EQ(run(other).output, expectedOutput({1, 50 + i}, 10));
  }
  std::vector<int32_t> next = prompt + mine.output + std::vector<int32_t>{40};
  Completion completion = run(makeRequest(next, 4));
  EXPECT_EQ(completion.cachedTokens, 6u);
  EXPECT_EQ(completion.output, expectedOutput(next, 4));
}

TEST_F(ConversationTest, ATurnWithoutRoomLeavesItAsItWas) {
  std::vector<int32_t> prompt(100, 5);
  Completion one = run(makeRequest(prompt, 4));
  std::vector<int32_t> context = prompt + one.output;
  Completion refused =
      run(makeRequest(context + std::vector<int32_t>(200, 6), 4));
  EXPECT_NE(refused.failure, "");
  std::vector<int32_t> next = context + std::vector<int32_t>{7};
  Completion completion = run(makeRequest(next, 1000));
  EXPECT_EQ(completion.cachedTokens, 103u);
  EXPECT_EQ(completion.reason, FinishReason::Length);
  EXPECT_EQ(completion.output, expectedOutput(next, 256 - next.size() + 1));
  EXPECT_EQ(stored(), 256u) << "full";
}

TEST_F(ConversationTest, EndsAtTheTemplatesToken) {
  std::vector<int32_t> prompt{1, 20, 30};
  std::vector<int32_t> expected = expectedOutput(prompt, 5);
  Request request = makeRequest(prompt, 50);
  request.ends = {499, expected[4]};
  Completion completion = run(request);
  EXPECT_EQ(completion.reason, FinishReason::Eos);
  EXPECT_EQ(completion.output, expected);
}

TEST_F(ConversationTest, AnInterruptEndsATurnAndNothingElse) {
  std::vector<int32_t> prompt{1, 20, 30};
  int asked = 0;
  generator->setInterrupt([&] { return ++asked == 4; });
  Completion completion = run(makeRequest(prompt, 50));
  EXPECT_EQ(completion.reason, FinishReason::Interrupt);
  EXPECT_STREQ(finishReasonName(completion.reason), "interrupt");
  // One token comes with the prompt, one with each of the three steps.
  EXPECT_EQ(completion.output, expectedOutput(prompt, 4));
  std::vector<int32_t> next =
      prompt + completion.output + std::vector<int32_t>{40};
  Completion two = run(makeRequest(next, 5));
  EXPECT_EQ(two.cachedTokens, 6u);
  EXPECT_EQ(two.output, expectedOutput(next, 5));
}

TEST_F(ConversationTest, DrawsAsAFreshRunDoes) {
  Request request = makeRequest({1, 20, 30}, 6);
  request.sampling.temperature = 1;
  request.sampling.repeatPenalty = 1.5;
  request.sampling.presencePenalty = 0.5;
  Completion one = run(request);
  request.prompt = request.prompt + one.output + std::vector<int32_t>{40};
  request.seed = 1;
  Completion kept = run(request);
  EXPECT_GT(kept.cachedTokens, 0u);
  request.conversation = nullptr;
  EXPECT_EQ(kept.output, run(request).output);
}

TEST_F(ConversationTest, NoTokensAskedForStoresNone) {
  Completion completion = run(makeRequest({1, 20, 30}, 0));
  EXPECT_EQ(completion.output.size(), 0u);
  EXPECT_EQ(stored(), 0u);
  Completion two = run(makeRequest({1, 20, 30, 40}, 3));
  EXPECT_EQ(two.output, expectedOutput({1, 20, 30, 40}, 3));
}

} // namespace
