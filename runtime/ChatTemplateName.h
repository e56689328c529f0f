// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The chat templates that llamac knows, by name. ChatTemplate.h says which
// models they are from, and renders them.
#ifndef LLAMAC_RUNTIME_CHATTEMPLATENAME_H
#define LLAMAC_RUNTIME_CHATTEMPLATENAME_H

#include "runtime/ExecutableFormat.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llrt {

/// One that is rendered: neither NONE nor UNKNOWN.
bool isBuiltIn(LlamacChatTemplate which);
/// What --info and the passport show: "none", "unknown", "llama3.1", ...
const char *chatTemplateName(LlamacChatTemplate which);
/// Built-in ones; 3.1's is also "llama3.2" and "llama3.3".
std::optional<LlamacChatTemplate> findChatTemplate(std::string_view name);
/// All names that findChatTemplate takes.
std::vector<std::string> chatTemplateNames();

} // namespace llrt

#endif
