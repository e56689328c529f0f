// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bulk copies and reductions in every direction, st.async and red.async.
#include "runtime/device/emulator/Atomic.h"
#include "runtime/device/emulator/Barriers.h"
#include "runtime/device/emulator/Control.h"
#include "runtime/device/emulator/CopyAddress.h"
#include "runtime/device/emulator/Scheduler.h"
#include "runtime/device/emulator/check/CheckKind.h"

using namespace llrt::emu;

/// Checked host address of [address, address+bytes); Inst::aux: the interval.
char *llrt::emu::hostRange(const Inst *inst, Warp &warp, int lane,
                           uint64_t address, uint64_t bytes, AccessKind kind,
                           bool interval) {
  if (address >= sharedWindow) {
    Block *owner;
    return sharedAt(inst, warp, lane, address - sharedWindow, bytes, "copy",
                    owner);
  }
  if (interval) {
    const Interval &known = warp.worker->intervals[inst->aux];
    if (address - known.begin < known.bytes &&
        known.bytes - (address - known.begin) >= bytes)
      return reinterpret_cast<char *>(address);
  }
  const Memory &memory = *warp.worker->launch->memory;
  const Allocation *allocation = memory.find(address);
  if (!allocation || allocation->end - address < bytes)
    fault(inst, lane, CheckKind::OutOfBounds,
          "copy of " + std::to_string(bytes) + " bytes at " +
              memory.describe(address));
  if (kind != AccessKind::Load && !allocation->writable)
    fault(inst, lane, CheckKind::OutOfBounds,
          "copy into constant memory at " + memory.describe(address));
  if (interval)
    warp.worker->intervals[inst->aux] = {allocation->begin,
                                         allocation->end - allocation->begin};
  return reinterpret_cast<char *>(address);
}

/// The operation's completion is a transaction of the mbarrier there.
void llrt::emu::observeMbarrier(AsyncEvent &event, uint64_t address) {
  event.group = AsyncGroup::Mbarrier;
  event.mbarrier = static_cast<uint32_t>(address) & clusterOffsetMask;
  sharedAt(event.inst, *event.warp, event.lane, address, 8, "mbarrier",
           event.mbarrierBlock);
}

bool llrt::emu::isWide(Decoding &d, const Operand &memory) {
  return !(memory.kind == Operand::Memory &&
           memory.elements[0].kind == Operand::Register &&
           d.registerBits(memory.elements[0]) == 32);
}

