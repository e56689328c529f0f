// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the interpreter works on: decoded instructions, warps, blocks.
//
// A register is a vector of 32 lanes, 4 or 8 bytes each (8- and 16-bit values
// take 4 bytes whose upper bits are unspecified; readers truncate). Predicates
// are 32-bit masks. A handler computes all 32 lanes into a local array and then
// stores the active ones: that is what compilers turn into vector code.
//
// Divergence: a warp is a set of splits (pc, lanes). A split that diverges
// opens a Group with the branch's immediate post-dominator; splits that reach
// it park in the group until all lanes that are still alive have come. The
// scheduler rotates over the splits that can run, so a lane that spins does
// not starve the lane it waits for; parked lanes are let go on when the others
// of their group make no way.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_MACHINE_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_MACHINE_H

#include "runtime/device/Device.h"
#include "runtime/device/emulator/Memory.h"

#include <cstring>
#include <deque>
#include <memory>
#include <vector>

namespace llrt::emu {

struct Inst;
struct Warp;
struct Block;
struct Worker;
class Observer;
class AsyncOperations;
class Schedule;

/// Runs one instruction for the lanes of `mask` and returns the next one, or
/// null after it has said in Warp::stop why the split leaves the processor.
using Handler = const Inst *(*)(const Inst *, Warp &, uint32_t mask);

struct alignas(64) Inst {
  Handler run = nullptr;
  /// Operands: byte offsets of registers; odd: of constants. Predicates: their
  /// index. Before slots are assigned: virtual registers (Decoder.cpp).
  uint32_t op[8] = {};
  int64_t imm = 0;
  union {
    const Inst *target = nullptr; ///< of a branch
    const uint32_t *extra;        ///< operands beyond the eighth
    void (*helper)();             ///< ld, st: how its addresses are resolved
  };
  uint32_t line = 0;
  uint32_t aux = 0; ///< memory: index of the worker's cached interval
};
static_assert(sizeof(Inst) == 64, "one cache line");

enum class Stop : uint8_t {
  Yield,    ///< may go on at once; time for others
  Blocked,  ///< waits for its block's barrier or mbarrier
  Converge, ///< waits for lanes of its own warp
  Gone,     ///< no longer there: exited, or parked in its group
  Again ///< the same split goes on at its pc, after the books are brought up to
        ///< date
};

enum class SplitState : uint8_t {
  Ready,
  Barrier,
  Mbarrier,
  ClusterBarrier,
  Converge
};

/// What a turn of a split came to.
enum class Turn : uint8_t {
  Moved,
  Idle, ///< polled unchanged words and changed only its own registers
  Stuck ///< will do the same for ever unless others change something
};

/// What an instruction read the last time, when a loop may poll with it.
struct Poll {
  const Inst *inst = nullptr;
  uint64_t hash = 0;               ///< of all lanes' addresses and values
  uint64_t address = 0, value = 0; ///< of the first lane
  bool inTurn = false;
};

struct Split {
  const Inst *pc = nullptr;
  uint32_t mask = 0;
  int32_t group = -1;
  SplitState state = SplitState::Ready;
  uint32_t needed = 0;  ///< Converge: the lanes that have to meet here
  uint32_t waitsAt = 0; ///< Barrier: its number. Mbarrier: its shared address
  bool waitsPhase = false; ///< Mbarrier: the phase that has to end
  /// Registers at the end of its last turn: the same again means that it spins.
  std::vector<char> snapshot;
  const Inst *snapshotPc = nullptr;
  uint32_t snapshotMask = 0;
  Turn turn = Turn::Moved;  ///< what its last whole turn came to
  int32_t budget = 0;       ///< left of a turn that a schedule has cut
  uint64_t effects = 0;     ///< the block's, when the turn began
  uint32_t idleTurns = 0;   ///< in a row
  bool pollChanged = false; ///< in this turn
  uint32_t nextPoll = 0;
  std::vector<Poll> polls; ///< the last of at most four instructions
};

struct Group {
  const Inst *reconverge = nullptr;
  uint32_t expected = 0; ///< lanes that have not left; 0: free
  uint32_t arrived = 0;
  int32_t parent = -1;
};

struct Warp {
  const char *base[2] = {nullptr, nullptr}; ///< registers, constants (less 1)
  uint32_t *predicates = nullptr;
  uint32_t mask = 0;                ///< lanes of the running split
  int32_t budget = 0;               ///< until the next rotation
  const Inst *reconverge = nullptr; ///< of the running split's group
  char *shared = nullptr;           ///< less sharedStart
  uint32_t sharedBytes = 0;
  uint32_t localBytes = 0; ///< per lane
  char *local = nullptr;   ///< lane after lane
  Block *block = nullptr;
  Worker *worker = nullptr;
  uint32_t live = 0;    ///< lanes that have not exited
  uint32_t initial = 0; ///< lanes that exist
  uint32_t index = 0;   ///< in the block
  int32_t current = 0;  ///< the running split
  Stop stop = Stop::Yield;
  bool clockCurrent = false; ///< executed is up to date (after Stop::Again)
  std::vector<Split> splits;
  std::vector<Group> groups;
  /// barrier.cluster: lanes that have arrived and not waited yet, and those of
  /// them whose phase is not over.
  uint32_t clusterArrived = 0, clusterPending = 0;
  uint64_t executed = 0;

