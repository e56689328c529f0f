// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A 32 x 32 tile at a time through shared memory; block (32, 8).
#include "ptx.cuh"
extern "C" __global__ void transpose(const float *in, float *out, int rows, int columns) {
  __shared__ float tile[32][33];
  int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 32 + threadIdx.y;
#ifdef WRONG_NO_EDGE
#define INSIDE(a, n) true
#else
#define INSIDE(a, n) ((a) < (n))
#endif
  for (int i = 0; i < 32; i += 8)
    if (INSIDE(x, columns) && INSIDE(y + i, rows))
      // WRONG NO_EDGE: out-of-bounds. WRONG DIVERGENT_BARRIER: shared-race
      tile[threadIdx.y + i][threadIdx.x] = in[(y + i) * columns + x];
#ifdef WRONG_DIVERGENT_BARRIER
  if (threadIdx.y < 4) // four warps of eight
#endif
  __syncthreads();
  x = blockIdx.y * 32 + threadIdx.x, y = blockIdx.x * 32 + threadIdx.y;
  for (int i = 0; i < 32; i += 8)
    if (x < rows && y + i < columns)
      // WRONG DIVERGENT_BARRIER: shared-race. WRONG DIVERGENT_BARRIER: uninitialised
      out[(y + i) * rows + x] = tile[threadIdx.x][threadIdx.y + i];
}
