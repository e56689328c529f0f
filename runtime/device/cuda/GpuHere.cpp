// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Asks the driver, without making a context. Test:
// test/runtime/CudaDeviceTest.cpp, test/driver/llamac-gpu.sh.
#include "runtime/device/cuda/GpuHere.h"

#include "runtime/device/Device.h"
#include "runtime/device/cuda/CudaApi.h"

using namespace llrt;
using namespace llrt::cuda;

Result<FoundGpu> llrt::findGpuHere(int ordinal) {
  CudaProbe probe = probeCuda();
  if (probe.absence != CudaAbsence::Present)
    return Error(probe.detail);
  Result<const Api *> loaded = loadApi();
  if (!loaded)
    return loaded.error();
  const Api &api = **loaded;
  DeviceHandle device = 0;
  if (Error error = api.check(api.deviceGet(&device, ordinal), "cuDeviceGet"))
    return error;
  char name[128] = "";
  if (Error error = api.check(api.deviceGetName(name, sizeof name, device),
                              "cuDeviceGetName"))
    return error;
  int major = 0, minor = 0, count = 0;
  for (auto [value, attribute] : {std::pair{&major, computeCapabilityMajor},
                                  std::pair{&minor, computeCapabilityMinor},
                                  std::pair{&count, multiprocessorCount}})
    if (Error error =
            api.check(api.deviceGetAttribute(value, attribute, device),
                      "cuDeviceGetAttribute"))
      return error;
  size_t bytes = 0;
  if (Error error =
          api.check(api.deviceTotalMem(&bytes, device), "cuDeviceTotalMem"))
    return error;
  return FoundGpu{name, static_cast<uint32_t>(major * 10 + minor),
                  static_cast<uint32_t>(count), bytes};
}
