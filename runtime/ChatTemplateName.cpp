// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One table.
#include "runtime/ChatTemplateName.h"

using namespace llrt;

namespace {

struct Name {
  const char *name;
  LlamacChatTemplate which;
};

/// The first of each is the one that is shown.
const Name names[] = {
    {"none", LLAMAC_CHAT_NONE},        {"unknown", LLAMAC_CHAT_UNKNOWN},
    {"llama2", LLAMAC_CHAT_LLAMA2},    {"llama3", LLAMAC_CHAT_LLAMA3},
    {"llama3.1", LLAMAC_CHAT_LLAMA31}, {"llama3.2", LLAMAC_CHAT_LLAMA31},
    {"llama3.3", LLAMAC_CHAT_LLAMA31}, {"tinyllama", LLAMAC_CHAT_TINYLLAMA}};

} // namespace

bool llrt::isBuiltIn(LlamacChatTemplate which) {
  return which != LLAMAC_CHAT_NONE && which != LLAMAC_CHAT_UNKNOWN;
}

const char *llrt::chatTemplateName(LlamacChatTemplate which) {
  for (const Name &entry : names)
    if (entry.which == which)
      return entry.name;
  return "unknown";
}

std::optional<LlamacChatTemplate>
llrt::findChatTemplate(std::string_view name) {
  for (const Name &entry : names)
    if (entry.name == name && isBuiltIn(entry.which))
      return entry.which;
  return std::nullopt;
}

std::vector<std::string> llrt::chatTemplateNames() {
  std::vector<std::string> all;
  for (const Name &entry : names)
    if (isBuiltIn(entry.which))
      all.push_back(entry.name);
  return all;
}
