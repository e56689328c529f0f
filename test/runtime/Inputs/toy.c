// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernels of the toy model. toy.ptx beside this file is made from it by
//   clang-22 --target=nvptx64-nvidia-cuda -march=sm_90a -Xclang -target-feature -Xclang +ptx88 -O2 -S -nogpulib toy.c -o toy.ptx
// A token's KV entry is the token itself (4 bytes, 64 to a page). The choice
// after a row is a hash of every token of its sequence up to that row, read
// through the block table, so it tells any fault of pages, positions and chunks.
typedef unsigned u32;
#define global __attribute__((address_space(1)))
#define kernel __attribute__((nvptx_kernel)) void

kernel toy_store(const global int *tokens, const global int *positions, const global int *slots,
                 const global int *table, global int *pool, u32 count, u32 width) {
  u32 i = __nvvm_read_ptx_sreg_ctaid_x() * __nvvm_read_ptx_sreg_ntid_x() + __nvvm_read_ptx_sreg_tid_x();
  if (i >= count)
    return;
  u32 position = positions[i];
  u32 page = table[slots[i] * width + position / 64];
  pool[page * 64 + position % 64] = tokens[i];
}

kernel toy_head(const global int *positions, const global int *slots, const global int *table,
                const global int *pool, const global u32 *weights, global float *logits, global int *next, u32 start,
                u32 width, u32 vocabulary, u32 pieces) {
  u32 row = __nvvm_read_ptx_sreg_ctaid_x();
  u32 last = positions[start + row];
  u32 hash = weights[0];
  for (u32 p = 0; p <= last; ++p) {
    u32 page = table[slots[start + row] * width + p / 64];
    hash = hash * 31 + pool[page * 64 + p % 64];
  }
  u32 choice = hash % 23 == 22 ? 2 : 3 + (u32)((unsigned long)hash * (pieces - 3) >> 32);
  for (u32 v = __nvvm_read_ptx_sreg_tid_x(); v < vocabulary; v += __nvvm_read_ptx_sreg_ntid_x())
    logits[row * vocabulary + v] = v == choice ? 2.0f : (float)((hash ^ v * 2654435761u) >> 8) * 0x1p-24f;
  if (__nvvm_read_ptx_sreg_tid_x() == 0)
    next[row] = choice;
}
