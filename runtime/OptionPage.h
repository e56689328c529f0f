// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A program's command line beyond the parsing: one manner of messages, and the
// pages that are made from the options where they are declared, so that none
// of them can be out of date: --help, the manual page, shell completion.
//
// A CLI::App holds the options. Of each these pages use
//   names    add_option("-n,--max-tokens", ...)
//   text     what it means, then in parentheses the default; no full stop
//   label    type_name("N"); FILE... and DIR are completed as paths, a|b|c as
//            these words ("cuda[:N]" as cuda)
//   group    group("Generation"): its heading. "" hides it from all pages.
#ifndef LLAMAC_RUNTIME_OPTIONPAGE_H
#define LLAMAC_RUNTIME_OPTIONPAGE_H

#include "runtime/Result.h"

#include <map>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace llrt {

/// What the pages say besides the options.
struct OptionPage {
  std::string program;            ///< as it is called
  std::string summary;            ///< one sentence
  std::vector<std::string> usage; ///< what may follow the program's name
  /// Where an argument is one too many: what to do.
  std::string extraArgument;
  /// Lines that start with a space are kept as they are; others are paragraphs.
  struct Section {
    std::string title, text;
  };
  std::vector<Section> sections;
  /// Words that complete an option whose label does not say them.
  std::map<std::string, std::vector<std::string>> values;
};

/// Parses `arguments`, the program's name not among them. An Error is a wrong
/// command line: `--name: what`.
Error parseOptions(CLI::App &app, const OptionPage &page,
                   const std::vector<std::string> &arguments);

std::string makeHelp(CLI::App &app, const OptionPage &page);

/// troff with the man macros; `man -l` shows it.
std::string makeManual(CLI::App &app, const OptionPage &page,
                       const std::string &version);

/// A script to be sourced; `shell` is bash or zsh.
std::string makeCompletion(CLI::App &app, const OptionPage &page,
                           const std::string &shell);

} // namespace llrt

#endif
