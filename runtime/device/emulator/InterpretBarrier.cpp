// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Named barriers (bar, barrier) and mbarriers.
#include "runtime/device/emulator/Access.h"
#include "runtime/device/emulator/Barriers.h"
#include "runtime/device/emulator/Control.h"
#include "runtime/device/emulator/Decoding.h"
#include "runtime/device/emulator/Lanes.h"
#include "runtime/device/emulator/Observer.h"
#include "runtime/device/emulator/Schedule.h"
#include "runtime/device/emulator/check/CheckKind.h"

using namespace llrt::emu;

static void completeCluster(Cluster &cluster);

// --- named barriers ---

enum class BarrierKind : uint8_t { Sync, Arrive, Population, And, Or };

static bool complete(const Block &block, const Barrier &barrier) {
  if (barrier.expected)
    return barrier.arrivedWarps >= barrier.expected;
  uint32_t threads = 0;
  for (const Warp &warp : block.warps)
    threads += static_cast<uint32_t>(__builtin_popcount(warp.live));
  return barrier.arrived >= threads;
}

/// Gives a warp the result of a reduction; the split's or the handler's Inst.
static void deliver(const Inst *inst, Warp &warp, uint32_t mask,
                    const Barrier &barrier) {
  auto kind = static_cast<BarrierKind>(inst->aux & 7);
  if (kind == BarrierKind::Population) {
    uint32_t r[32];
    for (uint32_t &lane : r)
      lane = barrier.population;
    put(warp.out<uint32_t>(inst->op[0]), r, mask);
  } else if (kind == BarrierKind::And) {
    putPredicate(warp, inst->op[0],
                 barrier.population == barrier.arrived ? ~0u : 0, mask);
  } else if (kind == BarrierKind::Or) {
    putPredicate(warp, inst->op[0], barrier.population ? ~0u : 0, mask);
  }
}

static void release(Block &block, uint32_t number) {
  Barrier &barrier = block.barriers[number];
  if (Observer *observer = block.warps[0].observer())
    observer->barrierCompletes(block, number);
  for (Warp &warp : block.warps)
    for (Split &split : warp.splits)
      if (split.state == SplitState::Barrier && split.waitsAt == number) {
        deliver(split.pc - 1, warp, split.mask, barrier);
        split.state = SplitState::Ready;
      }
  barrier = Barrier();
}

void llrt::emu::threadsLeft(Block &block) {
  for (uint32_t i = 0; i < 16; ++i)
    if (block.barriers[i].open && !block.barriers[i].expected &&
        complete(block, block.barriers[i]))
      release(block, i);
  if (block.cluster->arriving)
    completeCluster(*block.cluster);
}

/// op[1]: barrier, op[2]: threads (aux bit 4), op[3]: predicate (aux bit 5:
/// negated); aux bits 0-2: BarrierKind, bit 3: .aligned.
static const Inst *runBarrier(const Inst *inst, Warp &warp, uint32_t mask) {
  auto kind = static_cast<BarrierKind>(inst->aux & 7);
  bool isAligned = inst->aux & 8;
  if (isAligned && !aligned(inst, warp, mask))
    return nullptr;
  int lane = __builtin_ctz(mask);
  uint32_t number = warp.in<uint32_t>(inst->op[1])[lane];
  if (number >= 16)
    fault(inst, lane, CheckKind::Barrier,
          "barrier " + std::to_string(number) + " of 16");
  Block &block = *warp.block;
  Barrier &barrier = block.barriers[number];
  if (inst->aux & 16) {
    uint32_t threads = warp.in<uint32_t>(inst->op[2])[lane];
    if (threads == 0 || threads % 32)
      fault(inst, lane, CheckKind::Barrier,
            "a barrier for " + std::to_string(threads) +
                " threads; it has to be a multiple of 32");
    if (barrier.open && barrier.expected != threads)
      fault(inst, lane, CheckKind::Barrier,
            "barrier " + std::to_string(number) + " for " +
                std::to_string(threads) + " threads is in use for " +
                std::to_string(barrier.expected));
    barrier.expected = threads;
  }
  barrier.open = true;
  uint32_t threads = static_cast<uint32_t>(__builtin_popcount(mask));
  barrier.arrived += threads;
  barrier.arrivedWarps += isAligned ? 32 : threads;
  if (kind >= BarrierKind::Population) {
    uint32_t value = warp.predicates[inst->op[3]] ^ (inst->aux & 32 ? ~0u : 0);
    barrier.population +=
        static_cast<uint32_t>(__builtin_popcount(value & mask));
  }
  block.effects += 1;
  if (barrier.expected && barrier.arrivedWarps > barrier.expected)
    fault(inst, lane, CheckKind::Barrier,
          "more threads than the " + std::to_string(barrier.expected) +
              " of barrier " + std::to_string(number));
  if (Observer *observer = warp.observer())
    observer->barrierArrives(inst, warp, mask, number,
                             kind != BarrierKind::Arrive);
  if (complete(block, barrier)) {
    deliver(inst, warp, mask, barrier);
    release(block, number);
    return inst + 1;
  }
  if (kind == BarrierKind::Arrive)
    return inst + 1;
  Split &split = warp.split();
  split.pc = inst + 1;
  split.state = SplitState::Barrier;
  split.waitsAt = number;
  warp.stop = Stop::Blocked;
  return nullptr;
}

