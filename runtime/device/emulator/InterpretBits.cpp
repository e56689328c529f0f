// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bits: and or xor not cnot shl shr shf lop3 prmt bfe bfi bmsk popc clz bfind
// brev fns szext.
#include "runtime/device/emulator/Decoding.h"
#include "runtime/device/emulator/Lanes.h"

using namespace llrt::emu;

namespace {

struct And {
  template <class T> static T apply(T a, T b) { return static_cast<T>(a & b); }
};
struct Or {
  template <class T> static T apply(T a, T b) { return static_cast<T>(a | b); }
};
struct Xor {
  template <class T> static T apply(T a, T b) { return static_cast<T>(a ^ b); }
};
struct Not {
  template <class T> static T apply(T a) { return static_cast<T>(~a); }
};
struct Cnot {
  template <class T> static T apply(T a) { return a == 0; }
};
/// Shift counts past the width shift everything out.
struct Shl {
  template <class T> static T apply(T a, uint32_t by) {
    return by >= sizeof(T) * 8 ? T(0)
                               : static_cast<T>(static_cast<Lane<T>>(a) << by);
  }
};
struct Shr {
  template <class T> static T apply(T a, uint32_t by) {
    constexpr uint32_t width = sizeof(T) * 8;
    if constexpr (std::is_signed_v<T>)
      return static_cast<T>(a >> (by >= width ? width - 1 : by));
    else
      return by >= width ? T(0) : static_cast<T>(a >> by);
  }
};
template <bool Left, bool Wrap> struct Funnel {
  static uint32_t apply(uint32_t a, uint32_t b, uint32_t c) {
    uint32_t by = Wrap ? c & 31 : c > 32 ? 32 : c;
    uint64_t both = uint64_t(b) << 32 | a;
    return Left ? static_cast<uint32_t>(both << by >> 32)
                : static_cast<uint32_t>(both >> by);
  }
};
struct Popc {
  template <class T> static uint32_t apply(T a) {
    return static_cast<uint32_t>(__builtin_popcountll(a));
  }
};
struct Clz {
  template <class T> static uint32_t apply(T a) {
    return a ? static_cast<uint32_t>(__builtin_clzll(a)) - (64 - sizeof(T) * 8)
             : sizeof(T) * 8;
  }
};
struct Brev {
  template <class T> static T apply(T a) {
    if constexpr (sizeof(T) == 8)
      return __builtin_bitreverse64(a);
    else
      return __builtin_bitreverse32(a);
  }
};
template <bool ShiftAmount> struct Bfind {
  template <class T> static uint32_t apply(T a) {
    using U = std::make_unsigned_t<T>;
    U bits = static_cast<U>(a < 0 ? ~a : a);
    if (!bits)
      return ~0u;
    uint32_t at = 63 - static_cast<uint32_t>(__builtin_clzll(bits));
    return ShiftAmount ? static_cast<uint32_t>(sizeof(T) * 8) - 1 - at : at;
  }
};
struct Bfe {
  template <class T> static T apply(T a, uint32_t b, uint32_t c) {
    using U = std::make_unsigned_t<T>;
    constexpr uint32_t top = sizeof(T) * 8 - 1;
    uint32_t at = b & 0xff, length = c & 0xff;
    uint32_t signAt = at + length - 1 > top ? top : at + length - 1;
    bool sign =
        std::is_signed_v<T> && length && (static_cast<U>(a) >> signAt & 1);
    U shifted = at > top ? U(0) : static_cast<U>(a) >> at;
    U keep = length > top ? ~U(0) : (U(1) << length) - 1;
    U field = shifted & keep;
    if (sign) {
      // Ones above the last bit of the source that lies in the field.
      uint32_t have = at > top ? 0 : std::min<uint32_t>(length, top + 1 - at);
      field |= have > top ? U(0) : ~U(0) << have;
    }
    return static_cast<T>(field);
  }
};
struct Bfi {
  template <class T> static T apply(T a, T b, uint32_t c, uint32_t length) {
    constexpr uint32_t top = sizeof(T) * 8 - 1;
    c &= 0xff;
    length &= 0xff;
    if (c > top || !length)
      return b;
    T field = length > top ? ~T(0) : (T(1) << length) - 1;
    T keep = field << c;
    return (b & ~keep) | (a << c & keep);
  }
};
template <bool Wrap> struct Bmsk {
  static uint32_t apply(uint32_t a, uint32_t b) {
    uint32_t at = Wrap ? a & 31 : a, width = Wrap ? b & 31 : b;
    uint64_t ones = width >= 32 ? 0xffffffffull : (1ull << width) - 1;
    return at >= 32 ? 0 : static_cast<uint32_t>(ones << at);
  }
};
struct Prmt {
  static uint32_t apply(uint32_t a, uint32_t b, uint32_t c) {
    uint64_t bytes = uint64_t(b) << 32 | a;
    uint32_t result = 0;
    for (unsigned i = 0; i < 4; ++i) {
      uint32_t pick = c >> (4 * i) & 15;
      uint32_t byte = static_cast<uint32_t>(bytes >> (pick & 7) * 8) & 0xff;
      if (pick & 8)
        byte = byte & 0x80 ? 0xff : 0;
      result |= byte << (8 * i);
    }
    return result;
  }
};
/// The four-byte modes of prmt, which use the two lowest bits of c.
template <int Mode> struct PrmtMode {
  static uint32_t apply(uint32_t a, uint32_t b, uint32_t c) {
    static const uint16_t picks[6][4] = {
        {0x3210, 0x4321, 0x5432, 0x6543}, // f4e
        {0x5670, 0x6701, 0x7012, 0x0123}, // b4e
        {0x0000, 0x1111, 0x2222, 0x3333}, // rc8
        {0x3210, 0x3211, 0x3222, 0x3333}, // ecl
        {0x0000, 0x1110, 0x2210, 0x3210}, // ecr
        {0x1010, 0x3232, 0x1010, 0x3232}, // rc16
    };
    return Prmt::apply(a, b, picks[Mode][c & 3]);
  }
};

/// Any function of three bits as a sum of its minterms; 32 lanes at a time.
const Inst *runLop3(const Inst *inst, Warp &warp, uint32_t mask) {
  const uint32_t *a = warp.in<uint32_t>(inst->op[1]);
  const uint32_t *b = warp.in<uint32_t>(inst->op[2]);
  const uint32_t *c = warp.in<uint32_t>(inst->op[3]);
  uint32_t term[8];
  for (unsigned k = 0; k < 8; ++k)
    term[k] = inst->imm >> k & 1 ? ~0u : 0;
  uint32_t r[32];
  for (unsigned i = 0; i < 32; ++i) {
    uint32_t x = a[i], y = b[i], z = c[i];
    uint32_t low = (~y & ~z & term[0]) | (~y & z & term[1]) |
                   (y & ~z & term[2]) | (y & z & term[3]);
    uint32_t high = (~y & ~z & term[4]) | (~y & z & term[5]) |
                    (y & ~z & term[6]) | (y & z & term[7]);
    r[i] = (x & high) | (~x & low);
  }
  put(warp.out<uint32_t>(inst->op[0]), r, mask);
  return inst + 1;
}

template <class T>
const Inst *runBfi(const Inst *inst, Warp &warp, uint32_t mask) {
  const Lane<T> *a = warp.in<Lane<T>>(inst->op[1]);
  const Lane<T> *b = warp.in<Lane<T>>(inst->op[2]);
  const uint32_t *c = warp.in<uint32_t>(inst->op[3]);
  const uint32_t *length = warp.in<uint32_t>(inst->op[4]);
  Lane<T> r[32];
  for (unsigned i = 0; i < 32; ++i)
    r[i] = Bfi::apply<T>(static_cast<T>(a[i]), static_cast<T>(b[i]), c[i],
                         length[i]);
  put(warp.out<Lane<T>>(inst->op[0]), r, mask);
  return inst + 1;
}

template <class F>
const Inst *predicateLogic(const Inst *inst, Warp &warp, uint32_t mask) {
  uint32_t a = warp.predicates[inst->op[1]] ^ (inst->aux & 1 ? ~0u : 0);
  uint32_t b = warp.predicates[inst->op[2]] ^ (inst->aux & 2 ? ~0u : 0);
  putPredicate(warp, inst->op[0], F::template apply<uint32_t>(a, b), mask);
  return inst + 1;
}

template <class F> void decodeLogic(Decoding &d) {
  Type type = d.takeType();
  d.expectOperands(3, 3);
  if (type == Type::Pred) {
    // "and.pred p, q, 1" does not occur; operands are predicates.
    d.emit(predicateLogic<F>);
    d.inst().aux = d.operand(1).negated | d.operand(2).negated << 1;
    d.defPredicate(0, d.operand(0));
    d.usePredicate(1, d.operand(1));
    d.usePredicate(2, d.operand(2));
    return;
  }
  Handler handler =
      type == Type::B16   ? binary<F, uint16_t, uint16_t, uint16_t>
      : type == Type::B32 ? binary<F, uint32_t, uint32_t, uint32_t>
      : type == Type::B64 ? binary<F, uint64_t, uint64_t, uint64_t>
                          : Handler(nullptr);
  d.emit(handler);
  d.def(0, d.operand(0), bitsOf(type));
  d.use(1, d.operand(1), type);
  d.use(2, d.operand(2), type);
}

const Inst *runNotPredicate(const Inst *inst, Warp &warp, uint32_t mask) {
  putPredicate(warp, inst->op[0], ~warp.predicates[inst->op[1]], mask);
  return inst + 1;
}

template <class F> void decodeNot(Decoding &d) {
  Type type = d.takeType();
  d.expectOperands(2, 2);
  if (type == Type::Pred) {
    d.emit(std::is_same_v<F, Not> ? runNotPredicate : nullptr);
    d.defPredicate(0, d.operand(0));
    d.usePredicate(1, d.operand(1));
    return;
  }
  Handler handler = type == Type::B16   ? unary<F, uint16_t, uint16_t>
                    : type == Type::B32 ? unary<F, uint32_t, uint32_t>
                    : type == Type::B64 ? unary<F, uint64_t, uint64_t>
                                        : Handler(nullptr);
  d.emit(handler);
  d.def(0, d.operand(0), bitsOf(type));
  d.use(1, d.operand(1), type);
}

template <class F> void decodeShift(Decoding &d) {
  Type type = d.takeType();
  d.expectOperands(3, 3);
  Handler handler = nullptr;
  switch (type) {
  case Type::B16:
  case Type::U16:
    handler = binary<F, uint16_t, uint16_t, uint32_t>;
    break;
  case Type::B32:
  case Type::U32:
    handler = binary<F, uint32_t, uint32_t, uint32_t>;
    break;
  case Type::B64:
  case Type::U64:
    handler = binary<F, uint64_t, uint64_t, uint32_t>;
    break;
  case Type::S16:
    handler = binary<F, int16_t, int16_t, uint32_t>;
    break;
  case Type::S32:
    handler = binary<F, int32_t, int32_t, uint32_t>;
    break;
  case Type::S64:
    handler = binary<F, int64_t, int64_t, uint32_t>;
    break;
  default:
    break;
  }
  d.emit(handler);
  d.def(0, d.operand(0), bitsOf(type));
  d.use(1, d.operand(1), type);
  d.use(2, d.operand(2), Type::U32);
}

void bindThree(Decoding &d, Handler handler) {
  d.expectOperands(4, 4);
  d.emit(handler);
  d.def(0, d.operand(0), 32);
  for (unsigned i = 1; i <= 3; ++i)
    d.use(i, d.operand(i), Type::B32);
}

void decodeFunnel(Decoding &d) {
  bool left = d.take("l");
  if (!left && !d.take("r"))
    d.unsupported();
  bool wraps = d.take("wrap");
  if (!wraps && !d.take("clamp"))
    d.unsupported();
  if (d.takeType() != Type::B32)
    d.unsupported();
  using u = uint32_t;
  bindThree(d, left ? (wraps ? ternary<Funnel<true, true>, u, u, u, u>
                             : ternary<Funnel<true, false>, u, u, u, u>)
                    : (wraps ? ternary<Funnel<false, true>, u, u, u, u>
                             : ternary<Funnel<false, false>, u, u, u, u>));
}

/// lop3.or/.and: p is (d != 0), combined with q. op[4]: p, op[5]: q; aux bit 0:
/// and, bit 1: q negated.
const Inst *runLop3Test(const Inst *inst, Warp &warp, uint32_t mask) {
  runLop3(inst, warp, mask);
  const uint32_t *r = warp.in<uint32_t>(inst->op[0]);
  uint32_t test = 0;
  for (unsigned i = 0; i < 32; ++i)
    test |= static_cast<uint32_t>(r[i] != 0) << i;
  uint32_t q = warp.predicates[inst->op[5]] ^ (inst->aux & 2 ? ~0u : 0);
  putPredicate(warp, inst->op[4], inst->aux & 1 ? test & q : test | q, mask);
  return inst + 1;
}

void decodeLop3(Decoding &d) {
  std::string_view combine = d.takeOneOf({"or", "and"});
  if (d.takeType() != Type::B32)
    d.unsupported();
  if (!combine.empty()) {
    d.expectOperands(6, 6);
    const Operand &to = d.operand(0);
    if (to.kind != Operand::Pair)
      d.fail("a pair d|p is expected");
    d.emit(runLop3Test);
    d.inst().imm = static_cast<int64_t>(d.constant(d.operand(4)) & 0xff);
    d.inst().aux = static_cast<uint32_t>(combine == "and") |
                   static_cast<uint32_t>(d.operand(5).negated) << 1;
    d.def(0, to.elements[0], 32);
    for (unsigned i = 1; i <= 3; ++i)
      d.use(i, d.operand(i), Type::B32);
    d.defPredicate(4, to.elements[1]);
    return d.usePredicate(5, d.operand(5));
  }
  d.expectOperands(5, 5);
  d.emit(runLop3);
  d.inst().imm = static_cast<int64_t>(d.constant(d.operand(4)) & 0xff);
  d.def(0, d.operand(0), 32);
  for (unsigned i = 1; i <= 3; ++i)
    d.use(i, d.operand(i), Type::B32);
}

void decodePrmt(Decoding &d) {
  if (d.takeType() != Type::B32)
    d.unsupported();
  using u = uint32_t;
  std::string_view mode =
      d.takeOneOf({"f4e", "b4e", "rc8", "ecl", "ecr", "rc16"});
  bindThree(d, mode == "f4e"    ? ternary<PrmtMode<0>, u, u, u, u>
               : mode == "b4e"  ? ternary<PrmtMode<1>, u, u, u, u>
               : mode == "rc8"  ? ternary<PrmtMode<2>, u, u, u, u>
               : mode == "ecl"  ? ternary<PrmtMode<3>, u, u, u, u>
               : mode == "ecr"  ? ternary<PrmtMode<4>, u, u, u, u>
               : mode == "rc16" ? ternary<PrmtMode<5>, u, u, u, u>
                                : ternary<Prmt, u, u, u, u>);
}

void decodeBfe(Decoding &d) {
  Type type = d.takeType();
  d.expectOperands(4, 4);
  using u = uint32_t;
  Handler handler = type == Type::U32   ? ternary<Bfe, uint32_t, uint32_t, u, u>
                    : type == Type::S32 ? ternary<Bfe, int32_t, int32_t, u, u>
                    : type == Type::U64 ? ternary<Bfe, uint64_t, uint64_t, u, u>
                    : type == Type::S64 ? ternary<Bfe, int64_t, int64_t, u, u>
                                        : Handler(nullptr);
  d.emit(handler);
  d.def(0, d.operand(0), bitsOf(type));
  d.use(1, d.operand(1), type);
  d.use(2, d.operand(2), Type::U32);
  d.use(3, d.operand(3), Type::U32);
}

void decodeBfi(Decoding &d) {
  Type type = d.takeType();
  d.expectOperands(5, 5);
  d.emit(type == Type::B32   ? runBfi<uint32_t>
         : type == Type::B64 ? runBfi<uint64_t>
                             : nullptr);
  d.def(0, d.operand(0), bitsOf(type));
  d.use(1, d.operand(1), type);
  d.use(2, d.operand(2), type);
  d.use(3, d.operand(3), Type::U32);
  d.use(4, d.operand(4), Type::U32);
}

void decodeBmsk(Decoding &d) {
  bool wraps = d.take("wrap");
  if (!wraps && !d.take("clamp"))
    d.unsupported();
  if (d.takeType() != Type::B32)
    d.unsupported();
  d.expectOperands(3, 3);
  using u = uint32_t;
  d.emit(wraps ? binary<Bmsk<true>, u, u, u> : binary<Bmsk<false>, u, u, u>);
  d.def(0, d.operand(0), 32);
  d.use(1, d.operand(1), Type::B32);
  d.use(2, d.operand(2), Type::B32);
}

/// The position of the set bit that is `offset` set bits away from `base`
/// (negative: downwards; 0: the one at base), or all ones.
struct Fns {
  static uint32_t apply(uint32_t bits, uint32_t base, int32_t offset) {
    base &= 31;
    if (offset == 0)
      return bits >> base & 1 ? base : ~0u;
    int step = offset > 0 ? 1 : -1;
    int32_t left = offset > 0 ? offset : -offset;
    for (int at = static_cast<int>(base); at >= 0 && at < 32; at += step)
      if ((bits >> at & 1) && --left == 0)
        return static_cast<uint32_t>(at);
    return ~0u;
  }
};

void decodeFns(Decoding &d) {
  if (d.takeType() != Type::B32)
    d.unsupported();
  bindThree(d, ternary<Fns, uint32_t, uint32_t, uint32_t, int32_t>);
}

/// Extends the low b bits of a; b beyond 32 counts as 32 (.clamp) or modulo 32.
template <bool Wraps, bool Signed> struct Szext {
  static uint32_t apply(uint32_t a, uint32_t b) {
    uint32_t bits = Wraps ? b & 31 : b > 32 ? 32 : b;
    if (bits == 0)
      return 0;
    uint32_t kept = bits == 32 ? a : a & ((1u << bits) - 1);
    if (Signed && bits < 32 && kept >> (bits - 1) & 1)
      kept |= ~0u << bits;
    return kept;
  }
};

void decodeSzext(Decoding &d) {
  bool wraps = d.take("wrap");
  if (!wraps && !d.take("clamp"))
    d.unsupported();
  Type type = d.takeType();
  if (type != Type::U32 && type != Type::S32)
    d.unsupported();
  bool sign = type == Type::S32;
  d.expectOperands(3, 3);
  using u = uint32_t;
  d.emit(wraps ? (sign ? binary<Szext<true, true>, u, u, u>
                       : binary<Szext<true, false>, u, u, u>)
               : (sign ? binary<Szext<false, true>, u, u, u>
                       : binary<Szext<false, false>, u, u, u>));
  d.def(0, d.operand(0), 32);
  d.use(1, d.operand(1), Type::B32);
  d.use(2, d.operand(2), Type::U32);
}

template <class F> void decodeCount(Decoding &d) {
  Type type = d.takeType();
  d.expectOperands(2, 2);
  d.emit(type == Type::B32   ? unary<F, uint32_t, uint32_t>
         : type == Type::B64 ? unary<F, uint32_t, uint64_t>
                             : nullptr);
  d.def(0, d.operand(0), 32);
  d.use(1, d.operand(1), type);
}

template <bool ShiftAmount> Handler bfindOf(Type type) {
  using F = Bfind<ShiftAmount>;
  return type == Type::U32   ? unary<F, uint32_t, uint32_t>
         : type == Type::S32 ? unary<F, uint32_t, int32_t>
         : type == Type::U64 ? unary<F, uint32_t, uint64_t>
         : type == Type::S64 ? unary<F, uint32_t, int64_t>
                             : Handler(nullptr);
}

void decodeBfind(Decoding &d) {
  bool amount = d.take("shiftamt");
  Type type = d.takeType();
  d.expectOperands(2, 2);
  d.emit(amount ? bfindOf<true>(type) : bfindOf<false>(type));
  d.def(0, d.operand(0), 32);
  d.use(1, d.operand(1), type);
}

void decodeBrev(Decoding &d) {
  Type type = d.takeType();
  d.expectOperands(2, 2);
  d.emit(type == Type::B32   ? unary<Brev, uint32_t, uint32_t>
         : type == Type::B64 ? unary<Brev, uint64_t, uint64_t>
                             : nullptr);
  d.def(0, d.operand(0), bitsOf(type));
  d.use(1, d.operand(1), type);
}

} // namespace

void llrt::emu::addBitInstructions(InstructionTable &table) {
  table["and"] = decodeLogic<And>;
  table["or"] = decodeLogic<Or>;
  table["xor"] = decodeLogic<Xor>;
  table["not"] = decodeNot<Not>;
  table["cnot"] = decodeNot<Cnot>;
  table["shl"] = decodeShift<Shl>;
  table["shr"] = decodeShift<Shr>;
  table["shf"] = decodeFunnel;
  table["lop3"] = decodeLop3;
  table["prmt"] = decodePrmt;
  table["bfe"] = decodeBfe;
  table["bfi"] = decodeBfi;
  table["bmsk"] = decodeBmsk;
  table["popc"] = decodeCount<Popc>;
  table["clz"] = decodeCount<Clz>;
  table["bfind"] = decodeBfind;
  table["brev"] = decodeBrev;
  table["fns"] = decodeFns;
  table["szext"] = decodeSzext;
}
