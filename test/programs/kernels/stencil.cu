// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Five points in a row, with a halo of two at each side.
#include "ptx.cuh"
extern "C" __global__ void stencil(const int *in, int *out, int n) {
  __shared__ int line[256 + 4];
  int i = blockIdx.x * 256 + threadIdx.x, at = threadIdx.x + 2;
  line[at] = in[i];
  if (threadIdx.x < 2) {
    line[at - 2] = i >= 2 ? in[i - 2] : 0;
#ifndef WRONG_NO_RIGHT_HALO
    line[at + 256] = i + 256 < n ? in[i + 256] : 0;
#endif
  }
  __syncthreads();
#ifdef WRONG_PAST_THE_END
  out[i] = line[at - 2] + line[at - 1] + line[at] + line[at + 1] + line[at + 3]; // WRONG PAST_THE_END: out-of-bounds
#else
  // WRONG NO_RIGHT_HALO: uninitialised
  out[i] = line[at - 2] + line[at - 1] + line[at] + line[at + 1] + line[at + 2];
#endif
}
