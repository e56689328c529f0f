// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// mov in all its forms (registers, addresses, clocks, packing), cvta, isspacep
// and instructions that change nothing here.
#include "runtime/device/emulator/Control.h"
#include "runtime/device/emulator/Decoding.h"
#include "runtime/device/emulator/Lanes.h"
#include "runtime/device/emulator/SystemCalls.h"

using namespace llrt::emu;

namespace {

/// d = {a, b, ..}: Part bits each, the first lowest. imm: how many.
template <class S, unsigned Part>
const Inst *runPack(const Inst *inst, Warp &warp, uint32_t mask) {
  S r[32] = {};
  for (unsigned k = 0; k < static_cast<unsigned>(inst->imm); ++k) {
    const uint32_t *from = warp.in<uint32_t>(inst->op[1 + k]);
    constexpr uint32_t keep = Part == 32 ? ~0u : (1u << Part) - 1;
    for (unsigned i = 0; i < 32; ++i)
      r[i] |= static_cast<S>(from[i] & keep) << (k * Part);
  }
  put(warp.out<S>(inst->op[0]), r, mask);
  return inst + 1;
}

/// {a, b, ..} = s; op[1..]: the destinations.
template <class S, unsigned Part>
const Inst *runUnpack(const Inst *inst, Warp &warp, uint32_t mask) {
  S from[32];
  std::memcpy(from, warp.in<S>(inst->op[0]), sizeof from);
  for (unsigned k = 0; k < static_cast<unsigned>(inst->imm); ++k) {
    constexpr uint32_t keep = Part == 32 ? ~0u : (1u << Part) - 1;
    uint32_t r[32];
    for (unsigned i = 0; i < 32; ++i)
      r[i] = static_cast<uint32_t>(from[i] >> (k * Part)) & keep;
    put(warp.out<uint32_t>(inst->op[1 + k]), r, mask);
  }
  return inst + 1;
}

Handler packHandler(unsigned whole, unsigned part, bool unpack) {
  if (whole == 64 && part == 32)
    return unpack ? runUnpack<uint64_t, 32> : runPack<uint64_t, 32>;
  if (whole == 64 && part == 16)
    return unpack ? runUnpack<uint64_t, 16> : runPack<uint64_t, 16>;
  if (whole == 32 && part == 16)
    return unpack ? runUnpack<uint32_t, 16> : runPack<uint32_t, 16>;
  if (whole == 32 && part == 8)
    return unpack ? runUnpack<uint32_t, 8> : runPack<uint32_t, 8>;
  if (whole == 16 && part == 8)
    return unpack ? runUnpack<uint32_t, 8> : runPack<uint32_t, 8>;
  return nullptr;
}

/// Clocks count executed instructions of the warp; imm: shift of the result.
template <class S>
const Inst *runClock(const Inst *inst, Warp &warp, uint32_t mask) {
  if (!warp.clockCurrent) {
    warp.clockCurrent = true;
    warp.split().pc = inst;
    warp.stop = Stop::Again;
    return nullptr;
  }
  warp.clockCurrent = false;
  S r[32];
  for (unsigned i = 0; i < 32; ++i)
    r[i] = static_cast<S>(warp.executed >> inst->imm);
  put(warp.out<S>(inst->op[0]), r, mask);
  return inst + 1;
}

const Inst *runMovePredicate(const Inst *inst, Warp &warp, uint32_t mask) {
  uint32_t value =
      inst->imm >= 0 ? (inst->imm ? ~0u : 0)
                     : warp.predicates[inst->op[1]] ^ (inst->aux & 1 ? ~0u : 0);
  putPredicate(warp, inst->op[0], value, mask);
  return inst + 1;
}

/// Whether the launch gave a cluster's shape.
const Inst *runIsCluster(const Inst *inst, Warp &warp, uint32_t mask) {
  bool is = warp.block->cluster->blocks.size() > 1;
  putPredicate(warp, inst->op[0], is ? ~0u : 0, mask);
  return inst + 1;
}

bool decodeClock(Decoding &d, Type type) {
  const Operand &from = d.operand(1);
  if (from.kind != Operand::Special)
    return false;
  bool high = from.name == "%clock_hi" || from.name == "%globaltimer_hi";
  bool narrow = high || from.name == "%clock" || from.name == "%globaltimer_lo";
  if (!narrow && from.name != "%clock64" && from.name != "%globaltimer")
    return false;
  if (bitsOf(type) != (narrow ? 32u : 64u))
    d.unsupported();
  d.mayStop();
  d.emit(narrow ? runClock<uint32_t> : runClock<uint64_t>);
  d.inst().imm = high ? 32 : 0;
  d.def(0, d.operand(0), bitsOf(type));
  return true;
}

void decodeMov(Decoding &d) {
  Type type = d.takeType();
  d.expectOperands(2, 2);
  const Operand &to = d.operand(0), &from = d.operand(1);
  unsigned bits = bitsOf(type);
  if (type == Type::Pred && from.kind == Operand::Special &&
      from.name == "%is_explicit_cluster") {
    d.emit(runIsCluster);
    return d.defPredicate(0, to);
  }
  if (type == Type::Pred) {
    d.emit(runMovePredicate);
    d.defPredicate(0, to);
    d.inst().imm = -1;
    d.inst().aux = from.negated;
    if (from.kind == Operand::Integer)
      d.inst().imm = from.value != 0;
    else
      d.usePredicate(1, from);
    return;
  }
  if (decodeClock(d, type))
    return;
  if (to.kind == Operand::Vector || from.kind == Operand::Vector) {
    bool unpack = to.kind == Operand::Vector;
    const Operand &vector = unpack ? to : from;
    size_t count = vector.elements.size();
    if ((count != 2 && count != 4) || (unpack && from.kind == Operand::Vector))
      d.unsupported();
    unsigned part = bits / static_cast<unsigned>(count);
    d.emit(packHandler(bits, part, unpack));
    d.inst().imm = static_cast<int64_t>(count);
    if (unpack)
      d.use(0, from, type);
    else
      d.def(0, to, bits);
    for (unsigned k = 0; k < count; ++k) {
      const Operand &element = vector.elements[k];
      if (unpack)
        d.def(1 + k, element, part, part == 8);
      else
        d.use(1 + k, element,
              part == 32   ? Type::B32
              : part == 16 ? Type::B16
                           : Type::B8,
              part == 8);
    }
    return;
  }
  if (bits < 16)
    d.unsupported();
  d.emit(bits == 64 ? runMove64 : runMove32);
  d.def(0, to, bits);
  d.use(1, from, type);
}

/// Adds (imm) to the lanes: a window's base, or its negative.
const Inst *runAddWindow(const Inst *inst, Warp &warp, uint32_t mask) {
  const uint64_t *a = warp.in<uint64_t>(inst->op[1]);
  uint64_t r[32];
  for (unsigned i = 0; i < 32; ++i)
    r[i] = a[i] + static_cast<uint64_t>(inst->imm);
  put(warp.out<uint64_t>(inst->op[0]), r, mask);
  return inst + 1;
}

uint64_t windowOf(Space space) {
  return space == Space::Shared  ? sharedWindow
         : space == Space::Local ? localWindow
         : space == Space::Param ? parameterWindow
                                 : 0;
}

void decodeCvta(Decoding &d) {
  bool to = d.take("to");
  Space space = d.takeSpace();
  Type type = d.takeType();
  d.expectOperands(2, 2);
  if (type != Type::U64 || space == Space::Generic)
    d.unsupported();
  uint64_t window = windowOf(space);
  if (window) {
    d.emit(runAddWindow);
    d.inst().imm = static_cast<int64_t>(to ? 0 - window : window);
  } else {
    d.emit(runMove64);
  }
  d.def(0, d.operand(0), 64);
  d.use(1, d.operand(1), Type::U64);
}

/// imm: the window, 0: global; aux bit 0: the block's own shared memory alone.
const Inst *runIsspacep(const Inst *inst, Warp &warp, uint32_t mask) {
  const uint64_t *a = warp.in<uint64_t>(inst->op[1]);
  uint64_t window = static_cast<uint64_t>(inst->imm);
  uint32_t result = 0;
  for (unsigned i = 0; i < 32; ++i) {
    bool inside = window ? a[i] - window < windowBytes : a[i] < sharedWindow;
    uint64_t rank = (a[i] - window) >> clusterRankShift;
    if (inst->aux && rank && rank != warp.block->rank + 1)
      inside = false;
    result |= static_cast<uint32_t>(inside) << i;
  }
  putPredicate(warp, inst->op[0], result, mask);
  return inst + 1;
}

void decodeIsspacep(Decoding &d) {
  bool cluster = d.take("shared::cluster");
  Space space = cluster ? Space::Shared : d.takeSpace();
  if (space == Space::Generic || space == Space::Const)
    d.unsupported();
  d.expectOperands(2, 2);
  d.emit(runIsspacep);
  d.inst().imm = static_cast<int64_t>(windowOf(space));
  d.inst().aux = space == Space::Shared && !cluster;
  d.defPredicate(0, d.operand(0));
  d.use(1, d.operand(1), Type::U64);
}

/// Order between accesses of one warp is the interpreter's own; between host
/// threads it takes a fence.
const Inst *runFence(const Inst *inst, Warp &, uint32_t) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return inst + 1;
}

