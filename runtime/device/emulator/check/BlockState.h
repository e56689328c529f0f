// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the checks know of a resident block and its threads.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_CHECK_BLOCKSTATE_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_CHECK_BLOCKSTATE_H

#include "runtime/device/emulator/Observer.h"
#include "runtime/device/emulator/check/Knowledge.h"
#include "runtime/device/emulator/check/Shadow.h"
#include "runtime/device/emulator/check/Taint.h"

#include <map>

namespace llrt::emu {

/// What is known through two proxies: `seen` is what happened before, `fenced`
/// the part of it that the asynchronous proxy can see as well.
struct View {
  KnowledgeRef seen, fenced;
};

/// What a thread said with a fence: others learn it from what the thread
/// writes, relaxed, afterwards. `clock` 0: no such fence.
struct Published {
  View view;
  uint32_t clock = 0;
  uint32_t fencedClock = 0;
};

constexpr unsigned scopeLevels = 3; ///< block, cluster, gpu and system

struct ThreadState {
  View view;
  uint32_t fencedClock = 0; ///< own writes up to it are fenced
};

/// Only of threads that use fences.
struct FenceState {
  Published published[scopeLevels];
  View acquirable[scopeLevels]; ///< read, relaxed: learnt at the next fence
};

struct BarrierState {
  Gather seen, fenced, published[scopeLevels];
  std::vector<uint32_t> arrived, waiting; ///< lanes, by warp
  bool open = false, allWait = true;
};

struct MbarrierState {
  uint32_t number = 0; ///< the actor of its phases
  bool valid = false;
  Gather seen, fenced;            ///< of this phase's arrivals
  View over;                      ///< of the phase that ended last
  std::vector<uint32_t> inFlight; ///< operations that it counts
  std::vector<uint32_t> landed;   ///< of this phase
};

struct BlockState {
  Block *block = nullptr;
  uint32_t id = 0;
  uint32_t clusterId = 0;
  uint32_t threads = 0;
  uint32_t clock = 1;
  std::vector<ThreadState> thread;
  std::vector<FenceState> fence; ///< empty until a thread needs it
  bool fencesUsed = false, proxyUsed = false;
  bool waited = false; ///< some thread, for the grid before
  /// By warp: what all its lanes know of all threads of the block.
  std::vector<uint32_t> warpKnowsAll;
  /// Its lanes have seen the same.
  std::vector<char> warpAgrees;
  std::vector<char> warpStale; ///< both have to be found out again
  BarrierState barriers[16];
  std::map<uint32_t, MbarrierState> mbarriers; ///< by shared address
  Region shared, local;
  AccessRoom room;
  std::vector<WarpTaint> taint;
  // Asynchronous groups, by thread: how many have been committed.
  std::vector<uint32_t> copyGroups, bulkGroups, wgmmaGroups;
  std::vector<uint32_t> openOperations; ///< not over, for the waits to find

  FenceState &fenceOf(uint32_t index) {
    if (fence.empty())
      fence.resize(threads);
    return fence[index];
  }
  void learnt(uint32_t warp) { warpStale[warp] = 1; }
  /// The clock up to which all lanes of a warp know all threads here.
  uint32_t knownToWarp(const Warp &warp) {
    uint32_t index = warp.index;
    if (!warpStale[index])
      return warpKnowsAll[index];
    warpStale[index] = 0;
    uint32_t least = ~0u;
    const Knowledge *last = nullptr;
    bool first = true;
    warpAgrees[index] = 1;
    for (uint32_t live = warp.live; live; live &= live - 1) {
      const Knowledge *seen =
          thread[index * 32 + static_cast<uint32_t>(__builtin_ctz(live))]
              .view.seen.get();
      if (seen == last && seen)
        continue;
      warpAgrees[index] &= static_cast<char>(first);
      first = false;
      last = seen;
      const Knowledge::OfBlock *of = seen ? seen->find(id) : nullptr;
      least = std::min(least, of ? of->all : 0);
    }
    return warpKnowsAll[index] = least;
  }
};

} // namespace llrt::emu

#endif
