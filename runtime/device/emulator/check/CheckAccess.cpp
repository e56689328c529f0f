// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every access against what its line remembers.
#include "runtime/device/emulator/SourceLine.h"
#include "runtime/device/emulator/check/Checker.h"

#include <algorithm>
#include <cstring>

using namespace llrt;
using namespace llrt::emu;

Checker::Target Checker::target(const Note &note, const BlockState &block,
                                const Warp &warp, unsigned lane,
                                uint64_t address, uint32_t bytes) {
  Place place = placeOf(note.space, address);
  Target result;
  if (place.space == Space::Global) {
    Region *region = global.find(place.at);
    if (region && region->end - place.at >= bytes && region->tracked) {
      result.region = region;
      result.host = place.at;
    }
    return result;
  }
  if (place.space == Space::Shared) {
    const Block *owner = block.block;
    uint64_t rank = place.at >> clusterRankShift;
    uint64_t at = (place.at & clusterOffsetMask) - sharedStart;
    if (rank) {
      const Cluster &cluster = *owner->cluster;
      if (rank > cluster.blocks.size())
        return result;
      owner = cluster.blocks[rank - 1];
    }
    if (at > warp.sharedBytes || warp.sharedBytes - at < bytes)
      return result;
    result.owner = &stateOf(owner);
    result.region = &result.owner->shared;
    result.host = reinterpret_cast<uint64_t>(owner->shared) + at;
  } else if (place.space == Space::Local) {
    if (place.at > warp.localBytes || warp.localBytes - place.at < bytes)
      return result;
    result.owner = const_cast<BlockState *>(&block);
    result.region = &result.owner->local;
    result.host = reinterpret_cast<uint64_t>(warp.local) +
                  uint64_t(warp.localBytes) * lane + place.at;
  }
  return result;
}

void Checker::access(const Inst *inst, const Note &note, Warp &warp,
                     uint32_t mask) {
  BlockState &block = stateOf(warp.block);
  AccessEvent event = accessOf(inst, note, warp, mask);
  uint32_t size = note.bytes();
  if (block.taint[warp.index].any())
    checkAddress(inst, note, warp, mask);
  Target targets[32];
  uint64_t host[32];
  uint32_t checked = 0; ///< lanes that are in bounds and aligned
  uint64_t least = ~uint64_t(0), most = 0;
  for (unsigned i = 0; i < 32; ++i) {
    bool active = event.mask >> i & 1;
    least = std::min(least, active ? event.address[i] : ~uint64_t(0));
    most = std::max(most, active ? event.address[i] : 0);
  }
  bool isShared = note.space == Space::Shared && least >= sharedStart &&
                  most + size <= uint64_t(sharedStart) + warp.sharedBytes;
  Region *one =
      isShared ? &block.shared
      : (note.space == Space::Global || note.space == Space::Generic) &&
              most < sharedWindow
          ? global.find(least)
          : nullptr;
  if (!isShared && one && one->end - least < most - least + size)
    one = nullptr;
  if (one && !one->tracked) { // nobody writes there
    WarpTaint &taint = block.taint[warp.index];
    if (taint.any())
      for (const Note::Register &def :
           plan->steps[static_cast<size_t>(inst - program->code.data())].defs)
        taint.clear(def, mask);
    return;
  }
  uint64_t base = isShared ? block.shared.begin - sharedStart : 0;
  for (uint32_t left = event.mask; left; left &= left - 1) {
    unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    if (one)
      targets[lane] = {one, event.address[lane] + base,
                       isShared ? &block : nullptr};
    else
      targets[lane] =
          target(note, block, warp, lane, event.address[lane], size);
    host[lane] = targets[lane].host;
    if (targets[lane].region && host[lane] % size == 0)
      checked |= 1u << lane;
  }
  event.mask = checked;
  bool writes = note.kind == Note::Store || note.kind == Note::StoreMatrix ||
                note.kind == Note::Atomic;
  bool strong = note.order != Order::Weak;
  Current at{inst, &note, &warp, &block,
             note.kind == Note::Atomic ? "atomic operation"
             : writes                  ? "store"
                                       : "load"};
  Access now;
  now.block = block.id;
  now.clock = block.clock;
  now.line = inst->line;
  now.warp = static_cast<uint8_t>(warp.index);
  auto flags = static_cast<uint8_t>(
      (writes ? Access::Write : 0) |
      (note.kind == Note::Atomic ? Access::Atomic : 0) |
      (note.kind == Note::LoadMatrix || note.kind == Note::StoreMatrix
           ? Access::Whole
           : 0));
  now.strength =
      strong ? static_cast<uint8_t>(1 + static_cast<int>(note.scope)) : 0;
  eachRun(host, checked, size, [&](const Run &run) {
    const Target &first =
        targets[static_cast<unsigned>(__builtin_ctz(run.lanes))];
    if (first.region == &block.local)
      return;
    now.bytes = run.bytes;
    now.lanes = run.lanes;
    now.shift = run.shift;
    now.first = run.first;
    Line &line = first.region->line(run.start);
    now.flags =
        flags |
        (!writes && (line.undefined & run.bytes) ? Access::Unwritten : 0);
    touch(at, *first.region, first.owner ? first.owner->room : global.room,
          line, run.start, now);
  });
  if (writes && note.kind != Note::Atomic)
    taintStore(inst, note, warp, mask, event, targets);
  else
    taintLoad(inst, note, warp, mask, event, targets);
  if (!strong)
    return;
  for (uint32_t left = checked; left; left &= left - 1) {
    unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    if (targets[lane].region != &block.local)
      synchronise(note, block, warp, lane, targets[lane]);
  }
}

