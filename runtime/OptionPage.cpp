// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Messages of the parser, --help and the manual page.
#include "runtime/OptionPage.h"

#include <CLI/CLI.hpp>
#include <sstream>

using namespace llrt;

/// How many letters have to be put in, taken out or replaced.
static size_t countEdits(const std::string &from, const std::string &to) {
  std::vector<size_t> row(to.size() + 1);
  for (size_t j = 0; j <= to.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= from.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= to.size(); ++j) {
      size_t replaced = diagonal + (from[i - 1] != to[j - 1]);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

/// "unknown option --max-seqlen; is --max-seq-len meant?"
static Error refuseUnknown(CLI::App &app, const std::string &given) {
  std::string name = given.substr(0, given.find('=')), nearest;
  size_t edits = 3; // more are no slip
  for (const CLI::Option *option : app.get_options())
    for (const std::string &known : option->get_lnames())
      if (size_t count = countEdits(name, "--" + known); count < edits) {
        edits = count;
        nearest = "--" + known;
      }
  return Error("unknown option " + given +
               (nearest.empty() ? "" : "; is " + nearest + " meant?"));
}

Error llrt::parseOptions(CLI::App &app, const OptionPage &page,
                         const std::vector<std::string> &arguments) {
  try {
    // CLI11 takes them in reverse.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ExtrasError &) {
    std::vector<std::string> extras = app.remaining();
    std::string extra = extras.empty() ? "" : extras.front();
    if (extra.size() > 1 && extra[0] == '-')
      return refuseUnknown(app, extra);
    return Error("one argument too many: `" + extra + "`" + page.extraArgument);
  } catch (const CLI::ArgumentMismatch &error) {
    std::string text = error.what();
    return Error(text.substr(0, text.find(':')) +
                 ": takes one value, and is given once");
  } catch (const CLI::ConversionError &error) {
    // Only flags are converted by CLI11: "Could not convert: --json = x".
    std::string text = error.what();
    size_t start = text.find('-'), end = text.find(' ', start);
    return Error(
        (start == std::string::npos ? text : text.substr(start, end - start)) +
        ": takes no value");
  } catch (const CLI::Error &error) {
    return Error(error.what());
  }
  return Error::success();
}

namespace {

constexpr size_t pageWidth = 79, textColumn = 28;

std::vector<std::string> getLines(const std::string &text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

/// Appends `text`, from `column` on, in lines of at most pageWidth columns.
void wrap(std::string &page, const std::string &text, size_t column) {
  size_t at = column;
  bool first = true;
  std::istringstream words(text);
  for (std::string word; words >> word; first = false) {
    if (!first && at + 1 + word.size() > pageWidth) {
      page += "\n" + std::string(column, ' ');
      at = column;
    } else if (!first) {
      page += ' ';
      ++at;
    }
    page += word;
    at += word.size();
  }
  page += '\n';
}

/// "-n, --max-tokens N".
std::string getTerm(const CLI::Option &option) {
  std::string term;
  for (const std::string &name : option.get_snames())
    term += (term.empty() ? "-" : ", -") + name;
  for (const std::string &name : option.get_lnames())
    term += (term.empty() ? "--" : ", --") + name;
  if (option.get_positional())
    return option.get_name(true);
  if (option.get_expected_max() != 0)
    term += " " + option.get_type_name();
  return term;
}

/// What it means; the range of its value goes into the parentheses at the end.
std::string getText(CLI::Option &option) {
  std::string text = option.get_description(), range;
  for (int i = 0;; ++i) {
    try {
      range = option.get_validator(i)->get_name();
    } catch (const CLI::OptionNotFound &) { // behind the last
      break;
    }
    if (range.empty())
      continue;
    if (text.back() == ')')
      text.insert(text.size() - 1, "; " + range);
    else
      text += " (" + range + ")";
  }
  return text;
}

/// The groups in the order of their first options, hidden ones left out.
std::vector<std::pair<std::string, std::vector<CLI::Option *>>>
getGroups(CLI::App &app) {
  std::vector<std::pair<std::string, std::vector<CLI::Option *>>> groups;
  for (CLI::Option *option : app.get_options()) {
    const std::string &name = option->get_group();
    if (name.empty())
      continue;
    auto group =
        std::find_if(groups.begin(), groups.end(),
                     [&](const auto &known) { return known.first == name; });
    if (group == groups.end())
      group = groups.insert(groups.end(), {name, {}});
    group->second.push_back(option);
  }
  return groups;
}

/// troff reads a backslash, a dash and a dot or quote that starts a line.
std::string escape(const std::string &text) {
  std::string escaped;
  for (char c : text) {
    if (c == '\\')
      escaped += "\\e";
    else if (c == '-')
      escaped += "\\-";
    else if ((c == '.' || c == '\'') && escaped.empty())
      escaped += std::string("\\&") + c;
    else
      escaped += c;
  }
  return escaped;
}

std::string inCapitals(std::string text) {
  for (char &c : text)
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

} // namespace

std::string llrt::makeHelp(CLI::App &app, const OptionPage &page) {
  std::string help;
  for (size_t i = 0; i < page.usage.size(); ++i)
    help += (i == 0 ? "Usage: " : "       ") + page.program + " " +
            page.usage[i] + "\n";
  help += "\n";
  wrap(help, page.summary, 0);
  for (const auto &[group, options] : getGroups(app)) {
    help += "\n" + group + ":\n";
    for (CLI::Option *option : options) {
      std::string term = "  " + getTerm(*option);
      help += term;
      help += term.size() + 2 <= textColumn
                  ? std::string(textColumn - term.size(), ' ')
                  : "\n" + std::string(textColumn, ' ');
      wrap(help, getText(*option), textColumn);
    }
  }
  for (const OptionPage::Section &section : page.sections) {
    help += "\n" + section.title + ":\n";
    for (const std::string &line : getLines(section.text)) {
      help += "  ";
      if (line[0] == ' ')
        help += line.substr(1) + "\n";
      else
        wrap(help, line, 2);
    }
  }
  return help;
}

std::string llrt::makeManual(CLI::App &app, const OptionPage &page,
                             const std::string &version) {
  std::string summary = page.summary;
  if (!summary.empty() && summary.back() == '.')
    summary.pop_back();
  std::string manual = ".TH " + inCapitals(escape(page.program)) +
                       " 1 \"\" \"" + escape(version) + "\"\n.SH NAME\n" +
                       escape(page.program) + " \\- " + escape(summary) +
                       "\n.SH SYNOPSIS\n";
  for (size_t i = 0; i < page.usage.size(); ++i)
    manual += (i == 0 ? "" : ".br\n") + (".B " + escape(page.program)) + "\n" +
              escape(page.usage[i]) + "\n";
  manual += ".SH OPTIONS\n";
  for (const auto &[group, options] : getGroups(app)) {
    manual += ".SS " + escape(group) + "\n";
    for (CLI::Option *option : options)
      manual += ".TP\n.B " + escape(getTerm(*option)) + "\n" +
                escape(getText(*option)) + "\n";
  }
  for (const OptionPage::Section &section : page.sections) {
    manual += ".SH " + inCapitals(escape(section.title)) + "\n";
    bool kept = false;
    for (const std::string &line : getLines(section.text)) {
      if ((line[0] == ' ') != kept)
        manual += kept ? ".fi\n" : ".nf\n";
      else if (!kept)
        manual += ".PP\n";
      kept = line[0] == ' ';
      manual += escape(line) + "\n";
    }
    if (kept)
      manual += ".fi\n";
  }
  return manual;
}
