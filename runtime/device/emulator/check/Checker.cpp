// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The checks' books: kernels, blocks, allocations; and who looks at what.
#include "runtime/device/emulator/check/Checker.h"

using namespace llrt;
using namespace llrt::emu;

void Checker::decoded(Program &of) {
  program = &of;
  std::unique_ptr<TaintPlan> &made = plans[&of];
  made = std::make_unique<TaintPlan>(of);
  plan = made.get();
}

bool Checker::wants(const Note &note) const {
  size_t at = static_cast<size_t>(&note - program->notes.data());
  switch (note.kind) {
  case Note::Fence:
  case Note::WarpSync:
  case Note::AsyncCommit:
  case Note::AsyncWait:
    return true;
  default:
    return note.isAccess() || plan->steps[at].rule != TaintRule::None ||
           plan->touchesWgmma[at];
  }
}

void Checker::kernelStarts(const Launch &of) {
  launch = &of;
  program = of.program;
  plan = plans.at(of.program).get();
  early = of.shape.programmatic;
  gridKnowledge = nullptr;
  if (early) {
    // What the grid before did is not over yet: its accesses stay, as that
    // grid's, until this one waits for it.
    // Those before it are, where each of them waited for its own.
    const uint32_t number = global.nextGrid();
    if (waitsFirst)
      gridsOver = number - 1;
    Knowledge over;
    over.learnAll(previousGrid, 1);
    gridKnowledge = std::make_shared<Knowledge>(std::move(over));
  } else {
    global.nextGeneration();
    waitsFirst = true;
  }
  work.clear();
  locations.clear();
  clusterPhases.clear();
  clusterOver.clear();
  lastBlock = nullptr;
}

void Checker::blockStarts(Block &block) {
  std::unique_ptr<BlockState> &made = blocks[&block];
  if (!made)
    made = std::make_unique<BlockState>();
  BlockState &state = *made;
  lastBlock = nullptr;
  const Dim3 &size = launch->shape.block;
  uint32_t threads = size.x * size.y * size.z;
  size_t warps = block.warps.size();
  state.block = &block;
  state.id = static_cast<uint32_t>(block.linear);
  state.clusterId = static_cast<uint32_t>(block.cluster->blocks[0]->linear);
  state.threads = threads;
  state.clock = 1;
  state.thread.assign(warps * 32, ThreadState());
  state.fence.clear();
  state.fencesUsed = state.proxyUsed = false;
  state.waited = !early;
  state.warpKnowsAll.assign(warps, 0);
  state.warpAgrees.assign(warps, 1);
  state.warpStale.assign(warps, 0);
  for (BarrierState &barrier : state.barriers)
    barrier = BarrierState();
  state.mbarriers.clear();
  state.room.clear();
  auto shared = reinterpret_cast<uint64_t>(block.shared);
  state.shared.reset(shared, shared + launch->sharedBytes, false);
  auto local = reinterpret_cast<uint64_t>(block.warps[0].local);
  state.local.reset(local, local + warps * 32 * program->localBytes, false);
  state.taint.resize(warps);
  for (WarpTaint &taint : state.taint)
    taint.reset(plan->registerBytes, plan->predicates);
  state.copyGroups.assign(warps * 32, 0);
  state.bulkGroups.assign(warps * 32, 0);
  state.wgmmaGroups.assign(warps * 32, 0);
  state.openOperations.clear();
}

void Checker::blockEnds(Block &) { lastBlock = nullptr; }

void Checker::before(const Inst *inst, const Note &note, Warp &warp,
                     uint32_t mask) {
  size_t at = static_cast<size_t>(inst - program->code.data());
  BlockState &block = stateOf(warp.block);
  if (plan->touchesWgmma[at] && !block.openOperations.empty())
    checkWgmmaRegisters(inst, note, block, warp);
  switch (note.kind) {
  case Note::Load:
  case Note::Store:
  case Note::Atomic:
  case Note::LoadMatrix:
  case Note::StoreMatrix:
    return access(inst, note, warp, mask);
  case Note::Fence:
    return fence(note, warp, mask);
  case Note::WarpSync:
    return warpSync(warp, mask);
  case Note::AsyncCommit:
    return commit(note, warp, mask);
  case Note::AsyncWait:
    return await(note, warp, mask);
  default:
    break;
  }
  WarpTaint &taint = block.taint[warp.index];
  if (taint.any() && plan->steps[at].rule != TaintRule::None)
    propagate(plan->steps[at], inst, note, warp, mask, taint);
}

void Checker::checkWgmmaRegisters(const Inst *inst, const Note &note,
                                  const BlockState &block,
                                  const Warp &warp) const {
  for (uint32_t number : block.openOperations) {
    const AsyncWork &op = work[number];
    if (op.kind != AsyncKind::Wgmma || op.warp != warp.index || op.waitedFor)
      continue;
    for (const Note::Register &used : noteOf(op.inst).registers)
      for (const Note::Register &each : note.registers)
        if (each.reg == used.reg && used.bits == 32)
          throw Fault{withKind("touches a register of the wgmma at " +
                                   lineText(op.line) +
                                   ", for which no wgmma.wait_group has waited",
                               CheckKind::WgmmaRegister),
                      inst->line, -1};
  }
}

void Checker::allocated(const Allocation &allocation, bool initialised) {
  global.add(allocation.begin, allocation.end, initialised, allocation.writable,
             allocation.name);
}

void Checker::released(const Allocation &allocation) {
  global.remove(allocation.begin);
}

void Checker::hostWrote(uint64_t address, uint64_t bytes) {
  Region *region = global.find(address);
  if (region && region->tracked)
    region->define(address, bytes);
}

void Checker::copiedOnDevice(uint64_t to, uint64_t from, uint64_t bytes) {
  Region *target = global.find(to), *source = global.find(from);
  if (!target || !source || !target->tracked)
    return;
  if (source->tracked)
    target->copyDefinedness(to, *source, from, bytes);
  else
    target->define(to, bytes);
}
