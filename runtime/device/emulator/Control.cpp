// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Splits: divergence, reconvergence, exits, rotation.
#include "runtime/device/emulator/Control.h"
#include "runtime/device/emulator/Barriers.h"
#include "runtime/device/emulator/Observer.h"
#include "runtime/device/emulator/Schedule.h"
#include "runtime/device/emulator/check/CheckKind.h"

using namespace llrt::emu;

void llrt::emu::fault(const Inst *inst, int lane, std::string message) {
  throw Fault{std::move(message), inst->line, lane};
}

void llrt::emu::fault(const Inst *inst, int lane, CheckKind kind,
                      std::string message) {
  throw Fault{withKind(std::move(message), kind), inst->line, lane};
}

static uint32_t holds(const Inst *inst, Warp &warp, uint32_t mask) {
  uint32_t predicate = warp.predicates[inst->op[0]];
  return mask & (inst->aux & 1 ? ~predicate : predicate);
}

const Inst *llrt::emu::yieldAt(Warp &warp, const Inst *next) {
  warp.split().pc = next;
  warp.stop = Stop::Yield;
  return nullptr;
}

void llrt::emu::notePoll(const Inst *inst, Warp &warp, uint64_t address,
                         uint64_t value, uint64_t hash) {
  countPoll(warp);
  Split &split = warp.split();
  for (Poll &poll : split.polls)
    if (poll.inst == inst) {
      split.pollChanged |= poll.hash != hash;
      poll = {inst, hash, address, value, true};
      return;
    }
  split.pollChanged = true;
  if (split.polls.size() < 4) {
    split.polls.push_back({inst, hash, address, value, true});
    return;
  }
  split.polls[split.nextPoll++ % 4] = {inst, hash, address, value, true};
}

static inline const Inst *jump(const Inst *from, const Inst *to, Warp &warp) {
  if (to <= from && --warp.budget < 0)
    return yieldAt(warp, to);
  return to;
}

const Inst *llrt::emu::runBranch(const Inst *inst, Warp &warp, uint32_t) {
  return jump(inst, inst->target, warp);
}

static int32_t newGroup(Warp &warp, const Inst *reconverge, uint32_t mask,
                        int32_t parent) {
  size_t i = 0;
  while (i < warp.groups.size() && warp.groups[i].expected)
    ++i;
  if (i == warp.groups.size())
    warp.groups.emplace_back();
  warp.groups[i] = {reconverge, mask, 0, parent};
  return static_cast<int32_t>(i);
}

static void addSplit(Warp &warp, const Inst *pc, uint32_t mask, int32_t group) {
  Split split;
  split.pc = pc;
  split.mask = mask;
  split.group = group;
  warp.splits.push_back(split);
}

static void openGroup(Warp &warp, const Inst *reconverge, uint32_t mask) {
  if (reconverge && reconverge != warp.reconverge) {
    int32_t group = newGroup(warp, reconverge, mask, warp.split().group);
    warp.split().group = group;
    warp.reconverge = reconverge;
  }
}

const Inst *llrt::emu::runConditionalBranch(const Inst *inst, Warp &warp,
                                            uint32_t mask) {
  uint32_t taken = holds(inst, warp, mask);
  if (taken == mask)
    return jump(inst, inst->target, warp);
  if (taken == 0)
    return inst + 1;
  openGroup(warp, reinterpret_cast<const Inst *>(inst->imm), mask);
  if (Schedule *schedule = warp.worker->schedule;
      schedule && schedule->oneIn(2)) {
    addSplit(warp, inst + 1, mask & ~taken, warp.split().group);
    warp.split().mask = warp.mask = taken;
    return jump(inst, inst->target, warp);
  }
  addSplit(warp, inst->target, taken, warp.split().group);
  warp.split().mask = warp.mask = mask & ~taken;
  if (inst->target <= inst)
    --warp.budget;
  return inst + 1;
}

