// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How fast can shared memory be filled from HBM by cp.async.bulk, against the
// bytes that are in flight? Every block reads a stream of its own through a
// ring of `stages` stages of `stageBytes`; one warp issues, four drain. With
// `drain` 0 a stage is given back unread, so that the copy engine alone limits.
// stream_fill writes the data and both sum it: a stage that was read too early
// or from a wrong place shows.

/// A word of the data from its index.
__device__ inline u32 streamWord(u64 index) {
  u64 z = (index + 1) * 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 32)) * 0xd6e8feb86659fd93ull;
  return static_cast<u32>(z >> 32);
}

extern "C" __global__ void __launch_bounds__(256) stream_fill(u32 *data, u64 words, u32 *sum) {
  u32 mine = 0;
  for (u64 i = blockIdx.x * 256ull + threadIdx.x; i < words; i += gridDim.x * 256ull) {
    data[i] = streamWord(i);
    mine += data[i];
  }
  atomicAdd(sum, mine);
}

extern "C" __global__ void __launch_bounds__(160)
    stream_bulk(const unsigned char *data, u64 stagesPerBlock, u32 stageBytes, u32 stages, u32 drain, u32 *sum) {
  extern __shared__ __align__(1024) unsigned char ring[];
  __shared__ __align__(8) u64 barriers[64]; // full[32], empty[32]
  const u32 thread = threadIdx.x, full = shared(barriers), empty = full + 32 * 8;
  if (thread == 0) {
    for (u32 s = 0; s < stages; ++s) {
      barrierInit(full + s * 8, 1);
      barrierInit(empty + s * 8, 4);
    }
    barrierInitDone();
  }
  __syncthreads();
  const unsigned char *own = data + blockIdx.x * stagesPerBlock * stageBytes;
  if (thread < 32) {
    if (thread == 0)
      for (u64 i = 0; i < stagesPerBlock; ++i) {
        const u32 s = static_cast<u32>(i % stages), round = static_cast<u32>(i / stages);
        if (round > 0)
          barrierWait(empty + s * 8, (round - 1) & 1);
        barrierExpect(full + s * 8, stageBytes);
        bulkLoad(shared(ring) + s * stageBytes, own + i * stageBytes, stageBytes, full + s * 8);
      }
    return;
  }
  u32 mine = 0;
  for (u64 i = 0; i < stagesPerBlock; ++i) {
    const u32 s = static_cast<u32>(i % stages), round = static_cast<u32>(i / stages);
    barrierWait(full + s * 8, round & 1);
    if (drain) {
      const uint4 *stage = reinterpret_cast<const uint4 *>(ring + s * stageBytes);
      for (u32 at = thread - 32; at < stageBytes / 16; at += 128) {
        const uint4 four = stage[at];
        mine += four.x + four.y + four.z + four.w;
      }
    }
    __syncwarp();
    if (thread % 32 == 0)
      barrierArrive(empty + s * 8);
  }
  if (drain)
    atomicAdd(sum, mine);
}
