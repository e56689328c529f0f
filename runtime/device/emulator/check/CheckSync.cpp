// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What threads learn of each other.
#include "runtime/device/emulator/check/Checker.h"

#include <algorithm>

using namespace llrt::emu;

/// What `thread` passes on: all it has seen, and itself up to now.
void Checker::exported(const BlockState &block, uint32_t thread, Gather &seen,
                       Gather &fenced) const {
  const ThreadState &state = block.thread[thread];
  seen.add(state.view.seen);
  seen.learn(block.id, thread, block.clock, block.threads);
  fenced.add(state.view.fenced);
  if (state.fencedClock)
    fenced.learn(block.id, thread, state.fencedClock, block.threads);
}

View Checker::exportedView(const BlockState &block, uint32_t thread) const {
  Gather seen, fenced;
  exported(block, thread, seen, fenced);
  return {seen.take(), fenced.take()};
}

void Checker::learn(BlockState &block, uint32_t thread, const View &view) {
  View &mine = block.thread[thread].view;
  mine.seen = joined(mine.seen, view.seen);
  mine.fenced = joined(mine.fenced, view.fenced);
  block.learnt(thread / 32);
}

// --- barriers of the block ---

void Checker::barrierArrives(const Inst *, Warp &warp, uint32_t mask,
                             uint32_t number, bool waits) {
  BlockState &block = stateOf(warp.block);
  BarrierState &barrier = block.barriers[number];
  if (!barrier.open) {
    barrier.open = true;
    barrier.allWait = true;
    barrier.arrived.assign(block.taint.size(), 0);
    barrier.waiting.assign(block.taint.size(), 0);
  }
  barrier.arrived[warp.index] |= mask;
  if (waits) {
    // Threads that wait do nothing more until it is over: their clocks are
    // taken then.
    barrier.waiting[warp.index] |= mask;
    return;
  }
  barrier.allWait = false;
  for (uint32_t left = mask; left; left &= left - 1)
    exported(block,
             warp.index * 32 + static_cast<uint32_t>(__builtin_ctz(left)),
             barrier.seen, barrier.fenced);
  ++block.clock;
}

void Checker::barrierCompletes(Block &of, uint32_t number) {
  BlockState &block = stateOf(&of);
  BarrierState &barrier = block.barriers[number];
  bool whole = barrier.allWait;
  for (const Warp &warp : of.warps)
    whole &= (barrier.arrived[warp.index] & warp.live) == warp.live;
  auto each = [&](const std::vector<uint32_t> &lanes, auto f) {
    for (uint32_t w = 0; w < lanes.size(); ++w)
      for (uint32_t left = lanes[w]; left; left &= left - 1)
        f(w * 32 + static_cast<uint32_t>(__builtin_ctz(left)));
  };
  each(barrier.waiting, [&](uint32_t thread) {
    const ThreadState &state = block.thread[thread];
    barrier.seen.add(state.view.seen);
    if (!whole)
      barrier.seen.learn(block.id, thread, block.clock, block.threads);
    if (block.proxyUsed || state.view.fenced) {
      barrier.fenced.add(state.view.fenced);
      if (state.fencedClock)
        barrier.fenced.learn(block.id, thread, state.fencedClock,
                             block.threads);
    }
  });
  if (whole)
    barrier.seen.learnAll(block.id, block.clock);
  View view{barrier.seen.take(), barrier.fenced.take()};
  Published published[scopeLevels];
  if (block.fencesUsed)
    for (unsigned level = 0; level < scopeLevels; ++level) {
      Gather seen, fenced;
      each(barrier.arrived, [&](uint32_t thread) {
        const Published &said = block.fenceOf(thread).published[level];
        if (!said.clock)
          return;
        seen.add(said.view.seen);
        seen.learn(block.id, thread, said.clock, block.threads);
        fenced.add(said.view.fenced);
        if (said.fencedClock)
          fenced.learn(block.id, thread, said.fencedClock, block.threads);
      });
      published[level].view = {seen.take(), fenced.take()};
    }
  each(barrier.waiting, [&](uint32_t thread) {
    block.thread[thread].view = view;
    if (!block.fencesUsed)
      return;
    FenceState &fence = block.fenceOf(thread);
    for (unsigned level = 0; level < scopeLevels; ++level)
      if (published[level].view.seen) {
        // Its own fence counts on, up to its own clock.
        fence.published[level].view = published[level].view;
      }
  });
  for (uint32_t w = 0; w < barrier.waiting.size(); ++w)
    if (barrier.waiting[w])
      block.learnt(w);
  barrier.open = false;
  ++block.clock;
}

