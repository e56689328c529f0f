// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Depth of nested brackets, with a stack in local memory indexed at run time.
#include "ptx.cuh"
extern "C" __global__ void local_stack(const unsigned char *text, int *matched, int length) {
  int stack[32], depth = 0;
  const unsigned char *mine = text + threadIdx.x * length;
  int *to = matched + threadIdx.x * length;
  for (int i = 0; i < length; ++i) {
    to[i] = -1;
    if (mine[i] == '(')
      stack[depth++] = i;
    else if (mine[i] == ')' && depth > 0) {
#ifdef WRONG_OFF_BY_ONE
      int open = stack[depth--];
#else
      int open = stack[--depth];
#endif
      to[open] = i; // WRONG OFF_BY_ONE: uninitialised
      to[i] = open;
    }
  }
}