void decodeFence(Decoding &d) {
  // Every kind is at least as strong here as on the chip.
  d.takeOneOf(
      {"acq_rel", "sc", "acquire", "release", "proxy", "mbarrier_init"});
  d.takeOneOf({"cta", "cluster", "gpu", "sys", "gl", "alias", "async",
               "async::generic", "tensormap::generic"});
  d.takeOneOf(
      {"global", "shared::cta", "shared::cluster", "release", "acquire"});
  d.takeOneOf({"cta", "cluster", "gpu", "sys"});
  d.takeOneOf({"sync_restrict::shared::cta", "sync_restrict::shared::cluster"});
  d.emit(runFence);
}

/// Launches follow each other, so that what one depends on is always done.
void decodeGridDependence(Decoding &d) {
  if (!d.take("launch_dependents") && !d.take("wait"))
    d.unsupported();
  d.expectOperands(0, 0);
  d.emit(runNothing);
}

/// Registers are not counted.
void decodeRegisterLimit(Decoding &d) {
  if (d.takeOneOf({"inc", "dec"}).empty() || !d.take("sync") ||
      !d.take("aligned") || d.takeType() != Type::U32)
    d.unsupported();
  d.expectOperands(1, 1);
  uint64_t count = d.constant(d.operand(0));
  if (count < 24 || count > 256 || count % 8)
    d.fail("the number of registers is a multiple of 8 from 24 to 256");
  d.emit(runNothing);
}