namespace {

/// What the handlers below keep in Inst::extra, as words.
struct BulkForm {
  int32_t offsets[3]; ///< of destination, source, mbarrier
  uint32_t toShared, fromShared, mbarrier, multicast;
  uint32_t wide;             ///< bit i: address i has 8-byte lanes
  uint32_t bytes, scalar[2]; ///< of a reduction: element, AtomicOperation
  uint32_t vector;           ///< st.async: elements
};
constexpr unsigned formWords = sizeof(BulkForm) / 4;

BulkForm formOf(const Inst *inst) {
  BulkForm form;
  std::memcpy(&form, inst->extra, sizeof form);
  return form;
}
AtomicOperation::Scalar scalarOf(const BulkForm &form) {
  return reinterpret_cast<AtomicOperation::Scalar>(
      uint64_t(form.scalar[1]) << 32 | form.scalar[0]);
}

/// A lane's address i (op[i]) as a generic one.
uint64_t addressOf(const BulkForm &form, const Inst *inst, Warp &warp,
                   unsigned i, int lane, bool shared) {
  int64_t offset = form.offsets[i];
  return form.wide >> i & 1
             ? laneAddress<uint64_t>(warp, inst->op[i], lane, offset, shared)
             : laneAddress<uint32_t>(warp, inst->op[i], lane, offset, shared);
}

/// The shared::cluster address of the mbarrier, which has to lie in the block
/// that the data goes to.
uint32_t mbarrierOf(const BulkForm &form, const Inst *inst, Warp &warp,
                    int lane, uint64_t target) {
  uint64_t address = addressOf(form, inst, warp, 2, lane, true) - sharedWindow;
  if (address >> 32)
    fault(inst, lane, CheckKind::Mbarrier,
          "the address of the mbarrier is not in shared memory");
  auto rankOf = [&](uint64_t at) {
    uint64_t rank = at >> clusterRankShift & 0xff;
    return rank ? rank - 1 : warp.block->rank;
  };
  if (rankOf(address) != rankOf(target))
    fault(inst, lane, CheckKind::Mbarrier,
          "the data goes to the block of rank " +
              std::to_string(rankOf(target)) + " but the mbarrier lies in " +
              std::to_string(rankOf(address)) + "'s");
  return static_cast<uint32_t>(address);
}

/// The same offset in the block of a rank.
uint64_t inRank(uint64_t address, unsigned rank) {
  return sharedWindow | uint64_t(rank + 1) << clusterRankShift |
         (address & clusterOffsetMask);
}

/// Issues one operation of `size` bytes from `source` to `target`.
void issueBulk(const BulkForm &form, const Inst *inst, Warp &warp, int lane,
               const char *source, uint64_t to, uint32_t barrier,
               uint32_t size) {
  char *target = hostRange(inst, warp, lane, to, size,
                           form.bytes ? AccessKind::Atomic : AccessKind::Store,
                           !form.toShared);
  if (Observer *observer = warp.observer()) {
    AsyncEvent event{AsyncKind::Bulk, AsyncGroup::Bulk, inst, &warp, lane};
    event.read = source;
    event.write = target;
    event.readBytes = event.writeBytes = size;
    event.reduces = form.bytes;
    if (form.mbarrier)
      observeMbarrier(event, barrier);
    observer->asyncIssued(event);
  }
  AtomicOperation::Scalar one = scalarOf(form);
  uint32_t step = form.bytes;
  auto write = [target, size, one, step](const char *data) {
    if (!one) {
      std::memmove(target, data, size);
      return;
    }
    for (uint32_t at = 0; at < size; at += step) {
      uint64_t value = 0;
      bool changed;
      std::memcpy(&value, data + at, step);
      one(reinterpret_cast<uint64_t>(target) + at, value, 0, changed);
    }
  };
  if (!form.mbarrier) {
    issueAsync(inst, warp, lane, AsyncQueue::BulkGroup, source, size, write,
               [] {});
    return;
  }
  readMbarrier(inst, warp, lane, barrier); // faults here unless it is one
  issueAsync(inst, warp, lane, AsyncQueue::Mbarrier, source, size, write,
             [inst, &warp, lane, barrier, size] {
               completeTransaction(inst, warp, lane, barrier, size);
             });
}

/// op[0]: destination, op[1]: source, op[2]: mbarrier, op[3]: size, op[4]: the
/// blocks of a multicast.
const Inst *runBulk(const Inst *inst, Warp &warp, uint32_t mask) {
  BulkForm form = formOf(inst);
  for (uint32_t left = mask; left; left &= left - 1) {
    int lane = __builtin_ctz(left);
    uint64_t to = addressOf(form, inst, warp, 0, lane, form.toShared);
    uint64_t from = addressOf(form, inst, warp, 1, lane, form.fromShared);
    uint32_t size = warp.in<uint32_t>(inst->op[3])[lane];
    if (size % 16 || to % 16 || from % 16)
      fault(inst, lane, CheckKind::Misaligned,
            "a bulk copy needs addresses and a size that are multiples of 16; "
            "the size is " +
                std::to_string(size));
    if (form.fromShared && from - sharedWindow >= windowBytes)
      fault(inst, lane, "the source is not in shared memory");
    if (form.toShared && to - sharedWindow >= windowBytes)
      fault(inst, lane, "the destination is not in shared memory");
    const char *source = hostRange(inst, warp, lane, from, size,
                                   AccessKind::Load, !form.fromShared);
    uint32_t barrier =
        form.mbarrier ? mbarrierOf(form, inst, warp, lane, to) : 0;
    if (!form.multicast) {
      issueBulk(form, inst, warp, lane, source, to, barrier, size);
      continue;
    }
    uint32_t blocks = warp.in<uint32_t>(inst->op[4])[lane] & 0xffff;
    if (blocks >> warp.block->cluster->blocks.size())
      fault(inst, lane,
            "a multicast to ranks that this cluster of " +
                std::to_string(warp.block->cluster->blocks.size()) +
                " blocks does not have");
    for (; blocks; blocks &= blocks - 1) {
      unsigned rank = static_cast<unsigned>(__builtin_ctz(blocks));
      issueBulk(form, inst, warp, lane, source, inRank(to, rank),
                static_cast<uint32_t>(inRank(barrier, rank)), size);
    }
  }
  warp.block->effects += 1;
  return inst + 1;
}

/// st.async and red.async. op[0]: address, op[2]: mbarrier, op[3..]: values.
const Inst *runRemote(const Inst *inst, Warp &warp, uint32_t mask) {
  BulkForm form = formOf(inst);
  AtomicOperation::Scalar one = scalarOf(form);
  for (uint32_t left = mask; left; left &= left - 1) {
    int lane = __builtin_ctz(left);
    uint64_t to = addressOf(form, inst, warp, 0, lane, true);
    uint32_t size = form.bytes * form.vector;
    if (to - sharedWindow >= windowBytes || to % size)
      fault(inst, lane, CheckKind::Misaligned,
            "the destination is not in shared memory, or misaligned for " +
                std::to_string(size) + " bytes");
    char *target =
        hostRange(inst, warp, lane, to, size, AccessKind::Store, false);
    uint32_t barrier = mbarrierOf(form, inst, warp, lane, to);
    readMbarrier(inst, warp, lane, barrier);
    uint64_t values[4];
    for (uint32_t i = 0; i < form.vector; ++i)
      values[i] = form.bytes == 8 ? warp.in<uint64_t>(inst->op[3 + i])[lane]
                                  : warp.in<uint32_t>(inst->op[3 + i])[lane];
    if (Observer *observer = warp.observer()) {
      AsyncEvent event{AsyncKind::Remote, AsyncGroup::Mbarrier, inst, &warp,
                       lane};
      event.write = target;
      event.writeBytes = size;
      event.reduces = one;
      observeMbarrier(event, barrier);
      observer->asyncIssued(event);
    }
    uint64_t first = values[0], second = values[1], third = values[2],
             fourth = values[3];
    issueAsync(
        inst, warp, lane, AsyncQueue::Mbarrier, nullptr, 0,
        [=](const char *) {
          bool changed;
          if (one)
            one(reinterpret_cast<uint64_t>(target), first, 0, changed);
          const uint64_t each[4] = {first, second, third, fourth};
          for (uint32_t i = 0; i < form.vector && !one; ++i)
            std::memcpy(target + i * form.bytes, &each[i], form.bytes);
        },
        [inst, &warp, lane, barrier, size] {
          completeTransaction(inst, warp, lane, barrier, size);
        });
  }
  warp.block->effects += 1;
  return inst + 1;
}

void bindAddress(Decoding &d, BulkForm &form, unsigned i, size_t operand) {
  if (d.address(i, d.operand(operand), Space::Shared))
    form.wide |= 1u << i;
  int64_t offset = d.inst().imm;
  if (offset != static_cast<int32_t>(offset))
    d.fail("an offset of more than 31 bits");
  form.offsets[i] = static_cast<int32_t>(offset);
  d.inst().imm = 0;
}

void setForm(Decoding &d, const BulkForm &form) {
  uint32_t words[formWords];
  std::memcpy(words, &form, sizeof form);
  for (unsigned i = 0; i < formWords; ++i)
    d.setExtra(i, words[i]);
}

void setScalar(BulkForm &form, const AtomicOperation &found) {
  form.bytes = found.bytes;
  form.scalar[0] = static_cast<uint32_t>(reinterpret_cast<uint64_t>(found.one));
  form.scalar[1] =
      static_cast<uint32_t>(reinterpret_cast<uint64_t>(found.one) >> 32);
}

/// Directions, completion and operands, which copies and reductions share.
void decodeDirections(Decoding &d, BulkForm form, bool reduces) {
  std::string_view first =
      d.takeOneOf({"shared::cluster", "shared::cta", "global"});
  std::string_view second = d.takeOneOf({"shared::cta", "global"});
  form.mbarrier = d.take("mbarrier::complete_tx::bytes");
  bool group = d.take("bulk_group");
  form.multicast = d.take("multicast::cluster");
  bool hint = d.take("L2::cache_hint");
  form.toShared = first != "global";
  form.fromShared = second != "global";
  // shared::cta is a destination only of what comes from global memory.
  if (first.empty() || second.empty() || form.mbarrier == group ||
      form.toShared != static_cast<uint32_t>(form.mbarrier) ||
      (!form.toShared && !form.fromShared) ||
      (first == "shared::cta" && form.fromShared) ||
      (form.multicast && (!form.toShared || form.fromShared || reduces)) ||
      (hint && form.toShared && form.fromShared) ||
      (reduces && !form.fromShared))
    d.unsupported();
  size_t count = 3u + form.mbarrier + form.multicast + hint;
  d.expectOperands(count, count);
  d.emit(runBulk);
  d.extra(formWords);
  bindAddress(d, form, 0, 0);
  bindAddress(d, form, 1, 1);
  d.use(3, d.operand(2), Type::U32);
  if (form.mbarrier)
    bindAddress(d, form, 2, 3);
  if (form.multicast)
    d.use(4, d.operand(4), Type::B16, true);
  setForm(d, form);
  d.cachedInterval();
}

} // namespace

