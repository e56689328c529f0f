// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums of a grid-stride loop, a tree in shared memory per block.
#include "ptx.cuh"
extern "C" __global__ void reduce_sum(const int *in, int *partial, int n) {
  __shared__ int tile[256];
  int t = threadIdx.x, sum = 0;
  for (int i = blockIdx.x * 256 + t; i < n; i += gridDim.x * 256)
    sum += in[i];
#ifdef WRONG_HALF_WRITTEN
  if (t < 128)
#endif
  tile[t] = sum;
  for (int half = 128; half > 0; half /= 2) {
#ifndef WRONG_NO_BARRIER
    __syncthreads();
#endif
    if (t < half)
      // WRONG NO_BARRIER: shared-race. WRONG HALF_WRITTEN: uninitialised
      tile[t] += tile[t + half];
  }
  if (t == 0)
    partial[blockIdx.x] = tile[0];
}
