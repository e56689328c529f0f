// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Warp specialisation: thread 128 keeps a ring of bulk copies full, warps 0 to
// 3 sum what lands. full[s]: the bytes have come; empty[s]: all four warps have
// read them.
#include "ptx.cuh"
constexpr int stages = 4, words = 512;
extern "C" __global__ void bulk_ring(const int *in, int *out, int tiles) {
  __shared__ alignas(128) int ring[stages][words];
  __shared__ ull full[stages], empty[stages];
  int t = threadIdx.x;
  if (t == 0) {
    for (int s = 0; s < stages; ++s) {
#ifndef WRONG_NOT_INITIALISED
      MBARRIER_INIT(&full[s], 1);
#endif
#ifdef WRONG_COUNT
      MBARRIER_INIT(&empty[s], 3);
#else
      MBARRIER_INIT(&empty[s], 4);
#endif
    }
    FENCE_BARRIERS();
  }
  __syncthreads();
  const int *from = in + (size_t)blockIdx.x * tiles * words;
  if (t >= 128) {
    if (t == 128)
      for (int i = 0; i < tiles; ++i) {
        int s = i % stages;
#ifndef WRONG_EARLY_REFILL
        if (i >= stages)
#ifdef WRONG_PARITY
          MBARRIER_WAIT(&empty[s], i / stages & 1); // passed at once
#else
          MBARRIER_WAIT(&empty[s], (i / stages & 1) ^ 1);
#endif
#endif
#ifdef WRONG_EXPECT
        MBARRIER_EXPECT(&full[s], words * 4 + 16);
#else
        // WRONG NOT_INITIALISED: mbarrier. WRONG EARLY_REFILL: mbarrier. WRONG PARITY: mbarrier
        MBARRIER_EXPECT(&full[s], words * 4);
#endif
        // WRONG EARLY_REFILL: async-overwrite. WRONG PARITY: async-overwrite. WRONG COUNT: async-overwrite
        BULK_LOAD(ring[s], from + i * words, words * 4, &full[s]);
      }
    return;
  }
  int sum = 0;
  for (int i = 0; i < tiles; ++i) {
    int s = i % stages;
#ifndef WRONG_NO_WAIT
    MBARRIER_WAIT(&full[s], i / stages & 1); // WRONG EXPECT: deadlock. WRONG NOT_INITIALISED: mbarrier
#endif
    for (int w = t; w < words; w += 128)
      // WRONG NO_WAIT: async-read-early. WRONG NO_WAIT: uninitialised. WRONG EARLY_REFILL: async-read-early
      // WRONG COUNT: async-read-early. WRONG PARITY: async-read-early
      sum += ring[s][w];
    __syncwarp();
    if (t % 32 == 0)
      MBARRIER_ARRIVE(&empty[s]); // WRONG COUNT: mbarrier
  }
  out[blockIdx.x * 128 + t] = sum;
}