const Inst *llrt::emu::runJumpTable(const Inst *inst, Warp &warp,
                                    uint32_t mask) {
  const uint32_t *index = warp.in<uint32_t>(inst->op[0]);
  auto targets = reinterpret_cast<const Inst *const *>(inst->extra);
  const Inst *first = nullptr;
  uint32_t left = mask;
  while (left) {
    unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    if (index[lane] >= inst->op[1])
      fault(inst, static_cast<int>(lane),
            "brx.idx: index " + std::to_string(index[lane]) +
                " of a table of " + std::to_string(inst->op[1]));
    uint32_t same = 0;
    for (unsigned other = lane; other < 32; ++other)
      if ((left >> other & 1) && index[other] == index[lane])
        same |= 1u << other;
    left &= ~same;
    if (!first) {
      first = targets[index[lane]];
      if (left)
        openGroup(warp, reinterpret_cast<const Inst *>(inst->imm), mask);
      warp.split().mask = warp.mask = same;
    } else {
      addSplit(warp, targets[index[lane]], same, warp.split().group);
    }
  }
  return jump(inst, first, warp);
}

const Inst *llrt::emu::runGuard(const Inst *inst, Warp &warp, uint32_t mask) {
  uint32_t active = holds(inst, warp, mask);
  if (!active)
    return inst + 2;
  return inst[1].run(inst + 1, warp, active);
}

/// All lanes that were expected have come: they go on behind the meeting point
/// as one split. Returns it; the caller decides whether it is the running one.
static Split resolved(Group &group) {
  Split split;
  split.pc = group.reconverge; // meets the parent's group if that ends here too
  split.mask = group.arrived;
  split.group = group.parent;
  group.expected = group.arrived = 0;
  return split;
}

const Inst *llrt::emu::runReconverge(const Inst *inst, Warp &warp,
                                     uint32_t mask) {
  if (warp.reconverge != inst)
    return inst + 1;
  while (warp.reconverge == inst) {
    Group &group = warp.groups[static_cast<size_t>(warp.split().group)];
    group.arrived |= mask;
    if (group.arrived != group.expected) {
      warp.splits.erase(warp.splits.begin() + warp.current);
      warp.stop = Stop::Gone;
      return nullptr;
    }
    warp.split() = resolved(group);
    loadSplit(warp);
    mask = warp.mask;
  }
  return inst + 1;
}

/// `lanes` will no longer come to the groups from `from` up to `until`.
static void leaveGroups(Warp &warp, int32_t from, int32_t until,
                        uint32_t lanes) {
  for (int32_t at = from; at != until && at >= 0;) {
    Group &group = warp.groups[static_cast<size_t>(at)];
    int32_t parent = group.parent;
    group.expected &= ~lanes;
    if (group.expected && group.expected == group.arrived)
      warp.splits.push_back(resolved(group));
    at = parent;
  }
}

static void exitLanes(Warp &warp, uint32_t lanes) {
  warp.live &= ~lanes;
  int32_t group = warp.split().group;
  leaveGroups(warp, group, -1, lanes);
  warp.split().mask &= ~lanes;
  // Lanes that wait for the ones that left need not any more.
  for (Split &split : warp.splits)
    if (split.state == SplitState::Converge)
      split.state = SplitState::Ready;
  if (!warp.live)
    --warp.block->liveWarps;
  warp.block->effects += 1;
  if (Observer *observer = warp.observer())
    observer->lanesExit(warp, lanes);
  threadsLeft(*warp.block);
}

const Inst *llrt::emu::runExit(const Inst *, Warp &warp, uint32_t mask) {
  exitLanes(warp, mask);
  warp.splits.erase(warp.splits.begin() + warp.current);
  warp.stop = Stop::Gone;
  return nullptr;
}

const Inst *llrt::emu::runConditionalExit(const Inst *inst, Warp &warp,
                                          uint32_t mask) {
  uint32_t leaving = holds(inst, warp, mask);
  if (leaving == mask)
    return runExit(inst, warp, mask);
  if (leaving) {
    exitLanes(warp, leaving);
    warp.mask = warp.split().mask;
  }
  return inst + 1;
}

const Inst *llrt::emu::runTrap(const Inst *inst, Warp &, uint32_t mask) {
  fault(inst, __builtin_ctz(mask), "trap");
}