static const Inst *runWarpSync(const Inst *inst, Warp &warp, uint32_t mask) {
  uint32_t needed = warp.in<uint32_t>(inst->op[0])[__builtin_ctz(mask)];
  return converged(inst, warp, mask, needed) ? inst + 1 : nullptr;
}

// --- barrier.cluster ---

/// Ends the phase once every live thread of the cluster has arrived.
static void completeCluster(Cluster &cluster) {
  for (const Block *block : cluster.blocks)
    for (const Warp &warp : block->warps)
      if (warp.live & ~warp.clusterPending)
        return;
  cluster.arriving = false;
  if (Observer *observer = cluster.blocks[0]->warps[0].observer())
    observer->clusterCompletes(cluster);
  for (Block *block : cluster.blocks) {
    block->effects += 1;
    for (Warp &warp : block->warps) {
      warp.clusterPending = 0;
      for (Split &split : warp.splits)
        if (split.state == SplitState::ClusterBarrier)
          split.state = SplitState::Ready;
    }
  }
}

/// aux bit 0: .aligned.
static const Inst *runClusterArrive(const Inst *inst, Warp &warp,
                                    uint32_t mask) {
  if ((inst->aux & 1) && !aligned(inst, warp, mask))
    return nullptr;
  if (uint32_t twice = warp.clusterArrived & mask)
    fault(inst, __builtin_ctz(twice), CheckKind::Barrier,
          "barrier.cluster.arrive, twice without a wait in between");
  warp.clusterArrived |= mask;
  warp.clusterPending |= mask;
  if (Observer *observer = warp.observer())
    observer->clusterArrives(inst, warp, mask);
  warp.block->cluster->arriving = true;
  warp.block->effects += 1;
  completeCluster(*warp.block->cluster);
  return inst + 1;
}

static const Inst *runClusterWait(const Inst *inst, Warp &warp, uint32_t mask) {
  if ((inst->aux & 1) && !aligned(inst, warp, mask))
    return nullptr;
  if (uint32_t missing = mask & ~warp.clusterArrived)
    fault(inst, __builtin_ctz(missing), CheckKind::Barrier,
          "barrier.cluster.wait without barrier.cluster.arrive before");
  if (warp.clusterPending & mask) {
    Split &split = warp.split();
    split.pc = inst;
    split.state = SplitState::ClusterBarrier;
    warp.stop = Stop::Blocked;
    return nullptr;
  }
  warp.clusterArrived &= ~mask;
  if (Observer *observer = warp.observer())
    observer->clusterPasses(inst, warp, mask);
  return inst + 1;
}

static void decodeClusterBarrier(Decoding &d) {
  bool wait = d.take("wait");
  if (!wait && !d.take("arrive"))
    d.unsupported();
  if (wait)
    d.take("acquire");
  else
    d.takeOneOf({"release", "relaxed"});
  bool isAligned = d.take("aligned");
  d.expectOperands(0, 0);
  d.mayStop();
  d.emit(wait ? runClusterWait : runClusterArrive);
  d.inst().aux = isAligned;
}

