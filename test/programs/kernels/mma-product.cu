// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// C = A B of bf16 with ldmatrix and mma.sync: a block makes 64 x 64 with four
// warps of 16 rows; tiles come by cp.async, two stages. Row-major, multiples of
// 64. Rows of a tile are 40 and 72 elements apart, so that ldmatrix meets
// different banks.
#include "ptx.cuh"
using half16 = unsigned short;
extern "C" __global__ void mma_product(const half16 *a, const half16 *b, float *c, int n, int k) {
  __shared__ alignas(16) half16 left[2][64][40], right[2][32][72];
  int t = threadIdx.x, lane = t % 32, warp = t / 32;
  int row = blockIdx.y * 64, column = blockIdx.x * 64;
  float sums[8][4] = {};
  auto fetch = [&](int stage, int from) {
    for (int i = t; i < 256; i += 128) {
      // WRONG NO_BARRIER: async-overwrite
      COPY16(&left[stage][i / 4][i % 4 * 8], a + (row + i / 4) * k + from + i % 4 * 8);
      // WRONG NO_BARRIER: async-overwrite
      COPY16(&right[stage][i / 8][i % 8 * 8], b + (from + i / 8) * n + column + i % 8 * 8);
    }
    COPY_COMMIT();
  };
  fetch(0, 0);
  for (int step = 0; step * 32 < k; ++step) {
    int stage = step % 2;
    COPY_WAIT(0);
#ifndef WRONG_NO_BARRIER
    __syncthreads();
#endif
    if ((step + 1) * 32 < k)
      fetch(1 - stage, (step + 1) * 32);
    for (int inner = 0; inner < 32; inner += 16) {
      uint x[4], y[2];
      // WRONG NO_BARRIER: async-read-early
      LDMATRIX4(x, &left[stage][warp * 16 + lane % 16][inner + lane / 16 * 8]);
      for (int j = 0; j < 8; ++j) {
        LDMATRIX2_TRANS(y, &right[stage][inner + lane % 16][j * 8]); // WRONG NO_BARRIER: async-read-early
        MMA_BF16(sums[j], x, y);
      }
    }
  }
  for (int j = 0; j < 8; ++j)
    for (int i = 0; i < 4; ++i)
      c[(row + warp * 16 + lane / 4 + i / 2 * 8) * n + column + j * 8 + lane % 4 * 2 + i % 2] = sums[j][i];
}
