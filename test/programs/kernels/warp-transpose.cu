// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each lane holds a row of 32; afterwards a column. Shuffles and selects alone.
#include "ptx.cuh"
extern "C" __global__ void warp_transpose(const uint *in, uint *out) {
  uint lane = threadIdx.x, row[32];
  for (int i = 0; i < 32; ++i)
    row[i] = in[lane * 32 + i];
#pragma unroll
  for (int step = 16; step; step /= 2)
#pragma unroll
    for (int i = 0; i < 32; ++i)
      if (!(i & step)) {
        uint give = lane & step ? row[i] : row[i + step];
        uint got = __shfl_xor_sync(~0u, give, step);
        if (lane & step)
          row[i] = got;
        else
          row[i + step] = got;
      }
  for (int i = 0; i < 32; ++i)
    out[lane * 32 + i] = row[i];
}
