// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Dialogs from files: what is taken, and the message of every refusal.
#include "runtime/Prompts.h"

#include <gtest/gtest.h>

using namespace llrt;

namespace {

std::string refusal(const std::string &json) {
  Result<Dialog> dialog = parseDialog(json, "d.json");
  return dialog ? "" : dialog.error().message();
}

/// [{"role": "user", ...}, ...] of the roles' first letters.
std::string ofRoles(const std::string &letters) {
  std::string json;
  for (char letter : letters)
    json += std::string(json.empty() ? "" : ", ") + R"({"role": ")" +
            (letter == 's'   ? "system"
             : letter == 'u' ? "user"
                             : "assistant") +
            R"(", "content": "x"})";
  return "[" + json + "]";
}

TEST(DialogTest, ReadsMessages) {
  Result<Dialog> dialog = parseDialog(
      R"([{"role": "system", "content": " a\u0000b\n"},
          {"content": "\ud83d\ude00 </s>", "role": "user"}])",
      "d.json");
  ASSERT_TRUE(dialog) << dialog.error().message();
  ASSERT_EQ(dialog->size(), 2u);
  EXPECT_EQ((*dialog)[0].role, Role::System);
  EXPECT_EQ((*dialog)[0].content, std::string(" a\0b\n", 5));
  EXPECT_EQ((*dialog)[1].role, Role::User);
  EXPECT_EQ((*dialog)[1].content, "\U0001F600 </s>");
  EXPECT_EQ(refusal(R"({"messages": [{"role": "user", "content": ""}]})"), "");
}

TEST(DialogTest, HoldsRolesToTheirOrder) {
  for (const char *good : {"u", "su", "uau", "suau", "uauauauauau"})
    EXPECT_EQ(refusal(ofRoles(good)), "") << good;
  EXPECT_EQ(refusal(ofRoles("uu")),
            "d.json: message 1: found role user, expected assistant: after a "
            "system's message or none, user and assistant take turns");
  EXPECT_EQ(refusal(ofRoles("au")),
            "d.json: message 0: found role assistant, expected user: after a "
            "system's message or none, user and assistant take turns");
  EXPECT_EQ(refusal(ofRoles("ssu")),
            "d.json: message 1: found role system, expected user: after a "
            "system's message or none, user and assistant take turns");
  EXPECT_EQ(refusal(ofRoles("uasu")),
            "d.json: message 2: found role system, expected user: after a "
            "system's message or none, user and assistant take turns");
  EXPECT_EQ(
      refusal(ofRoles("sua")),
      "d.json: message 2: found role assistant at the end, expected user: "
      "the model is to answer the last message");
  EXPECT_EQ(refusal(ofRoles("s")), "d.json: found no message of the user, "
                                   "expected at least one");
  EXPECT_EQ(refusal("[]"), "d.json: found no message of the user, expected at "
                           "least one");
}

TEST(DialogTest, SaysWhatIsWrong) {
  const std::string shape = "expected {\"role\": ROLE, \"content\": TEXT}";
  struct {
    const char *json;
    std::string message;
  } const cases[] = {
      {"", "d.json: found no valid JSON"},
      {"[{]", "d.json: found no valid JSON"},
      {"\"\xff\"", "d.json: found no valid JSON"},
      {R"([{"role": "user", "content": "\ud800"}])",
       "d.json: found no valid JSON"},
      {"3", "d.json: found number, expected an array"},
      {R"({"messages": 3})", "d.json: found number, expected an array"},
      {R"({"messages": [], "tools": []})",
       "d.json: found object, expected an array"},
      {"[3]", "d.json: message 0: found number, " + shape},
      {R"([{"role": "user"}])",
       "d.json: message 0: found no key content, " + shape},
      {R"([{"content": "x"}])",
       "d.json: message 0: found no key role, " + shape},
      {R"([{"role": "user", "content": [{"type": "text"}]}])",
       "d.json: message 0: content: found array, expected a string"},
      {R"([{"role": "user", "content": null}])",
       "d.json: message 0: content: found null, expected a string"},
      {R"([{"role": 1, "content": "x"}])",
       "d.json: message 0: role: found number, expected a string"},
      {R"([{"role": "tool", "content": "x"}])",
       "d.json: message 0: role: found \"tool\", expected system, user or "
       "assistant"},
      {R"([{"role": "User", "content": "x"}])",
       "d.json: message 0: role: found \"User\", expected system, user or "
       "assistant"},
      {R"([{"role": "user", "content": "x", "name": "y"}])",
       "d.json: message 0: found unknown key \"name\", expected role and "
       "content"},
  };
  for (const auto &entry : cases)
    EXPECT_EQ(
        refusal(entry.json).compare(0, entry.message.size(), entry.message), 0)
        << entry.json << " -> " << refusal(entry.json);
}