/// Both strong, and each one's scope includes the other's thread.
bool Checker::stronglyOrdered(const BlockState &block, const Access &a,
                              const Access &b) const {
  if (!a.strength || !b.strength)
    return false;
  unsigned level = std::min(a.strength, b.strength) - 1u;
  if (a.block == b.block)
    return true;
  uint32_t blocks = static_cast<uint32_t>(block.block->cluster->blocks.size());
  bool sameCluster = false;
  for (uint32_t i = 0; i < blocks; ++i)
    sameCluster |= static_cast<uint32_t>(
                       block.block->cluster->blocks[i]->linear) == a.block;
  return level >= (sameCluster ? 1u : 2u);
}

bool Checker::knownTo(const BlockState &block, uint32_t thread,
                      const Access &earlier, unsigned otherLane) const {
  const KnowledgeRef &seen = block.thread[thread].view.seen;
  uint32_t other = earlier.warp * 32u + otherLane;
  if (!earlier.isAsync()) {
    if (earlier.block == previousGrid)
      return seen && seen->knowsAll(previousGrid, earlier.clock);
    if (earlier.block == block.id && other == thread)
      return true;
    return knows(seen, earlier.block, other, earlier.clock);
  }
  const AsyncWork &op = work[earlier.clock];
  uint32_t bit = 1u << otherLane;
  // A warp waits for its wgmma as one.
  if (op.kind == AsyncKind::Wgmma && op.waitedFor && op.block == block.id &&
      op.warp == thread / 32)
    return true;
  if (!earlier.writes() && (op.readOver & bit) && !(op.waitedFor & bit))
    return (op.block == block.id && other == thread) ||
           knows(seen, op.block, other, op.clock[otherLane]);
  if (op.waitedFor & bit)
    return (op.block == block.id && other == thread) ||
           knows(seen, op.block, other, op.clock[otherLane]);
  return (op.landed & bit) && seen &&
         seen->knowsPhase(op.phaseBlock, op.phase, op.phaseClock);
}

/// The usual cases, for whole warps. False says nothing.
bool Checker::quicklyOrdered(const BlockState &block, const Access &earlier,
                             const Access &now, uint64_t common,
                             uint32_t known) const {
  const AsyncWork *op = earlier.isAsync() ? &work[earlier.clock] : nullptr;
  bool waited = op && (earlier.lanes & ~op->waitedFor) == 0;
  if (waited && op->block == now.block && op->lastClock <= known)
    return true;
  // Each lane its own: they count through the bytes alike, so the ends tell.
  if ((!op || waited) && (op ? op->block : earlier.block) == now.block &&
      earlier.warp == now.warp) {
    auto low = static_cast<unsigned>(__builtin_ctzll(common));
    unsigned high = 63 - static_cast<unsigned>(__builtin_clzll(common));
    uint32_t mine = now.lanesAt(low);
    if ((mine & (mine - 1)) == 0 && mine == earlier.lanesAt(low) &&
        now.lanesAt(high) == earlier.lanesAt(high) &&
        (earlier.shift == now.shift || mine == now.lanesAt(high)))
      return true;
  }
  if (!block.warpAgrees[now.warp])
    return false;
  const KnowledgeRef &seen =
      block
          .thread[now.warp * 32u +
                  static_cast<uint32_t>(__builtin_ctz(now.lanes))]
          .view.seen;
  if (!seen)
    return false;
  if (op && !waited)
    return op->landed == op->lanes &&
           seen->knowsPhase(op->phaseBlock, op->phase, op->phaseClock);
  const Knowledge::OfBlock *of = seen->find(op ? op->block : earlier.block);
  if (!of)
    return false;
  uint32_t clock = op ? op->lastClock : earlier.clock;
  if (clock <= of->all)
    return true;
  uint32_t first = earlier.warp * 32u;
  for (uint32_t left = earlier.lanes; left; left &= left - 1) {
    uint32_t thread = first + static_cast<uint32_t>(__builtin_ctz(left));
    if (thread >= of->threads.size() || of->threads[thread] < clock)
      return false;
  }
  return true;
}

