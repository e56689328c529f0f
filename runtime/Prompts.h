// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Prompts from files.
#ifndef LLAMAC_RUNTIME_PROMPTS_H
#define LLAMAC_RUNTIME_PROMPTS_H

#include "runtime/Dialog.h"
#include "runtime/Result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llrt {

/// A prompt as the user gave it.
struct Prompt {
  enum class Kind { Text, Ids, Dialog } kind = Kind::Text;
  std::string text;
  std::vector<int32_t> ids;
  llrt::Dialog dialog;
  std::string where; ///< of a dialog: its file and line, for messages
};

/// All of a file; "-" is standard input.
Result<std::string> readWhole(const std::string &path);

/// `text` less one newline (\n or \r\n) at its end.
std::string withoutLastNewline(std::string text);

/// A prompt per line; for a name in .jsonl an object with one of `prompt`,
/// `prompt_ids` and `messages` per line, blank lines skipped. Messages name
/// file and line.
Result<std::vector<Prompt>> readPrompts(const std::string &path);
/// The same of a file's content; `objects`: its lines are JSON.
Result<std::vector<Prompt>> parsePrompts(std::string_view content, bool objects,
                                         const std::string &path);

/// The dialog that is a whole file; "-" is standard input.
Result<Prompt> readMessages(const std::string &path);

} // namespace llrt

#endif
