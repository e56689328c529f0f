// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The GPUs that llamac compiles for: the one place that knows what each has.
//
// A row is the figures of one GPU and the features of its architecture. The
// compiler asks for a feature and never for a version number; the emulator
// enforces the row that an executable names; `--gpu native` looks for the row
// of the GPU that is there. Plain C++: compiler, runtime and tests share it.
#ifndef LLAMAC_RUNTIME_GPUTABLE_H
#define LLAMAC_RUNTIME_GPUTABLE_H

#include "runtime/View.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace llrt {

struct EmulatedGpu;

/// What some architectures have and others lack.
enum GpuFeature : uint32_t {
  GpuAsyncCopy = 1,       ///< cp.async with its groups
  GpuMatrixProduct = 2,   ///< mma.sync of bf16 and f16, ldmatrix
  GpuBulkCopy = 4,        ///< cp.async.bulk, completed by an mbarrier
  GpuMbarrierWait = 8,    ///< mbarrier.try_wait, expect_tx
  GpuCluster = 16,        ///< clusters of blocks, distributed shared memory
  GpuWarpgroup = 32,      ///< wgmma
  GpuSetRegisters = 64,   ///< setmaxnreg
  GpuBf16Arithmetic = 128, ///< add and mul of bf16; fma is everywhere
  GpuProgrammaticLaunch = 256 ///< a kernel may start before the one before ends
};

/// One row (`llamac --gpu ROW`).
struct GpuRow {
  const char *name;        ///< as --gpu takes it
  const char *description; ///< for --gpu help
  const char *marketName;  ///< begins what the driver calls it; "": no product
  const char *chip;        ///< as LLVM and ptxas take it: "sm_90a"
  const char *ptxFeature;  ///< LLVM's: the lowest PTX that its kernels need
  uint32_t smVersion;      ///< compute capability: 90 for 9.0
  uint32_t features;       ///< of GpuFeature
  uint32_t multiprocessors;
  uint32_t sharedBytesPerBlock; ///< most that a block may ask for
  uint32_t sharedBytesPerMultiprocessor;
  uint32_t registersPerMultiprocessor;
  uint32_t threadsPerMultiprocessor;
  uint32_t blocksPerMultiprocessor;
  uint64_t l2Bytes;
  uint64_t bandwidthBytesPerSecond; ///< of device memory, by the datasheet
  uint64_t memoryBytes;             ///< of device memory, by the datasheet

  static constexpr uint32_t threadsPerBlock = 1024; ///< on every architecture
  /// What the driver keeps of each block's share of shared memory.
  static constexpr uint32_t reservedSharedBytes = 1024;

  bool has(GpuFeature feature) const { return features & feature; }
  /// Code for this row runs on no later architecture (sm_90a).
  bool isArchitectureSpecific() const;
};

View<GpuRow> gpuTable();

/// The row called `name`, or null.
const GpuRow *findGpuRow(std::string_view name);

/// The table as aligned text, one line a row: --gpu help.
std::string describeGpuTable();

/// What the emulator needs to know to stand for `row`.
EmulatedGpu emulatedGpu(const GpuRow &row);

/// What a GPU says of itself.
struct FoundGpu {
  std::string name; ///< "NVIDIA H200"
  uint32_t smVersion = 0;
  uint32_t multiprocessors = 0;
  uint64_t memoryBytes = 0;
};

/// The row of a GPU: of its compute capability, not more multiprocessors than
/// it has and no more memory than it has (datasheets count 10^9 where drivers
/// count 2^30); of these the one whose product it is by name, else the one
/// with the most multiprocessors. Null where there is none: `why` then says
/// what the table has.
const GpuRow *matchGpuRow(const FoundGpu &gpu, std::string &why);

/// Blocks of a kernel that a multiprocessor holds at once, and what limits it.
struct Occupancy {
  enum Limit { Blocks, Threads, Registers, SharedMemory };
  uint32_t blocks = 0;
  Limit limit = Blocks;
  const char *limitName() const; ///< "blocks", "threads", ...
};

/// By the rules of CUDA's occupancy calculator (cuda_occupancy.h): registers
/// are taken by warps, 256 at a time, in each of four sub-partitions; shared
/// memory by blocks, 128 bytes at a time, with the driver's 1 KB.
Occupancy occupancyOf(const GpuRow &row, uint32_t threads, uint32_t registers,
                      uint32_t sharedBytes);

} // namespace llrt

#endif
