// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Shell completion, made from the options.
#include "runtime/OptionPage.h"

#include <CLI/CLI.hpp>
#include <sstream>

using namespace llrt;

namespace {

struct Completed {
  std::vector<std::string> names; ///< "-n", "--max-tokens"; none: positional
  std::string text;
  bool takesValue, file, folder;
  std::vector<std::string> words; ///< what the value may be
};

/// "auto|cuda[:N]|emulator" gives auto, cuda and emulator; "N" nothing.
std::vector<std::string> getAlternatives(const std::string &label) {
  std::vector<std::string> words;
  if (label.find('|') == std::string::npos)
    return words;
  std::istringstream stream(label);
  for (std::string word; std::getline(stream, word, '|');)
    words.push_back(word.substr(0, word.find('[')));
  return words;
}

std::vector<Completed> getCompleted(CLI::App &app, const OptionPage &page) {
  std::vector<Completed> options;
  for (CLI::Option *option : app.get_options()) {
    if (option->get_group().empty())
      continue;
    std::string label = option->get_type_name();
    Completed completed;
    completed.text = option->get_description();
    completed.takesValue = option->get_expected_max() != 0;
    completed.folder = label.rfind("DIR", 0) == 0;
    completed.file = label.rfind("FILE", 0) == 0;
    completed.words = getAlternatives(label);
    for (const std::string &name : option->get_snames())
      completed.names.push_back("-" + name);
    for (const std::string &name : option->get_lnames())
      completed.names.push_back("--" + name);
    for (const std::string &name : completed.names) {
      auto values = page.values.find(name);
      if (values != page.values.end())
        completed.words = values->second;
    }
    options.push_back(std::move(completed));
  }
  return options;
}

std::string join(const std::vector<std::string> &words, const char *between) {
  std::string text;
  for (const std::string &word : words)
    text += (text.empty() ? "" : between) + word;
  return text;
}

/// A name that a shell takes for a function.
std::string getFunctionName(const std::string &program) {
  std::string name = "_";
  for (char c : program)
    name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name + "_completion";
}

/// In single quotes, whatever it holds.
std::string quote(const std::string &text) {
  std::string quoted = "'";
  for (char c : text)
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string makeBash(const std::vector<Completed> &options,
                     const std::string &program) {
  std::string function = getFunctionName(program), cases, all;
  for (const Completed &option : options) {
    if (option.names.empty())
      continue;
    all += (all.empty() ? "" : "\n") + join(option.names, "\n");
    if (!option.takesValue)
      continue;
    cases += "    " + join(option.names, "|") + ")\n      ";
    if (option.folder)
      cases += "COMPREPLY=($(compgen -d -- \"$word\"))";
    else if (option.file)
      cases += "COMPREPLY=($(compgen -f -- \"$word\"))";
    else if (!option.words.empty())
      cases += "COMPREPLY=($(compgen -W " + quote(join(option.words, "\n")) +
               " -- \"$word\"))";
    else
      cases += ":";
    cases += "\n      return ;;\n";
  }
  // Words are split at line ends alone: a file's name may have spaces.
  // readline splits at `=`: --gpu=h is the three words --gpu, = and h.
  return "# bash completion of " + program + ": source it.\n" + function +
         "() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} "
         "before=${COMP_WORDS[COMP_CWORD-1]} IFS=$'\\n'\n"
         "  [ \"$word\" = = ] && word=\n"
         "  [ \"$before\" = = ] && before=${COMP_WORDS[COMP_CWORD-2]}\n"
         "  COMPREPLY=()\n"
         "  case $before in\n" +
         cases +
         "  esac\n"
         "  case $word in\n"
         "    -*) COMPREPLY=($(compgen -W " +
         quote(all) +
         " -- \"$word\")) ;;\n"
         "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
         "  esac\n"
         "}\n"
         "complete -o filenames -F " +
         function + " " + quote(program) + "\n";
}

/// What stands in an _arguments specification before `[` or `:`.
std::string escapeZsh(const std::string &text) {
  std::string escaped;
  for (char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\')
      escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string makeZsh(const std::vector<Completed> &options,
                    const std::string &program) {
  std::string function = getFunctionName(program);
  std::string script = "#compdef " + program + "\n# zsh completion of " +
                       program + ": a file _" + program +
                       " in a folder of $fpath, or sourced.\n" + function +
                       "() {\n  _arguments -s";
  for (const Completed &option : options) {
    std::string value;
    if (option.folder)
      value = ":folder:_files -/";
    else if (option.file || option.names.empty())
      value = ":file:_files";
    else if (!option.words.empty())
      value = ":value:(" + join(option.words, " ") + ")";
    else if (option.takesValue)
      value = ":value: ";
    if (option.names.empty()) {
      script += " \\\n    " + quote("1" + value);
      continue;
    }
    for (const std::string &name : option.names) {
      std::string equals =
          option.takesValue ? (name[1] == '-' ? "=" : "+") : "";
      script += " \\\n    " +
                quote("(" + join(option.names, " ") + ")" + name + equals +
                      "[" + escapeZsh(option.text) + "]" + value);
    }
  }
  // From a folder of $fpath the whole file is the function's first call.
  return script + "\n}\nif [ \"$funcstack[1]\" = _" + program + " ]; then " +
         function + " \"$@\"; else compdef " + function + " " + quote(program) +
         "; fi\n";
}

} // namespace

std::string llrt::makeCompletion(CLI::App &app, const OptionPage &page,
                                 const std::string &shell) {
  std::vector<Completed> options = getCompleted(app, page);
  return shell == "zsh" ? makeZsh(options, page.program)
                        : makeBash(options, page.program);
}
