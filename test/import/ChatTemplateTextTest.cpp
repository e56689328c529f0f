// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which chat template a Jinja text is. The texts of test/chat/templates were
// written for the tests: they have the published ones' meaning for plain
// messages, and so their normal form, which hashes taken from the published
// texts prove.
#include "compiler/import/ChatTemplateText.h"

#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

using namespace mlir::llama;

namespace {

std::string readTemplate(const std::string &name) {
  std::ifstream file(LLAMAC_SOURCE_DIR "/test/chat/templates/" + name +
                     ".jinja");
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

const std::string llama2 = readTemplate("llama2");
const std::string llama3 = readTemplate("llama3");
const std::string llama31 = readTemplate("llama3.1");
const std::string tinyLlama = readTemplate("tinyllama");
std::string replace(std::string text, const std::string &from,
                    const std::string &to) {
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(ChatTemplateTextTest, KnowsThePublishedOnes) {
  EXPECT_EQ(recogniseChatTemplate(llama2), LLAMAC_CHAT_LLAMA2);
  EXPECT_EQ(recogniseChatTemplate(llama3), LLAMAC_CHAT_LLAMA3);
  EXPECT_EQ(recogniseChatTemplate(llama31), LLAMAC_CHAT_LLAMA31);
  EXPECT_EQ(recogniseChatTemplate(tinyLlama), LLAMAC_CHAT_TINYLLAMA);
  // 3.2's asks for the day where 3.1's has one.
  EXPECT_EQ(recogniseChatTemplate(replace(llama31, "'26 Jul 2024'",
                                          "strftime_now(\"%d %b %Y\")")),
            LLAMAC_CHAT_LLAMA31);
  // The older text of Llama 2's: a default for the system, switched off.
  std::string older =
      replace(llama2, "{%- else -%}",
              "{%- elif false == true and not '<<SYS>>' in "
              "messages[0].content -%}{%- set loop_messages = messages -%}"
              "{%- set system_message = 'Be kind.' -%}{%- else -%}");
  older = replace(older, "{%- elif message.role == \"assistant\" -%}",
                  "{%- elif message.role == \"system\" -%}{{- '<<SYS>>\\n' + "
                  "content.strip() + '\\n<</SYS>>\\n\\n' -}}"
                  "{%- elif message.role == \"assistant\" -%}");
  EXPECT_EQ(recogniseChatTemplate(older), LLAMAC_CHAT_LLAMA2);
  // Switched on, it adds words of its own.
  EXPECT_EQ(
      recogniseChatTemplate(replace(older, "false == true", "true == true")),
      LLAMAC_CHAT_UNKNOWN);
}

TEST(ChatTemplateTextTest, LooksPastWhatChangesNoDialog) {
  std::string text = llama31;
  // Branches for tools, a comment, other line ends, another indentation.
  text =
      replace(text, "{%- if not date_string",
              "{%- if custom_tools is defined %}{%- set tools = custom_tools "
              "%}{%- endif %}\r\n{%- if not tools_in_user_message is "
              "defined %}{%- set tools_in_user_message = true %}{%- endif "
              "%}{%- if not tools is defined %}{%- set tools = none %}{%- "
              "endif %}\r\n\r\n{%- if not date_string");
  text = replace(text, "Cutting",
                 "' }}{%- if builtin_tools is defined or tools is not none "
                 "%}{{- 'Environment: ipython\\n' }}{%- endif %}{# here #}{{- "
                 "'Cutting");
  text = replace(text, "  {{- '<|start_header_id|>' + message.role",
                 "{%- if not (message.role == 'ipython' or message['role'] == "
                 "'tool' or 'tool_calls' in message) %}\n\t{{- "
                 "'<|start_header_id|>' + message.role");
  text = replace(text, "{%- endfor %}",
                 "{%- elif 'tool_calls' in message %}{{- 'a call' }}{%- else "
                 "%}{{- 'a result' }}{%- endif %}\n\n\n{%- endfor %}");
  EXPECT_EQ(recogniseChatTemplate(text), LLAMAC_CHAT_LLAMA31);
}

TEST(ChatTemplateTextTest, DoesNotLookPastWhatChangesOne) {
  struct {
    const std::string &text;
    const char *from, *to;
  } const changes[] = {
      {llama2, "content.strip()", "content"},
      {llama2, "[INST] ", "[INST]"},
      {llama2, " [/INST]", " [/INST] "},
      {llama2, "bos_token + ", ""},
      {llama2, "<</SYS>>\\n\\n", "<</SYS>>\\n"},
      {llama2, "message.role == \"assistant\"", "message.role == \"model\""},
      {llama3, "|trim", ""},
      {llama3, "<|end_header_id|>\\n\\n\" + message",
       "<|end_header_id|>\\n\" + message"},
      {llama3, "{{- content }}", "{{ content }}"}, // two spaces are printed
      {llama3, "loop.index0 == 0", "loop.index0 == 1"},
      {llama31, "26 Jul 2024", "26 July 2024"},
      {llama31, "December 2023", "March 2023"},
      {llama31, ".strip()", ""},
      {llama31, "messages[1:]", "messages[0:]"},
      {llama31, "<|start_header_id|>assistant", "<|start_header_id|>Assistant"},
      {tinyLlama, "\n  {% endif", "\n\n  {% endif"}, // a newline is printed
      {tinyLlama, "'<|assistant|>' }}", "'<|assistant|>' -}}"},
      {tinyLlama, "message.content + eos_token",
       "message.content | trim + eos_token"},
      {tinyLlama, "{% for", "{% set eos_token = '' %}{% for"},
  };
  for (const auto &change : changes) {
    EXPECT_EQ(
        recogniseChatTemplate(replace(change.text, change.from, change.to)),
        LLAMAC_CHAT_UNKNOWN)
        << change.from;
  }
}

TEST(ChatTemplateTextTest, ReadsJinjaAsTransformersSetsItUp) {
  // trim_blocks, lstrip_blocks, and what + and - do to them.
  EXPECT_EQ(normaliseChatTemplate("a\n  {% set x = 1 %}\n  b\n"),
            "'a\\n'\n{% set x = 1\n'  b'\n");
  EXPECT_EQ(normaliseChatTemplate("a\n  {%+ set x = 1 +%}\n  b"),
            "'a\\n  '\n{% set x = 1\n'\\n  b'\n");
  EXPECT_EQ(normaliseChatTemplate("a  {{- x -}}  b {{ x }}\nc"),
            "'a'\n{{ x\n'b '\n{{ x\n'\\nc'\n");
  EXPECT_EQ(normaliseChatTemplate("a  {% set x = 1 %}b"),
            "'a  '\n{% set x = 1\n'b'\n");
  EXPECT_EQ(normaliseChatTemplate("  {# one #}\n  {# two #}\nb"), "'b'\n");
  EXPECT_EQ(normaliseChatTemplate("{{ 'it\\'s' + \"}}\" }}"),
            "{{ 'it\\u0027s' + '}}'\n");
}

TEST(ChatTemplateTextTest, TakesNothingForATemplate) {
  EXPECT_EQ(recogniseChatTemplate(""), LLAMAC_CHAT_UNKNOWN);
  for (const char *cut :
       {"{{ bos_token", "{% if x %}", "{# a", "{{ 'a }}", "{% endif %}",
        "{% for x in y %}{% endif %}", "{{", "{%", "{{ 'a\\", "{{-",
        "{% if x %}{% else %}{% else %}{% endif %}"})
    EXPECT_EQ(normaliseChatTemplate(cut), "") << cut;
  std::string deep, nested;
  for (int i = 0; i < 100000; ++i)
    deep += "{% if x %}";
  EXPECT_EQ(normaliseChatTemplate(deep), "");
  nested = "{% if " + std::string(100000, '(') + "x" +
           std::string(100000, ')') + " %}{% endif %}";
  EXPECT_EQ(recogniseChatTemplate(nested), LLAMAC_CHAT_UNKNOWN);
}

TEST(ChatTemplateTextTest, ReadsTheKeyInBothItsForms) {
  auto read = [](const std::string &json) {
    return parseChatTemplate(json, "tokenizer_config.json");
  };
  EXPECT_EQ(*read(R"({"chat_template": "x"})"), "x");
  EXPECT_EQ(*read(R"({"chat_template": null})"), std::nullopt);
  EXPECT_EQ(*read(R"({})"), std::nullopt);
  EXPECT_EQ(*read(R"({"chat_template": [{"name": "tool_use", "template": "t"},
                                        {"name": "default", "template": "d"}]})"),
            "d");
  EXPECT_EQ(*read(R"({"chat_template": [{"name": "rag", "template": "r"}]})"),
            "");
  EXPECT_EQ(
      read(R"({"chat_template": 3})").error().message(),
      "tokenizer_config.json: \"chat_template\" is the number 3, expected "
      "a string or a list of {\"name\": NAME, \"template\": TEXT}");
  EXPECT_FALSE(read(R"({"chat_template": [{"name": "default"}]})"));
  EXPECT_FALSE(read(R"({"chat_template": ["x"]})"));
}

} // namespace
