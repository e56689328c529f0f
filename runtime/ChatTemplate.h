// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Dialogs as the text that a model was trained on. No Jinja is run: each
// template that llamac knows is a function here, held to the text that Hugging
// Face's apply_chat_template(..., add_generation_prompt=True) makes.
//
//   llama2     meta-llama/Llama-2-7b-chat-hf, CodeLlama-7b-Instruct-hf
//   llama3     meta-llama/Meta-Llama-3-8B-Instruct
//   llama3.1   meta-llama/Llama-3.1-8B-Instruct, Llama-3.2-1B-Instruct,
//              Llama-3.3-70B-Instruct; the date is always 26 Jul 2024, which
//              3.1's and 3.3's say themselves (3.2's would say today's)
//   tinyllama  TinyLlama/TinyLlama-1.1B-Chat-v1.0
//
// What a message says is text: special tokens come from the template alone.
#ifndef LLAMAC_RUNTIME_CHATTEMPLATE_H
#define LLAMAC_RUNTIME_CHATTEMPLATE_H

#include "runtime/ChatTemplateName.h"
#include "runtime/Dialog.h"
#include "runtime/Result.h"
#include "runtime/Tokenizer.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llrt {

class ChatTemplate {
public:
  /// The id of a special token, by its text.
  using FindSpecial = std::function<std::optional<int32_t>(std::string_view)>;

  /// Fails for NONE and UNKNOWN, and where the tokenizer lacks a special token
  /// that the template writes. `bos` is the model's own, -1 for none.
  static Result<ChatTemplate> create(LlamacChatTemplate which, int32_t bos,
                                     const FindSpecial &findSpecial);

  /// A dialog up to the place where its answer starts.
  std::vector<TextPart> render(const Dialog &dialog) const;
  /// A conversation after an answer: the end of the answer's turn, which is the
  /// first part and an id, the user's next message, and up to the place where
  /// the next answer starts.
  std::vector<TextPart> renderNext(const std::string &message) const;
  /// Ends an answer, whatever the model's configs say.
  int32_t endOfTurn() const { return end; }

private:
  class Writer;
  ChatTemplate() = default;
  void writeMessage(Writer &writer, Role role,
                    const std::string &content) const;
  /// What stands between a user's message and the answer.
  void writeAnswerStart(Writer &writer) const;

  LlamacChatTemplate which = LLAMAC_CHAT_NONE;
  int32_t bos = -1, end = -1, startHeader = -1, endHeader = -1;
};

/// `text` without white space at both ends, as Python's str.strip() takes it:
/// all that str.isspace() holds for. `text` is valid UTF-8.
std::string_view strip(std::string_view text);

} // namespace llrt

#endif