  template <class S> const S *in(uint32_t operand) const {
    return reinterpret_cast<const S *>(base[operand & 1] + operand);
  }
  template <class S> S *out(uint32_t operand) {
    return reinterpret_cast<S *>(const_cast<char *>(base[0]) + operand);
  }
  Split &split() { return splits[static_cast<size_t>(current)]; }
  bool done() const { return live == 0; }
  inline Observer *observer() const;
};

/// A named barrier of a block, counted in threads.
struct Barrier {
  uint32_t arrived = 0;      ///< threads
  uint32_t arrivedWarps = 0; ///< the same, whole warps for aligned arrivals
  uint32_t expected =
      0; ///< given by the program; 0: every thread that is still there
  uint32_t population = 0; ///< bar.red: threads whose predicate holds
  bool open = false;       ///< someone has arrived
};

struct Program;

/// Blocks that see each other's shared memory. One worker runs all of them. A
/// block launched without a cluster is one by itself.
struct Cluster {
  std::vector<Block *> blocks; ///< by rank
  Dim3 index;
  bool arriving = false; ///< some thread waits for the others to arrive
};

struct Block {
  Dim3 index;
  uint64_t linear = 0;
  std::deque<Warp> warps; ///< addresses stay
  Barrier barriers[16];
  uint32_t liveWarps = 0;
  char *shared = nullptr; ///< host address of sharedStart
  uint32_t running = 0;   ///< the warp that ran last
  size_t storage = 0;     ///< the worker's storage that it uses
  Cluster *cluster = nullptr;
  uint32_t rank = 0; ///< in the cluster
  /// Bumped by everything that another warp can see; a spinning round that
  /// leaves it unchanged made no way.
  uint64_t effects = 0;
  /// What is under way; only with a schedule.
  std::shared_ptr<AsyncOperations> async;
  /// With a schedule: warps run as far as they can, one before the other, in an
  /// order of their own; else in turns.
  bool greedy = false;
  std::vector<uint32_t> order;
};

/// An interval known to lie in one allocation.
struct Interval {
  uint64_t begin = 1, bytes = 0;
};

struct Launch;

/// One host thread's part of a launch.
struct Worker {
  Launch *launch = nullptr;
  Schedule *schedule = nullptr;  ///< null: plain rotation
  Interval *intervals = nullptr; ///< by Inst::aux
  const Program *program = nullptr;
  Observer *observer = nullptr; ///< null: nobody looks on
};

inline Observer *Warp::observer() const { return worker->observer; }

/// A kernel that went wrong. The scheduler adds kernel and place.
struct Fault {
  std::string message;
  uint32_t line = 0;
  int lane = -1;
};

[[noreturn]] void fault(const Inst *inst, int lane, std::string message);
/// The same, with the kind's name at the end of the message.
enum class CheckKind : uint8_t;
[[noreturn]] void fault(const Inst *inst, int lane, CheckKind kind,
                        std::string message);

} // namespace llrt::emu

#endif