static void decodeBarrier(Decoding &d) {
  bool isBar = d.statement.opcode.substr(0, 4) == "bar.";
  if (d.take("cluster"))
    return decodeClusterBarrier(d);
  if (d.take("warp")) {
    if (!d.take("sync"))
      d.unsupported();
    d.expectOperands(1, 1);
    d.mayStop();
    d.emit(runWarpSync);
    d.use(0, d.operand(0), Type::B32);
    return;
  }
  d.take("cta");
  bool isAligned = d.take("aligned") || isBar;
  BarrierKind kind = BarrierKind::Sync;
  if (d.take("arrive"))
    kind = BarrierKind::Arrive;
  else if (d.take("red"))
    kind = d.take("popc")  ? BarrierKind::Population
           : d.take("and") ? BarrierKind::And
           : d.take("or")  ? BarrierKind::Or
                           : (d.unsupported(), BarrierKind::Sync);
  else if (!d.take("sync"))
    d.unsupported();
  bool reduces = kind >= BarrierKind::Population;
  if (reduces && d.takeType() !=
                     (kind == BarrierKind::Population ? Type::U32 : Type::Pred))
    d.unsupported();
  size_t first = reduces ? 1 : 0, last = d.operands() - reduces;
  d.expectOperands(first + 1 + reduces, first + 2 + reduces);
  d.mayStop();
  d.emit(runBarrier);
  bool counted = last - first == 2;
  d.inst().aux = static_cast<uint32_t>(kind) | isAligned << 3 | counted << 4;
  if (kind == BarrierKind::Arrive && !counted)
    d.fail("an arrival needs the number of threads");
  d.use(1, d.operand(first), Type::U32);
  if (counted)
    d.use(2, d.operand(first + 1), Type::U32);
  if (reduces) {
    const Operand &predicate = d.operand(last);
    d.inst().aux |= predicate.negated << 5;
    d.usePredicate(3, predicate);
    kind == BarrierKind::Population ? d.def(0, d.operand(0), 32)
                                    : d.defPredicate(0, d.operand(0));
  }
}

// --- mbarriers ---

MbarrierWord MbarrierWord::unpack(uint64_t word) {
  MbarrierWord result;
  result.pending = word & maxCount;
  result.expected = word >> 20 & maxCount;
  result.transactions =
      static_cast<int32_t>(static_cast<int64_t>(word << 2) >> 42);
  result.phase = word >> 62 & 1;
  result.valid = word >> 63;
  return result;
}

uint64_t MbarrierWord::pack() const {
  return static_cast<uint64_t>(pending) |
         static_cast<uint64_t>(expected) << 20 |
         (static_cast<uint64_t>(transactions) & 0x3fffff) << 40 |
         static_cast<uint64_t>(phase) << 62 |
         static_cast<uint64_t>(valid) << 63;
}

static char *mbarrierAt(const Inst *inst, Warp &warp, int lane,
                        uint32_t address, Block *&owner) {
  if (address % 8)
    fault(inst, lane, CheckKind::Mbarrier,
          "the mbarrier at shared address " + std::to_string(address) +
              " is misaligned");
  return sharedAt(inst, warp, lane, address, 8, "mbarrier", owner);
}

static void observe(MbarrierAction action, const Inst *inst, Warp &warp,
                    int lane, uint32_t address) {
  Observer *observer = warp.observer();
  if (!observer)
    return;
  Block *owner;
  mbarrierAt(inst, warp, lane, address, owner);
  observer->mbarrier(
      {action, inst, &warp, lane, owner, address & clusterOffsetMask});
}

MbarrierWord llrt::emu::readMbarrier(const Inst *inst, Warp &warp, int lane,
                                     uint32_t address) {
  uint64_t word;
  Block *owner;
  std::memcpy(&word, mbarrierAt(inst, warp, lane, address, owner), 8);
  MbarrierWord result = MbarrierWord::unpack(word);
  if (!result.valid)
    fault(inst, lane, CheckKind::Mbarrier,
          "no mbarrier has been initialised at shared address " +
              std::to_string(address));
  return result;
}

