// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// C = A B in float32, 16 x 16 tiles of both in shared memory; n % 16 == 0.
#include "ptx.cuh"
extern "C" __global__ void matmul_tiled(const float *a, const float *b, float *c, int n) {
  __shared__ float left[16][16], right[16][16];
  int x = threadIdx.x, y = threadIdx.y, row = blockIdx.y * 16 + y, column = blockIdx.x * 16 + x;
  float sum = 0;
  for (int k = 0; k < n; k += 16) {
    left[y][x] = a[row * n + k + x];       // WRONG NO_TRAILING_BARRIER: shared-race
    right[y][x] = b[(k + y) * n + column]; // WRONG NO_TRAILING_BARRIER: shared-race
    __syncthreads();
    for (int i = 0; i < 16; ++i)
      sum += left[y][i] * right[i][x]; // WRONG NO_TRAILING_BARRIER: shared-race
#ifndef WRONG_NO_TRAILING_BARRIER
    __syncthreads();
#endif
  }
  c[row * n + column] = sum;
}
