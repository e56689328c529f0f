// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Random weights made where they are needed: by the kernel fill_random.
#ifndef LLAMAC_RUNTIME_RANDOMFILLKERNEL_H
#define LLAMAC_RUNTIME_RANDOMFILLKERNEL_H

#include "runtime/RandomFiller.h"
#include "runtime/device/Device.h"

namespace llrt {

/// Fills the packed weights at `to`, a launch for each stream; `kernels` is the
/// module of runtime/kernels. The bytes are those of RandomFiller::fillAll.
Error fillRandomOnDevice(Device &device, Module *kernels,
                         const RandomFiller &filler, DeviceAddress to);

} // namespace llrt

#endif
