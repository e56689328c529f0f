// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the emulator counts of each kernel when it is asked to (--profile).
//
// Counts are exact and do not depend on the host; those that depend on the
// order of warps (polls, waits) are the same in every run of one schedule.
#ifndef LLAMAC_RUNTIME_DEVICE_PROFILE_H
#define LLAMAC_RUNTIME_DEVICE_PROFILE_H

#include <array>
#include <cstdint>
#include <string>

namespace llrt {

/// Classes of warp instructions.
enum class InstructionClass : uint8_t {
  Integer,
  Float,
  Conversion,
  Move,            ///< mov, setp, selp, cvta, parameters
  Control,         ///< branches, calls, exits
  Memory,          ///< loads and stores, atomics, ldmatrix
  Asynchronous,    ///< cp.async, bulk copies, st.async
  Tensor,          ///< mma, wgmma
  Exchange,        ///< shfl, vote, match, redux
  Synchronisation, ///< barriers, mbarriers, fences
  Count
};
constexpr size_t instructionClasses =
    static_cast<size_t>(InstructionClass::Count);
const char *instructionClassName(InstructionClass each);

struct MemoryTraffic {
  uint64_t read = 0, written = 0; ///< bytes that lanes and copies ask for
};

/// All launches of one kernel.
struct KernelProfile {
  std::string kernel, module;
  uint64_t launches = 0, blocks = 0, threads = 0;
  std::array<uint64_t, instructionClasses> instructions{}; ///< of warps
  uint64_t laneInstructions = 0; ///< the same, times their active lanes
  MemoryTraffic global, shared, local;
  /// Bytes of global memory that a launch touches at least once, summed over
  /// launches: what a perfect cache would have to fetch or write back.
  uint64_t distinctGlobalBytes = 0;
  /// 32-byte sectors that warps' global accesses touch, and the fewest that
  /// their bytes would fit in.
  uint64_t sectors = 0, leastSectors = 0;
  /// Passes over shared memory beyond those that the bytes need: lanes that ask
  /// for different words of one bank.
  uint64_t bankConflicts = 0;
  uint64_t tensorOperations = 0; ///< multiplications and additions
  uint64_t barrierWaits = 0;     ///< warps at bar.sync and barrier.cluster
  uint64_t mbarrierWaits = 0;    ///< phases that lanes waited for and passed

  uint64_t warpInstructions() const {
    uint64_t sum = 0;
    for (uint64_t each : instructions)
      sum += each;
    return sum;
  }
};

/// Totals of a device. Bytes are counted only with a profile.
struct EmulatorCounters {
  uint64_t launches = 0, warpInstructions = 0;
  bool countsBytes = false;
  MemoryTraffic global, shared, local;
};

} // namespace llrt

#endif
