// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Softmax of a row by one warp, online: maximum and sum in one reading.
#include "ptx.cuh"
extern "C" __global__ void softmax(const float *in, float *out, int columns) {
  int lane = threadIdx.x % 32, row = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32;
  const float *x = in + row * columns;
  float high = -1e30f, sum = 0;
  for (int i = lane; i < columns; i += 32) {
    float next = fmaxf(high, x[i]);
    sum = sum * __expf(high - next) + __expf(x[i] - next);
    high = next;
  }
#ifdef WRONG_MISSING_LANES
  if (lane < 16)
#endif
  for (int step = 16; step; step /= 2) {
    float otherHigh = __shfl_xor_sync(~0u, high, step); // WRONG MISSING_LANES: missing-lanes
    float otherSum = __shfl_xor_sync(~0u, sum, step);
    float next = fmaxf(high, otherHigh);
    sum = sum * __expf(high - next) + otherSum * __expf(otherHigh - next);
    high = next;
  }
  for (int i = lane; i < columns; i += 32)
    out[row * columns + i] = __expf(x[i] - high) / sum;
}