void decodeAlloca(Decoding &d) {
  Type type = d.takeType();
  if (type != Type::U32 && type != Type::U64)
    d.unsupported();
  d.expectOperands(2, 3);
  uint64_t align = d.operands() == 3 ? d.constant(d.operand(2)) : 8;
  if (align == 0 || align > 128 || align & (align - 1))
    d.fail("an alignment is a power of two up to 128");
  d.emit(runAllocate);
  d.inst().imm = static_cast<int64_t>(align < 8 ? 8 : align);
  d.inst().aux = type == Type::U64;
  d.def(0, d.operand(0), bitsOf(type));
  d.use(1, d.operand(1), type);
  d.stack(2, true, true);
}

const Inst *runWiden(const Inst *inst, Warp &warp, uint32_t mask) {
  const uint32_t *from = warp.in<uint32_t>(inst->op[1]);
  uint64_t r[32];
  for (unsigned i = 0; i < 32; ++i)
    r[i] = from[i];
  put(warp.out<uint64_t>(inst->op[0]), r, mask);
  return inst + 1;
}
const Inst *runCut(const Inst *inst, Warp &warp, uint32_t mask) {
  const uint64_t *from = warp.in<uint64_t>(inst->op[1]);
  uint32_t r[32];
  for (unsigned i = 0; i < 32; ++i)
    r[i] = static_cast<uint32_t>(from[i]);
  put(warp.out<uint32_t>(inst->op[0]), r, mask);
  return inst + 1;
}

template <bool Save> void decodeStack(Decoding &d) {
  Type type = d.takeType();
  if (type != Type::U32 && type != Type::U64)
    d.unsupported();
  d.expectOperands(1, 1);
  bool wide = type == Type::U64;
  d.emit(!wide ? runMove32 : Save ? runWiden : runCut);
  if (Save) {
    d.def(0, d.operand(0), bitsOf(type));
    d.stack(1, false, true);
  } else {
    d.stack(0, true, false);
    d.use(1, d.operand(0), type);
  }
}

/// Hints and triggers for tools that are not here.
void decodePmevent(Decoding &d) {
  d.take("mask");
  d.expectOperands(1, 1);
  d.constant(d.operand(0));
  d.emit(runNothing);
}
void decodeDiscard(Decoding &d) {
  d.take("global");
  if (!d.take("L2"))
    d.unsupported();
  d.expectOperands(2, 2);
  if (d.constant(d.operand(1)) != 128)
    d.fail("128 bytes are discarded");
  d.emit(runNothing);
}

/// A policy for caches that are not there: any value does.
void decodeCreatePolicy(Decoding &d) {
  static const std::initializer_list<std::string_view> priorities = {
      "L2::evict_last", "L2::evict_normal", "L2::evict_first",
      "L2::evict_unchanged"};
  bool fractional = d.take("fractional"), range = d.take("range");
  if (!fractional && !range && (!d.take("cvt") || !d.take("L2")))
    d.unsupported();
  if (range)
    d.take("global");
  d.takeOneOf(priorities);
  d.takeOneOf(priorities);
  if (d.takeType() != Type::B64)
    d.unsupported();
  d.expectOperands(fractional ? 1
                   : range    ? 4
                              : 2,
                   fractional ? 2
                   : range    ? 4
                              : 2);
  d.emit(runMove64);
  d.def(0, d.operand(0), 64);
  d.constantLanes(1, 0, 64);
}

const Inst *runNanosleep(const Inst *inst, Warp &warp, uint32_t) {
  countPoll(warp);
  return yieldAt(warp, inst + 1);
}

void decodeNanosleep(Decoding &d) {
  if (d.takeType() != Type::U32)
    d.unsupported();
  d.expectOperands(1, 1);
  d.mayStop();
  d.emit(runNanosleep);
}

} // namespace

void llrt::emu::addMoveInstructions(InstructionTable &table) {
  table["mov"] = decodeMov;
  table["cvta"] = decodeCvta;
  table["isspacep"] = decodeIsspacep;
  table["fence"] = decodeFence;
  table["membar"] = decodeFence;
  table["setmaxnreg"] = decodeRegisterLimit;
  table["griddepcontrol"] = decodeGridDependence;
  table["nanosleep"] = decodeNanosleep;
  table["alloca"] = decodeAlloca;
  table["stacksave"] = decodeStack<true>;
  table["stackrestore"] = decodeStack<false>;
  table["pmevent"] = decodePmevent;
  table["discard"] = decodeDiscard;
  table["createpolicy"] = decodeCreatePolicy;
}
