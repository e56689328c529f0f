// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Comparison and selection: setp set selp slct.
#include "runtime/device/emulator/Decoding.h"
#include "runtime/device/emulator/FloatValue.h"

using namespace llrt::emu;

namespace {

enum class Compare : uint8_t {
  Eq,
  Ne,
  Lt,
  Le,
  Gt,
  Ge,
  Equ,
  Neu,
  Ltu,
  Leu,
  Gtu,
  Geu,
  Num,
  Nan
};
enum class Combine : uint8_t { None, And, Or, Xor };

template <Compare C> struct Test {
  template <class T> static bool apply(T a, T b) {
    switch (C) {
    case Compare::Eq:
      return a == b;
    case Compare::Ne:
      // Ordered: false with a NaN.
      return std::is_integral_v<T> ? a != b : a < b || a > b;
    case Compare::Lt:
      return a < b;
    case Compare::Le:
      return a <= b;
    case Compare::Gt:
      return a > b;
    case Compare::Ge:
      return a >= b;
    case Compare::Equ:
      return !(a < b || a > b);
    case Compare::Neu:
      return a != b;
    case Compare::Ltu:
      return !(a >= b);
    case Compare::Leu:
      return !(a > b);
    case Compare::Gtu:
      return !(a <= b);
    case Compare::Geu:
      return !(a < b);
    case Compare::Num:
      return a == a && b == b;
    case Compare::Nan:
      return a != a || b != b;
    }
    return false;
  }
};

template <class T> LLRT_INLINE auto value(Lane<T> lane, bool flush) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, Brain>) {
    (void)flush;
    return toFloat(fromLane<T>(lane));
  } else if constexpr (std::is_same_v<T, float>) {
    return flush ? flushed(fromLane<T>(lane)) : fromLane<T>(lane);
  } else {
    (void)flush;
    return fromLane<T>(lane);
  }
}

template <Compare C, class T, bool Flush>
LLRT_INLINE uint32_t compared(const Inst *inst, const Warp &warp) {
  const Lane<T> *a = warp.in<Lane<T>>(inst->op[2]);
  const Lane<T> *b = warp.in<Lane<T>>(inst->op[3]);
  Lane<T> r[32];
  for (unsigned i = 0; i < 32; ++i)
    r[i] = Test<C>::apply(value<T>(a[i], Flush), value<T>(b[i], Flush))
               ? ~Lane<T>(0)
               : Lane<T>(0);
  return maskOf(r);
}

/// op[0]: p, op[1]: q, op[4]: the predicate to combine with; imm: Combine;
/// aux bit 0: that predicate negated.
template <Compare C, class T, bool Flush>
const Inst *runSetp(const Inst *inst, Warp &warp, uint32_t mask) {
  putPredicate(warp, inst->op[0], compared<C, T, Flush>(inst, warp), mask);
  return inst + 1;
}

LLRT_INLINE uint32_t combined(const Inst *inst, const Warp &warp,
                              uint32_t test) {
  uint32_t with = warp.predicates[inst->op[4]] ^ (inst->aux & 1 ? ~0u : 0);
  switch (static_cast<Combine>(inst->imm)) {
  case Combine::None:
    return test;
  case Combine::And:
    return test & with;
  case Combine::Or:
    return test | with;
  case Combine::Xor:
    return test ^ with;
  }
  return test;
}

template <Compare C, class T, bool Flush>
const Inst *runSetpCombined(const Inst *inst, Warp &warp, uint32_t mask) {
  uint32_t test = compared<C, T, Flush>(inst, warp);
  uint32_t p = combined(inst, warp, test), q = combined(inst, warp, ~test);
  putPredicate(warp, inst->op[0], p, mask);
  putPredicate(warp, inst->op[1], q, mask);
  return inst + 1;
}

/// set: op[5] or 0.
template <Compare C, class T, bool Flush>
const Inst *runSet(const Inst *inst, Warp &warp, uint32_t mask) {
  uint32_t test = combined(inst, warp, compared<C, T, Flush>(inst, warp));
  uint32_t yes = inst->op[5];
  uint32_t r[32];
  for (unsigned i = 0; i < 32; ++i)
    r[i] = test >> i & 1 ? yes : 0;
  put(warp.out<uint32_t>(inst->op[0]), r, mask);
  return inst + 1;
}

enum class Form { Setp, Combined, Set };

template <Compare C, class T, bool Flush = false> Handler form(Form which) {
  return which == Form::Setp       ? runSetp<C, T, Flush>
         : which == Form::Combined ? runSetpCombined<C, T, Flush>
                                   : runSet<C, T, Flush>;
}