void llrt::emu::writeMbarrier(const Inst *inst, Warp &warp, int lane,
                              uint32_t address, MbarrierWord word) {
  Block *owner;
  char *at = mbarrierAt(inst, warp, lane, address, owner);
  warp.block->effects += 1;
  owner->effects += 1;
  bool ends = word.pending == 0 && word.transactions == 0;
  if (ends) {
    word.phase = !word.phase;
    word.pending = word.expected;
  }
  uint64_t packed = word.pack();
  std::memcpy(at, &packed, 8);
  if (!ends)
    return;
  observe(MbarrierAction::PhaseEnds, inst, warp, lane, address);
  for (Warp &each : owner->warps)
    for (Split &split : each.splits)
      if (split.state == SplitState::Mbarrier &&
          split.waitsAt == (address & clusterOffsetMask))
        split.state = SplitState::Ready;
}

uint64_t llrt::emu::arrive(const Inst *inst, Warp &warp, int lane,
                           uint32_t address, uint32_t arrivals, int64_t expect,
                           bool drop) {
  observe(arrivals      ? MbarrierAction::Arrive
          : expect >= 0 ? MbarrierAction::Expect
                        : MbarrierAction::Complete,
          inst, warp, lane, address);
  MbarrierWord word = readMbarrier(inst, warp, lane, address);
  uint64_t state = word.pack();
  if (arrivals > word.pending)
    fault(inst, lane, CheckKind::Mbarrier,
          std::to_string(arrivals) + " arrivals at an mbarrier that expects " +
              std::to_string(word.pending) + " more in this phase");
  int64_t transactions = word.transactions + expect;
  if (transactions > int64_t(MbarrierWord::maxCount) ||
      transactions < -int64_t(MbarrierWord::maxCount))
    fault(inst, lane, CheckKind::Mbarrier,
          "the transaction count of the mbarrier overflows");
  word.transactions = static_cast<int32_t>(transactions);
  word.pending -= arrivals;
  if (drop)
    word.expected -= arrivals;
  writeMbarrier(inst, warp, lane, address, word);
  return state;
}

void llrt::emu::completeTransaction(const Inst *inst, Warp &warp, int lane,
                                    uint32_t address, int64_t bytes) {
  arrive(inst, warp, lane, address, 0, -bytes, false);
}

/// The shared address of a lane's operand; generic ones lose their window.
template <class A>
static uint32_t sharedAddress(const Inst *inst, Warp &warp, unsigned slot,
                              int lane, int64_t offset) {
  uint64_t address =
      warp.in<A>(inst->op[slot])[lane] + static_cast<uint64_t>(offset);
  if (sizeof(A) == 8 && address - sharedWindow < windowBytes)
    address -= sharedWindow;
  if (sizeof(A) == 8 && address >> 32)
    fault(inst, lane, CheckKind::Mbarrier,
          "the address of the mbarrier is not in shared memory");
  return static_cast<uint32_t>(address);
}

template <class F> static void eachLane(uint32_t mask, F each) {
  for (; mask; mask &= mask - 1)
    each(__builtin_ctz(mask));
}

template <class A>
static const Inst *runInit(const Inst *inst, Warp &warp, uint32_t mask) {
  eachLane(mask, [&](int lane) {
    uint32_t address = sharedAddress<A>(inst, warp, 0, lane, inst->imm);
    observe(MbarrierAction::Initialise, inst, warp, lane, address);
    uint32_t count = warp.in<uint32_t>(inst->op[1])[lane];
    if (count == 0 || count > MbarrierWord::maxCount)
      fault(inst, lane, CheckKind::Mbarrier,
            "an mbarrier for " + std::to_string(count) +
                " arrivals; 1 to 1048575 are possible");
    uint64_t word = MbarrierWord{count, count, 0, false, true}.pack();
    Block *owner;
    std::memcpy(mbarrierAt(inst, warp, lane, address, owner), &word, 8);
  });
  warp.block->effects += 1;
  return inst + 1;
}