void llrt::emu::decodeBulk(Decoding &d) {
  if (d.take("commit_group"))
    return d.emit(runCommit<AsyncQueue::BulkGroup>);
  if (d.take("wait_group"))
    return decodeWaitGroup<AsyncQueue::BulkGroup>(d);
  if (d.take("tensor"))
    d.fail("tensor maps are not emulated");
  if (d.take("prefetch")) {
    if (!d.take("L2") || !d.take("global"))
      d.unsupported();
    bool hint = d.take("L2::cache_hint");
    d.expectOperands(2u + hint, 2u + hint);
    return d.emit(runNothing);
  }
  decodeDirections(d, BulkForm{}, false);
}

void llrt::emu::decodeBulkReduction(Decoding &d) {
  bool toShared = d.statement.opcode.find(".bulk.shared::cluster.") !=
                  std::string_view::npos;
  std::string_view operation =
      d.takeOneOf({"add", "min", "max", "inc", "dec", "and", "or", "xor"});
  bool noftz = d.take("noftz");
  Type type = d.takeType();
  AtomicOperation found = findAtomic(operation, type);
  bool narrow = type == Type::F16 || type == Type::BF16;
  bool bits = type == Type::B32 || type == Type::B64;
  bool allowed =
      found.one && type != Type::F16x2 && type != Type::BF16x2 &&
      noftz == (narrow && operation == "add") &&
      (type != Type::S64 || operation != "add") &&
      (bits || (operation != "and" && operation != "or" && operation != "xor"));
  if (toShared) // integers of 32 bits, and the sum of u64
    allowed &= type == Type::S32 || type == Type::U32 || type == Type::B32 ||
               (type == Type::U64 && operation == "add");
  if (!allowed)
    d.unsupported();
  BulkForm form{};
  setScalar(form, found);
  decodeDirections(d, form, true);
}

