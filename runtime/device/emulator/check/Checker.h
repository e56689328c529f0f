// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The checks of `--emulator-check`: an Observer that stops a wrong program.
//
// Races (CheckAccess.cpp): every access is compared with what its line
// remembers (Shadow.h). Two accesses of different threads to one byte race when
// one of them writes, neither happens before the other (Knowledge.h), and not
// both are strong at a scope that includes both threads (the memory model
// chapter of the PTX ISA: "morally strong"). Not reported: stores that leave
// the bytes as they are, because programs on purpose let many threads store one
// value. The lanes of a warp are threads like others: what one lane wrote and
// another reads has to be ordered by bar.warp.sync; shuffles and votes order
// nothing.
//
// What orders (CheckSync.cpp): barriers for the threads that take part;
// mbarrier arrivals before the waits that see their phase end; release patterns
// before acquire patterns that read them, at sufficient scope, through atomic
// read-modify-writes in between; fences, which the checks also let act through
// a barrier (every thread fences, all meet, one sets the flag);
// barrier.cluster; one kernel before the next, unless that was launched early
// and has not yet executed griddepcontrol.wait. It could be launched when each
// block of the one before had executed launch_dependents, or ended: where all
// had waited by then, what was before that one is over.
//
// The asynchronous proxy (CheckAsync.cpp): an operation is under way from its
// issue to the moment at which a thread can know that it is over, whenever the
// emulator carries it out. Uninitialised memory: Taint.h.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_CHECK_CHECKER_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_CHECK_CHECKER_H

#include "runtime/device/emulator/Memory.h"
#include "runtime/device/emulator/Scheduler.h"
#include "runtime/device/emulator/check/AccessRuns.h"
#include "runtime/device/emulator/check/AsyncWork.h"
#include "runtime/device/emulator/check/BlockState.h"
#include "runtime/device/emulator/check/CheckKind.h"

#include <unordered_map>

namespace llrt::emu {

class Checker final : public Observer {
public:
  bool wants(const Note &note) const override;
  void decoded(Program &program) override;
  void kernelStarts(const Launch &launch) override;
  void blockStarts(Block &block) override;
  void blockEnds(Block &block) override;
  void lanesExit(Warp &warp, uint32_t lanes) override;
  void before(const Inst *inst, const Note &note, Warp &warp,
              uint32_t mask) override;
  void barrierArrives(const Inst *inst, Warp &warp, uint32_t mask,
                      uint32_t number, bool waits) override;
  void barrierCompletes(Block &block, uint32_t number) override;
  void clusterArrives(const Inst *inst, Warp &warp, uint32_t mask) override;
  void clusterCompletes(Cluster &cluster) override;
  void clusterPasses(const Inst *inst, Warp &warp, uint32_t mask) override;
  void mbarrier(const MbarrierEvent &event) override;
  void asyncIssued(const AsyncEvent &event) override;
  void asyncArrives(const AsyncEvent &event) override;
  void allocated(const Allocation &allocation, bool initialised) override;
  void released(const Allocation &allocation) override;
  void hostWrote(uint64_t address, uint64_t bytes) override;
  void copiedOnDevice(uint64_t to, uint64_t from, uint64_t bytes) override;

private:
  /// A release that a location remembers.
  struct Release {
    unsigned level; ///< of its scope
    uint32_t block, cluster;
    bool mixed = false; ///< of threads of several blocks
    View view;
  };
  struct Location {
    uint32_t owner = ~0u; ///< whose shared memory; ~0: global
    std::vector<Release> releases;
  };
  /// Where the lanes of an access go, once it is known to be in bounds.
  struct Target {
    Region *region = nullptr; ///< null: nothing to check (parameters)
    uint64_t host = 0;
    BlockState *owner = nullptr; ///< of shared and local memory
  };
  struct Current {
    const Inst *inst;
    const Note *note; ///< null: asynchronous
    Warp *warp;
    BlockState *block;
    const char *what; ///< "load"
  };

