// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels that show whether a Device keeps its word: arguments, shapes, shared
// memory, order, residency, clusters.

/// Element i of the grid is base + i.
extern "C" __global__ void __launch_bounds__(1024) store_index(u32 *out, u32 count, u32 base) {
  const u32 i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count)
    out[i] = base + i;
}

/// Arguments of every size, one by one.
struct Three {
  u32 x, y, z;
};
extern "C" __global__ void store_arguments(u64 *out, unsigned char a, unsigned short b, u32 c, u64 d, float e, double f,
                                           Three g) {
  out[0] = a;
  out[1] = b;
  out[2] = c;
  out[3] = d;
  out[4] = __float_as_uint(e);
  out[5] = static_cast<u64>(__double_as_longlong(f));
  out[6] = g.x + 10ull * g.y + 100ull * g.z;
}

/// Thread 0 of each block says where it is; [block][6].
extern "C" __global__ void store_shape(u32 *out) {
  const u32 block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  if (threadIdx.x == blockDim.x - 1 && threadIdx.y == blockDim.y - 1 && threadIdx.z == blockDim.z - 1) {
    const u32 values[6] = {gridDim.x, gridDim.y, gridDim.z, blockDim.x, blockDim.y, blockDim.z};
    for (u32 i = 0; i < 6; ++i)
      out[block * 6 + i] = values[i];
  }
}

/// All of the dynamic shared memory is written and read back in reverse.
extern "C" __global__ void __launch_bounds__(256) reverse_shared(u32 *out, u32 words) {
  extern __shared__ u32 dynamic[];
  __shared__ u32 fixed[256];
  fixed[threadIdx.x] = threadIdx.x;
  for (u32 i = threadIdx.x; i < words; i += 256)
    dynamic[i] = i * 3;
  __syncthreads();
  for (u32 i = threadIdx.x; i < words; i += 256)
    out[i] = dynamic[words - 1 - i] + fixed[255 - threadIdx.x];
}

/// Adds 1 to every element, slowly: `turns` dependent additions that cancel.
extern "C" __global__ void __launch_bounds__(256) add_slowly(u32 *data, u32 count, u32 turns) {
  const u32 i = blockIdx.x * 256 + threadIdx.x;
  if (i >= count)
    return;
  volatile u32 *place = data + i;
  const u32 value = *place;
  for (u32 turn = 0; turn < turns; ++turn)
    *place = *place + 2 * (turn & 1) - 1;
  *place = value + 1;
}

/// Every block waits for all: a grid that is not resident never ends.
extern "C" __global__ void __launch_bounds__(128) meet(u32 *arrived, u32 *out) {
  if (threadIdx.x != 0)
    return;
  addRelease(arrived, 1);
  while (loadAcquire(arrived) < gridDim.x) {
  }
  out[blockIdx.x] = loadAcquire(arrived);
}

/// Each block writes its number into the shared memory of its right neighbour.
extern "C" __global__ void __launch_bounds__(128) pass_right(u32 clusterBlocks, u32 *out) {
  __shared__ u32 told;
  clusterSync();
  if (threadIdx.x == 0) {
    u32 remote;
    asm volatile("mapa.shared::cluster.u32 %0, %1, %2;"
                 : "=r"(remote)
                 : "r"(shared(&told)), "r"((clusterRank() + 1) % clusterBlocks));
    asm volatile("st.shared::cluster.u32 [%0], %1;" ::"r"(remote), "r"(blockIdx.x) : "memory");
  }
  clusterSync();
  if (threadIdx.x == 0)
    out[blockIdx.x] = told;
}
