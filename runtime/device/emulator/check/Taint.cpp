// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Taint of registers: storage, and what each rule does.
#include "runtime/device/emulator/check/Taint.h"
#include "runtime/device/emulator/check/CheckKind.h"

#include <algorithm>
#include <cstring>

using namespace llrt::emu;

using Register = Note::Register;

void WarpTaint::reset(uint32_t registerBytes, uint32_t predicates) {
  if (tainted || lanes.size() != registerBytes / 4 ||
      predicate.size() != predicates) {
    lanes.assign(registerBytes / 4, 0);
    computed.assign(registerBytes / 128, 0);
    originLine.assign(registerBytes / 128, 0);
    flag.assign(registerBytes / 128, 0);
    predicate.assign(predicates, 0);
    predicateOrigin.assign(predicates, 0);
  }
  tainted = 0;
}

uint32_t WarpTaint::taintedLanes(const Register &reg, uint32_t mask) const {
  if (reg.bits == 1)
    return predicate[reg.place] & mask;
  if (!flag[reg.place / 128])
    return 0;
  uint32_t result = 0;
  for (unsigned i = 0; i < 32; ++i)
    result |= static_cast<uint32_t>(bytes(reg)[i] != 0) << i;
  return result & mask;
}

void WarpTaint::set(const Register &reg, const uint8_t *taint, uint32_t mask,
                    uint32_t isComputed, uint32_t line) {
  uint8_t *to = lanes.data() + reg.place / 4;
  char &flagged = flag[reg.place / 128];
  uint8_t all = 0, brought = 0;
  for (unsigned i = 0; i < 32; ++i) {
    if (mask >> i & 1) {
      to[i] = taint[i];
      brought |= taint[i];
    }
    all |= to[i];
  }
  uint32_t &which = computed[reg.place / 128];
  which = (which & ~mask) | (isComputed & mask);
  if (brought)
    originLine[reg.place / 128] = line;
  bool now = all != 0;
  tainted += static_cast<uint32_t>(now) - static_cast<uint32_t>(flagged != 0);
  flagged = now;
}

void WarpTaint::setPredicate(const Register &reg, uint32_t taint, uint32_t mask,
                             uint32_t line) {
  uint32_t &to = predicate[reg.place];
  bool was = to != 0;
  to = (to & ~mask) | (taint & mask);
  if (taint & mask)
    predicateOrigin[reg.place] = line;
  tainted += static_cast<uint32_t>(to != 0) - static_cast<uint32_t>(was);
}

void WarpTaint::clear(const Register &reg, uint32_t mask) {
  static const uint8_t none[32] = {};
  if (reg.bits == 1)
    setPredicate(reg, 0, mask, 0);
  else if (flag[reg.place / 128])
    set(reg, none, mask, 0, 0);
}

namespace {

/// One instruction's registers, looked up by operand slot.
struct Context {
  const TaintPlan::Step &step;
  const Inst *inst;
  const Note &note;
  const Warp &warp;
  uint32_t mask;
  WarpTaint &taint;