template <Compare C> Handler ofType(Type type, bool ftz, Form which) {
  constexpr bool ordered = C <= Compare::Ge;
  constexpr bool equality = C == Compare::Eq || C == Compare::Ne;
  if constexpr (ordered) {
    switch (type) {
    case Type::S16:
      return form<C, int16_t>(which);
    case Type::S32:
      return form<C, int32_t>(which);
    case Type::S64:
      return form<C, int64_t>(which);
    case Type::U16:
      return form<C, uint16_t>(which);
    case Type::U32:
      return form<C, uint32_t>(which);
    case Type::U64:
      return form<C, uint64_t>(which);
    case Type::B16:
      return equality ? form<C, uint16_t>(which) : nullptr;
    case Type::B32:
      return equality ? form<C, uint32_t>(which) : nullptr;
    case Type::B64:
      return equality ? form<C, uint64_t>(which) : nullptr;
    default:
      break;
    }
  }
  switch (type) {
  case Type::F16:
    return form<C, Half>(which);
  case Type::BF16:
    return form<C, Brain>(which);
  case Type::F32:
    return ftz ? form<C, float, true>(which) : form<C, float>(which);
  case Type::F64:
    return form<C, double>(which);
  default:
    return nullptr;
  }
}

Handler find(Compare compare, Type type, bool ftz, Form which) {
  switch (compare) {
  case Compare::Eq:
    return ofType<Compare::Eq>(type, ftz, which);
  case Compare::Ne:
    return ofType<Compare::Ne>(type, ftz, which);
  case Compare::Lt:
    return ofType<Compare::Lt>(type, ftz, which);
  case Compare::Le:
    return ofType<Compare::Le>(type, ftz, which);
  case Compare::Gt:
    return ofType<Compare::Gt>(type, ftz, which);
  case Compare::Ge:
    return ofType<Compare::Ge>(type, ftz, which);
  case Compare::Equ:
    return ofType<Compare::Equ>(type, ftz, which);
  case Compare::Neu:
    return ofType<Compare::Neu>(type, ftz, which);
  case Compare::Ltu:
    return ofType<Compare::Ltu>(type, ftz, which);
  case Compare::Leu:
    return ofType<Compare::Leu>(type, ftz, which);
  case Compare::Gtu:
    return ofType<Compare::Gtu>(type, ftz, which);
  case Compare::Geu:
    return ofType<Compare::Geu>(type, ftz, which);
  case Compare::Num:
    return ofType<Compare::Num>(type, ftz, which);
  case Compare::Nan:
    return ofType<Compare::Nan>(type, ftz, which);
  }
  return nullptr;
}

Compare takeCompare(Decoding &d, bool &unsignedForm) {
  static const std::pair<const char *, Compare> names[] = {
      {"eq", Compare::Eq},   {"ne", Compare::Ne},   {"lt", Compare::Lt},
      {"le", Compare::Le},   {"gt", Compare::Gt},   {"ge", Compare::Ge},
      {"equ", Compare::Equ}, {"neu", Compare::Neu}, {"ltu", Compare::Ltu},
      {"leu", Compare::Leu}, {"gtu", Compare::Gtu}, {"geu", Compare::Geu},
      {"num", Compare::Num}, {"nan", Compare::Nan}};
  for (auto &[name, compare] : names)
    if (d.take(name))
      return compare;
  static const std::pair<const char *, Compare> lowHigh[] = {
      {"lo", Compare::Lt},
      {"ls", Compare::Le},
      {"hi", Compare::Gt},
      {"hs", Compare::Ge}};
  for (auto &[name, compare] : lowHigh)
    if (d.take(name)) {
      unsignedForm = true;
      return compare;
    }
  d.unsupported();
}

Combine takeCombine(Decoding &d) {
  return d.take("and")   ? Combine::And
         : d.take("or")  ? Combine::Or
         : d.take("xor") ? Combine::Xor
                         : Combine::None;
}

