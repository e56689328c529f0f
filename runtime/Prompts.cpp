// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads prompt files: plain lines or JSON lines.
#include "runtime/Prompts.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

using namespace llrt;
using nlohmann::json;

Result<std::string> llrt::readWhole(const std::string &path) {
  bool standard = path == "-";
  std::FILE *file = standard ? stdin : std::fopen(path.c_str(), "rb");
  if (!file)
    return Error(path + ": cannot be read: " + std::strerror(errno));
  std::string content;
  char buffer[65536];
  while (size_t count = std::fread(buffer, 1, sizeof buffer, file))
    content.append(buffer, count);
  int reason = std::ferror(file) ? errno : 0;
  if (!standard)
    std::fclose(file);
  if (reason)
    return Error((standard ? "standard input" : path) +
                 ": cannot be read: " + std::strerror(reason));
  return content;
}

std::string llrt::withoutLastNewline(std::string text) {
  if (!text.empty() && text.back() == '\n') {
    text.pop_back();
    if (!text.empty() && text.back() == '\r')
      text.pop_back();
  }
  return text;
}

static Result<Prompt> parseObject(const std::string &line,
                                  const std::string &where) {
  json object = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object())
    return Error(where + ": found no JSON object, expected {\"prompt\": TEXT}, "
                         "{\"prompt_ids\": [IDS]} or {\"messages\": [...]}");
  Prompt prompt;
  for (const auto &[key, unused] : object.items())
    if (key != "prompt" && key != "prompt_ids" && key != "messages")
      return Error(where + ": found unknown key " + key +
                   ", expected prompt, prompt_ids or messages");
  if (object.size() != 1)
    return Error(where + ": found " + std::to_string(object.size()) +
                 " keys, expected one of prompt, prompt_ids and messages");
  if (object.contains("messages")) {
    Result<Dialog> dialog = readDialog(object["messages"], where);
    if (!dialog)
      return dialog.error();
    prompt.kind = Prompt::Kind::Dialog;
    prompt.dialog = std::move(*dialog);
    prompt.where = where;
    return prompt;
  }
  if (object.contains("prompt")) {
    if (!object["prompt"].is_string())
      return Error(where + ": prompt: found " + object["prompt"].type_name() +
                   ", expected a string");
    prompt.text = object["prompt"].get<std::string>();
    return prompt;
  }
  prompt.kind = Prompt::Kind::Ids;
  const json &ids = object["prompt_ids"];
  if (!ids.is_array() || ids.empty())
    return Error(where + ": prompt_ids: expected an array of at least one id");
  for (const json &id : ids) {
    if (!id.is_number_integer() || id.get<int64_t>() < 0 ||
        id.get<int64_t>() > std::numeric_limits<int32_t>::max())
      return Error(where + ": prompt_ids: found " +
                   (id.is_structured() ? id.type_name() : id.dump()) +
                   ", expected a token id");
    prompt.ids.push_back(id.get<int32_t>());
  }
  return prompt;
}

Result<std::vector<Prompt>> llrt::readPrompts(const std::string &path) {
  Result<std::string> content = readWhole(path);
  if (!content)
    return content.error();
  const std::string extension = ".jsonl";
  bool objects = path.size() >= extension.size() &&
                 path.compare(path.size() - extension.size(), extension.size(),
                              extension) == 0;
  return parsePrompts(*content, objects, path);
}

Result<std::vector<Prompt>> llrt::parsePrompts(std::string_view content,
                                               bool objects,
                                               const std::string &path) {
  std::vector<Prompt> prompts;
  size_t number = 0;
  for (size_t at = 0; at < content.size();) {
    size_t end = content.find('\n', at);
    size_t next = end == std::string::npos ? content.size() : end + 1;
    std::string line =
        withoutLastNewline(std::string(content.substr(at, next - at)));
    at = next;
    ++number;
    if (!objects) {
      Prompt prompt;
      prompt.text = line;
      prompts.push_back(std::move(prompt));
      continue;
    }
    if (line.find_first_not_of(" \t") == std::string::npos)
      continue;
    Result<Prompt> prompt =
        parseObject(line, path + ":" + std::to_string(number));
    if (!prompt)
      return prompt.error();
    prompts.push_back(std::move(*prompt));
  }
  if (prompts.empty())
    return Error(path + ": found no prompts, expected one per line");
  return prompts;
}

Result<Prompt> llrt::readMessages(const std::string &path) {
  Result<std::string> content = readWhole(path);
  if (!content)
    return content.error();
  Prompt prompt;
  prompt.kind = Prompt::Kind::Dialog;
  prompt.where = path == "-" ? "standard input" : path;
  Result<Dialog> dialog = parseDialog(*content, prompt.where);
  if (!dialog)
    return dialog.error();
  prompt.dialog = std::move(*dialog);
  return prompt;
}
