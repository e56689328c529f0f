// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A cluster of four blocks sums its vectors: each reads the others' shared
// memory.
#include "ptx.cuh"
extern "C" __global__ void __cluster_dims__(4, 1, 1) cluster_all_reduce(const uint *in, uint *out) {
  __shared__ uint mine[128];
  uint t = threadIdx.x, rank, sum = 0;
  CLUSTER_RANK(rank);
  mine[t] = in[blockIdx.x * 128 + t]; // WRONG NO_FIRST_BARRIER: shared-race
#ifndef WRONG_NO_FIRST_BARRIER
  CLUSTER_ARRIVE();
  CLUSTER_WAIT();
#endif
  for (uint other = 0; other < 4; ++other) {
    uint address, value;
    MAP_RANK(address, &mine[t], (rank + other) % 4);
    LOAD_CLUSTER(value, address); // WRONG NO_FIRST_BARRIER: shared-race. WRONG NO_LAST_BARRIER: cluster-exit
    sum += value; // WRONG NO_FIRST_BARRIER: uninitialised
  }
  out[blockIdx.x * 128 + t] = sum;
#ifndef WRONG_NO_LAST_BARRIER
  CLUSTER_ARRIVE(); // nobody's memory goes while others read it
  CLUSTER_WAIT();
#endif
}
