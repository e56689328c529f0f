// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What --json prints of one prompt or turn.
#ifndef LLAMAC_RUNTIME_COMPLETIONJSON_H
#define LLAMAC_RUNTIME_COMPLETIONJSON_H

#include "runtime/Generator.h"

#include <string>

namespace llrt {

/// One line with its newline: prompt_ids, and error or output_ids, text (null
/// where `hasText` is false), finish_reason, seed and, where they were asked
/// for, logprobs. Of a conversation's turn also cached_tokens. Valid UTF-8.
std::string completionJson(const Request &request, const Completion &completion,
                           bool hasText);

} // namespace llrt

#endif
