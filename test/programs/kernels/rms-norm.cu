// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RMSNorm of a row of bf16 by one block (Zhang and Sennrich, 2019, eq. 4).
#include "ptx.cuh"
__device__ float widen(unsigned short x) { return __uint_as_float((uint)x << 16); }
extern "C" __global__ void rms_norm(const unsigned short *x, const unsigned short *gamma, float *out, int columns) {
  __shared__ float warps[4];
  const unsigned short *row = x + blockIdx.x * columns;
  float sum = 0;
  for (int i = threadIdx.x; i < columns; i += 128)
    sum += widen(row[i]) * widen(row[i]);
  for (int step = 16; step; step /= 2)
    sum += __shfl_down_sync(~0u, sum, step);
  if (threadIdx.x % 32 == 0)
    warps[threadIdx.x / 32] = sum;
  __syncthreads();
  float scale = rsqrtf((warps[0] + warps[1] + warps[2] + warps[3]) / columns + 1e-5f);
  for (int i = threadIdx.x; i < columns; i += 128)
    out[blockIdx.x * columns + i] = widen(row[i]) * scale * widen(gamma[i]);
}