const Inst *llrt::emu::runBreakpoint(const Inst *inst, Warp &, uint32_t mask) {
  fault(inst, __builtin_ctz(mask), "brkpt");
}

const Inst *llrt::emu::runNothing(const Inst *inst, Warp &, uint32_t) {
  return inst + 1;
}

template <class S>
static const Inst *move(const Inst *inst, Warp &warp, uint32_t mask) {
  S lanes[32];
  std::memcpy(lanes, warp.in<S>(inst->op[1]), sizeof lanes);
  S *to = warp.out<S>(inst->op[0]);
  if (mask == ~0u) {
    std::memcpy(to, lanes, sizeof lanes);
  } else {
    for (unsigned lane = 0; lane < 32; ++lane)
      to[lane] = mask >> lane & 1 ? lanes[lane] : to[lane];
  }
  return inst + 1;
}

const Inst *llrt::emu::runMove32(const Inst *inst, Warp &warp, uint32_t mask) {
  return move<uint32_t>(inst, warp, mask);
}
const Inst *llrt::emu::runMove64(const Inst *inst, Warp &warp, uint32_t mask) {
  return move<uint64_t>(inst, warp, mask);
}

static int32_t commonGroup(const Warp &warp, int32_t a, int32_t b) {
  for (int32_t up = a; up >= 0;
       up = warp.groups[static_cast<size_t>(up)].parent)
    for (int32_t other = b; other >= 0;
         other = warp.groups[static_cast<size_t>(other)].parent)
      if (up == other)
        return up;
  return -1;
}

bool llrt::emu::converged(const Inst *inst, Warp &warp, uint32_t mask,
                          uint32_t needed) {
  needed &= warp.live;
  if ((mask & needed) == needed)
    return true;
  // Others that wait here join: the split takes them in and leaves the groups
  // that they do not share.
  for (size_t i = 0; i < warp.splits.size();) {
    Split &other = warp.splits[i];
    if (static_cast<int32_t>(i) == warp.current || other.pc != inst ||
        other.state != SplitState::Converge) {
      ++i;
      continue;
    }
    Split joined = other;
    warp.splits.erase(warp.splits.begin() + static_cast<long>(i));
    if (static_cast<int32_t>(i) < warp.current)
      --warp.current;
    int32_t mine = warp.split().group;
    int32_t common = commonGroup(warp, mine, joined.group);
    leaveGroups(warp, mine, common, warp.split().mask);
    leaveGroups(warp, joined.group, common, joined.mask);
    warp.split().mask |= joined.mask;
    warp.split().group = common;
    i = 0;
  }
  loadSplit(warp);
  Split &self = warp.split();
  self.pc = inst;
  if ((warp.mask & needed) == needed) {
    // The mask has changed under the handler: it runs again with all lanes.
    warp.stop = Stop::Again;
    return false;
  }
  self.state = SplitState::Converge;
  self.needed = needed;
  warp.stop = Stop::Converge;
  return false;
}

bool llrt::emu::releaseParked(Warp &warp) {
  bool any = false;
  for (size_t i = 0; i < warp.groups.size(); ++i) {
    Group &group = warp.groups[i];
    if (!group.arrived)
      continue;
    Split split;
    split.pc = group.reconverge;
    split.mask = group.arrived;
    split.group = group.parent;
    group.expected &= ~group.arrived;
    group.arrived = 0;
    warp.splits.push_back(split);
    any = true;
  }
  return any;
}

void llrt::emu::loadSplit(Warp &warp) {
  const Split &split = warp.split();
  warp.mask = split.mask;
  warp.reconverge =
      split.group >= 0
          ? warp.groups[static_cast<size_t>(split.group)].reconverge
          : nullptr;
}

bool llrt::emu::selectSplit(Warp &warp) {
  size_t count = warp.splits.size();
  for (size_t i = 1; i <= count; ++i) {
    size_t at = (static_cast<size_t>(warp.current + 1) + i - 1) % count;
    if (warp.splits[at].state == SplitState::Ready) {
      warp.current = static_cast<int32_t>(at);
      loadSplit(warp);
      return true;
    }
  }
  return false;
}