/// Compares the halves of a word by themselves, the low half first: op[5] for
/// each that holds.
template <Compare C, class T>
const Inst *runSetPair(const Inst *inst, Warp &warp, uint32_t mask) {
  const uint32_t *a = warp.in<uint32_t>(inst->op[2]);
  const uint32_t *b = warp.in<uint32_t>(inst->op[3]);
  uint32_t low = 0, high = 0;
  auto test = [](uint32_t x, uint32_t y) {
    return static_cast<uint32_t>(
        Test<C>::apply(toFloat(T{static_cast<uint16_t>(x)}),
                       toFloat(T{static_cast<uint16_t>(y)})));
  };
  for (unsigned i = 0; i < 32; ++i) {
    low |= test(a[i], b[i]) << i;
    high |= test(a[i] >> 16, b[i] >> 16) << i;
  }
  low = combined(inst, warp, low);
  high = combined(inst, warp, high);
  uint32_t r[32];
  for (unsigned i = 0; i < 32; ++i)
    r[i] = (high >> i & 1 ? inst->op[5] << 16 : 0) |
           (low >> i & 1 ? inst->op[5] : 0);
  put(warp.out<uint32_t>(inst->op[0]), r, mask);
  return inst + 1;
}

template <Compare C, class T>
const Inst *runSetpPair(const Inst *inst, Warp &warp, uint32_t mask) {
  const uint32_t *a = warp.in<uint32_t>(inst->op[2]);
  const uint32_t *b = warp.in<uint32_t>(inst->op[3]);
  uint32_t low = 0, high = 0;
  for (unsigned i = 0; i < 32; ++i) {
    low |= static_cast<uint32_t>(
               Test<C>::apply(toFloat(T{static_cast<uint16_t>(a[i])}),
                              toFloat(T{static_cast<uint16_t>(b[i])})))
           << i;
    high |= static_cast<uint32_t>(
                Test<C>::apply(toFloat(T{static_cast<uint16_t>(a[i] >> 16)}),
                               toFloat(T{static_cast<uint16_t>(b[i] >> 16)})))
            << i;
  }
  low = combined(inst, warp, low);
  high = combined(inst, warp, high);
  putPredicate(warp, inst->op[0], low, mask);
  putPredicate(warp, inst->op[1], high, mask);
  return inst + 1;
}

template <class T, bool Predicate> Handler findPair(Compare compare) {
  switch (compare) {
#define LLRT_CASE(C)                                                           \
  case Compare::C:                                                             \
    return Predicate ? runSetpPair<Compare::C, T> : runSetPair<Compare::C, T>
    LLRT_CASE(Eq);
    LLRT_CASE(Ne);
    LLRT_CASE(Lt);
    LLRT_CASE(Le);
    LLRT_CASE(Gt);
    LLRT_CASE(Ge);
    LLRT_CASE(Equ);
    LLRT_CASE(Neu);
    LLRT_CASE(Ltu);
    LLRT_CASE(Leu);
    LLRT_CASE(Gtu);
    LLRT_CASE(Geu);
    LLRT_CASE(Num);
    LLRT_CASE(Nan);
#undef LLRT_CASE
  }
  return nullptr;
}

void takeCombination(Decoding &d, Combine combine) {
  d.inst().imm = static_cast<int64_t>(combine);
  if (combine == Combine::None)
    return;
  d.inst().aux |= d.operand(3).negated;
  d.usePredicate(4, d.operand(3));
}

bool isPair(Type type) { return type == Type::F16x2 || type == Type::BF16x2; }

void decodeSetp(Decoding &d) {
  bool unsignedForm = false;
  Compare compare = takeCompare(d, unsignedForm);
  Combine combine = takeCombine(d);
  bool ftz = d.take("ftz");
  Type type = d.takeType();
  if (unsignedForm && (type < Type::U8 || type > Type::U64))
    d.unsupported();
  d.expectOperands(combine == Combine::None ? 3 : 4,
                   combine == Combine::None ? 3 : 4);
  const Operand &to = d.operand(0);
  bool two = to.kind == Operand::Pair;
  if (isPair(type)) {
    // p: the low halves, q: the high halves.
    if (!two)
      d.fail("a pair p|q is expected");
    d.emit(type == Type::F16x2 ? findPair<Half, true>(compare)
                               : findPair<Brain, true>(compare));
    d.defPredicate(0, to.elements[0]);
    d.defPredicate(1, to.elements[1]);
    d.use(2, d.operand(1), type);
    d.use(3, d.operand(2), type);
    return takeCombination(d, combine);
  }
  d.emit(find(compare, type, ftz,
              two || combine != Combine::None ? Form::Combined : Form::Setp));
  d.inst().imm = static_cast<int64_t>(combine);
  d.defPredicate(0, two ? to.elements[0] : to);
  Operand sink;
  if (two || combine != Combine::None)
    d.defPredicate(1, two ? to.elements[1] : sink);
  d.use(2, d.operand(1), type);
  d.use(3, d.operand(2), type);
  if (combine != Combine::None) {
    d.inst().aux = d.operand(3).negated;
    d.usePredicate(4, d.operand(3));
  }
}

