// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One row that says on what the figures were taken.
#include "bench/gpu-kit/Kit.h"

#include "runtime/device/cuda/CudaApi.h"

#include <fstream>
#include <thread>

using namespace llrt;
using namespace llrt::kit;

static std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.rfind("model name", 0) == 0)
      return line.substr(line.find(':') + 2);
  return "unknown";
}

Result<int> llrt::kit::runMachine(const Options &options) {
  Result<std::unique_ptr<Device>> device = openDevice(options, "emulator");
  if (!device)
    return device.error();
  Json row = {{"part", "machine"},
              {"device", (*device)->description()},
              {"processor", processor()},
              {"cores", std::thread::hardware_concurrency()}};
  // COMMIT, DATE and the like come from run.sh as NAME=VALUE.
  for (const std::string &fact : options.arguments)
    if (size_t equals = fact.find('='); equals != std::string::npos)
      row[fact.substr(0, equals)] = fact.substr(equals + 1);
  if (!options.emulator) {
    if (Result<uint64_t> memory = (*device)->freeMemory())
      row["free_device_bytes"] = *memory;
    const cuda::Api &api = **cuda::loadApi();
    // l2CacheSize 38, clockRate 13 (kHz), memoryClockRate 36, busWidth 37
    const struct {
      const char *name;
      int attribute;
    } facts[] = {{"multiprocessors", cuda::multiprocessorCount},
                 {"l2_bytes", 38},
                 {"sm_kilohertz", 13},
                 {"memory_kilohertz", 36},
                 {"memory_bus_bits", 37}};
    for (const auto &fact : facts) {
      int value = 0;
      cuda::DeviceHandle handle = 0;
      if (api.deviceGet(&handle, options.ordinal) == cuda::success &&
          api.deviceGetAttribute(
              &value, static_cast<cuda::DeviceAttribute>(fact.attribute),
              handle) == cuda::success)
        row[fact.name] = value;
    }
  }
  emitRow(row);
  return 0;
}
