// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A device whose memory is the host's and whose kernels are the toy model's two
// and the sampler's, in C++: the engine is tested by it without an interpreter
// in between.
#ifndef LLAMAC_TEST_RUNTIME_HOSTDEVICE_H
#define LLAMAC_TEST_RUNTIME_HOSTDEVICE_H

#include "ToyExecutable.h"

#include "runtime/device/Device.h"

#include <map>

namespace toy {

class HostDevice : public llrt::Device {
public:
  std::string description() const override { return "host"; }
  bool isEmulator() const override { return true; }
  llrt::Result<uint64_t> freeMemory() override { return uint64_t(1) << 40; }
  llrt::Result<llrt::DeviceAddress> allocate(uint64_t bytes,
                                             std::string_view name) override;
  llrt::Result<llrt::DeviceAddress>
  allocateConstant(const void *host, uint64_t bytes,
                   std::string_view name) override;
  llrt::Result<llrt::DeviceAddress>
  allocateShared(uint64_t bytes, std::string_view name) override {
    return allocate(bytes, name);
  }
  llrt::Error release(llrt::DeviceAddress address) override;
  llrt::Error copyToDevice(llrt::DeviceAddress to, const void *from,
                           uint64_t bytes, llrt::Stream *stream) override;
  llrt::Error copyToHost(void *to, llrt::DeviceAddress from, uint64_t bytes,
                         llrt::Stream *stream) override;
  llrt::Error copyOnDevice(llrt::DeviceAddress to, llrt::DeviceAddress from,
                           uint64_t bytes, llrt::Stream *stream) override;
  llrt::Error fill(llrt::DeviceAddress to, uint8_t byte, uint64_t bytes,
                   llrt::Stream *stream) override;
  llrt::Result<llrt::Module *> loadModule(std::string_view image,
                                          std::string_view name) override;
  llrt::Result<llrt::Kernel *> findKernel(llrt::Module *module,
                                          std::string_view name) override;
  llrt::Result<llrt::KernelResources> resources(llrt::Kernel *kernel) override {
    return llrt::KernelResources();
  }
  llrt::Error launch(llrt::Kernel *kernel, const llrt::LaunchShape &shape,
                     const void *const *arguments, size_t argumentCount,
                     llrt::Stream *stream) override;
  llrt::Result<llrt::Stream *> createStream() override {
    return reinterpret_cast<llrt::Stream *>(this);
  }
  llrt::Error synchronize(llrt::Stream *stream) override {
    return llrt::Error::success();
  }
  llrt::Result<llrt::Event *> createEvent() override {
    return reinterpret_cast<llrt::Event *>(this);
  }
  llrt::Error record(llrt::Event *event, llrt::Stream *stream) override {
    return llrt::Error::success();
  }
  llrt::Error wait(llrt::Event *event) override {
    return llrt::Error::success();
  }
  llrt::Result<double> elapsedMilliseconds(llrt::Event *start,
                                           llrt::Event *end) override {
    return llrt::Error("no clock");
  }

  /// For findKernel's kernels; how many arguments `kernel` takes.
  static size_t argumentsOf(llrt::Kernel *kernel);
  static size_t argumentBytes(llrt::Kernel *kernel, size_t argument);
  size_t allocations() const { return blocks.size(); }
  uint64_t launches = 0, pageCopies = 0;
  llrt::LaunchShape lastShape;

private:
  std::map<llrt::DeviceAddress, std::vector<uint8_t>> blocks;
};

} // namespace toy

#endif
