// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The end of a decode step: what was chosen becomes what is fed next, without
// the host. runtime/StepEnd.h is its other side.

/// Row i: tokens[i] = next[i], one position on; and chosen[i] or
/// chosen[stride + i], by whether its position was even, is told to the host.
/// So of two steps that follow each other neither overwrites the other's.
extern "C" __global__ void __launch_bounds__(64)
    advance(const int *next, int *tokens, int *positions, volatile int *chosen,
            unsigned rows, unsigned stride) {
#if __CUDA_ARCH__ >= 900
  // It may have been started before the choice was there.
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
  for (unsigned row = threadIdx.x; row < rows; row += 64) {
    const int token = next[row], position = positions[row];
    chosen[(position & 1 ? stride : 0) + row] = token;
    tokens[row] = token;
    positions[row] = position + 1;
  }
}
