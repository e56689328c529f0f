// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/programs/Session.h"

#include <random>

namespace llrt::test {

Session::Session(const std::string &ptx, const EmulatorOptions &options) {
  Result<std::unique_ptr<Device>> made = createEmulatorDevice({}, options);
  if (!made) {
    failure = made.error().message();
    return;
  }
  device = std::move(*made);
  load(ptx);
}

Session::Session(std::unique_ptr<Device> device, const std::string &image)
    : device(std::move(device)) {
  load(image);
}

void Session::load(const std::string &image) {
  Result<Module *> loaded = device->loadModule(image, "program");
  if (loaded)
    module = *loaded;
  else
    failure = loaded.error().message();
}

bool Session::keep(const Error &error) {
  if (error && failure.empty())
    failure = error.message();
  return !error;
}

DeviceAddress Session::put(const void *from, uint64_t bytes) {
  if (!ok())
    return 0;
  Result<DeviceAddress> address = device->allocate(bytes, "a buffer");
  if (!address) {
    failure = address.error().message();
    return 0;
  }
  if (from)
    keep(device->copyToDevice(*address, from, bytes));
  return *address;
}

void Session::get(void *to, DeviceAddress from, uint64_t bytes) {
  if (ok() && keep(device->copyToHost(to, from, bytes)))
    downloaded.append(static_cast<const char *>(to), bytes);
}

void Session::launch(const std::string &kernel, const LaunchShape &shape,
                     std::vector<Argument> arguments) {
  if (!ok())
    return;
  Result<Kernel *> found = device->findKernel(module, kernel);
  if (!found) {
    failure = found.error().message();
    return;
  }
  std::vector<const void *> pointers;
  for (const Argument &argument : arguments)
    pointers.push_back(&argument.bits);
  if (keep(device->launch(*found, shape, pointers.data(), pointers.size())))
    keep(device->synchronize());
}

std::vector<Program> allPrograms() {
  std::vector<Program> all = collectivePrograms();
  for (const auto &more : {asynchronousPrograms(), exchangePrograms()})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::vector<uint32_t> randomNumbers(size_t count, uint32_t limit,
                                    uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<uint32_t> numbers(count);
  for (uint32_t &number : numbers)
    number = engine() % limit;
  return numbers;
}

uint16_t toBf16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return static_cast<uint16_t>(bits >> 16);
}

} // namespace llrt::test
