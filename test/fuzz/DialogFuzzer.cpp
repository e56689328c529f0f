// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A libFuzzer target: any bytes as --messages and as lines of --prompts are
// dialogs in the order of their roles, which every template renders with its
// own special tokens alone, or an error that names the file.
#include "runtime/ChatTemplate.h"
#include "runtime/Prompts.h"
#include "test/fuzz/Refusal.h"

using namespace llrt;

static void require(bool holds) {
  if (!holds)
    std::abort();
}

/// Ids of `dialog` by the template: how many its own special tokens are.
static size_t countIds(LlamacChatTemplate which, const Dialog &dialog) {
  bool system = dialog[0].role == Role::System;
  size_t turns = dialog.size() - system; // of user and assistant
  switch (which) {
  case LLAMAC_CHAT_LLAMA2: // BOS of the user's, end-of-text of the others'
    return turns;
  case LLAMAC_CHAT_LLAMA3: // BOS, three a message, two before the answer
    return 1 + 3 * dialog.size() + 2;
  case LLAMAC_CHAT_LLAMA31: // with a system's message in any case
    return 1 + 3 * (turns + 1) + 2;
  default: // end-of-text of each
    return dialog.size();
  }
}

static void render(const Dialog &dialog) {
  for (size_t i = 0; i < dialog.size(); ++i) {
    bool system = dialog[0].role == Role::System;
    require((i == 0 && system) ||
            (dialog[i].role == Role::User) == ((i - system) % 2 == 0));
  }
  require(dialog.back().role == Role::User);
  for (int which = LLAMAC_CHAT_LLAMA2; which < LLAMAC_CHAT_COUNT; ++which) {
    auto style = ChatTemplate::create(
        static_cast<LlamacChatTemplate>(which), 1, [](std::string_view text) {
          return std::optional<int32_t>(static_cast<int32_t>(text.size()));
        });
    require(static_cast<bool>(style));
    size_t ids = 0;
    bool afterText = false;
    for (const TextPart &part : style->render(dialog)) {
      ids += part.id >= 0;
      require(part.id >= 0 || (!part.text.empty() && !afterText));
      afterText = part.id < 0;
    }
    require(ids == countIds(static_cast<LlamacChatTemplate>(which), dialog));
    require(style->renderNext(dialog.back().content)[0].id ==
            style->endOfTurn());
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view text(reinterpret_cast<const char *>(data), size);
  Result<Dialog> dialog = parseDialog(text, "fuzz.json");
  if (dialog)
    render(*dialog);
  else
    requireNamed(dialog.error().message(), "fuzz.json");
  Result<std::vector<Prompt>> prompts = parsePrompts(text, true, "fuzz.jsonl");
  if (!prompts)
    require(prompts.error().message().compare(0, 11, "fuzz.jsonl:") == 0);
  else
    for (const Prompt &prompt : *prompts)
      if (prompt.kind == Prompt::Kind::Dialog)
        render(prompt.dialog);
  return 0;
}
