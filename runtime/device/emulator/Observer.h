// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How checks, profiles and the like see what a program does.
//
// With an Observer on the device every kernel is decoded with a Note per Inst,
// and those that an Observer may want to see run through runObserved(), which
// tells it before and after. Without one there are no Notes and the handlers
// are called as they are: observing costs nothing when it is off. Events that
// are no single instruction's (a barrier that completes, a copy that lands) are
// told by the handlers themselves, `if (Observer *observer = warp.observer())`.
//
// A device with observers runs its launches on one host thread, so an Observer
// needs no locks and reports the same thing every time.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_OBSERVER_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_OBSERVER_H

#include "runtime/device/emulator/Machine.h"
#include "runtime/device/emulator/Ptx.h"

namespace llrt::emu {

struct Allocation;
struct Launch;
struct Program;

/// How an access is ordered. Volatile counts as relaxed at system scope.
enum class Order : uint8_t { Weak, Relaxed, Acquire, Release, AcquireRelease };
enum class Scope : uint8_t { Block, Cluster, Gpu, System };

enum class FenceKind : uint8_t {
  Memory,         ///< fence.acq_rel, fence.sc, membar
  ProxyAsync,     ///< fence.proxy.async
  MbarrierInit,   ///< fence.mbarrier_init
  GridDependency, ///< griddepcontrol.wait
  GridDependents, ///< griddepcontrol.launch_dependents
  Other
};

/// How the completion of an asynchronous operation is learnt.
enum class AsyncGroup : uint8_t { Copy, Bulk, Wgmma, Mbarrier };

/// What one Inst is, beyond what it takes to run it.
struct Note {
  enum Kind : uint8_t {
    Plain,
    Load,
    Store,
    Atomic, ///< atom and red
    LoadMatrix,
    StoreMatrix,
    // None of those below accesses memory.
    Fence,
    WarpSync,    ///< bar.warp.sync
    AsyncCommit, ///< commit_group
    AsyncWait,   ///< wait_group, wait_all
    WgmmaFence,
    Wgmma
  };
  /// Which lanes have to be here before the instruction does anything.
  enum Meeting : uint8_t { None, Whole, Members };
  struct Register {
    uint32_t place; ///< byte offset of the register; index of a predicate
    uint32_t slot;  ///< of Inst::op; 8 and more: Inst::extra
    uint32_t reg;   ///< virtual register, unique in the kernel
    uint8_t bits;   ///< 1, 32, 64
    bool isDef, isUse;
  };

  Handler run = nullptr; ///< what Inst::run was
  Kind kind = Plain;
  Meeting meeting = None;
  bool watched = false; ///< Inst::run is runObserved
  // Of an access:
  Space space = Space::Generic; ///< Generic: each lane's address says
  Order order = Order::Weak;
  Scope scope = Scope::Block;
  bool constant = false;    ///< ld.global.nc, ld.const
  uint8_t elementBytes = 0; ///< in memory
  uint8_t elements = 1;     ///< in a vector
  uint8_t membersSlot = 0;  ///< Members: the operand that names them
  FenceKind fence = FenceKind::Other;
  AsyncGroup group = AsyncGroup::Copy; ///< AsyncCommit, AsyncWait
  uint32_t left = 0;     ///< AsyncWait: groups that need not be over
  bool readOnly = false; ///< AsyncWait: .read
  std::string opcode;    ///< "ld.global.v2.f32"; "" for inner ones
  std::vector<Register> registers;

  bool isAccess() const { return kind >= Load && kind <= StoreMatrix; }
  /// Bytes a lane accesses; a row for ldmatrix and stmatrix.
  uint32_t bytes() const { return uint32_t(elementBytes) * elements; }
};

/// The lanes' addresses of an access, as the program gives them: generic ones
/// may lie in a window (Memory.h), shared ones are offsets.
struct AccessEvent {
  uint64_t address[32];
  uint32_t mask; ///< lanes that access; ldmatrix: those that name a row
};
AccessEvent accessOf(const Inst *inst, const Note &note, const Warp &warp,
                     uint32_t mask);
/// Where an address lies: at.. is the offset in Shared (from 0), Local, Param,
/// or the address itself in Global.
struct Place {
  Space space;
  uint64_t at;
};
Place placeOf(Space space, uint64_t address);

enum class MbarrierAction : uint8_t {
  Initialise,
  Invalidate,
  Arrive,
  Expect,    ///< expect_tx alone
  Complete,  ///< complete_tx
  PhaseEnds, ///< follows what ended it
  Tests,     ///< test_wait or try_wait, whatever comes of it
  Passes     ///< .. and has said yes
};
struct MbarrierEvent {
  MbarrierAction action;
  const Inst *inst;
  Warp *warp; ///< who acts; of PhaseEnds: who ended it
  int lane;
  Block *block;     ///< in whose shared memory it lies
  uint32_t address; ///< its shared address there
};

enum class AsyncKind : uint8_t {
  Copy,   ///< cp.async
  Bulk,   ///< cp.async.bulk and cp.reduce.async.bulk
  Remote, ///< st.async, red.async
  Wgmma
};
/// An asynchronous operation is issued. Ranges are host addresses.
struct AsyncEvent {
  AsyncKind kind;
  AsyncGroup group;
  const Inst *inst;
  Warp *warp;
  int lane; ///< -1: the whole warp (wgmma)
  const void *read = nullptr;
  uint64_t readBytes = 0;
  void *write = nullptr;
  uint64_t writeBytes = 0;
  bool reduces = false; ///< the target is updated, not replaced
  Block *mbarrierBlock = nullptr;
  uint32_t mbarrier = 0; ///< its shared address
};

/// The device calls these; one that an observer does not need does nothing.
class Observer {
public:
  virtual ~Observer() = default;
  /// Which Insts before() and after() shall see.
  virtual bool wants(const Note &) const { return false; }
  /// Once per kernel, before wants(): a look at all Notes.
  virtual void decoded(Program &) {}