bool Checker::ordered(const Current &at, const Access &earlier,
                      const Access &now, uint64_t common, int &lane,
                      int &otherLane) const {
  const BlockState &block = *at.block;
  if (!earlier.isAsync() && !now.isAsync() && earlier.block == now.block &&
      earlier.warp == now.warp && earlier.sameLanes(now) &&
      (earlier.shift != Access::anyLane || __builtin_popcount(now.lanes) == 1))
    return true;
  // Lanes that do a thing together have done it before they go on.
  if ((earlier.flags & Access::Whole) && earlier.block == now.block &&
      earlier.warp == now.warp)
    return true;
  for (uint64_t left = common; left;) {
    unsigned byte = static_cast<unsigned>(__builtin_ctzll(left));
    uint32_t mine = now.lanesAt(byte), theirs = earlier.lanesAt(byte);
    // All bytes with the same lanes on both sides in one go.
    unsigned end = byte;
    while (end < 64 && now.lanesAt(end) == mine &&
           earlier.lanesAt(end) == theirs)
      ++end;
    left &= end < 64 ? ~uint64_t(0) << end : 0;
    const KnowledgeRef *last = nullptr;
    bool samePast = true;
    for (uint32_t m = mine; m; m &= m - 1) {
      int mineLane = __builtin_ctz(m);
      uint32_t thread = now.warp * 32u + static_cast<uint32_t>(mineLane);
      const KnowledgeRef &seen = block.thread[thread].view.seen;
      samePast = last && *last == seen;
      last = &seen;
      bool sameWarp = earlier.block == now.block && earlier.warp == now.warp;
      if (samePast && !sameWarp)
        continue; // as the lane before
      for (uint32_t t = theirs; t; t &= t - 1) {
        unsigned other = static_cast<unsigned>(__builtin_ctz(t));
        if (!knownTo(block, thread, earlier, other)) {
          lane = mineLane;
          otherLane = static_cast<int>(other);
          return false;
        }
      }
    }
  }
  return true;
}

bool Checker::changesBytes(const Current &at, uint64_t start, const Access &now,
                           uint64_t common) const {
  if (!at.note || at.note->kind != Note::Store)
    return true;
  // The new bytes, from the registers: in op[1..], element by element.
  const Note &note = *at.note;
  uint32_t size = note.bytes();
  for (unsigned k = 0; k < note.elements; ++k)
    for (uint32_t left = now.lanes; left; left &= left - 1) {
      unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
      uint64_t base = 0;
      if (now.shift == Access::anyLane)
        base = static_cast<uint64_t>(__builtin_ctzll(now.bytes));
      else
        base = static_cast<uint64_t>(static_cast<int>(lane) - now.first)
               << now.shift;
      if (base >= lineBytes || !(byteMask(static_cast<unsigned>(base),
                                          std::min<uint32_t>(size, 64)) &
                                 common))
        continue;
      bool wide = note.elementBytes == 8;
      for (const Note::Register &each : note.registers)
        if (each.slot == 1 + k && each.isUse)
          wide = each.bits == 64;
      uint64_t value = wide ? at.warp->in<uint64_t>(at.inst->op[1 + k])[lane]
                            : at.warp->in<uint32_t>(at.inst->op[1 + k])[lane];
      const char *there = reinterpret_cast<const char *>(
          start + base + uint64_t(k) * note.elementBytes);
      if (std::memcmp(there, &value, note.elementBytes) != 0)
        return true;
    }
  return false;
}

