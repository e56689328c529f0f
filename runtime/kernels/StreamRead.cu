// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What --bench measures a share of: how fast this GPU reads device memory.
// stream_fill writes words that are no zeros and sums them; stream_read reads
// them, eight independent loads of 16 bytes a thread, and must find the same
// sum. runtime/StreamRead.cpp launches both.

namespace streams {

typedef unsigned u32;
typedef unsigned long long u64;

enum : u32 { threads = 512, loads = 8, tileWords = threads * loads * 4 };

__device__ u32 wordOf(u64 index) {
  u64 z = (index + 1) * 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 32)) * 0xd6e8feb86659fd93ull;
  return static_cast<u32>(z >> 32);
}

/// Past the first cache: nothing is read twice.
__device__ uint4 load(const uint4 *from) {
  uint4 four;
  asm("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
      : "=r"(four.x), "=r"(four.y), "=r"(four.z), "=r"(four.w)
      : "l"(from));
  return four;
}

__device__ void addToSum(u32 value, u32 *sum) {
  for (u32 distance = 16; distance; distance /= 2)
    value += __shfl_xor_sync(0xffffffffu, value, distance);
  if (threadIdx.x % 32 == 0)
    atomicAdd(sum, value);
}

} // namespace streams

/// `tiles` of 64 KB; `sum` starts at 0, as in stream_read.
extern "C" __global__ void __launch_bounds__(streams::threads)
    stream_fill(unsigned *data, unsigned long long tiles, unsigned *sum) {
  unsigned mine = 0;
  for (streams::u64 tile = blockIdx.x; tile < tiles; tile += gridDim.x)
    for (unsigned at = threadIdx.x; at < streams::tileWords;
         at += streams::threads) {
      streams::u64 index = tile * streams::tileWords + at;
      unsigned word = streams::wordOf(index);
      data[index] = word;
      mine += word;
    }
  streams::addToSum(mine, sum);
}

extern "C" __global__ void __launch_bounds__(streams::threads)
    stream_read(const uint4 *data, unsigned long long tiles, unsigned *sum) {
  unsigned mine = 0;
  for (streams::u64 tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    const uint4 *from = data + tile * (streams::tileWords / 4) + threadIdx.x;
    uint4 four[streams::loads];
#pragma unroll
    for (unsigned i = 0; i < streams::loads; ++i)
      four[i] = streams::load(from + i * streams::threads);
#pragma unroll
    for (unsigned i = 0; i < streams::loads; ++i)
      mine += four[i].x + four[i].y + four[i].z + four[i].w;
  }
  streams::addToSum(mine, sum);
}
