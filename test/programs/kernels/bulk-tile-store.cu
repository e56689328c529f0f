// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A tile is written by threads, read by a bulk store; two buffers in turn.
#include "ptx.cuh"
extern "C" __global__ void bulk_tile_store(int *out, int tiles) {
  __shared__ alignas(128) int tile[2][256];
  int t = threadIdx.x;
  for (int i = 0; i < tiles; ++i) {
#ifndef WRONG_NO_READ_WAIT
    if (t == 0)
      BULK_WAIT_READ(1);
    __syncthreads();
#endif
    tile[i % 2][t] = (blockIdx.x * tiles + i) * 1000 + t; // WRONG NO_READ_WAIT: async-overwrite
#ifndef WRONG_NO_PROXY_FENCE
    FENCE_ASYNC();
#endif
    __syncthreads();
    if (t == 0) {
      // WRONG NO_PROXY_FENCE: proxy-fence. WRONG NO_LAST_WAIT: async-overwrite
      BULK_STORE(out + (blockIdx.x * tiles + i) * 256, tile[i % 2], 1024);
      BULK_COMMIT();
    }
  }
#ifndef WRONG_NO_LAST_WAIT
  if (t == 0)
    BULK_WAIT_READ(0);
#endif
} // WRONG NO_LAST_WAIT: async-overwrite