TEST(DialogTest, StandsAgainstDepthAndLength) {
  std::string deep(1000000, '[');
  EXPECT_NE(refusal(deep), "");
  EXPECT_NE(refusal(deep + std::string(1000000, ']')), "");
  EXPECT_NE(refusal(R"([{"role": "user", "content": )" + deep +
                    std::string(1000000, ']') + "}]"),
            "");
  EXPECT_NE(refusal(R"([{"role": ")" + std::string(1000000, 'x') +
                    R"(", "content": ""}])"),
            "");
}

TEST(DialogTest, AddsASystemOnce) {
  Dialog dialog = *parseDialog(ofRoles("u"), "d.json");
  EXPECT_FALSE(addSystem(dialog, "Be kind.", "d.json"));
  ASSERT_EQ(dialog.size(), 2u);
  EXPECT_EQ(dialog[0].content, "Be kind.");
  Error error = addSystem(dialog, "Be rude.", "d.json");
  ASSERT_TRUE(error);
  EXPECT_EQ(error.message(),
            "--system: d.json has a system's message, too; give "
            "one of the two");
}

TEST(PromptsTest, TakesDialogsByTheLine) {
  const std::string lines =
      "{\"prompt\": \"a\"}\r\n\n {\"messages\": " + ofRoles("su") +
      "}\n{\"prompt_ids\": [1, 2]}";
  Result<std::vector<Prompt>> prompts = parsePrompts(lines, true, "p.jsonl");
  ASSERT_TRUE(prompts) << prompts.error().message();
  ASSERT_EQ(prompts->size(), 3u);
  EXPECT_EQ((*prompts)[0].kind, Prompt::Kind::Text);
  EXPECT_EQ((*prompts)[1].kind, Prompt::Kind::Dialog);
  EXPECT_EQ((*prompts)[1].dialog.size(), 2u);
  EXPECT_EQ((*prompts)[1].where, "p.jsonl:3");
  EXPECT_EQ((*prompts)[2].kind, Prompt::Kind::Ids);
  // Plain lines stay what they are.
  EXPECT_EQ((*parsePrompts(lines, false, "p.txt"))[1].kind, Prompt::Kind::Text);
}

TEST(PromptsTest, NamesTheLine) {
  auto message = [](const std::string &lines) {
    Result<std::vector<Prompt>> prompts = parsePrompts(lines, true, "p.jsonl");
    return prompts ? "" : prompts.error().message();
  };
  EXPECT_EQ(
      message("{\"prompt\": \"a\"}\n{\"messages\": " + ofRoles("ua") + "}"),
      "p.jsonl:2: message 1: found role assistant at the end, expected "
      "user: the model is to answer the last message");
  EXPECT_EQ(message("{\"messages\": [], \"prompt\": \"\"}"),
            "p.jsonl:1: found 2 keys, expected one of prompt, prompt_ids and "
            "messages");
  EXPECT_EQ(message("{\"message\": []}"),
            "p.jsonl:1: found unknown key message, expected prompt, prompt_ids "
            "or messages");
  EXPECT_EQ(message("{\"prompt_ids\": [[1]]}"),
            "p.jsonl:1: prompt_ids: found array, expected a token id");
  EXPECT_EQ(message("[]"), "p.jsonl:1: found no JSON object, expected "
                           "{\"prompt\": TEXT}, {\"prompt_ids\": [IDS]} or "
                           "{\"messages\": [...]}");
}

} // namespace