template <class A>
static const Inst *runInvalidate(const Inst *inst, Warp &warp, uint32_t mask) {
  eachLane(mask, [&](int lane) {
    uint32_t address = sharedAddress<A>(inst, warp, 0, lane, inst->imm);
    observe(MbarrierAction::Invalidate, inst, warp, lane, address);
    readMbarrier(inst, warp, lane, address);
    Block *owner;
    std::memset(mbarrierAt(inst, warp, lane, address, owner), 0, 8);
  });
  return inst + 1;
}

/// op[0]: address, op[1]: state out (aux bit 0), op[2]: arrivals (aux bit 1),
/// op[3]: expected bytes (aux bit 2); aux bit 3: drop, bit 4: noComplete,
/// bit 5: expect_tx alone, bit 6: complete_tx alone.
template <class A>
static const Inst *runArrive(const Inst *inst, Warp &warp, uint32_t mask) {
  uint64_t state[32] = {};
  eachLane(mask, [&](int lane) {
    uint32_t address = sharedAddress<A>(inst, warp, 0, lane, inst->imm);
    uint32_t arrivals = inst->aux & (32 | 64) ? 0
                        : inst->aux & 2 ? warp.in<uint32_t>(inst->op[2])[lane]
                                        : 1;
    int64_t expect =
        inst->aux & 4 ? int64_t(warp.in<uint32_t>(inst->op[3])[lane]) : 0;
    if (inst->aux & 64)
      expect = -expect;
    if ((inst->aux & 16) &&
        arrivals >= readMbarrier(inst, warp, lane, address).pending)
      fault(inst, lane, CheckKind::Mbarrier,
            "mbarrier.arrive.noComplete would complete the phase");
    state[lane] =
        arrive(inst, warp, lane, address, arrivals, expect, inst->aux & 8);
  });
  if (inst->aux & 1)
    put(warp.out<uint64_t>(inst->op[1]), state, mask);
  return inst + 1;
}

/// op[0]: address, op[1]: predicate out, op[2]: state or parity; aux bit 0:
/// parity, bit 1: try (the split sleeps until the phase ends).
template <class A>
static const Inst *runWait(const Inst *inst, Warp &warp, uint32_t mask) {
  uint32_t over = 0;
  int waiting = -1;
  uint32_t waitsAt = 0, last = 0;
  MbarrierWord word{};
  eachLane(mask, [&](int lane) {
    uint32_t address = sharedAddress<A>(inst, warp, 0, lane, inst->imm);
    observe(MbarrierAction::Tests, inst, warp, lane, address);
    if (address != last)
      word = readMbarrier(inst, warp, lane, address);
    last = address;
    bool phase =
        inst->aux & 1
            ? warp.in<uint32_t>(inst->op[2])[lane] & 1
            : MbarrierWord::unpack(warp.in<uint64_t>(inst->op[2])[lane]).phase;
    if (word.phase != phase)
      over |= 1u << lane;
    else
      waiting = lane, waitsAt = address & clusterOffsetMask;
  });
  // The time limit of a try is the chip's own: a schedule may end it early.
  Schedule *schedule = warp.worker->schedule;
  bool expires = schedule && schedule->oneIn(4);
  if (waiting >= 0 && (inst->aux & 2) && !expires) {
    Split &split = warp.split();
    split.pc = inst;
    split.state = SplitState::Mbarrier;
    split.waitsAt = waitsAt;
    split.waitsPhase = word.phase;
    warp.stop = Stop::Blocked;
    return nullptr;
  }
  if (warp.observer())
    eachLane(over, [&](int lane) {
      observe(MbarrierAction::Passes, inst, warp, lane,
              sharedAddress<A>(inst, warp, 0, lane, inst->imm));
    });
  putPredicate(warp, inst->op[1], over, mask);
  if (waiting >= 0)
    notePoll(inst, warp, waitsAt, word.pack(), pollHash(waitsAt, word.pack()));
  return inst + 1;
}

