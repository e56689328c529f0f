// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Block 0 of a pair sends a vector into its partner's shared memory, whose
// mbarrier counts the bytes.
#include "ptx.cuh"
extern "C" __global__ void __cluster_dims__(2, 1, 1) store_async(const uint *in, uint *out) {
  __shared__ alignas(16) uint inbox[128];
  __shared__ ull bar;
  uint t = threadIdx.x, rank;
  CLUSTER_RANK(rank);
  if (t == 0) {
    MBARRIER_INIT(&bar, 1);
    FENCE_BARRIERS();
    MBARRIER_EXPECT(&bar, 512);
  }
  CLUSTER_ARRIVE();
  CLUSTER_WAIT();
  uint address, remote;
  MAP_RANK(address, &inbox[t], rank ^ 1);
  MAP_RANK(remote, &bar, rank ^ 1);
  STORE_ASYNC(address, in[blockIdx.x * 128 + t] + 7, remote);
#ifndef WRONG_NO_WAIT
  MBARRIER_WAIT(&bar, 0);
#endif
  out[blockIdx.x * 128 + t] = inbox[t]; // WRONG NO_WAIT: async-read-early
}
