// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a value of an option may be. A refusal reads
// `--top-p: found `2`, expected a number from 0 to 1`, in every program.
//
// Header only and apart from OptionPage.h: it needs CLI11 and exceptions.
#ifndef LLAMAC_RUNTIME_OPTIONCHECKS_H
#define LLAMAC_RUNTIME_OPTIONCHECKS_H

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

namespace llrt {

/// `test` says what was expected where a text is refused, "" where it is taken.
/// --help shows `range`, if there is one.
template <typename Test>
CLI::Validator makeCheck(Test test, const std::string &range = "") {
  CLI::Validator check(
      [test](std::string &text) -> std::string {
        std::string expected = test(text);
        return expected.empty() ? ""
                                : "found `" + text + "`, expected " + expected;
      },
      "");
  check.name(range);
  return check;
}

/// A whole number in decimal, from `low` to `high`.
inline CLI::Validator wholeNumber(int64_t low, int64_t high) {
  return makeCheck(
      [=](const std::string &text) -> std::string {
        char *end = nullptr;
        errno = 0;
        long long value = std::strtoll(text.c_str(), &end, 10);
        bool digits =
            text.find_first_not_of("-0123456789") == std::string::npos;
        if (!text.empty() && digits && !*end && !errno && value >= low &&
            value <= high)
          return "";
        return "a whole number from " + std::to_string(low) + " to " +
               std::to_string(high);
      },
      std::to_string(low) + (high >= std::numeric_limits<int32_t>::max()
                                 ? " or more"
                                 : " to " + std::to_string(high)));
}

/// Such numbers, separated by commas.
inline CLI::Validator wholeNumbers(int64_t low, int64_t high) {
  return makeCheck([=](const std::string &text) -> std::string {
    CLI::Validator one = wholeNumber(low, high);
    for (size_t at = 0, end = 0; end < text.size(); at = end + 1) {
      end = std::min(text.find(',', at), text.size());
      std::string item = text.substr(at, end - at);
      if (!one(item).empty())
        break;
      if (end == text.size())
        return "";
    }
    return "whole numbers from " + std::to_string(low) + " to " +
           std::to_string(high) + ", such as 512,2048";
  });
}

/// The same up to 2^64 - 1.
inline CLI::Validator seedNumber() {
  return makeCheck(
      [](const std::string &text) -> std::string {
        char *end = nullptr;
        errno = 0;
        std::strtoull(text.c_str(), &end, 10);
        bool digits = text.find_first_not_of("0123456789") == std::string::npos;
        if (!text.empty() && digits && !*end && !errno)
          return "";
        return "a whole number from 0 to 18446744073709551615";
      },
      "0 to 2^64 - 1");
}

/// A finite number from `low` to `high`, both taken; with an infinite `high`,
/// from `low` up.
inline CLI::Validator
number(double low, double high = std::numeric_limits<double>::infinity()) {
  std::ostringstream range;
  range << low;
  if (std::isinf(high))
    range << " or more";
  else
    range << " to " << high;
  return makeCheck(
      [=](const std::string &text) -> std::string {
        char *end = nullptr;
        double value = std::strtod(text.c_str(), &end);
        // As a float, too: that is what the device gets.
        if (!text.empty() &&
            !std::isspace(static_cast<unsigned char>(text[0])) && !*end &&
            value >= low && value <= high &&
            std::isfinite(static_cast<float>(value)))
          return "";
        std::ostringstream expected;
        expected << "a number from " << low;
        if (std::isinf(high))
          expected << " up";
        else
          expected << " to " << high;
        return expected.str();
      },
      range.str());
}

/// One of `names`.
inline CLI::Validator oneOf(std::vector<std::string> names) {
  return makeCheck([names = std::move(names)](const std::string &text) {
    std::string expected;
    for (size_t i = 0; i < names.size(); ++i) {
      if (text == names[i])
        return std::string();
      expected += (i == 0                  ? ""
                   : i + 1 == names.size() ? " or "
                                           : ", ") +
                  names[i];
    }
    return expected;
  });
}

/// Any text but the empty one; `what` is, for example, "a file".
inline CLI::Validator notEmpty(std::string what) {
  return makeCheck([what = std::move(what)](const std::string &text) {
    return text.empty() ? what : std::string();
  });
}

} // namespace llrt

#endif
