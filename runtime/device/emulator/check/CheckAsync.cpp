// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Asynchronous operations: what is under way, and the asynchronous proxy.
#include "runtime/device/emulator/check/Checker.h"

#include <algorithm>

using namespace llrt::emu;

static std::vector<uint32_t> &groupsOf(BlockState &block, AsyncGroup group) {
  return group == AsyncGroup::Copy   ? block.copyGroups
         : group == AsyncGroup::Bulk ? block.bulkGroups
                                     : block.wgmmaGroups;
}

Checker::Target Checker::hostTarget(uint64_t host, BlockState &self) {
  Target result;
  result.host = host;
  for (Block *each : self.block->cluster->blocks) {
    BlockState &block = stateOf(each);
    if (host >= block.shared.begin && host < block.shared.end) {
      result.region = &block.shared;
      result.owner = &block;
      return result;
    }
  }
  Region *region = global.find(host);
  if (region && region->tracked)
    result.region = region;
  return result;
}

void Checker::issueRange(const AsyncEvent &event, BlockState &block,
                         uint32_t number, uint64_t host, uint64_t bytes,
                         bool writes) {
  Target target = hostTarget(host, block);
  if (!target.region)
    return;
  work[number].readsShared |= !writes && target.owner;
  const char *what = event.kind == AsyncKind::Wgmma ? "wgmma's read"
                     : writes                       ? "copy"
                                                    : "copy's read";
  Current at{event.inst, nullptr, event.warp, &block, what};
  Access now;
  now.block = block.id;
  now.clock = number;
  now.line = event.inst->line;
  now.warp = static_cast<uint8_t>(event.warp->index);
  now.lanes = event.lane < 0 ? 1u : 1u << event.lane;
  now.flags =
      static_cast<uint8_t>(Access::Async | (writes ? Access::Write : 0) |
                           (event.reduces ? Access::Atomic : 0));
  AccessRoom &room = target.owner ? target.owner->room : global.room;
  for (uint64_t end = host + bytes; host < end;) {
    uint64_t start = Region::lineStart(host);
    unsigned from = static_cast<unsigned>(host - start);
    unsigned count =
        static_cast<unsigned>(std::min(end - host, lineBytes - from));
    now.bytes = byteMask(from, count);
    // As lanes in a row, so that those of one line become one Access.
    bool single = event.lane >= 0 && event.kind == AsyncKind::Copy &&
                  (count & (count - 1)) == 0 && from % count == 0;
    now.shift =
        single ? static_cast<uint8_t>(__builtin_ctz(count)) : Access::anyLane;
    now.first =
        single
            ? static_cast<int8_t>(event.lane - static_cast<int>(from / count))
            : int8_t(0);
    touch(at, *target.region, room, target.region->line(start), start, now);
    host += count;
  }
}

void Checker::asyncIssued(const AsyncEvent &event) {
  BlockState &block = stateOf(event.warp->block);
  // The lanes of one instruction are one piece of work.
  uint32_t lanes = event.lane < 0 ? 1u : 1u << event.lane;
  std::vector<uint32_t> *groups = event.group == AsyncGroup::Mbarrier
                                      ? nullptr
                                      : &groupsOf(block, event.group);
  uint32_t thread =
      event.warp->index * 32 + static_cast<uint32_t>(std::max(event.lane, 0));
  uint32_t groupNumber = groups ? (*groups)[thread] : 0;
  bool same = false;
  if (!work.empty()) {
    const AsyncWork &last = work.back();
    same = last.inst == event.inst && last.block == block.id &&
           last.warp == event.warp->index && last.kind == event.kind &&
           last.issueClock == block.clock && event.kind == AsyncKind::Copy &&
           last.groupNumber == groupNumber && !(last.lanes & lanes) &&
           !last.waitedFor && !last.landed;
    if (event.kind == AsyncKind::Wgmma)
      same = last.inst == event.inst && last.block == block.id &&
             last.warp == event.warp->index && last.issueClock == block.clock &&
             last.groupNumber == groupNumber;
  }
  if (!same) {
    AsyncWork op;
    op.kind = event.kind;
    op.group = event.group;
    op.block = block.id;
    op.warp = event.warp->index;
    op.inst = event.inst;
    op.line = event.inst->line;
    op.issueClock = block.clock;
    op.groupNumber = groupNumber;
    work.push_back(op);
    block.openOperations.push_back(static_cast<uint32_t>(work.size()) - 1);
  }
  uint32_t number = static_cast<uint32_t>(work.size()) - 1;
  work[number].lanes |= lanes;
  if (event.group == AsyncGroup::Mbarrier && event.mbarrierBlock) {
    BlockState &owner = stateOf(event.mbarrierBlock);
    auto found = owner.mbarriers.find(event.mbarrier);
    if (found != owner.mbarriers.end())
      found->second.inFlight.push_back(number);
  }
  uint64_t from = reinterpret_cast<uint64_t>(event.read),
           to = reinterpret_cast<uint64_t>(event.write);
  if (event.read && event.readBytes)
    issueRange(event, block, number, from, event.readBytes, false);
  if (!event.write || !event.writeBytes)
    return;
  issueRange(event, block, number, to, event.writeBytes, true);
  Target target = hostTarget(to, block);
  if (!target.region || event.reduces)
    return;
  Target source = hostTarget(from, block);
  uint64_t copied = event.read && source.region ? event.readBytes : 0;
  if (copied)
    target.region->copyDefinedness(to, *source.region, from, copied);
  if (copied < event.writeBytes)
    target.region->define(to + copied, event.writeBytes - copied);
}

