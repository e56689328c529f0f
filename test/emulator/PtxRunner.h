// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs PTX snippets on the emulator. Expected values are the test's own.
#ifndef LLAMAC_TEST_EMULATOR_PTXRUNNER_H
#define LLAMAC_TEST_EMULATOR_PTXRUNNER_H

#include "runtime/device/Device.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

namespace llrt::test {

inline const std::string header =
    ".version 8.6\n.target sm_90a\n.address_size 64\n";

/// Values of a register in consecutive threads, as bits.
struct Lanes {
  unsigned bits; ///< 16, 32 or 64
  std::vector<uint64_t> values;
};

inline Lanes u16(std::vector<uint64_t> values) {
  return {16, std::move(values)};
}
inline Lanes u32(std::vector<uint64_t> values) {
  return {32, std::move(values)};
}
inline Lanes u64(std::vector<uint64_t> values) {
  return {64, std::move(values)};
}

inline uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}
inline uint64_t bitsOf(double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, 8);
  return bits;
}
inline float floatOf(uint64_t bits) {
  uint32_t word = static_cast<uint32_t>(bits);
  float value;
  std::memcpy(&value, &word, 4);
  return value;
}
inline double doubleOf(uint64_t bits) {
  double value;
  std::memcpy(&value, &bits, 8);
  return value;
}
inline Lanes f32(const std::vector<float> &values) {
  Lanes lanes{32, {}};
  for (float value : values)
    lanes.values.push_back(bitsOf(value));
  return lanes;
}
inline Lanes f64(const std::vector<double> &values) {
  Lanes lanes{64, {}};
  for (double value : values)
    lanes.values.push_back(bitsOf(value));
  return lanes;
}

/// LLAMAC_TEST_SCHEDULE=SEED runs every test under that schedule.
inline EmulatorOptions testOptions(unsigned threads = 2) {
  EmulatorOptions options;
  options.threads = threads;
  options.check = true;
  if (const char *seed = std::getenv("LLAMAC_TEST_SCHEDULE"))
    options.schedule = std::strtoull(seed, nullptr, 10);
  return options;
}

/// One device with one module.
class Emulated {
public:
  explicit Emulated(EmulatedGpu gpu = {}, unsigned threads = 2)
      : Emulated(gpu, testOptions(threads)) {}
  Emulated(EmulatedGpu gpu, const EmulatorOptions &options) {
    Result<std::unique_ptr<Device>> made = createEmulatorDevice(gpu, options);
    if (made)
      device = std::move(*made);
    else
      ADD_FAILURE() << made.error().message();
  }

  /// Empty on success, else the message.
  std::string load(const std::string &text) {
    Result<Module *> loaded = device->loadModule(text, "test.ptx");
    if (!loaded)
      return loaded.error().message();
    module = *loaded;
    return "";
  }

  DeviceAddress buffer(uint64_t bytes, const std::string &name = "buffer") {
    Result<DeviceAddress> address = device->allocate(bytes, name);
    EXPECT_TRUE(static_cast<bool>(address));
    return *address;
  }
  template <class T>
  DeviceAddress upload(const std::vector<T> &values,
                       const std::string &name = "buffer") {
    DeviceAddress address = buffer(values.size() * sizeof(T), name);
    Error error =
        device->copyToDevice(address, values.data(), values.size() * sizeof(T));
    EXPECT_FALSE(static_cast<bool>(error));
    return address;
  }
  template <class T>
  std::vector<T> download(DeviceAddress address, size_t count) {
    std::vector<T> values(count);
    Error error = device->copyToHost(values.data(), address, count * sizeof(T));
    EXPECT_FALSE(static_cast<bool>(error));
    return values;
  }

  /// Every argument is 8 bytes long in memory; kernels read what they declare.
  std::string launch(const std::string &kernel, Dim3 grid, Dim3 block,
                     std::vector<uint64_t> arguments,
                     uint32_t dynamicShared = 0, bool cooperative = false,
                     Dim3 cluster = {}) {
    Result<Kernel *> found = device->findKernel(module, kernel);
    if (!found)
      return found.error().message();
    std::vector<const void *> pointers;
    for (const uint64_t &argument : arguments)
      pointers.push_back(&argument);
    LaunchShape shape;
    shape.grid = grid;
    shape.block = block;
    shape.dynamicSharedBytes = dynamicShared;
    shape.cooperative = cooperative;
    shape.cluster = cluster;
    Error error =
        device->launch(*found, shape, pointers.data(), pointers.size());
    return error ? error.message() : "";
  }

  std::unique_ptr<Device> device;
  Module *module = nullptr;
};

/// Runs `body` in one thread per input value: %a, %b, %c hold the inputs, %d
/// (outputBits wide) is what comes back. Scratch: %p0-%p7, %w0-%w7 (.b32),
/// %x0-%x7 (.b64), %h0-%h7 (.b16). The last input value is repeated as needed.
inline std::vector<uint64_t> runLanes(const std::string &body,
                                      std::vector<Lanes> inputs,
                                      unsigned outputBits,
                                      std::string *message = nullptr) {
  size_t count = 1;
  for (const Lanes &input : inputs)
    count = std::max(count, input.values.size());
  std::string text = header + ".visible .entry snippet(.param .u64 out";
  const char *names = "abc";
  for (size_t i = 0; i < inputs.size(); ++i)
    text += std::string(", .param .u64 in_") + names[i];
  text += ") {\n.reg .pred %p<8>; .reg .b32 %w<8>; .reg .b64 %x<8>; .reg .b16 "
          "%h<8>;\n"
          ".reg .b64 %address, %index; .reg .b32 %thread, %block;\n";
  auto suffix = [](unsigned bits) { return ".b" + std::to_string(bits); };
  for (size_t i = 0; i < inputs.size(); ++i)
    text += ".reg " + suffix(inputs[i].bits) + " %" + names[i] + ";\n";
  text += ".reg " + suffix(outputBits) +
          " %d;\nmov.u32 %thread, %tid.x; mov.u32 %block, %ctaid.x;\n"
          "mad.lo.u32 %thread, %block, 32, %thread; mul.wide.u32 %index, "
          "%thread, 8;\n";
  for (size_t i = 0; i < inputs.size(); ++i)
    text += std::string("ld.param.u64 %address, [in_") + names[i] +
            "]; add.u64 %address, %address, %index; ld.global" +
            suffix(inputs[i].bits) + " %" + names[i] + ", [%address];\n";
  text += body;
  text += "\nld.param.u64 %address, [out]; add.u64 %address, %address, %index; "
          "st.global" +
          suffix(outputBits) + " [%address], %d;\nret;\n}\n";

  Emulated emulated;
  std::string error = emulated.load(text);
  size_t padded = (count + 31) / 32 * 32;
  std::vector<uint64_t> arguments = {
      emulated.upload(std::vector<uint64_t>(padded, 0))};
  for (Lanes &input : inputs) {
    input.values.resize(padded, input.values.back());
    arguments.push_back(emulated.upload(input.values));
  }
  if (error.empty())
    error =
        emulated.launch("snippet", {static_cast<uint32_t>(padded / 32), 1, 1},
                        {32, 1, 1}, arguments);
  if (message)
    *message = error;
  else
    EXPECT_EQ(error, "") << body;
  std::vector<uint64_t> result =
      emulated.download<uint64_t>(arguments[0], count);
  return result;
}

} // namespace llrt::test

#endif
