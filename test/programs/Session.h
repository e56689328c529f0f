// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// CUDA C++ programs that run on the emulator and on a GPU: each is right as it
// stands under every schedule, and the emulator reports its wrong variants at
// the lines that say so.
//
// A kernel's file marks what its mutants have to be told:
//     tile[t] += tile[t + half]; // WRONG NO_BARRIER: shared-race
// Compiled with -DWRONG_NO_BARRIER, a report of that kind must name one of the
// lines so marked (two accesses race: either may come second).
#ifndef LLAMAC_TEST_PROGRAMS_SESSION_H
#define LLAMAC_TEST_PROGRAMS_SESSION_H

#include "runtime/device/Device.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace llrt::test {

/// A kernel argument's bytes.
struct Argument {
  uint64_t bits = 0;
  Argument(int value) { std::memcpy(&bits, &value, 4); }
  Argument(uint32_t value) : bits(value) {}
  Argument(uint64_t value) : bits(value) {}
};

/// One device with one module; runs one program once.
class Session {
public:
  /// On the emulator.
  Session(const std::string &ptx, const EmulatorOptions &options);
  /// `image`: PTX or a cubin, as Device::loadModule takes it.
  Session(std::unique_ptr<Device> device, const std::string &image);

  template <class T> DeviceAddress upload(const std::vector<T> &values) {
    return put(values.data(), values.size() * sizeof(T));
  }
  template <class T> DeviceAddress zeros(size_t count) {
    return upload(std::vector<T>(count));
  }
  /// Device memory that nobody has written yet.
  template <class T> DeviceAddress room(size_t count) {
    return put(nullptr, count * sizeof(T));
  }
  /// Does nothing once something has failed.
  void launch(const std::string &kernel, const LaunchShape &shape,
              std::vector<Argument> arguments);
  /// Adds to bits(), too. Zeros once something has failed.
  template <class T> std::vector<T> download(DeviceAddress from, size_t count) {
    std::vector<T> values(count);
    get(values.data(), from, count * sizeof(T));
    return values;
  }

  bool ok() const { return failure.empty(); }
  /// The first error's message.
  const std::string &message() const { return failure; }
  /// Everything that was downloaded, to compare runs.
  const std::string &bits() const { return downloaded; }

private:
  void load(const std::string &image);
  DeviceAddress put(const void *from, uint64_t bytes);
  void get(void *to, DeviceAddress from, uint64_t bytes);
  bool keep(const Error &error);

  std::unique_ptr<Device> device;
  Module *module = nullptr;
  std::string failure, downloaded;
};

struct Program {
  const char *file; ///< in kernels/, without .cu
  /// Runs it and, while the session is ok(), compares with values computed
  /// here.
  void (*run)(Session &session);
};

std::vector<Program> collectivePrograms();
std::vector<Program> asynchronousPrograms();
std::vector<Program> exchangePrograms();
/// These three.
std::vector<Program> allPrograms();

/// Reproducible numbers below `limit`.
std::vector<uint32_t> randomNumbers(size_t count, uint32_t limit,
                                    uint32_t seed = 1);
uint16_t toBf16(float value); ///< of a value that bf16 holds exactly

} // namespace llrt::test

#endif