void llrt::emu::decodeStoreAsync(Decoding &d) {
  d.take("weak");
  unsigned vector = d.take("v2") ? 2 : d.take("v4") ? 4 : 1;
  if (!d.take("shared::cluster") || !d.take("mbarrier::complete_tx::bytes"))
    d.unsupported();
  Type type = d.takeType();
  unsigned bits = bitsOf(type);
  if ((bits != 32 && bits != 64) ||
      isFloat(type) != (type == Type::F32 || type == Type::F64))
    d.unsupported();
  if (vector == 4 && bits == 64)
    d.unsupported();
  d.expectOperands(3, 3);
  BulkForm form{};
  form.bytes = bits / 8;
  form.vector = vector;
  form.mbarrier = 1;
  d.emit(runRemote);
  d.extra(formWords);
  bindAddress(d, form, 0, 0);
  bindAddress(d, form, 2, 2);
  const Operand &value = d.operand(1);
  if (vector > 1 &&
      (value.kind != Operand::Vector || value.elements.size() != vector))
    d.fail("a vector of " + std::to_string(vector) + " is expected");
  for (unsigned i = 0; i < vector; ++i)
    d.use(3 + i, vector > 1 ? value.elements[i] : value, type);
  setForm(d, form);
}

void llrt::emu::decodeReduceAsync(Decoding &d) {
  // decodeAtomic() has taken order, scope, space and operation.
  std::string_view opcode = d.statement.opcode;
  auto has = [&](const char *part) {
    return opcode.find(part) != std::string_view::npos;
  };
  std::string_view operation = "";
  for (const char *each :
       {"add", "min", "max", "inc", "dec", "and", "xor", "or"})
    if (operation.empty() && has((std::string(".") + each + ".").c_str()))
      operation = each;
  if (!has(".relaxed.cluster") || !has(".shared::cluster") ||
      !d.take("mbarrier::complete_tx::bytes"))
    d.unsupported();
  Type type = d.takeType();
  AtomicOperation found = findAtomic(operation, type);
  bool bits = operation == "and" || operation == "or" || operation == "xor";
  if (!found.one || bits != (type == Type::B32) ||
      (type != Type::U32 && type != Type::S32 && type != Type::B32 &&
       !(type == Type::U64 && operation == "add")))
    d.unsupported();
  d.expectOperands(3, 3);
  BulkForm form{};
  setScalar(form, found);
  form.vector = 1;
  form.mbarrier = 1;
  d.emit(runRemote);
  d.extra(formWords);
  bindAddress(d, form, 0, 0);
  bindAddress(d, form, 2, 2);
  d.use(3, d.operand(1), type);
  setForm(d, form);
}
