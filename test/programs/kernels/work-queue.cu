// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Nodes of a binary tree in a global queue: whoever takes one appends its
// children. ready[i] says that slot i is written.
#include "ptx.cuh"
extern "C" __global__ void work_queue(uint *slots, uint *ready, uint *ends, ull *sum, uint nodes) {
  if (threadIdx.x)
    return;
  for (;;) {
    uint at = atomicAdd(&ends[0], 1u);
    if (at >= nodes)
      return;
    uint there;
    do
      LOAD_ACQUIRE(there, &ready[at]);
    while (!there);
    uint node = slots[at]; // WRONG RELAXED: global-race
    atomicAdd(sum, (ull)node);
    for (uint child = 2 * node + 1; child <= 2 * node + 2; ++child)
      if (child < nodes) {
        uint to = atomicAdd(&ends[1], 1u);
        slots[to] = child; // WRONG RELAXED: global-race
#ifdef WRONG_RELAXED
        STORE_RELAXED(&ready[to], 1u);
#else
        STORE_RELEASE(&ready[to], 1u);
#endif
      }
  }
}
