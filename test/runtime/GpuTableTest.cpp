// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The GPU table: its figures against what NVIDIA prints, the choice of a row
// for a GPU, and occupancy.
#include "runtime/GpuTable.h"
#include "runtime/device/Device.h"

#include <gtest/gtest.h>
#include <set>

// NVIDIA's own calculator, where a toolkit is installed.
#if __has_include("/usr/local/cuda/include/cuda_occupancy.h")
#include "/usr/local/cuda/include/cuda_occupancy.h"
#define LLAMAC_HAS_CALCULATOR 1
#endif

using namespace llrt;

TEST(GpuTable, HasTheTenRows) {
  std::set<std::string> names;
  for (const GpuRow &row : gpuTable())
    names.insert(row.name);
  EXPECT_EQ(names, (std::set<std::string>{
                       "emulator", "h200", "h100-sxm", "h100-pcie", "a100-80g",
                       "a100-40g", "rtx4090", "rtx3090", "l4", "rtx5090"}));
  EXPECT_EQ(findGpuRow("abacus"), nullptr);
  EXPECT_EQ(findGpuRow(""), nullptr);
}

TEST(GpuTable, ChipsAndVersionsAgree) {
  for (const GpuRow &row : gpuTable()) {
    std::string chip = "sm_" + std::to_string(row.smVersion);
    EXPECT_EQ(std::string(row.chip).substr(0, chip.size()), chip) << row.name;
    EXPECT_EQ(row.has(GpuWarpgroup), row.smVersion == 90) << row.name;
    EXPECT_EQ(row.has(GpuBulkCopy), row.smVersion >= 90) << row.name;
    EXPECT_TRUE(row.has(GpuAsyncCopy) && row.has(GpuMatrixProduct)) << row.name;
    EXPECT_EQ(row.sharedBytesPerBlock + GpuRow::reservedSharedBytes,
              row.sharedBytesPerMultiprocessor)
        << row.name;
  }
}

// CUDA cores: datasheets; cores of a multiprocessor: the architecture's
// whitepaper.
TEST(GpuTable, MultiprocessorsAreCoresByTheDatasheet) {
  const struct {
    const char *row;
    uint32_t cores, perMultiprocessor;
  } published[] = {{"h200", 16896, 128},      {"h100-sxm", 16896, 128},
                   {"h100-pcie", 14592, 128}, {"a100-80g", 6912, 64},
                   {"a100-40g", 6912, 64},    {"rtx4090", 16384, 128},
                   {"rtx3090", 10496, 128},   {"l4", 7424, 128},
                   {"rtx5090", 21760, 128}};
  for (const auto &entry : published)
    EXPECT_EQ(findGpuRow(entry.row)->multiprocessors * entry.perMultiprocessor,
              entry.cores)
        << entry.row;
}

TEST(GpuTable, TheEmulatorStandsForARow) {
  EmulatedGpu gpu = emulatedGpu(*findGpuRow("rtx3090"));
  EXPECT_EQ(gpu.name, "rtx3090");
  EXPECT_EQ(gpu.smVersion, 86u);
  EXPECT_EQ(gpu.multiprocessors, 82u);
  EXPECT_EQ(gpu.sharedBytesPerBlock, 101376u);
  EXPECT_EQ(gpu.sharedBytesPerMultiprocessor, 102400u);
  EXPECT_EQ(gpu.threadsPerMultiprocessor, 1536u);
  EXPECT_EQ(gpu.blocksPerMultiprocessor, 16u);
}

static std::string match(const char *name, uint32_t sm, uint32_t count,
                         uint64_t mebibytes) {
  std::string why;
  const GpuRow *row = matchGpuRow({name, sm, count, mebibytes << 20}, why);
  return row ? row->name : why;
}

// Names and memory as nvidia-smi shows them.
TEST(GpuTable, MatchesWhatDriversReport) {
  EXPECT_EQ(match("NVIDIA H200", 90, 132, 143771), "h200");
  EXPECT_EQ(match("NVIDIA H100 80GB HBM3", 90, 132, 81559), "h100-sxm");
  EXPECT_EQ(match("NVIDIA H100 PCIe", 90, 114, 81559), "h100-pcie");
  EXPECT_EQ(match("NVIDIA A100-SXM4-80GB", 80, 108, 81920), "a100-80g");
  EXPECT_EQ(match("NVIDIA A100-PCIE-40GB", 80, 108, 40960), "a100-40g");
  EXPECT_EQ(match("NVIDIA GeForce RTX 4090", 89, 128, 24564), "rtx4090");
  EXPECT_EQ(match("NVIDIA GeForce RTX 3090", 86, 82, 24576), "rtx3090");
  EXPECT_EQ(match("NVIDIA L4", 89, 58, 23034), "l4");
  EXPECT_EQ(match("NVIDIA GeForce RTX 5090", 120, 170, 32607), "rtx5090");
  // Other products: the largest row that is no larger.
  EXPECT_EQ(match("NVIDIA GH200 480GB", 90, 132, 97871), "h100-sxm");
  EXPECT_EQ(match("NVIDIA RTX A6000", 86, 84, 49140), "rtx3090");
  EXPECT_EQ(match("NVIDIA GeForce RTX 4090 D", 89, 114, 24564), "l4");
}

