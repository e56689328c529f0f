// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// JSON -> dialog, and the order of its roles.
#include "runtime/Dialog.h"

#include <nlohmann/json.hpp>
#include <optional>

using namespace llrt;
using nlohmann::json;

static const char *const roleNames[] = {"system", "user", "assistant"};

const char *llrt::roleName(Role role) {
  return roleNames[static_cast<int>(role)];
}

/// "found KIND", with the text itself where it is a short string.
static std::string found(const json &value) {
  if (value.is_string()) {
    std::string text =
        value.dump(-1, ' ', false, json::error_handler_t::replace);
    if (text.size() <= 40)
      return "found " + text;
  }
  return std::string("found ") + (value.is_null() ? "null" : value.type_name());
}

static Result<Message> parseMessage(const json &value,
                                    const std::string &where) {
  if (!value.is_object())
    return Error(where + ": " + found(value) +
                 ", expected {\"role\": ROLE, \"content\": TEXT}");
  for (const auto &[key, unused] : value.items())
    if (key != "role" && key != "content")
      return Error(
          where + ": found unknown key " +
          json(key).dump(-1, ' ', false, json::error_handler_t::replace) +
          ", expected role and content (tool calls and names are not "
          "built yet)");
  for (const char *key : {"role", "content"}) {
    auto entry = value.find(key);
    if (entry == value.end())
      return Error(where + ": found no key " + key +
                   ", expected {\"role\": ROLE, \"content\": TEXT}");
    if (!entry->is_string())
      return Error(where + ": " + key + ": " + found(*entry) +
                   ", expected a string");
  }
  const auto &role = value["role"].get_ref<const std::string &>();
  for (int i = 0; i < 3; ++i)
    if (role == roleNames[i])
      return Message{static_cast<Role>(i),
                     value["content"].get_ref<const std::string &>()};
  return Error(where + ": role: " + found(value["role"]) +
               ", expected system, user or assistant");
}

/// Which role may stand at `index`, given that `start` is the first after the
/// system's message.
static Role expectedRole(size_t index, size_t start) {
  return (index - start) % 2 == 0 ? Role::User : Role::Assistant;
}

static Error checkRoles(const Dialog &dialog, const std::string &where) {
  size_t start = !dialog.empty() && dialog[0].role == Role::System ? 1 : 0;
  for (size_t i = start; i < dialog.size(); ++i) {
    Role expected = expectedRole(i, start);
    if (dialog[i].role != expected)
      return Error(where + ": message " + std::to_string(i) + ": found role " +
                   roleName(dialog[i].role) + ", expected " +
                   roleName(expected) +
                   ": after a system's message or none, user and assistant "
                   "take turns");
  }
  if (dialog.size() == start)
    return Error(where + ": found no message of the user, expected at least "
                         "one");
  if (dialog.back().role != Role::User)
    return Error(where + ": message " + std::to_string(dialog.size() - 1) +
                 ": found role assistant at the end, expected user: the model "
                 "is to answer the last message");
  return Error::success();
}

Result<Dialog> llrt::parseDialog(std::string_view text,
                                 const std::string &where) {
  json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded())
    return Error(where + ": found no valid JSON, expected an array of "
                         "{\"role\": ROLE, \"content\": TEXT}");
  if (value.is_object() && value.size() == 1 && value.contains("messages"))
    return readDialog(value["messages"], where);
  return readDialog(value, where);
}

Result<Dialog> llrt::readDialog(const json &messages,
                                const std::string &where) {
  if (!messages.is_array())
    return Error(where + ": " + found(messages) +
                 ", expected an array of {\"role\": ROLE, \"content\": TEXT}, "
                 "or an object with it as its only key messages");
  Dialog dialog;
  dialog.reserve(messages.size());
  for (size_t i = 0; i < messages.size(); ++i) {
    Result<Message> message =
        parseMessage(messages[i], where + ": message " + std::to_string(i));
    if (!message)
      return message.error();
    dialog.push_back(std::move(*message));
  }
  if (Error error = checkRoles(dialog, where))
    return error;
  return dialog;
}

Error llrt::addSystem(Dialog &dialog, const std::string &system,
                      const std::string &where) {
  if (!dialog.empty() && dialog[0].role == Role::System)
    return Error("--system: " + where +
                 " has a system's message, too; give one of the two");
  dialog.insert(dialog.begin(), Message{Role::System, system});
  return Error::success();
}
