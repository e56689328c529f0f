// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The rows of the GPU table, and what follows from one. Test:
// test/runtime/GpuTableTest.cpp.
#include "runtime/GpuTable.h"

#include "runtime/device/Device.h"

#include <algorithm>
#include <cstdio>
#include <tuple>

using namespace llrt;

namespace {

/// What all GPUs of one compute capability share.
struct Architecture {
  const char *chip;
  const char *ptxFeature;
  uint32_t smVersion;
  uint32_t features;
  uint32_t sharedBytesPerBlock, sharedBytesPerMultiprocessor;
  uint32_t threadsPerMultiprocessor, blocksPerMultiprocessor;
};

constexpr uint32_t kilobyte = 1024;
constexpr uint64_t megabyte = 1024 * 1024;
constexpr uint64_t gigabyte = 1'000'000'000; // as datasheets count
constexpr uint32_t registers = 65536;        // 64 K of 32 bits on all of them

// Shared memory, threads and blocks: CUDA C++ Programming Guide 13.0, section
// "Compute Capabilities", table "Technical Specifications per Compute
// Capability"; blocks also cudaOccMaxBlocksPerMultiprocessor in
// cuda_occupancy.h of CUDA 13.0. Features: PTX ISA 9.0, "Target ISA Notes" of
// each instruction. PTX versions: the lowest that knows the target and the
// forms of the instructions that our kernels use there.
constexpr uint32_t ampereFeatures = GpuAsyncCopy | GpuMatrixProduct;
constexpr Architecture sm80 = {
    "sm_80",        "+ptx70",       80,   ampereFeatures,
    163 * kilobyte, 164 * kilobyte, 2048, 32};
constexpr Architecture sm86 = {
    "sm_86",       "+ptx71",       86,   ampereFeatures,
    99 * kilobyte, 100 * kilobyte, 1536, 16};
constexpr Architecture sm89 = {
    "sm_89",       "+ptx78",       89,   ampereFeatures,
    99 * kilobyte, 100 * kilobyte, 1536, 24};
constexpr uint32_t hopperFeatures =
    ampereFeatures | GpuBulkCopy | GpuMbarrierWait | GpuCluster | GpuWarpgroup |
    GpuSetRegisters | GpuBf16Arithmetic | GpuProgrammaticLaunch;
constexpr Architecture sm90a = {
    "sm_90a",       "+ptx80",       90,   hopperFeatures,
    227 * kilobyte, 228 * kilobyte, 2048, 32};
// Without the `a` there is no setmaxnreg, and code runs on 12.1 too.
constexpr uint32_t blackwellFeatures = ampereFeatures | GpuBulkCopy |
                                       GpuMbarrierWait | GpuCluster |
                                       GpuBf16Arithmetic |
                                       GpuProgrammaticLaunch;
constexpr Architecture sm120 = {
    "sm_120",      "+ptx87",       120,  blackwellFeatures,
    99 * kilobyte, 100 * kilobyte, 1536, 24};

constexpr GpuRow makeRow(const char *name, const char *description,
                         const char *marketName, const Architecture &of,
                         uint32_t multiprocessors, uint64_t l2Bytes,
                         uint64_t gigabytesPerSecond, uint64_t gigabytes) {
  return {name,
          description,
          marketName,
          of.chip,
          of.ptxFeature,
          of.smVersion,
          of.features,
          multiprocessors,
          of.sharedBytesPerBlock,
          of.sharedBytesPerMultiprocessor,
          registers,
          of.threadsPerMultiprocessor,
          of.blocksPerMultiprocessor,
          l2Bytes,
          gigabytesPerSecond * gigabyte,
          gigabytes * gigabyte};
}

constexpr GpuRow table[] = {
    // Our own: few multiprocessors, so that grids are larger than the chip. No
    // bandwidth, for its time means nothing.
    makeRow("emulator", "the built-in emulator's own chip", "", sm90a, 4,
            50 * megabyte, 0, 16),
    // NVIDIA H200 Tensor Core GPU datasheet (SXM): 141 GB, 4.8 TB/s.
    // Multiprocessors and L2: NVIDIA H100 Tensor Core GPU Architecture
    // whitepaper, for the same GH100 in SXM5: 132, 50 MB.
    makeRow("h200", "NVIDIA H200 SXM", "NVIDIA H200", sm90a, 132, 50 * megabyte,
            4800, 141),
    // NVIDIA H100 datasheet: 80 GB, 3.35 TB/s (SXM), 2 TB/s (PCIe); whitepaper
    // as above: 132 and 114 multiprocessors, 50 MB of L2.
    makeRow("h100-sxm", "NVIDIA H100 SXM", "NVIDIA H100", sm90a, 132,
            50 * megabyte, 3350, 80),
    makeRow("h100-pcie", "NVIDIA H100 PCIe", "NVIDIA H100", sm90a, 114,
            50 * megabyte, 2000, 80),
    // NVIDIA A100 datasheet: 80 GB, 2,039 GB/s (SXM; PCIe 1,935), 40 GB, 1,555
    // GB/s. NVIDIA A100 Tensor Core GPU Architecture whitepaper: 108
    // multiprocessors, 40 MB of L2.
    makeRow("a100-80g", "NVIDIA A100 80 GB", "NVIDIA A100", sm80, 108,
            40 * megabyte, 2039, 80),
    makeRow("a100-40g", "NVIDIA A100 40 GB", "NVIDIA A100", sm80, 108,
            40 * megabyte, 1555, 40),
    // NVIDIA Ada GPU Architecture whitepaper, GeForce RTX 4090: 128
    // multiprocessors, 72 MB of L2, 24 GB, 1,008 GB/s.
    makeRow("rtx4090", "NVIDIA GeForce RTX 4090", "NVIDIA GeForce RTX 4090",
            sm89, 128, 72 * megabyte, 1008, 24),
    // NVIDIA Ampere GA102 GPU Architecture whitepaper, GeForce RTX 3090: 82
    // multiprocessors, 6 MB of L2, 24 GB, 936 GB/s.
    makeRow("rtx3090", "NVIDIA GeForce RTX 3090", "NVIDIA GeForce RTX 3090",
            sm86, 82, 6 * megabyte, 936, 24),
    // NVIDIA L4 Tensor Core GPU datasheet and product brief: 24 GB, 300 GB/s,
    // 7,424 CUDA cores, which are 58 multiprocessors of AD104; 48 MB of L2
    // (Ada whitepaper, AD104).
    makeRow("l4", "NVIDIA L4", "NVIDIA L4", sm89, 58, 48 * megabyte, 300, 24),
    // NVIDIA RTX Blackwell GPU Architecture whitepaper, GeForce RTX 5090: 170
    // multiprocessors, 96 MB of L2, 32 GB, 1,792 GB/s.
    makeRow("rtx5090", "NVIDIA GeForce RTX 5090", "NVIDIA GeForce RTX 5090",
            sm120, 170, 96 * megabyte, 1792, 32),
};

template <typename... Values>
std::string format(const char *pattern, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

std::string smName(uint32_t version) {
  return std::to_string(version / 10) + "." + std::to_string(version % 10);
}

} // namespace

View<GpuRow> llrt::gpuTable() { return {table, std::size(table)}; }

const GpuRow *llrt::findGpuRow(std::string_view name) {
  for (const GpuRow &row : table)
    if (row.name == name)
      return &row;
  return nullptr;
}

bool GpuRow::isArchitectureSpecific() const {
  return std::string_view(chip).back() == 'a';
}

std::string llrt::describeGpuTable() {
  std::string text = "row        chip    SMs  memory  bandwidth  shared/block  "
                     "L2     what\n";
  for (const GpuRow &row : table) {
    std::string bandwidth =
        row.bandwidthBytesPerSecond
            ? std::to_string(row.bandwidthBytesPerSecond / gigabyte) + " GB/s"
            : "-";
    text += format("%-9s  %-6s  %3u  %3llu GB  %9s  %9u KB  %2llu MB  %s\n",
                   row.name, row.chip, row.multiprocessors,
                   static_cast<unsigned long long>(row.memoryBytes / gigabyte),
                   bandwidth.c_str(), row.sharedBytesPerBlock / kilobyte,
                   static_cast<unsigned long long>(row.l2Bytes / megabyte),
                   row.description);
  }
  return text;
}

EmulatedGpu llrt::emulatedGpu(const GpuRow &row) {
  EmulatedGpu gpu;
  gpu.name = row.name;
  gpu.smVersion = row.smVersion;
  gpu.multiprocessors = row.multiprocessors;
  gpu.sharedBytesPerBlock = row.sharedBytesPerBlock;
  gpu.sharedBytesPerMultiprocessor = row.sharedBytesPerMultiprocessor;
  gpu.threadsPerMultiprocessor = row.threadsPerMultiprocessor;
  gpu.blocksPerMultiprocessor = row.blocksPerMultiprocessor;
  gpu.memoryBytes = row.memoryBytes;
  return gpu;
}

const GpuRow *llrt::matchGpuRow(const FoundGpu &gpu, std::string &why) {
  const GpuRow *best = nullptr;
  auto rank = [&](const GpuRow &row) {
    bool byName = gpu.name.compare(0, std::string_view(row.marketName).size(),
                                   row.marketName) == 0;
    return std::make_tuple(byName, row.multiprocessors, row.memoryBytes);
  };
  std::string near;
  for (const GpuRow &row : table) {
    if (!*row.marketName || row.smVersion != gpu.smVersion)
      continue;
    near += format("%s%s (%u multiprocessors, %llu GB)",
                   near.empty() ? "" : ", ", row.name, row.multiprocessors,
                   static_cast<unsigned long long>(row.memoryBytes / gigabyte));
    if (row.multiprocessors <= gpu.multiprocessors &&
        row.memoryBytes <= gpu.memoryBytes &&
        (!best || rank(*best) < rank(row)))
      best = &row;
  }
  if (best)
    return best;
  why = gpu.name + ": compute capability " + smName(gpu.smVersion) + ", " +
        std::to_string(gpu.multiprocessors) + " multiprocessors, " +
        std::to_string(gpu.memoryBytes / gigabyte) + " GB; ";
  why += near.empty()
             ? "the GPU table has no row of that compute capability"
             : "the rows of that compute capability are larger: " + near;
  return nullptr;
}

const char *Occupancy::limitName() const {
  static const char *const names[] = {"blocks", "threads", "registers",
                                      "shared memory"};
  return names[limit];
}

Occupancy llrt::occupancyOf(const GpuRow &row, uint32_t threads,
                            uint32_t registersPerThread, uint32_t sharedBytes) {
  constexpr uint32_t warpSize = 32, partitions = 4, registerUnit = 256,
                     sharedUnit = 128;
  auto roundUp = [](uint32_t value, uint32_t unit) {
    return (value + unit - 1) / unit * unit;
  };
  uint32_t warps = (std::max(threads, 1u) + warpSize - 1) / warpSize;
  uint32_t perWarp = roundUp(registersPerThread * warpSize, registerUnit);
  Occupancy result{row.blocksPerMultiprocessor, Occupancy::Blocks};
  auto limitTo = [&](uint32_t blocks, Occupancy::Limit limit) {
    if (blocks < result.blocks)
      result = {blocks, limit};
  };
  limitTo(row.threadsPerMultiprocessor / warpSize / warps, Occupancy::Threads);
  if (perWarp) {
    // The hardware counts a block's warps as if they filled all partitions.
    bool fits =
        perWarp * roundUp(warps, partitions) <= row.registersPerMultiprocessor;
    uint32_t warpsThatFit =
        row.registersPerMultiprocessor / partitions / perWarp * partitions;
    limitTo(fits ? warpsThatFit / warps : 0, Occupancy::Registers);
  }
  uint32_t shared =
      roundUp(sharedBytes + GpuRow::reservedSharedBytes, sharedUnit);
  limitTo(sharedBytes <= row.sharedBytesPerBlock
              ? row.sharedBytesPerMultiprocessor / shared
              : 0,
          Occupancy::SharedMemory);
  return result;
}
