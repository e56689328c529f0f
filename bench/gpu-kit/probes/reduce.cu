// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every block adds a vector of `count` floats to the same vector in global
// memory, as blocks that are tensor-parallel ranks would: 128 blocks of 8 or 16
// KB are 1 or 2 MB of additions. Block b adds b + 1 everywhere, which is exact.
// `stagger` 1: block b starts b/blocks into the vector, so that the blocks do
// not all meet at the same lines.

/// By cp.reduce.async.bulk, 2 KB at a time.
extern "C" __global__ void __launch_bounds__(128) reduce_bulk(float *to, u32 count, u32 stagger, u32 rounds) {
  extern __shared__ __align__(1024) unsigned char own[];
  float *values = reinterpret_cast<float *>(own);
  for (u32 i = threadIdx.x; i < count; i += 128)
    values[i] = static_cast<float>(blockIdx.x + 1);
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  __syncthreads();
  if (threadIdx.x != 0)
    return;
  constexpr u32 piece = 512;
  const u32 pieces = count / piece, first = stagger ? blockIdx.x * pieces / gridDim.x : 0;
  for (u32 round = 0; round < rounds; ++round) {
    for (u32 i = 0; i < pieces; ++i) {
      const u32 at = (first + i) % pieces * piece;
      asm volatile("cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f32 [%0], [%1], %2;" ::"l"(
                       __cvta_generic_to_global(to + at)),
                   "r"(shared(values + at)), "r"(static_cast<u32>(piece * 4))
                   : "memory");
    }
    asm volatile("cp.async.bulk.commit_group;" ::: "memory");
    asm volatile("cp.async.bulk.wait_group 0;" ::: "memory");
  }
}

/// The same by one red.add.f32 a value.
extern "C" __global__ void __launch_bounds__(128) reduce_plain(float *to, u32 count, u32 stagger, u32 rounds) {
  const u32 first = stagger ? blockIdx.x * (count / gridDim.x) : 0;
  for (u32 round = 0; round < rounds; ++round)
    for (u32 i = threadIdx.x; i < count; i += 128)
      atomicAdd(to + (first + i) % count, static_cast<float>(blockIdx.x + 1));
}