void decodeSet(Decoding &d) {
  bool unsignedForm = false;
  Compare compare = takeCompare(d, unsignedForm);
  Combine combine = takeCombine(d);
  bool ftz = d.take("ftz");
  Type to = d.takeType(), type = d.takeType();
  bool integer = to == Type::U32 || to == Type::S32;
  bool narrow = type == Type::F16 || type == Type::BF16;
  bool narrowInteger = narrow && (to == Type::U16 || to == Type::S16);
  bool same = to == type && (narrow || isPair(type));
  if (!integer && !narrowInteger && !same && to != Type::F32)
    d.unsupported();
  if (to == Type::F32 && isPair(type))
    d.unsupported();
  d.expectOperands(combine == Combine::None ? 3 : 4,
                   combine == Combine::None ? 3 : 4);
  Handler handler = type == Type::F16x2 ? findPair<Half, false>(compare)
                    : type == Type::BF16x2
                        ? findPair<Brain, false>(compare)
                        : find(compare, type, ftz, Form::Set);
  if (unsignedForm && (type < Type::U8 || type > Type::U64))
    d.unsupported();
  d.emit(handler);
  bool brain = type == Type::BF16 || type == Type::BF16x2;
  d.inst().op[5] = to == Type::F32    ? 0x3f800000u
                   : same             ? (brain ? 0x3f80u : 0x3c00u)
                   : isPair(type)     ? 0xffffu
                   : bitsOf(to) == 16 ? 0xffffu
                                      : ~0u;
  d.def(0, d.operand(0), bitsOf(to));
  d.use(2, d.operand(1), type);
  d.use(3, d.operand(2), type);
  takeCombination(d, combine);
}

template <class S>
const Inst *runSelp(const Inst *inst, Warp &warp, uint32_t mask) {
  const S *a = warp.in<S>(inst->op[1]);
  const S *b = warp.in<S>(inst->op[2]);
  uint32_t pick = warp.predicates[inst->op[3]] ^ (inst->aux & 1 ? ~0u : 0);
  S r[32];
  for (unsigned i = 0; i < 32; ++i)
    r[i] = pick >> i & 1 ? a[i] : b[i];
  put(warp.out<S>(inst->op[0]), r, mask);
  return inst + 1;
}

void decodeSelp(Decoding &d) {
  Type type = d.takeType();
  d.expectOperands(4, 4);
  d.emit(bitsOf(type) == 64   ? runSelp<uint64_t>
         : bitsOf(type) >= 16 ? runSelp<uint32_t>
                              : nullptr);
  d.inst().aux = d.operand(3).negated;
  d.def(0, d.operand(0), bitsOf(type));
  d.use(1, d.operand(1), type);
  d.use(2, d.operand(2), type);
  d.usePredicate(3, d.operand(3));
}

template <class S, bool OnFloat>
const Inst *runSlct(const Inst *inst, Warp &warp, uint32_t mask) {
  const S *a = warp.in<S>(inst->op[1]);
  const S *b = warp.in<S>(inst->op[2]);
  const uint32_t *c = warp.in<uint32_t>(inst->op[3]);
  S r[32];
  for (unsigned i = 0; i < 32; ++i) {
    bool first =
        OnFloat
            ? bitsToFloat(inst->aux ? floatToBits(flushed(bitsToFloat(c[i])))
                                    : c[i]) >= 0
            : static_cast<int32_t>(c[i]) >= 0;
    r[i] = first ? a[i] : b[i];
  }
  put(warp.out<S>(inst->op[0]), r, mask);
  return inst + 1;
}

void decodeSlct(Decoding &d) {
  bool ftz = d.take("ftz");
  Type type = d.takeType(), on = d.takeType();
  if (on != Type::S32 && on != Type::F32)
    d.unsupported();
  d.expectOperands(4, 4);
  bool wide = bitsOf(type) == 64;
  d.emit(on == Type::F32
             ? (wide ? runSlct<uint64_t, true> : runSlct<uint32_t, true>)
             : (wide ? runSlct<uint64_t, false> : runSlct<uint32_t, false>));
  d.inst().aux = ftz;
  d.def(0, d.operand(0), bitsOf(type));
  d.use(1, d.operand(1), type);
  d.use(2, d.operand(2), type);
  d.use(3, d.operand(3), on);
}

} // namespace

void llrt::emu::addCompareInstructions(InstructionTable &table) {
  table["setp"] = decodeSetp;
  table["set"] = decodeSet;
  table["selp"] = decodeSelp;
  table["slct"] = decodeSlct;
}
