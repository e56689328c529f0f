// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Brings packed weights to a device, checking their hash on the way.
//
// The emulator uses mapped weights where they lie. A GPU gets them through
// Device::upload: threads read, check or make one piece while others are on
// their way.
#ifndef LLAMAC_RUNTIME_WEIGHTLOADER_H
#define LLAMAC_RUNTIME_WEIGHTLOADER_H

#include "runtime/WeightSource.h"
#include "runtime/device/Device.h"

namespace llrt {

/// Memory of the host that is given back with this object.
class HostMemory {
public:
  static Result<std::unique_ptr<HostMemory>> allocate(uint64_t bytes);
  ~HostMemory();
  uint8_t *data() const { return start; }

private:
  HostMemory(uint8_t *start, uint64_t bytes) : start(start), bytes(bytes) {}
  uint8_t *start;
  uint64_t bytes;
};

struct LoadedWeights {
  DeviceAddress address = 0;
  /// What an emulator's `address` points into, if nothing mapped does.
  std::unique_ptr<HostMemory> host;
};

/// `source` must outlive the use of the weights; `kernels` is the module of
/// runtime/kernels, which makes random ones on a GPU. `progress` may be empty.
Result<LoadedWeights> loadWeights(Device &device, Module *kernels,
                                  const WeightSource &source,
                                  const UploadProgress &progress);

} // namespace llrt

#endif
