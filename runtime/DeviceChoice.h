// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// --device auto|cuda[:N]|emulator.
#ifndef LLAMAC_RUNTIME_DEVICECHOICE_H
#define LLAMAC_RUNTIME_DEVICECHOICE_H

#include "runtime/EmulatorChoice.h"
#include "runtime/GpuTable.h"
#include "runtime/device/Device.h"

#include <memory>
#include <string>

namespace llrt {

struct DeviceChoice {
  enum Kind { Auto, Cuda, Emulator } kind = Auto;
  int ordinal = 0;
  EmulatorChoice emulator;
  /// An Error names what is allowed.
  static Result<DeviceChoice> parse(const std::string &text);
};

/// The device for what was compiled for `row`. Auto takes the GPU; a GPU that
/// is there but does not fit is an error; only where there is none it emulates
/// the row, and `note` says so. With an option of the emulator's a GPU is an
/// error.
Result<std::unique_ptr<Device>>
createDevice(const DeviceChoice &choice, const GpuRow &row, std::string &note);

} // namespace llrt

#endif
