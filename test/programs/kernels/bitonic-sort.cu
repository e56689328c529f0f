// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Batcher's bitonic sort of 1024 keys a block, in dynamic shared memory.
#include "ptx.cuh"
extern "C" __global__ void bitonic_sort(uint *keys) {
  extern __shared__ uint held[];
  uint t = threadIdx.x;
  for (uint i = t; i < 1024; i += 256)
    held[i] = keys[blockIdx.x * 1024 + i];
  for (uint size = 2; size <= 1024; size *= 2)
    for (uint stride = size / 2; stride; stride /= 2) {
#ifdef WRONG_WARP_BARRIER
      __syncwarp();
#else
      __syncthreads();
#endif
      for (uint i = t; i < 512; i += 256) {
        uint low = 2 * i - (i & (stride - 1)), high = low + stride;
        bool up = !(low & size);
        uint a = held[low], b = held[high]; // WRONG WARP_BARRIER: shared-race
        // WRONG WARP_BARRIER: uninitialised
        if ((a > b) == up) {
          held[low] = b;  // WRONG WARP_BARRIER: shared-race
          held[high] = a; // WRONG WARP_BARRIER: shared-race
        }
      }
    }
  __syncthreads();
  for (uint i = t; i < 1024; i += 256)
    keys[blockIdx.x * 1024 + i] = held[i];
}
