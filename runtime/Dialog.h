// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Who said what, and how a file says it.
#ifndef LLAMAC_RUNTIME_DIALOG_H
#define LLAMAC_RUNTIME_DIALOG_H

#include "runtime/Result.h"

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace llrt {

enum class Role { System, User, Assistant };
/// As chat templates and messages spell it: "user".
const char *roleName(Role role);

struct Message {
  Role role;
  std::string content; ///< valid UTF-8
};

/// A dialog that waits for an answer: a system's message or none, then user and
/// assistant in turn, the last being the user's.
using Dialog = std::vector<Message>;

/// [{"role": "user", "content": "Hello"}, ...], or an object with this array as
/// its only key `messages`. Errors start with `where` (a file, a file and line)
/// and name the message by its index, from 0.
Result<Dialog> parseDialog(std::string_view json, const std::string &where);
/// The array itself.
Result<Dialog> readDialog(const nlohmann::json &messages,
                          const std::string &where);

/// Puts a system's message in front. Fails where `dialog` has one.
Error addSystem(Dialog &dialog, const std::string &system,
                const std::string &where);

} // namespace llrt

#endif