/// This thread's copies so far count for the mbarrier.
void Checker::asyncArrives(const AsyncEvent &event) {
  BlockState &block = stateOf(event.warp->block);
  BlockState &owner = stateOf(event.mbarrierBlock);
  auto found = owner.mbarriers.find(event.mbarrier);
  if (found == owner.mbarriers.end())
    return;
  for (uint32_t number : block.openOperations) {
    const AsyncWork &op = work[number];
    if (op.kind != AsyncKind::Copy || op.warp != event.warp->index ||
        !(op.lanes >> event.lane & 1) || op.landed)
      continue;
    std::vector<uint32_t> &list = found->second.inFlight;
    if (std::find(list.begin(), list.end(), number) == list.end())
      list.push_back(number);
  }
}

void Checker::commit(const Note &note, Warp &warp, uint32_t mask) {
  BlockState &block = stateOf(warp.block);
  std::vector<uint32_t> &groups = groupsOf(block, note.group);
  if (note.group == AsyncGroup::Wgmma)
    mask = 1; // a warp's
  for (uint32_t left = mask; left; left &= left - 1)
    ++groups[warp.index * 32 + static_cast<uint32_t>(__builtin_ctz(left))];
}

void Checker::await(const Note &note, Warp &warp, uint32_t mask) {
  BlockState &block = stateOf(warp.block);
  if (note.opcode.find("wait_all") != std::string::npos)
    commit(note, warp, mask);
  std::vector<uint32_t> &groups = groupsOf(block, note.group);
  if (note.group == AsyncGroup::Wgmma)
    mask = 1;
  for (size_t i = 0; i < block.openOperations.size();) {
    AsyncWork &op = work[block.openOperations[i]];
    uint32_t its = op.group == note.group && op.warp == warp.index
                       ? op.lanes & mask & ~op.waitedFor
                       : 0;
    for (; its; its &= its - 1) {
      unsigned lane = static_cast<unsigned>(__builtin_ctz(its));
      if (op.groupNumber + note.left >= groups[warp.index * 32 + lane])
        continue;
      op.readOver |= 1u << lane;
      if (op.clock[lane] == 0 || !note.readOnly)
        op.clock[lane] = block.clock;
      op.lastClock = block.clock;
      if (!note.readOnly)
        op.waitedFor |= 1u << lane;
    }
    if (op.waitedFor == op.lanes || op.landed == op.lanes) {
      block.openOperations[i] = block.openOperations.back();
      block.openOperations.pop_back();
    } else {
      ++i;
    }
  }
}

/// Generic writes that an asynchronous operation reads have to be fenced.
void Checker::checkFenced(const Current &at, const Access &earlier,
                          const Access &now, uint64_t start, uint64_t common,
                          int lane) const {
  if (!earlier.writes())
    return;
  const BlockState &block = *at.block;
  uint32_t thread = now.warp * 32u + static_cast<uint32_t>(lane);
  const ThreadState &state = block.thread[thread];
  for (uint64_t left = common; left; left &= left - 1) {
    unsigned byte = static_cast<unsigned>(__builtin_ctzll(left));
    for (uint32_t lanes = earlier.lanesAt(byte); lanes; lanes &= lanes - 1) {
      uint32_t other =
          earlier.warp * 32u + static_cast<uint32_t>(__builtin_ctz(lanes));
      bool fenced = earlier.block == block.id && other == thread
                        ? earlier.clock <= state.fencedClock
                        : false;
      fenced |= knows(state.view.fenced, earlier.block, other, earlier.clock);
      if (fenced)
        continue;
      throw Fault{
          withKind(std::string(at.what) + " takes in what the store at " +
                       lineText(earlier.line) + " by " +
                       sourceOf(earlier, static_cast<int>(other % 32)) +
                       " has written, without fence.proxy.async in between",
                   CheckKind::ProxyFence),
          at.inst->line, lane};
    }
  }
  (void)start;
}

/// Which rule two unordered accesses break.
CheckKind Checker::kindOf(const Access &earlier, const Access &now,
                          bool isShared) const {
  if (earlier.isAsync() && !now.writes())
    return CheckKind::AsyncReadEarly;
  // It read what this copy was to bring, whichever the schedule let go first.
  if (now.isAsync() && (earlier.flags & Access::Unwritten))
    return CheckKind::AsyncReadEarly;
  if (earlier.isAsync() || (now.isAsync() && now.writes()))
    return CheckKind::AsyncOverwrite;
  return isShared ? CheckKind::SharedRace : CheckKind::GlobalRace;
}