TEST(GpuTable, SaysWhyNothingMatches) {
  EXPECT_EQ(match("Tesla V100", 70, 80, 32768),
            "Tesla V100: compute capability 7.0, 80 multiprocessors, 34 GB; "
            "the GPU table has no row of that compute capability");
  EXPECT_EQ(match("NVIDIA GeForce RTX 4060", 89, 24, 8188),
            "NVIDIA GeForce RTX 4060: compute capability 8.9, 24 "
            "multiprocessors, 8 GB; the rows of that compute capability are "
            "larger: rtx4090 (128 multiprocessors, 24 GB), l4 (58 "
            "multiprocessors, 24 GB)");
}

// By hand: 128 threads of 168 registers are 4 warps of 5376 registers, three
// in each of the four partitions of 16384, so 12 warps.
TEST(Occupancy, ByHand) {
  const GpuRow &h200 = *findGpuRow("h200");
  Occupancy found = occupancyOf(h200, 128, 168, 0);
  EXPECT_EQ(found.blocks, 3u);
  EXPECT_STREQ(found.limitName(), "registers");
  found = occupancyOf(h200, 128, 32, 66 * 1024);
  EXPECT_EQ(found.blocks, 3u); // of 67 KB in 228
  EXPECT_STREQ(found.limitName(), "shared memory");
  found = occupancyOf(h200, 1024, 32, 0);
  EXPECT_EQ(found.blocks, 2u);
  EXPECT_STREQ(found.limitName(), "threads");
  found = occupancyOf(h200, 32, 16, 0);
  EXPECT_EQ(found.blocks, 32u);
  EXPECT_STREQ(found.limitName(), "blocks");
  EXPECT_EQ(occupancyOf(h200, 1024, 255, 0).blocks, 0u);
  EXPECT_EQ(occupancyOf(h200, 32, 32, 228 * 1024).blocks, 0u);
}

#ifdef LLAMAC_HAS_CALCULATOR
TEST(Occupancy, AsNvidiasCalculator) {
  for (const GpuRow &row : gpuTable())
    for (uint32_t threads : {32u, 96u, 128u, 200u, 256u, 1024u})
      for (uint32_t registers : {16u, 40u, 96u, 128u, 168u, 255u})
        for (uint32_t shared : {0u, 100u, 20000u, 66000u, 101376u, 232448u}) {
          if (shared > row.sharedBytesPerBlock)
            continue;
          cudaOccDeviceProp chip;
          chip.computeMajor = static_cast<int>(row.smVersion / 10);
          chip.computeMinor = static_cast<int>(row.smVersion % 10);
          chip.maxThreadsPerBlock = GpuRow::threadsPerBlock;
          chip.maxThreadsPerMultiprocessor =
              static_cast<int>(row.threadsPerMultiprocessor);
          chip.regsPerBlock = 65536;
          chip.regsPerMultiprocessor =
              static_cast<int>(row.registersPerMultiprocessor);
          chip.warpSize = 32;
          chip.sharedMemPerBlock = 48 * 1024;
          chip.sharedMemPerMultiprocessor = row.sharedBytesPerMultiprocessor;
          chip.numSms = static_cast<int>(row.multiprocessors);
          chip.sharedMemPerBlockOptin = row.sharedBytesPerBlock;
          chip.reservedSharedMemPerBlock = GpuRow::reservedSharedBytes;
          cudaOccFuncAttributes kernel;
          kernel.maxThreadsPerBlock = GpuRow::threadsPerBlock;
          kernel.numRegs = static_cast<int>(registers);
          kernel.shmemLimitConfig = FUNC_SHMEM_LIMIT_OPTIN;
          kernel.maxDynamicSharedSizeBytes = row.sharedBytesPerBlock;
          cudaOccDeviceState state;
          state.carveoutConfig = SHAREDMEM_CARVEOUT_MAX_SHARED;
          cudaOccResult result;
          ASSERT_EQ(cudaOccMaxActiveBlocksPerMultiprocessor(
                        &result, &chip, &kernel, &state,
                        static_cast<int>(threads), shared),
                    CUDA_OCC_SUCCESS);
          EXPECT_EQ(static_cast<int>(
                        occupancyOf(row, threads, registers, shared).blocks),
                    result.activeBlocksPerMultiprocessor)
              << row.name << ": " << threads << " threads, " << registers
              << " registers, " << shared << " bytes";
        }
}
#endif
