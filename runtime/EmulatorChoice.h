// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// --emulator-check, --emulator-schedule, --profile, --profile-json: the same in
// the executable and in ptx-run.
#ifndef LLAMAC_RUNTIME_EMULATORCHOICE_H
#define LLAMAC_RUNTIME_EMULATORCHOICE_H

#include "runtime/GpuTable.h"
#include "runtime/device/Device.h"

#include <string>

namespace CLI {
class App;
}

namespace llrt {

struct EmulatorChoice {
  std::string check;    ///< "on", "off", or "": the program's default
  std::string schedule; ///< a seed, or ""
  bool profile = false;
  std::string profileJson; ///< a file; implies profile
  bool count = false;      ///< no option: bytes, for Device::counters()

  /// Declares the options on `app`; `checkDefault` is "on" or "off".
  void declare(CLI::App &app, const char *group, const char *checkDefault);
  /// The option that was given and only the emulator knows, or "".
  std::string given() const;
  EmulatorOptions options(bool checkDefault) const;
  /// What --profile asks for: the table to standard error, the JSON to its
  /// file.
  Error report(const Device &device, const GpuRow &row) const;
};

} // namespace llrt

#endif
