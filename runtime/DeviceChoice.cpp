// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which device runs the plan.
#include "runtime/DeviceChoice.h"

#include <cctype>

using namespace llrt;

Result<DeviceChoice> DeviceChoice::parse(const std::string &text) {
  if (text == "auto")
    return DeviceChoice{Auto, 0, {}};
  if (text == "emulator")
    return DeviceChoice{Emulator, 0, {}};
  if (text == "cuda")
    return DeviceChoice{Cuda, 0, {}};
  if (text.size() > 5 && text.size() <= 8 && text.compare(0, 5, "cuda:") == 0) {
    int ordinal = 0;
    for (size_t i = 5; i < text.size(); ++i) {
      if (!std::isdigit(static_cast<unsigned char>(text[i])))
        return Error("--device " + text + ": expected a number after `cuda:`");
      ordinal = ordinal * 10 + (text[i] - '0');
    }
    return DeviceChoice{Cuda, ordinal, {}};
  }
  return Error("--device " + text +
               ": expected auto, cuda, cuda:N or emulator");
}

Result<std::unique_ptr<Device>> llrt::createDevice(const DeviceChoice &choice,
                                                   const GpuRow &row,
                                                   std::string &note) {
  EmulatorOptions options = choice.emulator.options(/*checkDefault=*/false);
  std::string given = choice.emulator.given();
  auto refused = [&] {
    return Error(given + ": found a GPU as the device, expected --device "
                         "emulator, which alone knows this option");
  };
  if (choice.kind == DeviceChoice::Emulator)
    return createEmulatorDevice(emulatedGpu(row), options);
  if (choice.kind == DeviceChoice::Cuda)
    return given.empty() ? createCudaDevice(choice.ordinal, &row) : refused();
  CudaProbe probe = probeCuda();
  switch (probe.absence) {
  case CudaAbsence::Present:
    return given.empty() ? createCudaDevice(0, &row) : refused();
  case CudaAbsence::Unusable:
    return Error(probe.detail + "; or run here with --device emulator");
  case CudaAbsence::NoDriver:
  case CudaAbsence::NoDevice:
    break;
  }
  note = probe.detail + ": running on the emulator";
  return createEmulatorDevice(emulatedGpu(row), options);
}
