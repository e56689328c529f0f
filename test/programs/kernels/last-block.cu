// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every block leaves a sum; the one that finishes last, by a counter, adds them.
#include "ptx.cuh"
extern "C" __global__ void last_block(const int *in, int *partial, uint *count, int *total) {
  __shared__ int warps[8];
  __shared__ bool last;
  int t = threadIdx.x;
  int sum = in[blockIdx.x * 256 + t];
  for (int step = 16; step; step /= 2)
    sum += __shfl_xor_sync(~0u, sum, step);
  if (t % 32 == 0)
    warps[t / 32] = sum;
  __syncthreads();
  if (t == 0) {
    int block = 0;
    for (int w = 0; w < 8; ++w)
      block += warps[w];
    partial[blockIdx.x] = block; // WRONG NO_FENCE: global-race
#ifdef WRONG_BLOCK_FENCE
    __threadfence_block();
#elif !defined(WRONG_NO_FENCE)
    __threadfence();
#endif
    last = atomicAdd(count, 1u) == gridDim.x - 1;
  }
  __syncthreads();
  if (last) {
    __threadfence();
    if (t == 0) {
      int all = 0;
      for (uint b = 0; b < gridDim.x; ++b)
        all += partial[b]; // WRONG NO_FENCE: global-race. WRONG BLOCK_FENCE: global-race
      *total = all;
    }
  }
}
