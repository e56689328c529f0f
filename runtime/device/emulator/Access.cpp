// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Addresses lane by lane, and what is said about the bad ones.
#include "runtime/device/emulator/Access.h"
#include "runtime/device/emulator/Scheduler.h"
#include "runtime/device/emulator/check/CheckKind.h"

using namespace llrt::emu;

static const char *textOf(Space space) {
  switch (space) {
  case Space::Shared:
    return "shared";
  case Space::Local:
    return "local";
  case Space::Param:
    return "parameter";
  default:
    return "global";
  }
}

static const char *textOf(AccessKind kind) {
  return kind == AccessKind::Load    ? "load"
         : kind == AccessKind::Store ? "store"
                                     : "atomic operation";
}

template <Space SP, class A>
static void resolveOut(const Inst *inst, Warp &warp, uint32_t mask,
                       AccessKind kind, uint32_t size, Addresses &out) {
  resolve<SP, A>(inst, warp, mask, kind, size, out);
}

Resolver llrt::emu::resolverOf(Space space, bool wideAddress) {
  switch (space) {
  case Space::Shared:
    return wideAddress ? resolveOut<Space::Shared, uint64_t>
                       : resolveOut<Space::Shared, uint32_t>;
  case Space::Local:
    return wideAddress ? resolveOut<Space::Local, uint64_t>
                       : resolveOut<Space::Local, uint32_t>;
  case Space::Generic:
    return resolveOut<Space::Generic, uint64_t>;
  default:
    return resolveOut<Space::Global, uint64_t>;
  }
}

static std::string hexadecimal(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx",
                static_cast<unsigned long long>(value));
  return text;
}

char *llrt::emu::sharedAt(const Inst *inst, Warp &warp, int lane,
                          uint64_t address, uint64_t bytes, const char *what,
                          Block *&owner) {
  uint64_t rank = address >> clusterRankShift;
  uint64_t at = address & clusterOffsetMask;
  Block &self = *warp.block;
  owner = &self;
  auto name = [&] {
    return "shared " + std::string(what) + " of " + std::to_string(bytes) +
           " bytes at " + hexadecimal(address);
  };
  if (rank) {
    const Cluster &cluster = *self.cluster;
    if (rank > cluster.blocks.size())
      fault(inst, lane, CheckKind::OutOfBounds,
            name() + ", which names no block of this cluster of " +
                std::to_string(cluster.blocks.size()));
    owner = cluster.blocks[rank - 1];
    if (owner != &self && owner->liveWarps == 0)
      fault(inst, lane, CheckKind::ClusterExit,
            name() + ": the block of rank " + std::to_string(rank - 1) +
                " has exited, and its shared memory with it");
  }
  if (at < sharedStart || at - sharedStart > warp.sharedBytes ||
      warp.sharedBytes - (at - sharedStart) < bytes)
    fault(inst, lane, CheckKind::OutOfBounds,
          name() + ", outside the block's " + std::to_string(warp.sharedBytes) +
              " bytes, which start at " + hexadecimal(sharedStart));
  return owner->shared + (at - sharedStart);
}

void llrt::emu::resolveEach(const Inst *inst, Warp &warp, uint32_t mask,
                            Space space, AccessKind kind, uint32_t size,
                            const uint64_t *address, Addresses &out) {
  out.contiguous = false;
  for (unsigned i = 0; i < 32; ++i) {
    if (!(mask >> i & 1))
      continue;
    uint64_t at = address[i];
    Space in = space;
    if (space == Space::Generic || space == Space::Global) {
      in = Space::Global;
      if (space == Space::Generic && at >= sharedWindow) {
        uint64_t window = at >> 56 << 56;
        in = window == sharedWindow  ? Space::Shared
             : window == localWindow ? Space::Local
                                     : Space::Param;
        at -= window;
      }
    }
    int lane = static_cast<int>(i);
    auto what = [&] { // made only for a fault
      return std::string(textOf(in)) + " " + textOf(kind) + " of " +
             std::to_string(size) + " bytes at ";
    };
    if (at & (size - 1))
      fault(inst, lane, CheckKind::Misaligned,
            "misaligned " + what() + hexadecimal(at));
    if (in == Space::Shared) {
      Block *owner;
      out.at[i] = reinterpret_cast<uint64_t>(
          sharedAt(inst, warp, lane, at, size, textOf(kind), owner));
    } else if (in == Space::Local) {
      if (at > warp.localBytes || warp.localBytes - at < size)
        fault(inst, lane, CheckKind::OutOfBounds,
              what() + hexadecimal(at) + ", outside the thread's " +
                  std::to_string(warp.localBytes) + " bytes");
      out.at[i] = reinterpret_cast<uint64_t>(warp.local) +
                  uint64_t(warp.localBytes) * i + at;
    } else if (in == Space::Param) {
      const Launch &launch = *warp.worker->launch;
      if (kind != AccessKind::Load || at > launch.parameters.size() ||
          launch.parameters.size() - at < size)
        fault(inst, lane, CheckKind::OutOfBounds,
              what() + hexadecimal(at) + ", outside the kernel's parameters");
      out.at[i] = reinterpret_cast<uint64_t>(launch.parameters.data()) + at;
    } else {
      // The lane before this one has most often been in the same allocation.
      Interval &interval = warp.worker->intervals[inst->aux];
      if (at - interval.begin < interval.bytes &&
          interval.bytes - (at - interval.begin) >= size) {
        out.at[i] = at;
        continue;
      }
      const Memory &memory = *warp.worker->launch->memory;
      const Allocation *allocation = memory.find(at);
      if (!allocation || allocation->end - at < size)
        fault(inst, lane, CheckKind::OutOfBounds, what() + memory.describe(at));
      if (kind != AccessKind::Load && !allocation->writable)
        fault(inst, lane, CheckKind::OutOfBounds,
              what() + memory.describe(at) + ": it is constant");
      out.at[i] = at;
      interval = {allocation->begin, allocation->end - allocation->begin};
    }
  }
}
