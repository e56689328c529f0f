// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One branch a template. Where a template strips a message, and where not, is
// its own.
#include "runtime/ChatTemplate.h"

#include <algorithm>
#include <cstdint>

using namespace llrt;

namespace {

/// Python's str.isspace(): bidirectional type WS, B or S, or category Zs.
bool isSpace(uint32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 ||
         c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

/// The character that `text`, not empty, starts with, and its bytes. No white
/// space has more than three.
uint32_t firstCharacter(std::string_view text, size_t &length) {
  auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  uint32_t lead = byte(0);
  length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  switch (length) {
  case 1:
    return lead;
  case 2:
    return (lead & 0x1F) << 6 | (byte(1) & 0x3F);
  case 3:
    return (lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
  default:
    return UINT32_MAX;
  }
}

} // namespace

std::string_view llrt::strip(std::string_view text) {
  size_t length;
  while (!text.empty() && isSpace(firstCharacter(text, length)))
    text.remove_prefix(std::min(length, text.size()));
  while (!text.empty()) {
    size_t start = text.size() - 1;
    while (start > 0 &&
           (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80)
      --start;
    if (!isSpace(firstCharacter(text.substr(start), length)))
      break;
    text = text.substr(0, start);
  }
  return text;
}

/// Text in a row is one part: that is how it is split into tokens.
class ChatTemplate::Writer {
public:
  void text(std::string_view text) {
    if (text.empty())
      return;
    if (parts.empty() || parts.back().id >= 0)
      parts.emplace_back();
    parts.back().text += text;
  }
  void id(int32_t id) {
    parts.emplace_back();
    parts.back().id = id;
  }
  std::vector<TextPart> parts;
};

Result<ChatTemplate> ChatTemplate::create(LlamacChatTemplate which, int32_t bos,
                                          const FindSpecial &findSpecial) {
  ChatTemplate result;
  result.which = which;
  result.bos = bos;
  bool headers = which == LLAMAC_CHAT_LLAMA3 || which == LLAMAC_CHAT_LLAMA31;
  struct {
    const char *text;
    int32_t &id;
    bool needed;
  } const needs[] = {
      {"<|start_header_id|>", result.startHeader, headers},
      {"<|end_header_id|>", result.endHeader, headers},
      {headers ? "<|eot_id|>" : "</s>", result.end, isBuiltIn(which)}};
  if (!isBuiltIn(which))
    return Error("the model has no chat template that llamac knows");
  std::string name = chatTemplateName(which);
  for (const auto &need : needs) {
    if (!need.needed)
      continue;
    std::optional<int32_t> id = findSpecial(need.text);
    if (!id)
      return Error("the chat template " + name + " writes the token " +
                   need.text +
                   ", which this model's tokenizer does not have: "
                   "it was compiled with the template of another "
                   "model");
    need.id = *id;
  }
  if (bos < 0 && which != LLAMAC_CHAT_TINYLLAMA)
    return Error("the chat template " + name +
                 " starts with the token for the beginning of text, which this "
                 "model does not have: it was compiled with the template of "
                 "another model");
  return result;
}

void ChatTemplate::writeMessage(Writer &writer, Role role,
                                const std::string &content) const {
  switch (which) {
  case LLAMAC_CHAT_LLAMA2: // the system's is folded into the user's: render()
    if (role == Role::User) {
      writer.id(bos);
      writer.text("[INST] ");
      writer.text(strip(content));
      writer.text(" [/INST]");
    } else {
      writer.text(" ");
      writer.text(strip(content));
      writer.text(" ");
      writer.id(end);
    }
    return;
  case LLAMAC_CHAT_TINYLLAMA:
    writer.text(std::string("<|") + roleName(role) + "|>\n");
    writer.text(content);
    writer.id(end);
    writer.text("\n");
    return;
  default: // Llama 3 and later
    writer.id(startHeader);
    writer.text(roleName(role));
    writer.id(endHeader);
    writer.text("\n\n");
    writer.text(content);
    writer.id(end);
    return;
  }
}

void ChatTemplate::writeAnswerStart(Writer &writer) const {
  if (which == LLAMAC_CHAT_TINYLLAMA)
    writer.text("<|assistant|>\n");
  if (which == LLAMAC_CHAT_LLAMA3 || which == LLAMAC_CHAT_LLAMA31) {
    writer.id(startHeader);
    writer.text(roleName(Role::Assistant));
    writer.id(endHeader);
    writer.text("\n\n");
  }
}

std::vector<TextPart> ChatTemplate::render(const Dialog &dialog) const {
  Writer writer;
  bool hasSystem = !dialog.empty() && dialog[0].role == Role::System;
  std::string system = hasSystem ? dialog[0].content : std::string();
  bool headers = which == LLAMAC_CHAT_LLAMA3 || which == LLAMAC_CHAT_LLAMA31;
  if (headers)
    writer.id(bos);
  if (which == LLAMAC_CHAT_LLAMA31) // always there
    writeMessage(writer, Role::System,
                 "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul "
                 "2024\n\n" +
                     std::string(strip(system)));
  else if (hasSystem && which != LLAMAC_CHAT_LLAMA2)
    writeMessage(writer, Role::System,
                 headers ? std::string(strip(system)) : system);
  for (size_t i = hasSystem; i < dialog.size(); ++i) {
    std::string content = dialog[i].content;
    if (which == LLAMAC_CHAT_LLAMA2 && hasSystem && i == 1)
      content = "<<SYS>>\n" + system + "\n<</SYS>>\n\n" + content;
    else if (headers)
      content = strip(content);
    writeMessage(writer, dialog[i].role, content);
  }
  writeAnswerStart(writer);
  return std::move(writer.parts);
}

std::vector<TextPart>
ChatTemplate::renderNext(const std::string &message) const {
  Writer writer;
  writer.id(end);
  if (which == LLAMAC_CHAT_TINYLLAMA)
    writer.text("\n");
  bool headers = which == LLAMAC_CHAT_LLAMA3 || which == LLAMAC_CHAT_LLAMA31;
  writeMessage(writer, Role::User,
               headers ? std::string(strip(message)) : message);
  writeAnswerStart(writer);
  return std::move(writer.parts);
}
