// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every lane takes the same lock in turn: the lanes of one warp wait for each
// other, which needs independent thread scheduling.
#include "ptx.cuh"
extern "C" __global__ void spin_lanes(uint *lock, uint *value, uint turns) {
  for (uint i = 0; i < turns; ++i) {
    bool mine = false;
    while (!mine) {
      uint seen;
      asm volatile("atom.acquire.gpu.global.cas.b32 %0, [%1], 0, 1;" : "=r"(seen) : "l"(lock) : "memory"); // WRONG NEVER_UNLOCKED: deadlock
      if (seen == 0) {
        *value = *value * 3 + 1; // WRONG EARLY_UNLOCK: global-race. WRONG RELAXED_UNLOCK: global-race
#ifdef WRONG_EARLY_UNLOCK
        STORE_RELEASE(lock, 0u);
        *value += 0x10000; // WRONG EARLY_UNLOCK: global-race
#elif defined(WRONG_RELAXED_UNLOCK)
        STORE_RELAXED(lock, 0u);
#elif !defined(WRONG_NEVER_UNLOCKED)
        STORE_RELEASE(lock, 0u);
#endif
        mine = true;
      }
    }
  }
}
