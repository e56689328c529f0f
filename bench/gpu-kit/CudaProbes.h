// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Probes that only the driver can answer: graphs, cooperative grids in them,
// programmatic dependent launch, occupancy of clusters.
#ifndef LLAMAC_BENCH_GPUKIT_CUDAPROBES_H
#define LLAMAC_BENCH_GPUKIT_CUDAPROBES_H

#include "bench/gpu-kit/Kit.h"

namespace llrt::kit {

/// The chain of launches on any device, one after the other: that its kernels
/// are right.
Error chainOnDevice(Device &device, Module *module);

/// Each way of launching a chain of kernels: whether it captures, whether it
/// runs, whether the chain holds, and the time of a link. A Device must be
/// open: its context is used. The number of failures.
int probeLaunches(const Options &options);

} // namespace llrt::kit

#endif