void Checker::lanesExit(Warp &warp, uint32_t) {
  BlockState &block = stateOf(warp.block);
  block.learnt(warp.index);
  for (const Warp &each : warp.block->warps)
    if (each.live)
      return;
  waitsFirst &= block.waited;
  // The block's shared memory goes with its last thread.
  for (uint32_t number : block.openOperations) {
    const AsyncWork &op = work[number];
    if (op.readsShared && op.group == AsyncGroup::Bulk &&
        op.readOver != op.lanes)
      throw Fault{
          withKind("the block ends while this copy from its shared memory may "
                   "be under way: cp.async.bulk.wait_group.read is missing",
                   CheckKind::AsyncOverwrite),
          op.line, -1};
  }
}

// --- barrier.cluster ---

void Checker::clusterArrives(const Inst *inst, Warp &warp, uint32_t mask) {
  BlockState &block = stateOf(warp.block);
  if (noteOf(inst).opcode.find("relaxed") == std::string::npos) {
    auto &[seen, fenced] = clusterPhases[warp.block->cluster];
    for (uint32_t left = mask; left; left &= left - 1)
      exported(block,
               warp.index * 32 + static_cast<uint32_t>(__builtin_ctz(left)),
               seen, fenced);
  }
  ++block.clock;
}

void Checker::clusterCompletes(Cluster &cluster) {
  auto &[seen, fenced] = clusterPhases[&cluster];
  clusterOver[&cluster] = {seen.take(), fenced.take()};
}

void Checker::clusterPasses(const Inst *, Warp &warp, uint32_t mask) {
  BlockState &block = stateOf(warp.block);
  const View &over = clusterOver[warp.block->cluster];
  for (uint32_t left = mask; left; left &= left - 1)
    learn(block, warp.index * 32 + static_cast<uint32_t>(__builtin_ctz(left)),
          over);
}

// --- one warp ---

void Checker::warpSync(Warp &warp, uint32_t mask) {
  BlockState &block = stateOf(warp.block);
  Gather seen, fenced;
  for (uint32_t left = mask; left; left &= left - 1)
    exported(block,
             warp.index * 32 + static_cast<uint32_t>(__builtin_ctz(left)), seen,
             fenced);
  View view{seen.take(), fenced.take()};
  for (uint32_t left = mask; left; left &= left - 1)
    block.thread[warp.index * 32 + static_cast<uint32_t>(__builtin_ctz(left))]
        .view = view;
  if (block.fencesUsed)
    for (unsigned level = 0; level < scopeLevels; ++level) {
      Gather said, saidFenced;
      for (uint32_t left = mask; left; left &= left - 1) {
        uint32_t thread =
            warp.index * 32 + static_cast<uint32_t>(__builtin_ctz(left));
        const Published &own = block.fenceOf(thread).published[level];
        said.add(own.view.seen);
        saidFenced.add(own.view.fenced);
        if (own.clock)
          said.learn(block.id, thread, own.clock, block.threads);
        if (own.fencedClock)
          saidFenced.learn(block.id, thread, own.fencedClock, block.threads);
      }
      View both{said.take(), saidFenced.take()};
      if (!both.seen)
        continue;
      for (uint32_t left = mask; left; left &= left - 1)
        block
            .fenceOf(warp.index * 32 +
                     static_cast<uint32_t>(__builtin_ctz(left)))
            .published[level]
            .view = both;
    }
  block.learnt(warp.index);
  ++block.clock;
}

// --- fences ---

static unsigned levelOf(Scope scope) {
  return scope == Scope::Block ? 0 : scope == Scope::Cluster ? 1 : 2;
}

