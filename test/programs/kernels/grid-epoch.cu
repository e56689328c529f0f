// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A grid-wide exchange by data with its epoch in one 64-bit word: who polls the
// data needs no counter and no fence. Launched cooperatively.
#include "ptx.cuh"
extern "C" __global__ void grid_epoch(ull *words, uint *out, int rounds) {
  uint t = threadIdx.x, blocks = gridDim.x, mine = blockIdx.x;
  uint value = mine * 64 + t;
  for (uint round = 1; round <= rounds; ++round) {
    ull *to = words + (round % 2) * blocks * 64;
    STORE_RELAXED64(&to[mine * 64 + t], (ull)round << 32 | value);
    uint sum = 0;
    for (uint other = 0; other < blocks; ++other) {
      ull word;
      do
#ifdef WRONG_WEAK_POLL
        asm volatile("ld.global.u64 %0, [%1];" : "=l"(word) : "l"(&to[other * 64 + t]) : "memory"); // WRONG WEAK_POLL: global-race
#else
        LOAD_RELAXED64(word, &to[other * 64 + t]); // WRONG EPOCH: deadlock
#endif
#ifdef WRONG_EPOCH
      while ((word >> 32) != round + 1);
#else
      while ((word >> 32) != round);
#endif
      sum += (uint)word;
    }
    value = sum * 3 + value;
  }
  out[mine * 64 + t] = value;
}
