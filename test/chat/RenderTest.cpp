// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Dialogs as text: by our templates, and by transformers' apply_chat_template.
#include "Goldens.h"

#include "runtime/ChatTemplate.h"

using namespace llrt;

namespace {

/// Special tokens by their text; the id is 100 + the index.
const std::vector<std::string> specials = {"<s>",
                                           "</s>",
                                           "<|begin_of_text|>",
                                           "<|start_header_id|>",
                                           "<|end_header_id|>",
                                           "<|eot_id|>"};

std::optional<int32_t> findSpecial(std::string_view text) {
  for (size_t i = 0; i < specials.size(); ++i)
    if (specials[i] == text)
      return static_cast<int32_t>(100 + i);
  return std::nullopt;
}

std::string join(const std::vector<TextPart> &parts) {
  std::string text;
  for (const TextPart &part : parts)
    text += part.id < 0 ? part.text : specials.at(part.id - 100);
  return text;
}

/// Text in a row is one part, and none is empty: it is split into tokens as a
/// whole.
void checkParts(const std::vector<TextPart> &parts) {
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].id >= 0)
      continue;
    EXPECT_FALSE(parts[i].text.empty());
    EXPECT_TRUE(i == 0 || parts[i - 1].id >= 0);
  }
}

class RenderTest : public testing::TestWithParam<const char *> {
protected:
  bool isLlama2() const { return std::string(GetParam()) == "llama2"; }
  bool isTinyLlama() const { return std::string(GetParam()) == "tinyllama"; }
  ChatTemplate make() const {
    int32_t bos = isLlama2() || isTinyLlama() ? 100 : 102;
    Result<ChatTemplate> made =
        ChatTemplate::create(*findChatTemplate(GetParam()), bos, findSpecial);
    EXPECT_TRUE(made) << made.error().message();
    return *made;
  }
  /// An answer as the template writes it into a dialog, less its end.
  std::string writeAnswer(const std::string &content) const {
    if (isTinyLlama())
      return content;
    std::string stripped(strip(content));
    return isLlama2() ? " " + stripped + " " : stripped;
  }
};

TEST_P(RenderTest, SaysWhatTransformersSays) {
  nlohmann::json texts = goldens::read("texts");
  std::vector<Dialog> dialogs = goldens::readDialogs(texts);
  ChatTemplate style = make();
  ASSERT_GE(dialogs.size(), 30u);
  for (size_t i = 0; i < dialogs.size(); ++i) {
    std::vector<TextPart> parts = style.render(dialogs[i]);
    EXPECT_EQ(join(parts), texts[GetParam()][i].get<std::string>()) << i;
    checkParts(parts);
  }
}

TEST_P(RenderTest, GoesOnFromTurnToTurnAsTheWholeDialog) {
  std::vector<Dialog> dialogs = goldens::readDialogs(goldens::read("texts"));
  ChatTemplate style = make();
  size_t turns = 0;
  for (const Dialog &dialog : dialogs) {
    size_t start = dialog[0].role == Role::System ? 2 : 1;
    std::string text =
        join(style.render(Dialog(dialog.begin(), dialog.begin() + start)));
    for (size_t i = start; i < dialog.size(); i += 2, ++turns) {
      std::vector<TextPart> next = style.renderNext(dialog[i + 1].content);
      checkParts(next);
      ASSERT_EQ(next[0].id, style.endOfTurn());
      text += writeAnswer(dialog[i].content) + join(next);
    }
    EXPECT_EQ(text, join(style.render(dialog)));
  }
  EXPECT_GE(turns, 20u);
}

TEST_P(RenderTest, TakesNoSpecialTokenFromAMessage) {
  Dialog plain{{Role::System, "."},
               {Role::User, "."},
               {Role::Assistant, "."},
               {Role::User, "."}};
  Dialog special = plain;
  for (Message &message : special)
    message.content = "</s><s><|eot_id|><|begin_of_text|>";
  auto countIds = [&](const Dialog &dialog) {
    size_t count = 0;
    for (const TextPart &part : make().render(dialog))
      count += part.id >= 0;
    return count;
  };
  EXPECT_EQ(countIds(special), countIds(plain));
}

INSTANTIATE_TEST_SUITE_P(
    Templates, RenderTest,
    testing::Values("llama2", "llama3", "llama3.1", "tinyllama"),
    [](const auto &info) {
      std::string name = info.param;
      name.erase(std::remove(name.begin(), name.end(), '.'), name.end());
      return name;
    });

TEST(ChatTemplateTest, NamesTheTokenThatIsMissing) {
  auto none = [](std::string_view) { return std::optional<int32_t>(); };
  Result<ChatTemplate> made = ChatTemplate::create(LLAMAC_CHAT_LLAMA3, 1, none);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message(),
            "the chat template llama3 writes the token <|start_header_id|>, "
            "which this model's tokenizer does not have: it was compiled with "
            "the template of another model");
  EXPECT_FALSE(ChatTemplate::create(LLAMAC_CHAT_LLAMA2, -1, findSpecial));
  EXPECT_TRUE(ChatTemplate::create(LLAMAC_CHAT_TINYLLAMA, -1, findSpecial));
  EXPECT_FALSE(ChatTemplate::create(LLAMAC_CHAT_NONE, 1, findSpecial));
  EXPECT_FALSE(ChatTemplate::create(LLAMAC_CHAT_UNKNOWN, 1, findSpecial));
}

TEST(ChatTemplateTest, HasNames) {
  EXPECT_EQ(findChatTemplate("llama3.3"), LLAMAC_CHAT_LLAMA31);
  EXPECT_EQ(findChatTemplate("unknown"), std::nullopt);
  EXPECT_EQ(findChatTemplate(""), std::nullopt);
  for (const std::string &name : chatTemplateNames())
    EXPECT_TRUE(findChatTemplate(name)) << name;
  EXPECT_STREQ(chatTemplateName(LLAMAC_CHAT_LLAMA31), "llama3.1");
}

TEST(StripTest, IsPythons) {
  // ''.join(c for c in map(chr, range(0x110000)) if c.isspace()), Python 3.11
  const std::string spaces =
      "\t\n\v\f\r\x1c\x1d\x1e\x1f \u0085\u00a0\u1680\u2000\u2001\u2002\u2003"
      "\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f"
      "\u3000";
  EXPECT_EQ(strip(spaces), "");
  EXPECT_EQ(strip(spaces + "a b" + spaces), "a b");
  for (const char *kept : {"\u200b", "\ufeff", "\u180e", "\u2060", "\x1b",
                           "\x7f", "\u0084", "\u00a1", "\U00010020", "\u3001"})
    EXPECT_EQ(strip(kept), kept);
  EXPECT_EQ(strip(""), "");
}

} // namespace
