// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Turns of splits, rounds of warps.
#include "runtime/device/emulator/BlockRunner.h"
#include "runtime/device/emulator/AsyncOperations.h"
#include "runtime/device/emulator/Control.h"
#include "runtime/device/emulator/Deadlock.h"

#include <numeric>

using namespace llrt;
using namespace llrt::emu;

/// Turns of polling unchanged words (16 polls each) after which a split that
/// counts its rounds is taken to wait for ever.
static constexpr uint32_t mostIdleTurns = 4096;
/// The same for a split that neither polls nor writes: 5 * 10^8 rounds of a
/// loop that reads, weakly, what nobody changes, and counts.
static constexpr uint32_t mostSilentTurns = 1 << 15;

/// True when the split has changed nothing of its own since its last turn.
static bool sameRegisters(Warp &warp, const Program &program) {
  Split &split = warp.split();
  size_t bytes = program.registerBytes + program.predicates * size_t(4);
  const char *registers = warp.base[0];
  bool same = split.snapshotPc == split.pc &&
              split.snapshotMask == split.mask &&
              split.snapshot.size() == bytes &&
              std::memcmp(split.snapshot.data(), registers, bytes) == 0;
  if (!same) {
    // Predicates lie right behind the registers (BlockStorage).
    split.snapshot.assign(registers, registers + bytes);
    split.snapshotPc = split.pc;
    split.snapshotMask = split.mask;
  }
  return same;
}

/// What the running split's turn, which is over, came to.
static Turn judge(Warp &warp, const Program &program) {
  Split &split = warp.split();
  bool polled = false;
  for (Poll &poll : split.polls) {
    polled |= poll.inTurn;
    poll.inTurn = false;
  }
  bool changed = split.pollChanged || warp.block->effects != split.effects;
  split.pollChanged = false;
  if (changed) {
    split.idleTurns = 0;
    return Turn::Moved;
  }
  if (sameRegisters(warp, program))
    return Turn::Stuck;
  ++split.idleTurns;
  if (!polled)
    return split.idleTurns < mostSilentTurns ? Turn::Moved : Turn::Stuck;
  return split.idleTurns < mostIdleTurns ? Turn::Idle : Turn::Stuck;
}

/// Runs `pc` until the split leaves the processor.
static uint64_t runTurn(const Inst *pc, Warp &warp) {
  uint64_t count = 0;
  while (pc) {
    pc = pc->run(pc, warp, warp.mask);
    ++count;
  }
  return count;
}

/// The same, for at most `quantum` instructions. True: it was cut.
static bool runQuantum(const Inst *pc, Warp &warp, int32_t quantum,
                       uint64_t &count) {
  while (pc) {
    pc = pc->run(pc, warp, warp.mask);
    ++count;
    if (--quantum == 0 && pc) {
      yieldAt(warp, pc);
      return true;
    }
  }
  return false;
}

/// Runs the warp's splits until each has had a turn or cannot run.
static Outcome runWarp(Warp &warp, const Program &program) {
  Schedule *schedule = warp.worker->schedule;
  warp.block->running = warp.index;
  bool moved = false, idle = false, again = false;
  uint64_t before = warp.block->effects;
  size_t turns = warp.splits.size() + 1;
  if (schedule)
    warp.current = static_cast<int32_t>(
        schedule->below(static_cast<uint32_t>(warp.splits.size())));
  while (turns > 0) {
    if (again)
      loadSplit(warp);
    else if (!selectSplit(warp))
      break;
    Split &split = warp.split();
    if (!again) {
      warp.budget = split.budget > 0 ? split.budget : turnBudget;
      if (split.budget <= 0)
        split.effects = warp.block->effects;
      split.budget = 0;
    }
    again = false;
    bool cut = false;
    // One that got nowhere the last time has whole turns, to be judged again.
    if (schedule && split.turn == Turn::Moved) {
      uint64_t count = 0;
      cut = runQuantum(split.pc, warp, schedule->length(12), count);
      warp.executed += count;
    } else {
      warp.executed += runTurn(split.pc, warp);
    }
    if (warp.stop == Stop::Again) {
      again = true;
      continue;
    }
    if (warp.stop != Stop::Yield) {
      moved |= warp.stop == Stop::Gone;
      if (warp.done())
        return Outcome::Done;
      continue;
    }
    --turns;
    if (cut) {
      warp.split().budget = warp.budget;
      moved = true;
      continue;
    }
    // Lanes that wait at a meeting point may be those that this loop waits for.
    if (releaseParked(warp))
      moved = true;
    Turn turn = judge(warp, program);
    warp.split().turn = turn;
    moved |= turn == Turn::Moved;
    idle |= turn == Turn::Idle;
    if (warp.splits.size() == 1)
      break;
  }
  if (moved || warp.block->effects != before)
    return Outcome::Progress;
  return idle ? Outcome::Idle : Outcome::Stalled;
}