  const Register *use(unsigned slot) const {
    for (const Register &each : step.uses)
      if (each.slot == slot)
        return &each;
    return nullptr;
  }
  /// The taint of an operand's lanes; nothing for one that cannot have any.
  void load(unsigned slot, uint8_t *to) const {
    const Register *reg = use(slot);
    if (reg && reg->bits != 1 && taint.isTainted(*reg))
      std::memcpy(to, taint.bytes(*reg), 32);
    else
      std::memset(to, 0, 32);
  }
  uint64_t value(unsigned slot, unsigned lane, bool wide) const {
    uint32_t operand = slot < 8 ? inst->op[slot] : inst->extra[slot - 8];
    return wide ? warp.in<uint64_t>(operand)[lane]
                : warp.in<uint32_t>(operand)[lane];
  }
  /// Lanes any of whose operands is computed, and the line that is to blame.
  uint32_t blame(uint32_t &line) const {
    uint32_t computed = 0;
    line = 0;
    for (const Register &each : step.uses) {
      uint32_t tainted = taint.taintedLanes(each, mask);
      if (!tainted)
        continue;
      uint32_t here = taint.computedLanes(each) & tainted;
      if (!line || (here && !computed))
        line = taint.origin(each);
      computed |= here;
    }
    return computed;
  }
  uint32_t taintedLanes() const {
    uint32_t result = 0;
    for (const Register &each : step.uses)
      result |= taint.taintedLanes(each, mask);
    return result;
  }
  void store(const Register &def, const uint8_t *from) const {
    uint32_t line, computed = blame(line);
    taint.set(def, from, mask, computed, line);
  }
};

uint8_t full(const Register &reg) { return reg.bits == 64 ? 0xff : 0x0f; }

void compute(const Context &c, uint32_t lanes) {
  uint32_t line, computed = c.blame(line);
  // The first instruction that computes with the bytes is the one to name.
  if (!computed)
    line = c.inst->line;
  for (const Register &def : c.step.defs) {
    if (def.bits == 1) {
      c.taint.setPredicate(def, lanes, c.mask, line);
      continue;
    }
    uint8_t to[32];
    for (unsigned i = 0; i < 32; ++i)
      to[i] = lanes >> i & 1 ? full(def) : 0;
    c.taint.set(def, to, c.mask, lanes, line);
  }
}

void bitwise(const Context &c, TaintRule rule) {
  uint8_t a[32], b[32], to[32];
  const Register &def = c.step.defs[0];
  bool wide = def.bits == 64;
  c.load(1, a);
  c.load(2, b);
  for (unsigned i = 0; i < 32; ++i) {
    to[i] = 0;
    if (!(a[i] | b[i]))
      continue;
    uint64_t x = c.value(1, i, wide), y = c.value(2, i, wide);
    uint8_t stops = rule == TaintRule::And ? 0 : 0xff;
    for (unsigned k = 0; k < (wide ? 8u : 4u); ++k) {
      bool ta = a[i] >> k & 1, tb = b[i] >> k & 1;
      bool stopsA = !ta && uint8_t(x >> 8 * k) == stops;
      bool stopsB = !tb && uint8_t(y >> 8 * k) == stops;
      if ((ta && !stopsB) || (tb && !stopsA))
        to[i] |= uint8_t(1 << k);
    }
  }
  c.store(def, to);
}

void merge(const Context &c) {
  uint8_t to[32] = {}, part[32];
  for (const Register &each : c.step.uses) {
    if (each.bits == 1)
      continue;
    c.load(each.slot, part);
    for (unsigned i = 0; i < 32; ++i)
      to[i] |= part[i];
  }
  c.store(c.step.defs[0], to);
}

void shift(const Context &c, TaintRule rule) {
  uint8_t from[32], to[32] = {};
  const Register &def = c.step.defs[0];
  bool isSignedShift = c.note.opcode.find(".s") != std::string::npos;
  unsigned width = def.bits == 64 ? 8 : 4;
  c.load(1, from);
  for (unsigned i = 0; i < 32; ++i) {
    if (!from[i])
      continue;
    uint64_t by = c.value(2, i, false);
    unsigned whole = static_cast<unsigned>(std::min<uint64_t>(by / 8, 8));
    bool part = by % 8;
    unsigned bits = from[i];
    if (rule == TaintRule::ShiftLeft) {
      to[i] =
          static_cast<uint8_t>(bits << whole | (part ? bits << whole << 1 : 0));
    } else {
      bits |= isSignedShift && bits >> (width - 1) ? 0xff00u >> (8 - width) : 0;
      to[i] =
          static_cast<uint8_t>(bits >> whole | (part ? bits >> whole >> 1 : 0));
      if (rule == TaintRule::Extract) {
        uint64_t length = c.value(3, i, false);
        unsigned kept =
            static_cast<unsigned>(std::min<uint64_t>((length + 7) / 8, 8));
        bool top = isSignedShift && kept && to[i] >> (kept - 1) & 1;
        to[i] &= static_cast<uint8_t>((1u << kept) - 1);
        if (top)
          to[i] = full(def);
      }
    }
    to[i] &= full(def);
  }
  c.store(def, to);
}

void widen(const Context &c) {
  // "cvt.DST.SRC"
  std::string_view opcode = c.note.opcode;
  size_t last = opcode.rfind('.');
  Type source = typeFromName(opcode.substr(last + 1));
  unsigned bytes = bitsOf(source) / 8;
  uint8_t from[32], to[32];
  const Register &def = c.step.defs[0];
  c.load(c.step.uses[0].slot, from);
  for (unsigned i = 0; i < 32; ++i) {
    uint8_t kept = from[i] & static_cast<uint8_t>((1u << bytes) - 1);
    bool top = kept >> (bytes - 1) & 1;
    if (isSigned(source) && top)
      kept |= static_cast<uint8_t>(~((1u << bytes) - 1));
    to[i] = kept & full(def);
  }
  c.store(def, to);
}

void pack(const Context &c) {
  uint8_t to[32] = {}, part[32];
  const Register &def = c.step.defs[0];
  unsigned count = static_cast<unsigned>(c.inst->imm);
  unsigned bytes =
      bitsOf(typeFromName(c.note.opcode.substr(c.note.opcode.rfind('.') + 1))) /
      8 / std::max(count, 1u);
  for (unsigned k = 0; k < count; ++k) {
    c.load(1 + k, part);
    for (unsigned i = 0; i < 32; ++i)
      to[i] |=
          static_cast<uint8_t>((part[i] & ((1u << bytes) - 1)) << k * bytes);
  }
  c.store(def, to);
}

void unpack(const Context &c) {
  uint8_t from[32], to[32];
  unsigned count = static_cast<unsigned>(c.inst->imm);
  unsigned bytes =
      bitsOf(typeFromName(c.note.opcode.substr(c.note.opcode.rfind('.') + 1))) /
      8 / std::max(count, 1u);
  c.load(0, from);
  uint32_t line, computed = c.blame(line);
  for (const Register &def : c.step.defs) {
    for (unsigned i = 0; i < 32; ++i)
      to[i] = static_cast<uint8_t>(from[i] >> (def.slot - 1) * bytes &
                                   ((1u << bytes) - 1));
    c.taint.set(def, to, c.mask, computed, line);
  }
}

void select(const Context &c) {
  uint8_t a[32], b[32], to[32];
  c.load(1, a);
  c.load(2, b);
  uint32_t value =
      c.warp.predicates[c.inst->op[3]] ^ (c.inst->aux & 1 ? ~0u : 0);
  const Register *chooser = c.use(3);
  uint32_t open = chooser ? c.taint.predicateLanes(chooser->place) : 0;
  const Register &def = c.step.defs[0];
  for (unsigned i = 0; i < 32; ++i)
    to[i] = open >> i & 1 ? full(def) : value >> i & 1 ? a[i] : b[i];
  c.store(def, to);
}

/// The lane whose value each lane gets; as InterpretWarp.cpp.
void shuffle(const Context &c) {
  uint8_t from[32], to[32];
  c.load(1, from);
  const std::string &opcode = c.note.opcode;
  auto mode = [&](const char *name) {
    return opcode.find(name) != std::string::npos;
  };
  bool up = mode(".up"), down = mode(".down"), butterfly = mode(".bfly");
  for (uint32_t i = 0; i < 32; ++i) {
    uint32_t by = static_cast<uint32_t>(c.value(2, i, false)) & 31;
    uint32_t control = static_cast<uint32_t>(c.value(3, i, false));
    uint32_t clamp = control & 31, segment = control >> 8 & 31;
    uint32_t last = (i & segment) | (clamp & ~segment);
    uint32_t j = up          ? i - by
                 : down      ? i + by
                 : butterfly ? i ^ by
                             : (i & segment) | (by & ~segment);
    bool inside =
        up ? static_cast<int32_t>(j) >= static_cast<int32_t>(last) : j <= last;
    to[i] = from[(inside ? j : i) & 31];
  }
  for (const Register &def : c.step.defs) {
    if (def.bits == 1) {
      c.taint.clear(def, c.mask);
      continue;
    }
    uint32_t line, computed = c.blame(line);
    c.taint.set(def, to, c.mask, computed ? ~0u : 0, line);
  }
}

void permute(const Context &c) {
  uint8_t a[32], b[32], to[32] = {};
  c.load(1, a);
  c.load(2, b);
  for (unsigned i = 0; i < 32; ++i) {
    if (!(a[i] | b[i]))
      continue;
    unsigned bytes = (a[i] & 15u) | (b[i] & 15u) << 4;
    uint64_t selector = c.value(3, i, false);
    for (unsigned k = 0; k < 4; ++k)
      to[i] |=
          static_cast<uint8_t>((bytes >> (selector >> 4 * k & 7) & 1) << k);
  }
  c.store(c.step.defs[0], to);
}

void predicateLogic(const Context &c, TaintRule rule) {
  auto taintOf = [&](unsigned slot) {
    const Register *reg = c.use(slot);
    return reg ? c.taint.predicateLanes(reg->place) : 0;
  };
  uint32_t line, computed = c.blame(line);
  (void)computed;
  uint32_t to;
  if (rule == TaintRule::PredicateCopy) {
    to = c.taintedLanes();
  } else {
    uint32_t a = c.warp.predicates[c.inst->op[1]] ^ (c.inst->aux & 1 ? ~0u : 0);
    uint32_t b = c.warp.predicates[c.inst->op[2]] ^ (c.inst->aux & 2 ? ~0u : 0);
    uint32_t ta = taintOf(1), tb = taintOf(2);
    if (rule == TaintRule::PredicateOr)
      a = ~a, b = ~b;
    to = (ta & (tb | b)) | (tb & (ta | a));
  }
  for (const Register &def : c.step.defs)
    c.taint.setPredicate(def, to, c.mask, line);
}

/// D's rows take the taint of A's rows, its columns that of B's columns. Lane l
/// holds rows l/4 (even registers of A) and l/4 + 8 (odd ones), column l/4 of
/// B, and columns 2(l%4) and 2(l%4)+1 of C and D.
void product(const Context &c) {
  uint32_t rows = 0, columns = 0;
  uint32_t defs = 0;
  for (const Register &each : c.note.registers)
    defs += each.isDef;
  for (const Register &each : c.step.uses) {
    uint32_t tainted = c.taint.taintedLanes(each, c.mask);
    if (!tainted || each.slot >= 10)
      continue;
    for (unsigned lane = 0; lane < 32; ++lane) {
      if (!(tainted >> lane & 1))
        continue;
      if (each.slot >= 8)
        columns |= 1u << lane / 4;
      else
        rows |= 1u << (lane / 4 + (each.slot & 1) * 8);
    }
  }
  uint8_t to[8][32];
  uint32_t line, computed = c.blame(line);
  if (!computed)
    line = c.inst->line;
  bool halves = defs == 2;
  for (const Register &def : c.step.defs) {
    unsigned k = def.slot & 7;
    c.load(10 + k, to[k]); // C
    for (unsigned lane = 0; lane < 32; ++lane) {
      unsigned row = lane / 4 + (halves ? k : k / 2) * 8;
      unsigned column = lane % 4 * 2;
      uint32_t mine = halves ? 3u << column : 1u << (column + k % 2);
      if ((rows >> row & 1) || (columns & mine) || to[k][lane])
        to[k][lane] = 0x0f;
    }
  }
  for (const Register &def : c.step.defs)
    c.taint.set(def, to[def.slot & 7], c.mask, ~0u, line);
}

} // namespace