void Checker::fence(const Note &note, Warp &warp, uint32_t mask) {
  BlockState &block = stateOf(warp.block);
  for (uint32_t left = mask; left; left &= left - 1) {
    uint32_t thread =
        warp.index * 32 + static_cast<uint32_t>(__builtin_ctz(left));
    ThreadState &state = block.thread[thread];
    if (note.fence == FenceKind::GridDependency) {
      learn(block, thread, {gridKnowledge, gridKnowledge});
      block.waited = true;
      continue;
    }
    if (note.fence == FenceKind::GridDependents) {
      const KnowledgeRef &seen = state.view.seen;
      waitsFirst &= !early || (seen && seen->knowsAll(previousGrid, 1));
      continue;
    }
    if (note.fence == FenceKind::ProxyAsync) {
      block.proxyUsed = true;
      state.view.fenced = joined(state.view.fenced, state.view.seen);
      state.fencedClock = block.clock;
      continue;
    }
    if (note.fence != FenceKind::Memory &&
        note.fence != FenceKind::MbarrierInit)
      continue;
    block.fencesUsed = true;
    FenceState &fence = block.fenceOf(thread);
    unsigned level =
        note.fence == FenceKind::MbarrierInit ? 1 : levelOf(note.scope);
    if (note.order != Order::Release)
      for (unsigned i = 0; i <= level; ++i)
        learn(block, thread, fence.acquirable[i]);
    if (note.order != Order::Acquire)
      for (unsigned i = 0; i <= level; ++i)
        fence.published[i] = {state.view, block.clock, state.fencedClock};
  }
  ++block.clock;
}

// --- strong accesses ---

/// 0: one block, 1: one cluster, 2: one grid.
unsigned Checker::relation(const BlockState &block, uint32_t other,
                           uint32_t otherCluster, bool mixed) const {
  return !mixed && other == block.id                 ? 0
         : !mixed && otherCluster == block.clusterId ? 1
                                                     : 2;
}

void Checker::release(Location &location, const Note &note, BlockState &block,
                      uint32_t thread, bool replaces) {
  if (replaces)
    location.releases.clear();
  auto add = [&](unsigned level, View view) {
    if (!view.seen)
      return;
    for (Release &each : location.releases)
      if (each.level == level) {
        each.mixed |= each.block != block.id;
        each.view.seen = joined(each.view.seen, view.seen);
        each.view.fenced = joined(each.view.fenced, view.fenced);
        return;
      }
    location.releases.push_back(
        {level, block.id, block.clusterId, false, std::move(view)});
  };
  unsigned level = levelOf(note.scope);
  if (note.order == Order::Release || note.order == Order::AcquireRelease) {
    add(level, exportedView(block, thread));
    return;
  }
  if (block.fence.empty())
    return;
  // A fence and then a relaxed write are a release pattern.
  for (unsigned i = 0; i <= level; ++i) {
    const Published &said = block.fence[thread].published[i];
    Gather seen, fenced;
    seen.add(said.view.seen);
    fenced.add(said.view.fenced);
    if (said.clock)
      seen.learn(block.id, thread, said.clock, block.threads);
    if (said.fencedClock)
      fenced.learn(block.id, thread, said.fencedClock, block.threads);
    add(i, {seen.take(), fenced.take()});
  }
}

void Checker::acquire(const Location &location, const Note &note,
                      BlockState &block, uint32_t thread) {
  unsigned level = levelOf(note.scope);
  bool now =
      note.order == Order::Acquire || note.order == Order::AcquireRelease;
  for (const Release &each : location.releases) {
    unsigned apart = relation(block, each.block, each.cluster, each.mixed);
    if (apart > each.level || apart > level)
      continue;
    if (now) {
      learn(block, thread, each.view);
      continue;
    }
    View &later = block.fenceOf(thread).acquirable[apart];
    later.seen = joined(later.seen, each.view.seen);
    later.fenced = joined(later.fenced, each.view.fenced);
  }
}

void Checker::synchronise(const Note &note, BlockState &block, Warp &warp,
                          unsigned lane, const Target &target) {
  uint32_t thread = warp.index * 32 + lane;
  bool reads = note.kind == Note::Load || note.kind == Note::Atomic;
  bool writes = note.kind == Note::Store || note.kind == Note::Atomic;
  uint64_t key = target.host;
  uint32_t owner = target.owner ? target.owner->id : ~0u;
  auto found = locations.find(key);
  if (found != locations.end() && found->second.owner != owner) {
    found->second.releases.clear();
    found->second.owner = owner;
  }
  if (reads && found != locations.end() &&
      note.opcode.compare(0, 3, "red") != 0)
    acquire(found->second, note, block, thread);
  if (!writes)
    return;
  bool releases = note.order == Order::Release ||
                  note.order == Order::AcquireRelease || !block.fence.empty();
  if (!releases && found == locations.end())
    return;
  if (found == locations.end()) {
    found = locations.emplace(key, Location()).first;
    found->second.owner = owner;
  }
  release(found->second, note, block, thread, note.kind == Note::Store);
  if (releases)
    ++block.clock;
}

