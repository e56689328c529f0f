// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cp.async with its groups and mbarriers (cp.async.bulk: InterpretBulk.cpp).
// Addresses are checked at the issue; when the bytes move is
// for AsyncOperations.h to say.
#include "runtime/device/emulator/Access.h"
#include "runtime/device/emulator/AsyncOperations.h"
#include "runtime/device/emulator/Barriers.h"
#include "runtime/device/emulator/CopyAddress.h"
#include "runtime/device/emulator/Observer.h"
#include "runtime/device/emulator/Scheduler.h"
#include "runtime/device/emulator/check/CheckKind.h"

using namespace llrt::emu;

namespace {

/// What cp.async.bulk and cp.async keep in Inst::extra.
struct CopyOperands {
  enum : uint32_t {
    DestinationShared = 1,
    SourceShared = 2,
    DestinationWide = 4,
    SourceWide = 8,
    MbarrierWide = 16,
    HasMbarrier = 32,
    HasSourceSize = 64,
    HasIgnore = 128,
    IgnoreNegated = 256
  };
  // extra[0..2]: byte offsets of the three addresses, as int32; extra[3]:
  // flags.
};

LLRT_INLINE uint64_t addressOf(Warp &warp, const Inst *inst, unsigned slot,
                               int lane, bool wide, bool shared) {
  int64_t offset = static_cast<int32_t>(inst->extra[slot]);
  return wide
             ? laneAddress<uint64_t>(warp, inst->op[slot], lane, offset, shared)
             : laneAddress<uint32_t>(warp, inst->op[slot], lane, offset,
                                     shared);
}

/// op[0]: destination, op[1]: source, op[3]: source size; imm: bytes;
/// op[4]: predicate that says to ignore the source.
const Inst *runCopy(const Inst *inst, Warp &warp, uint32_t mask) {
  uint32_t flags = inst->extra[3];
  using F = CopyOperands;
  uint32_t size = static_cast<uint32_t>(inst->imm);
  for (uint32_t left = mask; left; left &= left - 1) {
    int lane = __builtin_ctz(left);
    uint64_t to =
        addressOf(warp, inst, 0, lane, flags & F::DestinationWide, true);
    uint64_t from =
        addressOf(warp, inst, 1, lane, flags & F::SourceWide, false);
    uint32_t bytes =
        flags & F::HasSourceSize ? warp.in<uint32_t>(inst->op[3])[lane] : size;
    if (flags & F::HasIgnore) {
      bool ignore = (warp.predicates[inst->op[4]] >> lane & 1) !=
                    static_cast<uint32_t>((flags & F::IgnoreNegated) != 0);
      bytes = ignore ? 0 : bytes;
    }
    if (bytes > size)
      fault(inst, lane,
            "cp.async reads " + std::to_string(bytes) + " bytes of " +
                std::to_string(size));
    if (to % size || (bytes && from % size))
      fault(inst, lane, CheckKind::Misaligned,
            "misaligned cp.async of " + std::to_string(size) + " bytes");
    char *target =
        hostRange(inst, warp, lane, to, size, AccessKind::Store, false);
    const char *source =
        bytes ? hostRange(inst, warp, lane, from, bytes, AccessKind::Load, true)
              : nullptr;
    if (Observer *observer = warp.observer()) {
      AsyncEvent event{AsyncKind::Copy, AsyncGroup::Copy, inst, &warp, lane};
      event.read = source;
      event.readBytes = bytes;
      event.write = target;
      event.writeBytes = size;
      observer->asyncIssued(event);
    }
    issueAsync(
        inst, warp, lane, AsyncQueue::Copy, source, bytes,
        [target, bytes, size](const char *data) {
          if (bytes)
            std::memcpy(target, data, bytes);
          std::memset(target + bytes, 0, size - bytes);
        },
        [] {});
  }
  warp.block->effects += 1;
  return inst + 1;
}

/// cp.async.mbarrier.arrive: this thread arrives when its copies so far are
/// done. Without .noinc (aux) the pending count is raised by one until then.
template <class A>
const Inst *runCopyArrive(const Inst *inst, Warp &warp, uint32_t mask) {
  for (uint32_t left = mask; left; left &= left - 1) {
    int lane = __builtin_ctz(left);
    uint32_t address = static_cast<uint32_t>(
        laneAddress<A>(warp, inst->op[0], lane, inst->imm, true) -
        sharedWindow);
    if (Observer *observer = warp.observer()) {
      AsyncEvent event{AsyncKind::Copy, AsyncGroup::Copy, inst, &warp, lane};
      observeMbarrier(event, address);
      observer->asyncArrives(event);
    }
    MbarrierWord word = readMbarrier(inst, warp, lane, address);
    if (!inst->aux) {
      word.pending += 1;
      if (word.pending > MbarrierWord::maxCount)
        fault(inst, lane, CheckKind::Mbarrier,
              "the pending count of the mbarrier overflows");
      writeMbarrier(inst, warp, lane, address, word);
    }
    issueAsync(
        inst, warp, lane, AsyncQueue::Copy, nullptr, 0, [](const char *) {},
        [inst, &warp, lane, address] {
          arrive(inst, warp, lane, address, 1, 0, false);
        },
        /*ordered=*/true);
  }
  return inst + 1;
}

void bindAddress(Decoding &d, unsigned slot, const Operand &memory,
                 uint32_t wideFlag) {
  int64_t keep = d.inst().imm;
  bool wide = d.address(slot, memory, Space::Shared);
  int64_t offset = d.inst().imm;
  d.inst().imm = keep;
  if (offset != static_cast<int32_t>(offset))
    d.fail("an offset of more than 31 bits");
  d.setExtra(slot, static_cast<uint32_t>(static_cast<int32_t>(offset)));
  if (wide)
    d.setExtra(3, d.inst().extra[3] | wideFlag);
}

void decodeCp(Decoding &d) {
  using F = CopyOperands;
  if (d.take("reduce")) {
    if (!d.take("async") || !d.take("bulk"))
      d.unsupported();
    return decodeBulkReduction(d);
  }
  if (!d.take("async"))
    d.unsupported();
  if (d.take("bulk"))
    return decodeBulk(d);
  if (d.take("commit_group"))
    return d.emit(runCommit<AsyncQueue::Copy>);
  if (d.take("wait_all")) {
    d.emit(runWaitGroup<AsyncQueue::Copy>);
    d.inst().aux = 1;
    return;
  }
  if (d.take("wait_group"))
    return decodeWaitGroup<AsyncQueue::Copy>(d);
  if (d.take("mbarrier")) {
    if (!d.take("arrive"))
      d.unsupported();
    bool noIncrement = d.take("noinc");
    d.takeSpace();
    d.takeType();
    d.expectOperands(1, 1);
    bool wide = isWide(d, d.operand(0));
    d.emit(wide ? runCopyArrive<uint64_t> : runCopyArrive<uint32_t>);
    d.address(0, d.operand(0), Space::Shared);
    d.inst().aux = noIncrement;
    return;
  }
  bool throughL1 = d.take("ca");
  if (!throughL1 && !d.take("cg"))
    d.unsupported();
  if (d.takeOneOf({"shared", "shared::cta", "shared::cluster"}).empty() ||
      !d.take("global"))
    d.unsupported();
  bool hint = d.take("L2::cache_hint");
  d.takeOneOf({"L2::64B", "L2::128B", "L2::256B"});
  d.expectOperands(3u + hint, 4u + hint);
  uint64_t size = d.constant(d.operand(2));
  if (size != 16 && !(throughL1 && (size == 4 || size == 8)))
    d.fail("copies of " + std::to_string(size) + " bytes");
  d.emit(runCopy);
  d.extra(4);
  d.inst().imm = static_cast<int64_t>(size);
  bindAddress(d, 0, d.operand(0), F::DestinationWide);
  bindAddress(d, 1, d.operand(1), F::SourceWide);
  if (d.operands() > 3u + hint) {
    const Operand &fourth = d.operand(3);
    if (d.registerBits(fourth) == 1) {
      d.usePredicate(4, fourth);
      d.setExtra(3, d.inst().extra[3] | F::HasIgnore |
                        (fourth.negated ? F::IgnoreNegated : 0u));
    } else {
      d.use(3, fourth, Type::U32);
      d.setExtra(3, d.inst().extra[3] | F::HasSourceSize);
    }
  }
  d.cachedInterval();
}

} // namespace

void llrt::emu::addAsyncInstructions(InstructionTable &table) {
  table["cp"] = decodeCp;
}
