// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How fast a GPU reads its memory, by runtime/kernels/StreamRead.cu: the rate
// that --bench gives shares of.
#ifndef LLAMAC_RUNTIME_STREAMREAD_H
#define LLAMAC_RUNTIME_STREAMREAD_H

#include "runtime/device/Device.h"

#include <string>

namespace llrt {

/// On a GPU of this name a lower rate would mean that the measurement is wrong,
/// not the GPU: an H200 has to reach 4.2 TB/s. 0 where nothing is known.
double leastStreamRate(const std::string &deviceDescription);

/// Bytes a second, the best of several reads of `bytes` (at least 64 KB; far
/// more than the second cache holds, to mean anything). `module` is the one of
/// runtime/kernels. An Error also where the words that were read are wrong.
Result<double> measureStreamRead(Device &device, Module *module, uint64_t bytes,
                                 uint32_t multiprocessors);

} // namespace llrt

#endif
