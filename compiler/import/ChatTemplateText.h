// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which of the chat templates that the runtime renders a Jinja text is. No
// Jinja is run: the text is brought to a normal form, and its hash looked up
// among those of the published templates (ChatTemplateText.cpp lists them).
//
// Of the normal form is left out what changes no dialog of plain messages with
// an answer to come: comments, white space that is not printed, the kind of
// quotes, and the branches that are never taken then, which are those for
// tools. Everything else counts: a template that says another word in any such
// dialog has another hash.
#ifndef LLAMAC_COMPILER_IMPORT_CHATTEMPLATETEXT_H
#define LLAMAC_COMPILER_IMPORT_CHATTEMPLATETEXT_H

#include "runtime/ExecutableFormat.h"
#include "runtime/Result.h"

#include <optional>
#include <string>
#include <string_view>

namespace mlir::llama {

/// A line for each text, `{{` or `{%` and its tokens. "" for a text that is no
/// template, or is nested deeper than any that is known.
std::string normaliseChatTemplate(std::string_view jinja);

/// XXH3 of the normal form.
uint64_t hashChatTemplate(std::string_view jinja);

/// LLAMAC_CHAT_UNKNOWN where it is none of them.
LlamacChatTemplate recogniseChatTemplate(std::string_view jinja);

/// "chat_template" of tokenizer_config.json or chat_template.json: a string, or
/// a list of {"name", "template"} of which "default" counts ("" where none is
/// called so). Nothing where there is no such key. `name` opens messages.
llrt::Result<std::optional<std::string>>
parseChatTemplate(std::string_view json, const std::string &name);

} // namespace mlir::llama

#endif