bool llrt::emu::hasReadySplit(const Warp &warp) {
  for (const Split &split : warp.splits)
    if (split.state == SplitState::Ready)
      return true;
  return false;
}

/// A warp whose lanes wait for each other and nobody else.
static void checkConvergence(const Warp &warp, const Block &block,
                             const Launch &launch) {
  bool waits = false;
  for (const Split &split : warp.splits) {
    if (split.state != SplitState::Converge)
      return;
    waits = true;
  }
  if (waits)
    reportDeadlock(block, launch);
}

namespace {
/// What a round over the warps came to.
struct Round {
  bool ready = false, moved = false, idle = false;
  bool skipped = false; ///< one that might have moved
};
} // namespace

/// True when the warp ran and made way.
static bool turnOf(Warp &warp, Launch &launch, Round &round) {
  if (warp.done())
    return false;
  if (!hasReadySplit(warp)) {
    checkConvergence(warp, *warp.block, launch);
    return false;
  }
  round.ready = true;
  Outcome outcome = runWarp(warp, *launch.program);
  bool moved = outcome == Outcome::Done || outcome == Outcome::Progress;
  round.moved |= moved;
  round.idle |= outcome == Outcome::Idle;
  return moved;
}

void llrt::emu::drawOrder(Block &block, Schedule &schedule) {
  block.order.resize(block.warps.size());
  std::iota(block.order.begin(), block.order.end(), 0);
  for (uint32_t i = static_cast<uint32_t>(block.order.size()); i > 1; --i)
    std::swap(block.order[i - 1], block.order[schedule.below(i)]);
  block.greedy = schedule.oneIn(3);
}

/// A greedy block's first warps run again as soon as they can; the others leave
/// out a warp now and then and go round in an order that changes.
static Round scheduledRound(Block &block, Launch &launch, Schedule &schedule) {
  Round round;
  if (!block.greedy && schedule.oneIn(4)) {
    drawOrder(block, schedule);
    block.greedy = false;
  }
  for (uint32_t index : block.order) {
    Warp &warp = block.warps[index];
    if (!block.greedy && !warp.done() && hasReadySplit(warp) &&
        schedule.oneIn(4)) {
      round.ready = round.skipped = true;
      continue;
    }
    bool moved = turnOf(warp, launch, round);
    round.moved |= block.async->turnEnded();
    if (block.greedy && moved)
      break;
  }
  return round;
}

Outcome llrt::emu::runBlock(Block &block, Launch &launch) {
  Schedule *schedule = launch.schedule;
  bool progressed = false;
  int32_t rounds = schedule ? schedule->length(6) : 0;
  for (;;) {
    if (launch.stop.load(std::memory_order_relaxed))
      return Outcome::Stalled;
    Round round;
    if (schedule)
      round = scheduledRound(block, launch, *schedule);
    else
      for (Warp &warp : block.warps)
        turnOf(warp, launch, round);
    if (block.liveWarps == 0) {
      if (block.async)
        block.async->completeAll();
      return Outcome::Done;
    }
    if (!round.moved && round.skipped)
      continue;
    if (!round.ready)
      for (Warp &warp : block.warps)
        round.moved |= releaseParked(warp);
    // What is under way comes to its end when nobody can go on without it.
    if (!round.moved && block.async)
      round.moved = block.async->completeOne();
    if (!round.moved) {
      // In a cluster, others may let it go on (GridWorker::step).
      if (!round.ready && block.cluster->blocks.size() == 1)
        reportDeadlock(block, launch);
      return round.idle   ? Outcome::Idle
             : progressed ? Outcome::Progress
                          : Outcome::Stalled;
    }
    progressed = true;
    if (launch.workers > 1)
      launch.progress.fetch_add(1, std::memory_order_relaxed);
    // The blocks of a cluster take turns.
    if (block.cluster->blocks.size() > 1 || (schedule && --rounds == 0))
      return Outcome::Progress;
  }
}
