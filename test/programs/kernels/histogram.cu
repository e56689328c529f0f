// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A histogram in shared memory, added to the global one.
#include "ptx.cuh"
extern "C" __global__ void histogram(const unsigned char *in, uint *counts, int n) {
  __shared__ uint bins[256];
#ifndef WRONG_NOT_CLEARED
  bins[threadIdx.x] = 0;
#endif
  __syncthreads();
  for (int i = blockIdx.x * 256 + threadIdx.x; i < n; i += gridDim.x * 256)
#ifdef WRONG_PLAIN_ADD
    bins[in[i]] += 1; // WRONG PLAIN_ADD: shared-race
#else
    atomicAdd(&bins[in[i]], 1u); // WRONG NOT_CLEARED: uninitialised
#endif
  __syncthreads();
  if (bins[threadIdx.x])
    atomicAdd(&counts[threadIdx.x], bins[threadIdx.x]);
}