static const Inst *runPendingCount(const Inst *inst, Warp &warp,
                                   uint32_t mask) {
  const uint64_t *state = warp.in<uint64_t>(inst->op[1]);
  uint32_t r[32];
  for (unsigned i = 0; i < 32; ++i)
    r[i] = state[i] & MbarrierWord::maxCount;
  put(warp.out<uint32_t>(inst->op[0]), r, mask);
  return inst + 1;
}

static bool wideAddress(Decoding &d, const Operand &memory) {
  return !(memory.kind == Operand::Memory &&
           memory.elements[0].kind == Operand::Register &&
           d.registerBits(memory.elements[0]) == 32);
}

static void decodeMbarrier(Decoding &d) {
  bool parity = d.take("parity");
  std::string_view action =
      d.takeOneOf({"init", "inval", "arrive", "arrive_drop", "expect_tx",
                   "complete_tx", "test_wait", "try_wait", "pending_count"});
  bool expectTx = action != "expect_tx" && d.take("expect_tx");
  bool noComplete = d.take("noComplete");
  d.takeOneOf({"acquire", "release", "relaxed"});
  d.takeOneOf({"cta", "cluster"});
  d.takeSpace();
  if (d.takeType() != Type::B64 || action.empty())
    d.unsupported();
  if (action == "pending_count") {
    d.expectOperands(2, 2);
    d.emit(runPendingCount);
    d.def(0, d.operand(0), 32);
    d.use(1, d.operand(1), Type::B64);
    return;
  }
  bool hasResult = action == "test_wait" || action == "try_wait" ||
                   ((action == "arrive" || action == "arrive_drop") &&
                    d.operand(0).kind != Operand::Memory);
  const Operand &memory = d.operand(hasResult ? 1 : 0);
  size_t rest = hasResult ? 2 : 1;
  bool wide = wideAddress(d, memory);
  if (action == "init") {
    d.expectOperands(2, 2);
    d.emit(wide ? runInit<uint64_t> : runInit<uint32_t>);
    d.address(0, memory, Space::Shared);
    d.use(1, d.operand(1), Type::U32);
  } else if (action == "inval") {
    d.expectOperands(1, 1);
    d.emit(wide ? runInvalidate<uint64_t> : runInvalidate<uint32_t>);
    d.address(0, memory, Space::Shared);
  } else if (hasResult && (action == "test_wait" || action == "try_wait")) {
    d.expectOperands(3, 4);
    bool sleeps = action == "try_wait";
    if (sleeps)
      d.mayStop();
    d.emit(wide ? runWait<uint64_t> : runWait<uint32_t>);
    d.inst().aux = static_cast<uint32_t>(parity) | static_cast<uint32_t>(sleeps)
                                                       << 1;
    d.address(0, memory, Space::Shared);
    d.defPredicate(1, d.operand(0));
    d.use(2, d.operand(2), parity ? Type::U32 : Type::B64);
  } else {
    bool transaction = action == "expect_tx" || action == "complete_tx";
    d.expectOperands(rest, rest + 1);
    d.emit(wide ? runArrive<uint64_t> : runArrive<uint32_t>);
    bool counted = d.operands() > rest;
    if ((expectTx || transaction || noComplete) && !counted)
      d.fail("the count is missing");
    uint32_t aux = 0;
    d.address(0, memory, Space::Shared);
    if (hasResult && d.operand(0).kind != Operand::Sink) {
      d.def(1, d.operand(0), 64);
      aux |= 1;
    }
    if (counted) {
      bool bytes = expectTx || transaction;
      d.use(bytes ? 3 : 2, d.operand(rest), Type::U32);
      aux |= bytes ? 4 : 2;
    }
    aux |= action == "arrive_drop" ? 8 : 0;
    aux |= noComplete ? 16 : 0;
    aux |= action == "expect_tx" ? 32 : action == "complete_tx" ? 64 : 0;
    d.inst().aux = aux;
  }
}

void llrt::emu::addBarrierInstructions(InstructionTable &table) {
  table["bar"] = decodeBarrier;
  table["barrier"] = decodeBarrier;
  table["mbarrier"] = decodeMbarrier;
}
