// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Keeps the odd numbers in their order: ballots, a scan over warps, one block.
#include "ptx.cuh"
extern "C" __global__ void compaction(const uint *in, uint *out, uint *kept, int n) {
  __shared__ uint starts[32];
  uint t = threadIdx.x, lane = t % 32, warp = t / 32, done = 0;
  for (int base = 0; base < n; base += blockDim.x) {
    uint value = base + (int)t < n ? in[base + t] : 0;
    bool keep = value & 1;
    uint ballot = __ballot_sync(~0u, keep);
    if (lane == 0)
      starts[warp] = __popc(ballot); // WRONG NO_SECOND_BARRIER: shared-race
    __syncthreads();
    uint before = 0, all = 0;
    for (uint w = 0; w < blockDim.x / 32; ++w) {
      before += w < warp ? starts[w] : 0; // WRONG NO_SECOND_BARRIER: shared-race
      all += starts[w];                   // WRONG NO_SECOND_BARRIER: shared-race
    }
    if (keep)
      out[done + before + __popc(ballot & ((1u << lane) - 1))] = value;
    done += all;
#ifndef WRONG_NO_SECOND_BARRIER
    __syncthreads();
#endif
  }
  if (t == 0)
    *kept = done;
}