void Checker::touch(const Current &at, Region &region, AccessRoom &room,
                    Line &line, uint64_t start, const Access &now) {
  if (line.generation != region.generation) {
    line.generation = region.generation;
    line.count = line.capacity = 0;
    line.list = nullptr;
  }
  if (line.grid != region.grid) {
    // What is left is the doing of the grid before, and over as one, and of
    // others before that, which may be over already.
    uint16_t kept = 0;
    for (unsigned i = 0; i < line.count; ++i)
      if (line.grid >= gridsOver &&
          (line.list[i].block != previousGrid || line.grid > gridsOver))
        line.list[kept++] = line.list[i];
    line.count = kept;
    line.grid = region.grid;
    for (unsigned i = 0; i < line.count; ++i) {
      Access &earlier = line.list[i];
      earlier.flags &= static_cast<uint8_t>(~Access::Async);
      earlier.strength = 0;
      earlier.block = previousGrid;
      earlier.clock = 1;
    }
  }
  uint32_t known = at.block->knownToWarp(*at.warp);
  for (unsigned i = 0; i < line.count; ++i) {
    const Access &earlier = line.list[i];
    uint64_t common = earlier.bytes & now.bytes;
    if (!common || !(earlier.writes() || now.writes()))
      continue;
    bool checksProxy = now.isAsync() && !now.writes() && !earlier.isAsync() &&
                       work[now.clock].kind != AsyncKind::Copy;
    if (!earlier.isAsync() && earlier.block == now.block &&
        earlier.clock <= known && !checksProxy)
      continue;
    // Reductions by the asynchronous proxy are atomic with each other.
    if (earlier.isAsync() && now.isAsync() &&
        (earlier.flags & now.flags & Access::Atomic))
      continue;
    if (stronglyOrdered(*at.block, earlier, now) ||
        (!checksProxy &&
         quicklyOrdered(*at.block, earlier, now, common, known)))
      continue;
    int lane = -1, otherLane = -1;
    if (!ordered(at, earlier, now, common, lane, otherLane)) {
      if (earlier.writes() && now.writes() && !earlier.isAsync() &&
          !now.isAsync() && !changesBytes(at, start, now, common))
        continue;
      report(at, earlier, now, start, common, lane, otherLane,
             kindOf(earlier, now, &room != &global.room));
    }
    if (checksProxy)
      checkFenced(at, earlier, now, start, common,
                  static_cast<int>(__builtin_ctz(now.lanes)));
  }
  // The lanes of one store that write different values to one place.
  if (now.writes() && !now.strength && now.shift == Access::anyLane &&
      __builtin_popcount(now.lanes) > 1 && at.note &&
      at.note->kind == Note::Store) {
    const Note &note = *at.note;
    unsigned first = static_cast<unsigned>(__builtin_ctz(now.lanes));
    for (unsigned k = 0; k < note.elements; ++k)
      for (uint32_t left = now.lanes; left; left &= left - 1) {
        unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
        const uint32_t *values = at.warp->in<uint32_t>(at.inst->op[1 + k]);
        const uint64_t *wide = at.warp->in<uint64_t>(at.inst->op[1 + k]);
        bool differs = note.elementBytes == 8
                           ? wide[lane] != wide[first]
                           : (values[lane] ^ values[first])
                                 << (32 - 8 * note.elementBytes);
        if (differs) {
          Access same = now;
          report(at, same, now, start, now.bytes, static_cast<int>(lane),
                 static_cast<int>(first),
                 &room != &global.room ? CheckKind::SharedRace
                                       : CheckKind::GlobalRace);
        }
      }
  }
  remember(room, line, now);
}

void Checker::remember(AccessRoom &room, Line &line, const Access &now) {
  if (now.isAsync() && now.shift != Access::anyLane && line.count) {
    Access &last = line.list[line.count - 1];
    if (last.isAsync() && last.clock == now.clock && last.flags == now.flags &&
        last.shift == now.shift && last.first == now.first) {
      last.bytes |= now.bytes;
      last.lanes |= now.lanes;
      if (!now.writes())
        return;
      Access whole = last;
      unsigned kept = 0;
      for (unsigned i = 0; i + 1 < line.count; ++i)
        if (line.list[i].bytes & ~whole.bytes)
          line.list[kept++] = line.list[i];
      line.list[kept++] = whole;
      line.count = static_cast<uint16_t>(kept);
      return;
    }
  }
  constexpr unsigned most = 16;
  unsigned kept = 0;
  for (unsigned i = 0; i < line.count; ++i) {
    const Access &earlier = line.list[i];
    bool same = !now.isAsync() && !earlier.isAsync() &&
                earlier.block == now.block && earlier.warp == now.warp;
    // What has been checked against this one need not be kept: whoever races
    // with it and is ordered after this one would race with this one too.
    bool covered = (earlier.bytes & ~now.bytes) == 0 && now.writes() &&
                   !now.strength && !(now.flags & Access::Atomic);
    bool repeated = same && (earlier.bytes & ~now.bytes) == 0 &&
                    earlier.flags == now.flags &&
                    earlier.strength == now.strength && earlier.sameLanes(now);
    if (covered || repeated)
      continue;
    if (kept != i)
      line.list[kept] = earlier;
    ++kept;
  }
  line.count = static_cast<uint16_t>(kept);
  if (kept == most) {
    // The oldest that is over goes.
    unsigned gone = 0;
    while (gone + 1 < most && line.list[gone].isAsync())
      ++gone;
    std::memmove(line.list + gone, line.list + gone + 1,
                 (most - gone - 1) * sizeof(Access));
    --kept;
    --line.count;
  }
  if (kept == line.capacity) {
    unsigned capacity = line.capacity ? std::min(line.capacity * 2u, most) : 2;
    Access *list = room.take(capacity);
    std::copy(line.list, line.list + kept, list);
    line.list = list;
    line.capacity = static_cast<uint16_t>(capacity);
  }
  line.list[line.count++] = now;
}