  const Launch *launch = nullptr;
  const Program *program = nullptr;
  GlobalShadow global;
  std::unordered_map<const Program *, std::unique_ptr<TaintPlan>> plans;
  const TaintPlan *plan = nullptr;
  std::unordered_map<const Block *, std::unique_ptr<BlockState>> blocks;
  const Block *lastBlock = nullptr;
  BlockState *lastState = nullptr;
  std::unordered_map<uint64_t, Location> locations;
  std::vector<AsyncWork> work; ///< of this launch, by number
  std::unordered_map<const Cluster *, std::pair<Gather, Gather>> clusterPhases;
  std::unordered_map<const Cluster *, View> clusterOver;
  KnowledgeRef gridKnowledge;
  bool early = false; ///< launched while the previous grid may still run
  /// No block of a grid since the last that was not launched early let the next
  /// grid start before it had waited for the one before.
  bool waitsFirst = true;
  uint32_t gridsOver = 0; ///< those of a lower number are over

  BlockState &stateOf(const Block *block) {
    if (block == lastBlock)
      return *lastState;
    lastBlock = block;
    lastState = blocks.at(block).get();
    return *lastState;
  }
  const Note &noteOf(const Inst *inst) const {
    return program->notes[static_cast<size_t>(inst - program->code.data())];
  }

  // CheckAccess.cpp
  Target target(const Note &note, const BlockState &block, const Warp &warp,
                unsigned lane, uint64_t address, uint32_t bytes);
  void access(const Inst *inst, const Note &note, Warp &warp, uint32_t mask);
  void touch(const Current &at, Region &region, AccessRoom &room, Line &line,
             uint64_t start, const Access &now);
  void remember(AccessRoom &room, Line &line, const Access &now);
  bool ordered(const Current &at, const Access &earlier, const Access &now,
               uint64_t common, int &lane, int &otherLane) const;
  bool quicklyOrdered(const BlockState &block, const Access &earlier,
                      const Access &now, uint64_t common, uint32_t known) const;
  bool knownTo(const BlockState &block, uint32_t thread, const Access &earlier,
               unsigned otherLane) const;
  bool changesBytes(const Current &at, uint64_t start, const Access &now,
                    uint64_t common) const;
  [[noreturn]] void report(const Current &at, const Access &earlier,
                           const Access &now, uint64_t start, uint64_t common,
                           int lane, int otherLane, CheckKind kind) const;
  bool stronglyOrdered(const BlockState &block, const Access &a,
                       const Access &b) const;
  std::string placeText(const Region &region, const BlockState *owner,
                        uint64_t host) const;

  // CheckSync.cpp
  void exported(const BlockState &block, uint32_t thread, Gather &seen,
                Gather &fenced) const;
  View exportedView(const BlockState &block, uint32_t thread) const;
  void learn(BlockState &block, uint32_t thread, const View &view);
  void fence(const Note &note, Warp &warp, uint32_t mask);
  void warpSync(Warp &warp, uint32_t mask);
  void synchronise(const Note &note, BlockState &block, Warp &warp,
                   unsigned lane, const Target &target);
  void release(Location &location, const Note &note, BlockState &block,
               uint32_t thread, bool replaces);
  void acquire(const Location &location, const Note &note, BlockState &block,
               uint32_t thread);
  unsigned relation(const BlockState &block, uint32_t other,
                    uint32_t otherCluster, bool mixed) const;

  // CheckAsync.cpp
  void issueRange(const AsyncEvent &event, BlockState &block, uint32_t number,
                  uint64_t host, uint64_t bytes, bool writes);
  Target hostTarget(uint64_t host, BlockState &self);
  void commit(const Note &note, Warp &warp, uint32_t mask);
  void await(const Note &note, Warp &warp, uint32_t mask);
  void phaseEnds(BlockState &owner, MbarrierState &state);
  void checkFenced(const Current &at, const Access &earlier, const Access &now,
                   uint64_t start, uint64_t common, int lane) const;
  CheckKind kindOf(const Access &earlier, const Access &now,
                   bool isShared) const;
  std::string lineText(uint32_t line) const;
  std::string sourceOf(const Access &earlier, int lane) const;
  void checkWgmmaRegisters(const Inst *inst, const Note &note,
                           const BlockState &block, const Warp &warp) const;

  // CheckTaint.cpp
  void taintLoad(const Inst *inst, const Note &note, Warp &warp, uint32_t mask,
                 const AccessEvent &event, const Target *targets);
  void taintStore(const Inst *inst, const Note &note, Warp &warp, uint32_t mask,
                  const AccessEvent &event, const Target *targets);
  void checkAddress(const Inst *inst, const Note &note, Warp &warp,
                    uint32_t mask);
};

} // namespace llrt::emu

#endif
