// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One warpgroup multiplies 64 x 64 (k) of bf16 by 64 (k) x 64, both K-major in
// shared memory with the 128-byte swizzle: 16-byte chunk c of row r lies at
// c ^ (r % 8). C is row-major.
#include "ptx.cuh"
using half16 = unsigned short;
__device__ ull descriptor(const void *tile) {
  // address and strides in 16 bytes; 8 rows of 128 bytes make 1024; bits 62-63:
  // 1 is the 128-byte swizzle
  return (SHARED(tile) >> 4 & 0x3fff) | (ull)1 << 16 | (ull)(1024 >> 4) << 32 | (ull)1 << 62;
}
extern "C" __global__ void wgmma_product(const uint4 *a, const uint4 *b, float *c) {
  __shared__ alignas(1024) uint4 left[512], right[512];
  int t = threadIdx.x;
  for (int i = t; i < 512; i += 128) {
    int row = i / 8, chunk = i % 8;
    left[row * 8 + (chunk ^ row % 8)] = a[i];
    right[row * 8 + (chunk ^ row % 8)] = b[i];
  }
#ifndef WRONG_NO_PROXY_FENCE
  FENCE_ASYNC();
#endif
  __syncthreads();
  float d[32] = {};
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
  for (int k = 0; k < 4; ++k)
#define D(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), "+f"(d[i + 7])
#define WGMMA(a, b) asm volatile("wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11," "%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31}, %32, %33, 1, 1, 1, 0, 0;" : D(0), D(8), D(16), D(24) : "l"(a), "l"(b))
    WGMMA(descriptor((char *)left + 32 * k), descriptor((char *)right + 32 * k)); // WRONG NO_PROXY_FENCE: proxy-fence
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#ifndef WRONG_NO_WAIT
  asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
#endif
  for (int i = 0; i < 32; ++i) {
    int row = t / 32 * 16 + t % 32 / 4 + i % 4 / 2 * 8, column = i / 4 * 8 + t % 4 * 2 + i % 2;
    c[row * 64 + column] = d[i]; // WRONG NO_WAIT: wgmma-register
  }
}
