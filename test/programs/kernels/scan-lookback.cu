// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Inclusive prefix sums in one pass: a block looks back at those before it
// (Merrill and Garland, Single-pass Parallel Prefix Scan with Decoupled
// Look-back, 2016). Tiles are handed out by a counter, so that what a block
// waits for has started. state: 0 nothing yet, 1 the tile's own sum, 2 the sum
// of everything to its end.
#include "ptx.cuh"
extern "C" __global__ void scan_lookback(const int *in, int *out, uint *next, uint *state, int *own, int *whole) {
  __shared__ uint tile;
  __shared__ int sums[256], before;
  int t = threadIdx.x;
  if (t == 0)
    tile = atomicAdd(next, 1u);
  __syncthreads();
  uint my = tile;
  sums[t] = in[my * 256 + t];
  for (int step = 1; step < 256; step *= 2) {
    __syncthreads();
    int left = t >= step ? sums[t - step] : 0;
    __syncthreads();
    sums[t] += left;
  }
  __syncthreads();
  if (t == 0) {
    own[my] = sums[255];
    STORE_RELEASE(&state[my], 1u);
    int left = 0;
    for (int back = (int)my - 1; back >= 0; --back) {
      uint seen;
      do {
#ifdef WRONG_WEAK_POLL
        // volatile for the compiler alone: the access is a weak one
        asm volatile("ld.global.u32 %0, [%1];" : "=r"(seen) : "l"(&state[back]) : "memory"); // WRONG WEAK_POLL: global-race
#else
        LOAD_ACQUIRE(seen, &state[back]);
#endif
      } while (seen == 0);
      if (seen == 2) {
        left += whole[back]; // WRONG RELAXED: global-race
        break;
      }
      left += own[back];
    }
    whole[my] = left + sums[255]; // WRONG RELAXED: global-race
#ifdef WRONG_RELAXED
    STORE_RELAXED(&state[my], 2u);
#else
    STORE_RELEASE(&state[my], 2u); // WRONG WEAK_POLL: global-race
#endif
    before = left;
  }
  __syncthreads();
  out[my * 256 + t] = before + sums[t];
}
