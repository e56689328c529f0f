// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A grid-wide exchange by a counter: every block writes, all wait, every block
// reads what its neighbour wrote. Launched cooperatively.
#include "ptx.cuh"
extern "C" __global__ void grid_counter(int *values, uint *counter, int rounds) {
  int t = threadIdx.x, blocks = gridDim.x, mine = blockIdx.x;
  for (int round = 0; round < rounds; ++round) {
    int *from = values + (round % 2) * blocks * 64, *to = values + (1 - round % 2) * blocks * 64;
    // WRONG RELAXED: global-race. WRONG NO_BARRIER: global-race.
    to[mine * 64 + t] = from[(mine + 1) % blocks * 64 + t] + 1;
#ifndef WRONG_NO_BARRIER
    __syncthreads();
#endif
    if (t == 0) {
#ifdef WRONG_RELAXED
      asm volatile("red.relaxed.gpu.global.add.u32 [%0], 1;" ::"l"(counter) : "memory");
#elif defined(WRONG_CTA_SCOPE)
      asm volatile("red.release.cta.global.add.u32 [%0], 1;" ::"l"(counter) : "memory"); // WRONG CTA_SCOPE: global-race
#else
      ADD_RELEASE(counter, 1u);
#endif
      uint seen;
      do
        LOAD_ACQUIRE(seen, counter); // WRONG TOO_MANY: deadlock
#ifdef WRONG_TOO_MANY
      while (seen < (round + 1) * blocks + 1);
#else
      while (seen < (round + 1) * blocks);
#endif
    }
    __syncthreads(); // WRONG TOO_MANY: deadlock
  }
}
