// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Dialogs as ids: what transformers' apply_chat_template(tokenize=True) gives,
// with small vocabularies that are built like the published ones. Names of
// special tokens in a message are text.
#include "Goldens.h"

#include "compiler/import/TokenizerSettings.h"
#include "runtime/ChatTemplate.h"

using namespace mlir::llama;

namespace {

using Ids = std::vector<int32_t>;

struct Case {
  const char *golden;
  const char *style;
  const char *file;     ///< of test/golden/tokenizers
  const char *settings; ///< tokenizer_config.json
  const char *bos;
};

void PrintTo(const Case &one, std::ostream *out) {
  *out << one.golden << " " << one.file;
}

const char *const llamaClass =
    R"({"tokenizer_class": "LlamaTokenizer", "legacy": false,
        "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"})";
const char *const anyClass =
    R"({"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>",
        "eos_token": "</s>", "unk_token": "<unk>"})";
const char *const llama3Class =
    R"({"tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"})";

class IdsTest : public testing::TestWithParam<Case> {
protected:
  void SetUp() override {
    std::ifstream in(std::string(LLAMAC_SOURCE_DIR "/test/golden/tokenizers/") +
                         GetParam().file,
                     std::ios::binary);
    ASSERT_TRUE(in);
    file = {std::istreambuf_iterator<char>(in), {}};
    std::vector<std::string> warnings;
    auto settings = parseTokenizerSettings(GetParam().settings,
                                           "tokenizer_config.json", warnings);
    ASSERT_TRUE(settings) << settings.error().message();
    const int64_t vocabSize = 1 << 20;
    bool json = std::string(GetParam().file).find(".json") != std::string::npos;
    auto parsed = json ? parseTokenizerJson(file, "tokenizer.json", *settings,
                                            vocabSize, warnings)
                       : parseSentencePiece(file, "tokenizer.model", *settings,
                                            vocabSize, warnings);
    ASSERT_TRUE(parsed) << parsed.error().message();
    section = std::move(*parsed);
    auto loaded = llrt::Tokenizer::load(section.bytes, -1, false);
    ASSERT_TRUE(loaded) << loaded.error().message();
    tokenizer = std::move(*loaded);
    auto find = [&](std::string_view text) {
      return tokenizer->findSpecial(text);
    };
    auto bos = find(GetParam().bos);
    ASSERT_TRUE(bos);
    auto made = llrt::ChatTemplate::create(
        *llrt::findChatTemplate(GetParam().style), *bos, find);
    ASSERT_TRUE(made) << made.error().message();
    style = std::move(*made);
  }
  Ids encode(const std::vector<llrt::TextPart> &parts) {
    llrt::Result<Ids> ids = tokenizer->encodeParts(parts);
    EXPECT_TRUE(ids) << ids.error().message();
    return *ids;
  }

  std::string file;
  Tokenizer section;
  std::unique_ptr<llrt::Tokenizer> tokenizer;
  std::optional<llrt::ChatTemplate> style;
};

TEST_P(IdsTest, AreTransformers) {
  nlohmann::json golden = goldens::read(GetParam().golden);
  std::vector<Ids> expected = golden["plain"].get<std::vector<Ids>>();
  ASSERT_EQ(expected.size(), 30u);
  for (Ids &ids : golden["special"].get<std::vector<Ids>>())
    expected.push_back(std::move(ids));
  std::vector<llrt::Dialog> dialogs =
      goldens::readDialogs(goldens::read("texts"));
  ASSERT_EQ(dialogs.size(), expected.size());
  for (size_t i = 0; i < dialogs.size(); ++i)
    EXPECT_EQ(encode(style->render(dialogs[i])), expected[i]) << i;
}

/// A conversation adds to what is there; the ids are those of the whole.
TEST_P(IdsTest, OfAConversationAreThoseOfTheDialog) {
  std::vector<llrt::Dialog> dialogs =
      goldens::readDialogs(goldens::read("texts"));
  for (size_t i = 0; i < dialogs.size(); ++i) {
    llrt::Dialog before = dialogs[i];
    if (before.size() < 3)
      continue;
    const std::string message = before.back().content;
    Ids whole = encode(style->render(before)),
        next = encode(style->renderNext(message));
    ASSERT_GT(whole.size(), next.size());
    EXPECT_EQ(Ids(whole.end() - next.size(), whole.end()), next) << i;
    before.resize(before.size() - 2);
    Ids first = encode(style->render(before));
    EXPECT_EQ(Ids(whole.begin(), whole.begin() + first.size()), first) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Vocabularies, IdsTest,
    testing::Values(
        Case{"llama2", "llama2", "llama2.json", llamaClass, "<s>"},
        Case{"llama2", "llama2", "llama2.model", llamaClass, "<s>"},
        Case{"llama2-prepended", "llama2", "llama2.json", anyClass, "<s>"},
        Case{"tinyllama", "tinyllama", "llama2.json", llamaClass, "<s>"},
        Case{"tinyllama", "tinyllama", "llama2.model", llamaClass, "<s>"},
        Case{"tinyllama-prepended", "tinyllama", "llama2.json", anyClass,
             "<s>"},
        Case{"llama3", "llama3", "llama3.json", llama3Class,
             "<|begin_of_text|>"},
        Case{"llama3.1", "llama3.1", "llama3.json", llama3Class,
             "<|begin_of_text|>"}));

} // namespace
