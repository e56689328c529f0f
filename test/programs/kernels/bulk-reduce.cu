// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every block adds its tile to one result by a bulk reduction.
#include "ptx.cuh"
extern "C" __global__ void bulk_reduce(const int *in, int *out) {
  __shared__ alignas(128) int tile[512];
  for (int i = threadIdx.x; i < 512; i += 128)
    tile[i] = in[blockIdx.x * 512 + i] * 2;
  FENCE_ASYNC();
  __syncthreads();
  if (threadIdx.x == 0) {
    BULK_ADD(out, tile, 2048);
    BULK_COMMIT();
    BULK_WAIT(0);
  }
}
