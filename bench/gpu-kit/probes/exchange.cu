// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What does one exchange between blocks cost? Each kernel passes `rounds`
// exchanges in which every block tells all the others a number and sums what it
// was told; block b tells b + round. All blocks must be resident (cooperative
// launch). 128 threads a block; result[block] is the sum over all rounds.

/// By one counter: the numbers lie in memory, a released increment says that
/// they are there, an acquired load of the counter waits for the last one.
/// numbers: [2][blocks]; counter starts at 0.
extern "C" __global__ void __launch_bounds__(128)
    exchange_counter(u32 *counter, u32 *numbers, u32 rounds, u32 *result) {
  __shared__ u32 sum;
  const u32 blocks = gridDim.x, block = blockIdx.x, thread = threadIdx.x;
  if (thread == 0)
    sum = 0;
  __syncthreads();
  for (u32 round = 0; round < rounds; ++round) {
    u32 *now = numbers + (round & 1) * blocks;
    if (thread == 0) {
      now[block] = block + round;
      addRelease(counter, 1);
      while (loadAcquire(counter) < (round + 1) * blocks) {
      }
    }
    __syncthreads();
    u32 mine = 0;
    for (u32 other = thread; other < blocks; other += 128)
      mine += __ldcg(now + other);
    atomicAdd(&sum, mine);
    __syncthreads();
  }
  if (thread == 0)
    result[block] = sum;
}

/// By the data itself: number and epoch in one 64-bit word, which the readers
/// poll; thread t waits for the words of blocks t, t + 128, ... Two buffers, so
/// that nobody overwrites what another still reads. words: [2][blocks], zeros.
extern "C" __global__ void __launch_bounds__(128) exchange_epoch(u64 *words, u32 rounds, u32 *result) {
  __shared__ u32 sum;
  const u32 blocks = gridDim.x, block = blockIdx.x, thread = threadIdx.x;
  if (thread == 0)
    sum = 0;
  __syncthreads();
  for (u32 round = 0; round < rounds; ++round) {
    u64 *now = words + (round & 1) * blocks;
    const u64 epoch = round + 1;
    if (thread == 0)
      storeRelaxed(now + block, epoch << 32 | (block + round));
    u32 mine = 0;
    for (u32 other = thread; other < blocks; other += 128) {
      u64 word;
      do
        word = loadRelaxed(now + other);
      while (word >> 32 != epoch);
      mine += static_cast<u32>(word);
    }
    atomicAdd(&sum, mine);
    __syncthreads();
  }
  if (thread == 0)
    result[block] = sum;
}

/// Within a cluster by its barrier: the numbers are stored into the shared
/// memory of every block, barrier.cluster says that they are there.
extern "C" __global__ void __launch_bounds__(128) exchange_cluster_barrier(u32 clusterBlocks, u32 rounds, u32 *result) {
  __shared__ u32 numbers[2][16];
  const u32 thread = threadIdx.x, rank = clusterRank();
  u32 sum = 0;
  clusterSync();
  for (u32 round = 0; round < rounds; ++round) {
    if (thread < clusterBlocks) {
      u32 remote;
      asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(remote) : "r"(shared(&numbers[round & 1][rank])), "r"(thread));
      asm volatile("st.shared::cluster.u32 [%0], %1;" ::"r"(remote), "r"(rank + round) : "memory");
    }
    clusterSync();
    for (u32 other = 0; other < clusterBlocks; ++other)
      sum += reinterpret_cast<volatile u32 *>(numbers[round & 1])[other];
  }
  clusterSync(); // nobody leaves while another may still store
  if (thread == 0)
    result[blockIdx.x] = sum;
}

/// Within a cluster by the data: word and epoch into every block's shared
/// memory, polled there.
extern "C" __global__ void __launch_bounds__(128) exchange_cluster_epoch(u32 clusterBlocks, u32 rounds, u32 *result) {
  __shared__ __align__(8) u64 words[2][16];
  __shared__ u32 sum;
  const u32 thread = threadIdx.x, rank = clusterRank();
  if (thread == 0)
    sum = 0;
  if (thread < 32)
    words[thread / 16][thread % 16] = 0;
  clusterSync();
  for (u32 round = 0; round < rounds; ++round) {
    const u64 epoch = round + 1;
    if (thread < clusterBlocks) {
      u32 remote;
      asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(remote) : "r"(shared(&words[round & 1][rank])), "r"(thread));
      asm volatile("st.relaxed.cluster.shared::cluster.u64 [%0], %1;" ::"r"(remote), "l"(epoch << 32 | (rank + round)) : "memory");
      u64 word;
      do
        asm volatile("ld.relaxed.cluster.shared::cta.u64 %0, [%1];" : "=l"(word) : "r"(shared(&words[round & 1][thread])) : "memory");
      while (word >> 32 != epoch);
      atomicAdd(&sum, static_cast<u32>(word));
    }
    __syncthreads();
  }
  clusterSync();
  if (thread == 0)
    result[blockIdx.x] = sum;
}
