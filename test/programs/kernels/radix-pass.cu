// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A stable counting pass by the low four bits, one warp at a time: lanes of one
// digit find each other by match.any.
#include "ptx.cuh"
extern "C" __global__ void radix_pass(const uint *in, uint *out, const uint *starts, int n) {
  __shared__ uint next[16];
  uint lane = threadIdx.x;
  if (lane < 16)
    next[lane] = starts[lane];
  __syncwarp();
  for (int base = 0; base < n; base += 32) {
    uint key = in[base + lane], digit = key & 15;
    uint same = __match_any_sync(~0u, digit);
    uint rank = __popc(same & ((1u << lane) - 1));
    uint at = next[digit] + rank; // WRONG NO_WARP_BARRIER: shared-race
#ifndef WRONG_NO_WARP_BARRIER
    __syncwarp();
#endif
    if (rank == 0)
      next[digit] += __popc(same); // WRONG NO_WARP_BARRIER: shared-race
    __syncwarp();
    out[at] = key;
  }
}
