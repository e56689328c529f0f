// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The rows of all parts (*.jsonl of a folder) as one results.json and one page
// of Markdown tables. A line that is cut short is reported, not believed.
#include "bench/gpu-kit/Kit.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

using namespace llrt;
using namespace llrt::kit;

namespace {

std::string cell(const Json &value) {
  if (value.is_null())
    return "";
  if (value.is_string()) {
    std::string text = value.get<std::string>();
    for (char &c : text)
      c = c == '\n' ? ' ' : c == '|' ? '/' : c;
    return text;
  }
  if (value.is_number_float()) {
    char text[32];
    const double number = value.get<double>();
    std::snprintf(text, sizeof text,
                  number >= 1e6 || (number < 0.01 && number > 0) ? "%.4g"
                                                                 : "%.2f",
                  number);
    return text;
  }
  return value.dump();
}

/// Rows with the same keys make one table.
std::string tables(const Json &rows) {
  std::string text;
  std::vector<std::string> columns;
  for (const Json &row : rows) {
    std::vector<std::string> keys;
    for (const auto &[key, value] : row.items())
      if (key != "part" && !value.is_structured())
        keys.push_back(key);
    if (keys != columns) {
      columns = keys;
      text += "\n|";
      for (const std::string &key : keys)
        text += " " + key + " |";
      text += "\n|";
      for (size_t i = 0; i < keys.size(); ++i)
        text += " --- |";
      text += "\n";
    }
    text += "|";
    for (const std::string &key : keys)
      text += " " + cell(row[key]) + " |";
    text += "\n";
  }
  return text;
}

} // namespace

Result<int> llrt::kit::runReport(const Options &options) {
  namespace fs = std::filesystem;
  if (options.arguments.size() != 1)
    return Error("report takes one folder");
  const fs::path folder = options.arguments[0];
  std::vector<fs::path> files;
  std::error_code failed;
  for (const fs::directory_entry &entry :
       fs::directory_iterator(folder, failed))
    if (entry.path().extension() == ".jsonl")
      files.push_back(entry.path());
  if (failed)
    return Error(folder.string() + ": " + failed.message());
  std::sort(files.begin(), files.end());
  Json all = Json::object();
  int broken = 0;
  for (const fs::path &path : files) {
    std::ifstream file(path);
    Json &rows = all[path.stem().string()] = Json::array();
    size_t number = 0;
    for (std::string line; std::getline(file, line);) {
      ++number;
      Json row = Json::parse(line, nullptr, false);
      if (row.is_object()) {
        // EXE --bench knows of no part.
        Json whole = {{"part", path.stem().string()}};
        whole.update(row);
        rows.push_back(std::move(whole));
        continue;
      }
      ++broken;
      rows.push_back({{"error", path.filename().string() + " line " +
                                    std::to_string(number) + " is no object"}});
    }
  }
  const auto write = [&](const char *name, const std::string &text) {
    std::ofstream file(folder / name);
    file << text;
    return static_cast<bool>(file.flush());
  };
  std::string page = "# Results of the GPU kit\n";
  // The machine first: every figure is of it.
  if (all.contains("machine"))
    page += tables(all["machine"]);
  for (const auto &[part, rows] : all.items())
    if (part != "machine")
      page += "\n## " + part + "\n" + tables(rows);
  if (!write("results.json",
             all.dump(1, ' ', false, Json::error_handler_t::replace) + "\n") ||
      !write("results.md", page))
    return Error(folder.string() + ": results cannot be written");
  note("wrote " + (folder / "results.json").string() + " and results.md");
  return broken;
}