void llrt::emu::propagate(const TaintPlan::Step &step, const Inst *inst,
                          const Note &note, const Warp &warp, uint32_t mask,
                          WarpTaint &taint) {
  Context c{step, inst, note, warp, mask, taint};
  uint32_t tainted = c.taintedLanes();
  if (step.rule == TaintRule::Branch) {
    if (!tainted)
      return;
    const Note::Register *guard = &step.uses[0];
    uint32_t line = taint.origin(*guard);
    throw Fault{withKind("a branch or guard depends on memory that nobody has "
                         "written (decided at line " +
                             std::to_string(inst->line) + ")",
                         CheckKind::Uninitialised),
                line ? line : inst->line, __builtin_ctz(tainted)};
  }
  bool everywhere = step.rule == TaintRule::Shuffle ||
                    step.rule == TaintRule::Together ||
                    step.rule == TaintRule::Product;
  if ((!tainted && !everywhere) || step.rule == TaintRule::Clear) {
    for (const Register &def : step.defs)
      taint.clear(def, mask);
    return;
  }
  if (step.defs.empty()) {
    if (tainted)
      throw Fault{
          withKind("an operand depends on memory that nobody has written",
                   CheckKind::Uninitialised),
          inst->line, __builtin_ctz(tainted)};
    return;
  }
  switch (step.rule) {
  case TaintRule::Copy: {
    uint8_t from[32];
    c.load(step.uses[0].slot, from);
    return c.store(step.defs[0], from);
  }
  case TaintRule::Pack:
    return pack(c);
  case TaintRule::Unpack:
    return unpack(c);
  case TaintRule::Select:
    return select(c);
  case TaintRule::Shuffle:
    return shuffle(c);
  case TaintRule::Permute:
    return permute(c);
  case TaintRule::And:
  case TaintRule::Or:
    return bitwise(c, step.rule);
  case TaintRule::Merge:
    return merge(c);
  case TaintRule::ShiftLeft:
  case TaintRule::ShiftRight:
  case TaintRule::Extract:
    return shift(c, step.rule);
  case TaintRule::Widen:
    return widen(c);
  case TaintRule::PredicateCopy:
  case TaintRule::PredicateAnd:
  case TaintRule::PredicateOr:
    return predicateLogic(c, step.rule);
  case TaintRule::Together:
    return compute(c, tainted ? ~0u : 0);
  case TaintRule::Product:
    return product(c);
  default:
    return compute(c, tainted);
  }
}
