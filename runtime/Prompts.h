// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Prompts from files.
#ifndef LLAMAC_RUNTIME_PROMPTS_H
#define LLAMAC_RUNTIME_PROMPTS_H

#include "runtime/Result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace llrt {

/// A prompt as the user gave it.
struct Prompt {
  bool isText = true;
  std::string text;
  std::vector<int32_t> ids;
};

/// All of a file; "-" is standard input.
Result<std::string> readWhole(const std::string &path);

/// `text` less one newline (\n or \r\n) at its end.
std::string withoutLastNewline(std::string text);

/// A prompt per line; for a name in .jsonl an object with either `prompt` or
/// `prompt_ids` per line, blank lines skipped. Messages name file and line.
Result<std::vector<Prompt>> readPrompts(const std::string &path);

} // namespace llrt

#endif
