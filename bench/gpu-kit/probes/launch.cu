// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels for the probes of launches: residency, cooperative grids, graphs,
// programmatic dependent launch.

/// Are all clusters of the grid on the chip at once? Each block says that it is
/// there and waits until all have said so, but not for ever. seen[block] is how
/// many it saw at last; arrived starts at 0.
extern "C" __global__ void __launch_bounds__(128) resident(u32 *arrived, u32 patience, u32 *seen) {
  extern __shared__ unsigned char taken[];
  if (threadIdx.x != 0)
    return;
  taken[0] = 1;
  addRelease(arrived, 1);
  u32 all = 0;
  for (u32 i = 0; i < patience && all < gridDim.x; ++i)
    all = loadAcquire(arrived);
  seen[blockIdx.x] = all;
}

/// One link of a chain: waits for the launch before it, adds 1 where the value
/// is `expected`, and lets the next one start early. A link that starts before
/// the one ahead has written breaks the chain.
extern "C" __global__ void __launch_bounds__(128) chain_link(u32 *value, u32 expected) {
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
  asm volatile("griddepcontrol.wait;" ::: "memory");
  if (blockIdx.x == 0 && threadIdx.x == 0 && *reinterpret_cast<volatile u32 *>(value) == expected)
    *reinterpret_cast<volatile u32 *>(value) = expected + 1;
}

/// The same by a grid that passes one exchange, which a cooperative launch
/// promises to end. The counter goes on from launch to launch: link n waits for
/// (n + 1) * blocks.
extern "C" __global__ void __launch_bounds__(128) chain_link_grid(u32 *value, u32 *counter, u32 expected) {
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
  asm volatile("griddepcontrol.wait;" ::: "memory");
  if (threadIdx.x != 0)
    return;
  addRelease(counter, 1);
  while (loadAcquire(counter) < (expected + 1) * gridDim.x) {
  }
  if (blockIdx.x == 0 && *reinterpret_cast<volatile u32 *>(value) == expected)
    *reinterpret_cast<volatile u32 *>(value) = expected + 1;
}
