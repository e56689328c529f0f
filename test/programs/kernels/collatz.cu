// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Steps until 1: every lane leaves the loop by itself.
#include "ptx.cuh"
extern "C" __global__ void collatz(uint *steps, uint n) {
  uint i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  ull value = i + 1;
  uint count = 0;
  while (value != 1) {
    value = value & 1 ? 3 * value + 1 : value / 2;
    ++count;
  }
#ifdef WRONG_MISALIGNED
  *(uint *)((char *)steps + 4 * i + 2) = count; // WRONG MISALIGNED: misaligned
#else
  steps[i] = count;
#endif
}
