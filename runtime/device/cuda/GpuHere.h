// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What GPU this machine has, as its driver says.
#ifndef LLAMAC_RUNTIME_DEVICE_CUDA_GPUHERE_H
#define LLAMAC_RUNTIME_DEVICE_CUDA_GPUHERE_H

#include "runtime/GpuTable.h"
#include "runtime/Result.h"

namespace llrt {

/// GPU `ordinal`. Without a driver or a GPU, the error says so.
Result<FoundGpu> findGpuHere(int ordinal = 0);

} // namespace llrt

#endif
