// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Two warps produce, two consume, through two buffers and four named barriers:
// 1 + b says that buffer b is full, 3 + b that it is empty again.
#include "ptx.cuh"
extern "C" __global__ void named_barriers(const int *in, int *out, int tiles) {
  __shared__ int held[2][64];
  int t = threadIdx.x % 64;
  if (threadIdx.x < 64) {
    for (int i = 0; i < tiles; ++i) {
      if (i >= 2)
        BARRIER_SYNC(3 + i % 2, 128); // WRONG ONE_TOO_FEW: barrier
      held[i % 2][t] = in[i * 64 + t] * 5; // WRONG SWAPPED: shared-race
      BARRIER_ARRIVE(1 + i % 2, 128);
    }
  } else {
    for (int i = 0; i < tiles; ++i) {
#ifdef WRONG_SWAPPED
      BARRIER_SYNC(1 + i % 2, 128);
      if (i + 2 < tiles)
        BARRIER_ARRIVE(3 + i % 2, 128); // before the buffer is read
      out[i * 64 + t] = held[i % 2][63 - t]; // WRONG SWAPPED: shared-race
#else
      BARRIER_SYNC(1 + i % 2, 128); // WRONG ONE_TOO_FEW: barrier
      out[i * 64 + t] = held[i % 2][63 - t];
#ifdef WRONG_ONE_TOO_FEW
      if (i + 3 < tiles)
#else
      if (i + 2 < tiles)
#endif
        BARRIER_ARRIVE(3 + i % 2, 128);
#endif
    }
  }
}
