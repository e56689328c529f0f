// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// y = 2 x + y through a pipeline of three stages of cp.async; one thread reads
// what its neighbour copied, so that a stage needs the barrier too.
#include "ptx.cuh"
constexpr int stages = 3;
extern "C" __global__ void copy_pipeline(const float4 *x, float4 *y, int tiles) {
  __shared__ float4 ring[stages][128];
  int t = threadIdx.x, mirror = 127 - t;
  for (int s = 0; s < stages - 1; ++s) {
    if (s < tiles)
      COPY16(&ring[s][t], x + s * 128 + t);
    COPY_COMMIT();
  }
  for (int tile = 0; tile < tiles; ++tile) {
#ifdef WRONG_SHALLOW_WAIT
    COPY_WAIT(2);
#else
    COPY_WAIT(1);
#endif
    __syncthreads();
    float4 a = ring[tile % stages][mirror]; // WRONG SHALLOW_WAIT: async-read-early. WRONG STAGE_REUSED: async-read-early
    float4 b = y[tile * 128 + mirror];
    b.x += 2 * a.x, b.y += 2 * a.y, b.z += 2 * a.z, b.w += 2 * a.w;
    y[tile * 128 + mirror] = b;
#ifdef WRONG_STAGE_REUSED
    int ahead = tile + stages; // the stage that others may still be reading
#else
    int ahead = tile + stages - 1;
#endif
    if (ahead < tiles)
      COPY16(&ring[ahead % stages][t], x + ahead * 128 + t); // WRONG STAGE_REUSED: async-overwrite
    COPY_COMMIT();
  }
}