// --- mbarriers ---

void Checker::phaseEnds(BlockState &owner, MbarrierState &state) {
  for (uint32_t number : state.landed) {
    AsyncWork &op = work[number];
    op.landed = op.lanes;
    op.phaseBlock = owner.id;
    op.phase = state.number;
    op.phaseClock = owner.clock;
  }
  if (!state.landed.empty())
    state.seen.learnPhase(owner.id, state.number, owner.clock);
  state.landed.clear();
  // What earlier phases told is told again: who waits for this one has either
  // waited for those or relies on nothing that they ordered.
  View over{state.seen.take(), state.fenced.take()};
  state.over = over;
  ++owner.clock;
}

void Checker::mbarrier(const MbarrierEvent &event) {
  BlockState &owner = stateOf(event.block);
  auto found = owner.mbarriers.find(event.address);
  auto stop = [&](std::string message, CheckKind kind) {
    throw Fault{withKind(std::move(message), kind), event.inst->line,
                event.lane};
  };
  if (event.action == MbarrierAction::Initialise) {
    if (found == owner.mbarriers.end()) {
      MbarrierState fresh;
      fresh.number = static_cast<uint32_t>(owner.mbarriers.size());
      found = owner.mbarriers.emplace(event.address, std::move(fresh)).first;
    } else if (found->second.valid) {
      stop("the mbarrier at shared address " + std::to_string(event.address) +
               " is initialised again without mbarrier.inval",
           CheckKind::Mbarrier);
    }
    found->second.valid = true;
    found->second.over = {};
    return;
  }
  if (found == owner.mbarriers.end() || !found->second.valid)
    stop("no mbarrier has been initialised at shared address " +
             std::to_string(event.address),
         CheckKind::Mbarrier);
  MbarrierState &state = found->second;
  const Note &note = noteOf(event.inst);
  BlockState &block = stateOf(event.warp->block);
  uint32_t thread = event.warp->index * 32 + static_cast<uint32_t>(event.lane);
  switch (event.action) {
  case MbarrierAction::Invalidate:
    state.valid = false;
    return;
  case MbarrierAction::Arrive: {
    // cp.async.mbarrier.arrive arrives when the copies are done, not as the
    // thread's own doing.
    if (note.opcode.compare(0, 8, "cp.async") == 0) {
      for (size_t i = 0; i < state.inFlight.size();) {
        const AsyncWork &op = work[state.inFlight[i]];
        bool its = op.kind == AsyncKind::Copy && op.block == block.id &&
                   op.warp == event.warp->index && (op.lanes >> event.lane & 1);
        if (!its) {
          ++i;
          continue;
        }
        state.landed.push_back(state.inFlight[i]);
        state.inFlight.erase(state.inFlight.begin() + static_cast<long>(i));
      }
      return;
    }
    if (note.opcode.find(".relaxed") != std::string::npos)
      return;
    exported(block, thread, state.seen, state.fenced);
    ++block.clock;
    return;
  }
  case MbarrierAction::Complete: {
    // The oldest of this instruction's operations has landed.
    for (size_t i = 0; i < state.inFlight.size(); ++i) {
      const AsyncWork &op = work[state.inFlight[i]];
      if (op.inst != event.inst || op.block != block.id ||
          !(op.lanes >> event.lane & 1))
        continue;
      state.landed.push_back(state.inFlight[i]);
      state.inFlight.erase(state.inFlight.begin() + static_cast<long>(i));
      break;
    }
    return;
  }
  case MbarrierAction::PhaseEnds:
    return phaseEnds(owner, state);
  case MbarrierAction::Passes:
    if (note.opcode.find(".relaxed") == std::string::npos)
      learn(block, thread, state.over);
    return;
  default:
    return;
  }
}
