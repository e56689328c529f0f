// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The emulator's options, declared once.
#include "runtime/EmulatorChoice.h"

#include "runtime/OptionChecks.h"
#include "runtime/ProfileReport.h"

#include <cstdio>
#include <cstring>

using namespace llrt;

void EmulatorChoice::declare(CLI::App &app, const char *group,
                             const char *checkDefault) {
  app.add_option("--emulator-check", check,
                 "Report races, use of uninitialised memory, misuse of "
                 "barriers and of asynchronous copies (default " +
                     std::string(checkDefault) + ")")
      ->type_name("on|off")
      ->check(oneOf({"on", "off"}))
      ->group(group);
  app.add_option("--emulator-schedule", schedule,
                 "Draw one of the legal orders of warps, blocks and "
                 "asynchronous copies (default: in turn, copies at once)")
      ->type_name("SEED")
      ->check(seedNumber())
      ->group(group);
  app.add_flag("--profile", profile,
               "Count what kernels do and print a table on standard error")
      ->group(group);
  app.add_option("--profile-json", profileJson,
                 "The same counts as JSON; implies --profile")
      ->type_name("FILE.json")
      ->check(notEmpty("a file"))
      ->group(group);
}

std::string EmulatorChoice::given() const {
  return !check.empty()         ? "--emulator-check"
         : !schedule.empty()    ? "--emulator-schedule"
         : profile              ? "--profile"
         : !profileJson.empty() ? "--profile-json"
                                : "";
}

EmulatorOptions EmulatorChoice::options(bool checkDefault) const {
  EmulatorOptions options;
  options.check = check.empty() ? checkDefault : check == "on";
  if (!schedule.empty())
    options.schedule = std::strtoull(schedule.c_str(), nullptr, 10);
  options.profile = profile || !profileJson.empty() || count;
  return options;
}

Error EmulatorChoice::report(const Device &device, const GpuRow &row) const {
  if (!profile && profileJson.empty())
    return Error::success();
  std::vector<KernelProfile> kernels = device.profile();
  std::fputs(profileTable(kernels, row).c_str(), stderr);
  if (profileJson.empty())
    return Error::success();
  std::string text = llrt::profileJson(kernels, row);
  std::FILE *file = std::fopen(profileJson.c_str(), "w");
  bool written =
      file && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  int code = errno;
  if (file && std::fclose(file) != 0) {
    code = errno;
    written = false;
  }
  if (!written)
    return Error(profileJson +
                 ": the profile cannot be written: " + std::strerror(code));
  return Error::success();
}