  virtual void kernelStarts(const Launch &) {}
  virtual void kernelEnds(const Launch &) {}
  virtual void blockStarts(Block &) {}
  virtual void blockEnds(Block &) {}
  virtual void lanesExit(Warp &, uint32_t /*lanes*/) {}

  /// The lanes of `mask` execute the instruction. before(): registers and
  /// memory are as they were, and addresses are not yet checked. after() does
  /// not come when the instruction stopped the split.
  virtual void before(const Inst *, const Note &, Warp &, uint32_t /*mask*/) {}
  virtual void after(const Inst *, const Note &, Warp &, uint32_t /*mask*/) {}

  /// bar.sync/red (waits) and bar.arrive; completes: told after the arrival
  /// that completes it, before anybody is released.
  virtual void barrierArrives(const Inst *, Warp &, uint32_t /*mask*/,
                              uint32_t /*number*/, bool /*waits*/) {}
  virtual void barrierCompletes(Block &, uint32_t /*number*/) {}
  /// barrier.cluster.arrive (and wait), and its completion.
  virtual void clusterArrives(const Inst *, Warp &, uint32_t /*mask*/) {}
  virtual void clusterCompletes(Cluster &) {}
  virtual void clusterPasses(const Inst *, Warp &, uint32_t /*mask*/) {}
  virtual void mbarrier(const MbarrierEvent &) {}

  virtual void asyncIssued(const AsyncEvent &) {}
  /// cp.async.mbarrier.arrive.
  virtual void asyncArrives(const AsyncEvent &) {}

  // The host
  virtual void allocated(const Allocation &, bool /*initialised*/) {}
  virtual void released(const Allocation &) {}
  virtual void hostWrote(uint64_t /*address*/, uint64_t /*bytes*/) {}
  virtual void copiedOnDevice(uint64_t /*to*/, uint64_t /*from*/,
                              uint64_t /*bytes*/) {}
};

/// Several observers as one.
class ObserverList final : public Observer {
public:
  std::vector<Observer *> all;

  bool wants(const Note &note) const override {
    for (Observer *each : all)
      if (each->wants(note))
        return true;
    return false;
  }
#define LLRT_FORWARD(NAME, PARAMETERS, ARGUMENTS)                              \
  void NAME PARAMETERS override {                                              \
    for (Observer *each : all)                                                 \
      each->NAME ARGUMENTS;                                                    \
  }
  LLRT_FORWARD(decoded, (Program & program), (program))
  LLRT_FORWARD(kernelStarts, (const Launch &launch), (launch))
  LLRT_FORWARD(kernelEnds, (const Launch &launch), (launch))
  LLRT_FORWARD(blockStarts, (Block & block), (block))
  LLRT_FORWARD(blockEnds, (Block & block), (block))
  LLRT_FORWARD(lanesExit, (Warp & warp, uint32_t lanes), (warp, lanes))
  LLRT_FORWARD(before,
               (const Inst *inst, const Note &note, Warp &warp, uint32_t mask),
               (inst, note, warp, mask))
  LLRT_FORWARD(after,
               (const Inst *inst, const Note &note, Warp &warp, uint32_t mask),
               (inst, note, warp, mask))
  LLRT_FORWARD(barrierArrives,
               (const Inst *inst, Warp &warp, uint32_t mask, uint32_t number,
                bool waits),
               (inst, warp, mask, number, waits))
  LLRT_FORWARD(barrierCompletes, (Block & block, uint32_t number),
               (block, number))
  LLRT_FORWARD(clusterArrives, (const Inst *inst, Warp &warp, uint32_t mask),
               (inst, warp, mask))
  LLRT_FORWARD(clusterCompletes, (Cluster & cluster), (cluster))
  LLRT_FORWARD(clusterPasses, (const Inst *inst, Warp &warp, uint32_t mask),
               (inst, warp, mask))
  LLRT_FORWARD(mbarrier, (const MbarrierEvent &event), (event))
  LLRT_FORWARD(asyncIssued, (const AsyncEvent &event), (event))
  LLRT_FORWARD(asyncArrives, (const AsyncEvent &event), (event))
  LLRT_FORWARD(allocated, (const Allocation &allocation, bool initialised),
               (allocation, initialised))
  LLRT_FORWARD(released, (const Allocation &allocation), (allocation))
  LLRT_FORWARD(hostWrote, (uint64_t address, uint64_t bytes), (address, bytes))
  LLRT_FORWARD(copiedOnDevice, (uint64_t to, uint64_t from, uint64_t bytes),
               (to, from, bytes))
#undef LLRT_FORWARD
};

/// The handler of a watched Inst.
const Inst *runObserved(const Inst *inst, Warp &warp, uint32_t mask);
/// True when an instruction with a Meeting will run for these lanes.
bool meets(const Inst *inst, const Note &note, const Warp &warp, uint32_t mask);
/// What an opcode says of its Inst; `registers` are filled in later.
void describe(Note &note, const Statement &statement);
/// Makes Notes and watched handlers of a Program that has been built.
void instrument(Program &program, Observer &observer);

} // namespace llrt::emu

#endif