std::string Checker::placeText(const Region &region, const BlockState *owner,
                               uint64_t host) const {
  if (owner)
    return "shared address " +
           std::to_string(host - region.begin + sharedStart);
  return "byte " + std::to_string(host - region.begin) + " of '" + region.name +
         "'";
}

static std::string threadText(const Launch &launch, uint32_t block,
                              uint32_t thread) {
  const Dim3 &size = launch.shape.block, &grid = launch.shape.grid;
  auto triple = [](uint64_t at, const Dim3 &extent) {
    return "(" + std::to_string(at % extent.x) + "," +
           std::to_string(at / extent.x % extent.y) + "," +
           std::to_string(at / extent.x / extent.y) + ")";
  };
  return "thread " + triple(thread, size) + " of block " + triple(block, grid);
}

/// "line 12" and what it was made from.
std::string Checker::lineText(uint32_t line) const {
  std::string source = findSource(*program->text, line);
  return "line " + std::to_string(line) +
         (source.empty() ? "" : " (of " + source + ")");
}

std::string Checker::sourceOf(const Access &earlier, int lane) const {
  if (earlier.block == previousGrid)
    return "the grid before";
  uint32_t block =
      earlier.isAsync() ? work[earlier.clock].block : earlier.block;
  return threadText(*launch, block,
                    earlier.warp * 32u + static_cast<uint32_t>(lane));
}

void Checker::report(const Current &at, const Access &earlier,
                     const Access &now, uint64_t start, uint64_t common,
                     int lane, int otherLane, CheckKind kind) const {
  const Region *region = nullptr;
  const BlockState *owner = nullptr;
  for (const Block *block : at.block->block->cluster->blocks) {
    const BlockState *state = blocks.at(block).get();
    if (start + 63 >= state->shared.begin && start < state->shared.end) {
      region = &state->shared;
      owner = state;
    }
  }
  if (!region)
    region = const_cast<Checker *>(this)->global.find(
        start + static_cast<unsigned>(__builtin_ctzll(common)));
  std::string place =
      region ? placeText(*region, owner,
                         start + static_cast<unsigned>(__builtin_ctzll(common)))
             : "memory";
  std::string other =
      earlier.isAsync()
          ? (work[earlier.clock].kind == AsyncKind::Wgmma ? "wgmma"
             : earlier.writes()                           ? "copy into it"
                                                          : "copy from it")
      : (earlier.flags & Access::Atomic) ? "atomic operation"
      : earlier.writes()                 ? "store"
                                         : "load";
  std::string by = "the " + other + " at " + lineText(earlier.line) + " by " +
                   sourceOf(earlier, otherLane < 0 ? 0 : otherLane);
  std::string message;
  switch (kind) {
  case CheckKind::AsyncReadEarly:
    message = now.isAsync() && now.writes()
                  ? by + " has read " + place +
                        " before this copy has brought it: nothing orders "
                        "that after the copy"
                  : "reads " + place + " while " + by +
                        " may be under way: this thread has not waited for it, "
                        "nor for "
                        "one that has";
    break;
  case CheckKind::AsyncOverwrite:
    message = earlier.isAsync()
                  ? "overwrites " + place + " while " + by +
                        " may be under way: this thread does not know that it "
                        "is over"
                  : "the copy overwrites " + place + " that " + by +
                        " may still be using: nothing orders that before this";
    break;
  default:
    if (earlier.strength && now.strength) {
      message = "data race: " + std::string(at.what) + " of " + place +
                " and " + by +
                " are strong, but the scope of one leaves the other's thread "
                "out";
      break;
    }
    message = "data race: " + std::string(at.what) + " of " + place + " and " +
              by + ", which nothing orders";
  }
  (void)now;
  throw Fault{withKind(std::move(message), kind), at.inst->line, lane};
}
