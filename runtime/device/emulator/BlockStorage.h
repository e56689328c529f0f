// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Room for resident blocks: registers, predicates, local and shared memory.
// Kept from block to block and from launch to launch, so that a small kernel
// costs no allocation and finds its registers in the cache.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_BLOCKSTORAGE_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_BLOCKSTORAGE_H

#include "runtime/device/emulator/Scheduler.h"

#include <unordered_map>

namespace llrt::emu {

/// Bytes at a multiple of 64, which grow and never shrink.
class AlignedBytes {
public:
  char *reserve(size_t bytes);
  char *data() { return aligned; }

private:
  std::vector<char> bytes;
  char *aligned = nullptr;
};

class WorkerStorage {
public:
  /// Before the first block of a launch.
  void prepare(Launch &launch);
  /// The blocks of a cluster (one block without clusters).
  Cluster *start(const Launch &launch, uint64_t number);
  /// Returns the instructions that its blocks executed.
  uint64_t finish(Cluster *cluster);
  /// The warp that ran last.
  uint32_t runningWarp(const Block &block) const { return block.running; }

private:
  struct Room {
    Block block;
    AlignedBytes registers, shared, local;
    bool used = false;
  };
  Worker worker;
  /// Cached intervals outlive a launch, but not a release of memory.
  std::unordered_map<const Program *, std::vector<Interval>> intervals;
  uint64_t releases = 0;
  std::deque<Room> rooms;
  std::deque<Cluster> clusters; ///< without blocks: free

  Block *startBlock(const Launch &launch, Cluster &cluster, Dim3 index);
  void enter(Warp &warp, const Launch &launch, const Block &block);
};

} // namespace llrt::emu

#endif
