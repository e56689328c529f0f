// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Integer arithmetic: add sub mul mad sad div rem min max abs neg, carries.
#include "runtime/device/emulator/Decoding.h"
#include "runtime/device/emulator/Lanes.h"

using namespace llrt::emu;

namespace {

template <class T> using U = std::make_unsigned_t<T>;
/// Arithmetic that wraps, in a type that C++ does not promote to int.
template <class T>
using Wrap = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
template <class T>
using Twice = std::conditional_t<
    sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, int32_t, uint32_t>,
    std::conditional_t<
        sizeof(T) == 4,
        std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>,
        std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>>>;

template <class T> T wrap(Wrap<T> value) { return static_cast<T>(value); }

struct Add {
  template <class T> static T apply(T a, T b) {
    return wrap<T>(static_cast<Wrap<T>>(a) + static_cast<Wrap<T>>(b));
  }
};
struct Sub {
  template <class T> static T apply(T a, T b) {
    return wrap<T>(static_cast<Wrap<T>>(a) - static_cast<Wrap<T>>(b));
  }
};
template <int64_t Sign> struct AddSaturated {
  static int32_t apply(int32_t a, int32_t b) {
    int64_t sum = int64_t(a) + Sign * int64_t(b);
    return static_cast<int32_t>(sum > INT32_MAX   ? INT32_MAX
                                : sum < INT32_MIN ? INT32_MIN
                                                  : sum);
  }
};
struct MulLo {
  template <class T> static T apply(T a, T b) {
    return wrap<T>(static_cast<Wrap<T>>(a) * static_cast<Wrap<T>>(b));
  }
};
struct MulHi {
  template <class T> static T apply(T a, T b) {
    return static_cast<T>(
        (static_cast<Twice<T>>(a) * static_cast<Twice<T>>(b)) >>
        (sizeof(T) * 8));
  }
};
struct MulWide {
  template <class T> static Twice<T> apply(T a, T b) {
    return static_cast<Twice<T>>(
        static_cast<U<Twice<T>>>(static_cast<Twice<T>>(a)) *
        static_cast<U<Twice<T>>>(static_cast<Twice<T>>(b)));
  }
};
struct Mul24 {
  template <class T> static T apply(T a, T b) {
    if constexpr (std::is_signed_v<T>)
      return wrap<T>(static_cast<uint32_t>((a << 8 >> 8)) *
                     static_cast<uint32_t>((b << 8 >> 8)));
    else
      return (a & 0xffffffu) * (b & 0xffffffu);
  }
};
template <class M> struct ThenAdd {
  template <class T, class R> static R apply(T a, T b, R c) {
    return Add::apply<R>(M::template apply<T>(a, b), c);
  }
};
struct MadHiSaturated {
  static int32_t apply(int32_t a, int32_t b, int32_t c) {
    return AddSaturated<1>::apply(MulHi::apply<int32_t>(a, b), c);
  }
};
struct Sad {
  template <class T> static T apply(T a, T b, T c) {
    Wrap<T> x = static_cast<Wrap<T>>(a), y = static_cast<Wrap<T>>(b);
    return wrap<T>(static_cast<Wrap<T>>(c) + (a < b ? y - x : x - y));
  }
};
/// Division by zero gives all ones, as the chip does (the ISA leaves it open).
struct Div {
  template <class T> static T apply(T a, T b) {
    if (b == 0)
      return static_cast<T>(-1);
    if (std::is_signed_v<T> && b == static_cast<T>(-1))
      return wrap<T>(0 - static_cast<Wrap<T>>(a));
    return static_cast<T>(a / b);
  }
};
struct Rem {
  template <class T> static T apply(T a, T b) {
    if (b == 0)
      return a;
    if (std::is_signed_v<T> && b == static_cast<T>(-1))
      return 0;
    return static_cast<T>(a % b);
  }
};
struct Min {
  template <class T> static T apply(T a, T b) { return a < b ? a : b; }
};
struct Max {
  template <class T> static T apply(T a, T b) { return a > b ? a : b; }
};
struct Neg {
  template <class T> static T apply(T a) {
    return wrap<T>(0 - static_cast<Wrap<T>>(a));
  }
};
struct Abs {
  template <class T> static T apply(T a) {
    return a < 0 ? Neg::apply<T>(a) : a;
  }
};

template <class F> Handler binaryOf(Type type) {
  switch (type) {
  case Type::U16:
    return binary<F, uint16_t, uint16_t, uint16_t>;
  case Type::S16:
    return binary<F, int16_t, int16_t, int16_t>;
  case Type::U32:
    return binary<F, uint32_t, uint32_t, uint32_t>;
  case Type::S32:
    return binary<F, int32_t, int32_t, int32_t>;
  case Type::U64:
    return binary<F, uint64_t, uint64_t, uint64_t>;
  case Type::S64:
    return binary<F, int64_t, int64_t, int64_t>;
  default:
    return nullptr;
  }
}

template <class F> Handler ternaryOf(Type type) {
  switch (type) {
  case Type::U16:
    return ternary<F, uint16_t, uint16_t, uint16_t, uint16_t>;
  case Type::S16:
    return ternary<F, int16_t, int16_t, int16_t, int16_t>;
  case Type::U32:
    return ternary<F, uint32_t, uint32_t, uint32_t, uint32_t>;
  case Type::S32:
    return ternary<F, int32_t, int32_t, int32_t, int32_t>;
  case Type::U64:
    return ternary<F, uint64_t, uint64_t, uint64_t, uint64_t>;
  case Type::S64:
    return ternary<F, int64_t, int64_t, int64_t, int64_t>;
  default:
    return nullptr;
  }
}

template <class F> Handler signedUnaryOf(Type type) {
  switch (type) {
  case Type::S16:
    return unary<F, int16_t, int16_t>;
  case Type::S32:
    return unary<F, int32_t, int32_t>;
  case Type::S64:
    return unary<F, int64_t, int64_t>;
  default:
    return nullptr;
  }
}

/// The lanes of two 16-bit halves.
template <class F, class T> struct Halves {
  static uint32_t apply(uint32_t a, uint32_t b) {
    uint32_t low = static_cast<uint16_t>(
        F::template apply<T>(static_cast<T>(a), static_cast<T>(b)));
    uint32_t high = static_cast<uint16_t>(
        F::template apply<T>(static_cast<T>(a >> 16), static_cast<T>(b >> 16)));
    return high << 16 | low;
  }
};
template <class F> Handler halvesOf(std::string_view type) {
  if (type == "u16x2")
    return binary<Halves<F, uint16_t>, uint32_t, uint32_t, uint32_t>;
  return type == "s16x2"
             ? binary<Halves<F, int16_t>, uint32_t, uint32_t, uint32_t>
             : nullptr;
}

void bindBinary(Decoding &d, Handler handler, Type result, Type operands) {
  d.expectOperands(3, 3);
  d.emit(handler);
  d.def(0, d.operand(0), bitsOf(result));
  d.use(1, d.operand(1), operands);
  d.use(2, d.operand(2), operands);
}

template <class F> bool packed(Decoding &d) {
  std::string_view type = d.takeOneOf({"u16x2", "s16x2"});
  if (type.empty())
    return false;
  bindBinary(d, halvesOf<F>(type), Type::B32, Type::B32);
  return true;
}

// The carry flag of a thread is predicate 0, which no register is given.
template <class T, bool Subtract, bool CarryIn, bool CarryOut>
const Inst *withCarry(const Inst *inst, Warp &warp, uint32_t mask) {
  const Lane<T> *a = warp.in<Lane<T>>(inst->op[1]);
  const Lane<T> *b = warp.in<Lane<T>>(inst->op[2]);
  uint32_t carry = warp.predicates[0], out = 0;
  Lane<T> r[32];
  for (unsigned i = 0; i < 32; ++i) {
    T in = CarryIn ? carry >> i & 1 : 0;
    T first, second;
    bool over;
    if (Subtract) {
      over = __builtin_sub_overflow(static_cast<T>(a[i]), static_cast<T>(b[i]),
                                    &first);
      over |= __builtin_sub_overflow(first, in, &second);
    } else {
      over = __builtin_add_overflow(static_cast<T>(a[i]), static_cast<T>(b[i]),
                                    &first);
      over |= __builtin_add_overflow(first, in, &second);
    }
    r[i] = second;
    out |= static_cast<uint32_t>(over) << i;
  }
  put(warp.out<Lane<T>>(inst->op[0]), r, mask);
  if (CarryOut)
    putPredicate(warp, 0, out, mask);
  return inst + 1;
}

template <bool Subtract, bool CarryIn>
Handler carryOf(Type type, bool carryOut) {
  if (bitsOf(type) == 64)
    return carryOut ? withCarry<uint64_t, Subtract, CarryIn, true>
                    : withCarry<uint64_t, Subtract, CarryIn, false>;
  if (bitsOf(type) == 32)
    return carryOut ? withCarry<uint32_t, Subtract, CarryIn, true>
                    : withCarry<uint32_t, Subtract, CarryIn, false>;
  return nullptr;
}

template <bool Subtract> void decodeSum(Decoding &d) {
  using F = std::conditional_t<Subtract, Sub, Add>;
  if (packed<F>(d))
    return;
  Type type = d.takeType();
  if (decodeFloatArithmetic(d, Subtract ? "sub" : "add", type))
    return;
  if (d.take("cc"))
    return bindBinary(d, carryOf<Subtract, false>(type, true), type, type);
  if (d.take("sat"))
    return bindBinary(
        d,
        type == Type::S32
            ? binary<AddSaturated<Subtract ? -1 : 1>, int32_t, int32_t, int32_t>
            : nullptr,
        type, type);
  bindBinary(d, binaryOf<F>(type), type, type);
}

template <bool Subtract> void decodeCarry(Decoding &d) {
  bool out = d.take("cc");
  Type type = d.takeType();
  bindBinary(d, carryOf<Subtract, true>(type, out), type, type);
}

template <class F> Handler wideOf(Type type) {
  switch (type) {
  case Type::U16:
    return binary<F, uint32_t, uint16_t, uint16_t>;
  case Type::S16:
    return binary<F, int32_t, int16_t, int16_t>;
  case Type::U32:
    return binary<F, uint64_t, uint32_t, uint32_t>;
  case Type::S32:
    return binary<F, int64_t, int32_t, int32_t>;
  default:
    return nullptr;
  }
}

Type twice(Type type) {
  switch (type) {
  case Type::U16:
    return Type::U32;
  case Type::S16:
    return Type::S32;
  case Type::U32:
    return Type::U64;
  default:
    return Type::S64;
  }
}

void decodeMul(Decoding &d) {
  Type type = d.takeType();
  if (decodeFloatArithmetic(d, "mul", type))
    return;
  std::string_view part = d.takeOneOf({"lo", "hi", "wide"});
  if (part == "wide")
    return bindBinary(d, wideOf<MulWide>(type), twice(type), type);
  if (part.empty())
    d.fail("mul of integers needs .lo, .hi or .wide");
  bindBinary(d, part == "lo" ? binaryOf<MulLo>(type) : binaryOf<MulHi>(type),
             type, type);
}

void bindTernary(Decoding &d, Handler handler, Type result, Type operands) {
  d.expectOperands(4, 4);
  d.emit(handler);
  d.def(0, d.operand(0), bitsOf(result));
  d.use(1, d.operand(1), operands);
  d.use(2, d.operand(2), operands);
  d.use(3, d.operand(3), result);
}

/// Low or high half of a product, plus op[3], with a carry in (aux bit 0) and
/// out (aux bit 1).
template <class M, class T>
const Inst *runMadCarry(const Inst *inst, Warp &warp, uint32_t mask) {
  using W = Wrap<T>;
  const Lane<T> *lanes[3];
  for (unsigned i = 0; i < 3; ++i)
    lanes[i] = warp.in<Lane<T>>(inst->op[1 + i]);
  uint32_t carry = inst->aux & 1 ? warp.predicates[0] : 0, out = 0;
  Lane<T> r[32];
  for (unsigned i = 0; i < 32; ++i) {
    W product = static_cast<W>(M::template apply<T>(
        static_cast<T>(lanes[0][i]), static_cast<T>(lanes[1][i])));
    W sum;
    bool over = __builtin_add_overflow(product, lanes[2][i], &sum);
    over |= __builtin_add_overflow(sum, static_cast<W>(carry >> i & 1), &sum);
    r[i] = sum;
    out |= static_cast<uint32_t>(over) << i;
  }
  put(warp.out<Lane<T>>(inst->op[0]), r, mask);
  if (inst->aux & 2)
    putPredicate(warp, 0, out, mask);
  return inst + 1;
}

template <class M> Handler madCarryOf(Type type) {
  return type == Type::U32   ? runMadCarry<M, uint32_t>
         : type == Type::S32 ? runMadCarry<M, int32_t>
         : type == Type::U64 ? runMadCarry<M, uint64_t>
         : type == Type::S64 ? runMadCarry<M, int64_t>
                             : Handler(nullptr);
}

void bindMadCarry(Decoding &d, Type type, bool low, bool carryIn, bool out) {
  bindTernary(d, low ? madCarryOf<MulLo>(type) : madCarryOf<MulHi>(type), type,
              type);
  d.inst().aux = static_cast<uint32_t>(carryIn) | static_cast<uint32_t>(out)
                                                      << 1;
}

void decodeMadc(Decoding &d) {
  bool out = d.take("cc"), low = d.take("lo");
  if (!low && !d.take("hi"))
    d.unsupported();
  bindMadCarry(d, d.takeType(), low, true, out);
}

void decodeMad(Decoding &d) {
  Type type = d.takeType();
  if (decodeFloatArithmetic(d, "fma", type))
    return;
  std::string_view part = d.takeOneOf({"lo", "hi", "wide"});
  if (part == "wide") {
    using F = ThenAdd<MulWide>;
    Handler handler =
        type == Type::U16   ? ternary<F, uint32_t, uint16_t, uint16_t, uint32_t>
        : type == Type::S16 ? ternary<F, int32_t, int16_t, int16_t, int32_t>
        : type == Type::U32 ? ternary<F, uint64_t, uint32_t, uint32_t, uint64_t>
        : type == Type::S32 ? ternary<F, int64_t, int32_t, int32_t, int64_t>
                            : Handler(nullptr);
    return bindTernary(d, handler, twice(type), type);
  }
  if (part.empty())
    d.fail("mad of integers needs .lo, .hi or .wide");
  if (d.take("cc"))
    return bindMadCarry(d, type, part == "lo", false, true);
  if (part == "hi" && d.take("sat"))
    return bindTernary(
        d,
        type == Type::S32
            ? ternary<MadHiSaturated, int32_t, int32_t, int32_t, int32_t>
            : nullptr,
        type, type);
  bindTernary(d,
              part == "lo" ? ternaryOf<ThenAdd<MulLo>>(type)
                           : ternaryOf<ThenAdd<MulHi>>(type),
              type, type);
}

/// The upper 32 of the 48 bits of the product.
struct Mul24Hi {
  template <class T> static T apply(T a, T b) {
    if constexpr (std::is_signed_v<T>)
      return static_cast<T>((int64_t(a << 8 >> 8) * int64_t(b << 8 >> 8)) >>
                            16);
    else
      return static_cast<T>(
          (uint64_t(a & 0xffffffu) * uint64_t(b & 0xffffffu)) >> 16);
  }
};
struct Mad24HiSaturated {
  static int32_t apply(int32_t a, int32_t b, int32_t c) {
    return AddSaturated<1>::apply(Mul24Hi::apply<int32_t>(a, b), c);
  }
};

template <class F> Handler binaryWord(Type type) {
  return type == Type::S32   ? binary<F, int32_t, int32_t, int32_t>
         : type == Type::U32 ? binary<F, uint32_t, uint32_t, uint32_t>
                             : Handler(nullptr);
}
template <class F> Handler ternaryWord(Type type) {
  return type == Type::S32 ? ternary<F, int32_t, int32_t, int32_t, int32_t>
         : type == Type::U32
             ? ternary<F, uint32_t, uint32_t, uint32_t, uint32_t>
             : Handler(nullptr);
}

void decodeMul24(Decoding &d) {
  Type type = d.takeType();
  std::string_view part = d.takeOneOf({"lo", "hi"});
  if (part.empty())
    d.unsupported();
  bindBinary(d,
             part == "lo" ? binaryWord<Mul24>(type) : binaryWord<Mul24Hi>(type),
             type, type);
}

void decodeMad24(Decoding &d) {
  Type type = d.takeType();
  std::string_view part = d.takeOneOf({"lo", "hi"});
  if (part.empty())
    d.unsupported();
  if (part == "hi" && d.take("sat"))
    return bindTernary(
        d,
        type == Type::S32
            ? ternary<Mad24HiSaturated, int32_t, int32_t, int32_t, int32_t>
            : nullptr,
        type, type);
  bindTernary(d,
              part == "lo" ? ternaryWord<ThenAdd<Mul24>>(type)
                           : ternaryWord<ThenAdd<Mul24Hi>>(type),
              type, type);
}

template <class F> void decodeBinary(Decoding &d) {
  Type type = d.takeType();
  bindBinary(d, binaryOf<F>(type), type, type);
}

void decodeDiv(Decoding &d) {
  Type type = d.takeType();
  if (!decodeFloatArithmetic(d, "div", type))
    bindBinary(d, binaryOf<Div>(type), type, type);
}

/// .relu: a negative result becomes 0.
template <class F> struct ThenRelu {
  template <class T> static T apply(T a, T b) {
    T r = F::template apply<T>(a, b);
    return r < 0 ? T(0) : r;
  }
};

template <class F> void decodeMinMax(Decoding &d) {
  if (d.take("relu")) {
    std::string_view type = d.takeOneOf({"s16x2", "s32"});
    using R = ThenRelu<F>;
    return bindBinary(d,
                      type == "s16x2" ? halvesOf<R>(type)
                      : type == "s32" ? binary<R, int32_t, int32_t, int32_t>
                                      : Handler(nullptr),
                      Type::B32, Type::B32);
  }
  if (packed<F>(d))
    return;
  Type type = d.takeType();
  if (!decodeFloatArithmetic(d, std::is_same_v<F, Min> ? "min" : "max", type))
    bindBinary(d, binaryOf<F>(type), type, type);
}

template <class F> void decodeUnary(Decoding &d) {
  Type type = d.takeType();
  if (decodeFloatArithmetic(d, std::is_same_v<F, Neg> ? "neg" : "abs", type))
    return;
  d.expectOperands(2, 2);
  d.emit(signedUnaryOf<F>(type));
  d.def(0, d.operand(0), bitsOf(type));
  d.use(1, d.operand(1), type);
}

void decodeSad(Decoding &d) {
  Type type = d.takeType();
  bindTernary(d, ternaryOf<Sad>(type), type, type);
}

} // namespace

void llrt::emu::addIntegerInstructions(InstructionTable &table) {
  table["add"] = decodeSum<false>;
  table["sub"] = decodeSum<true>;
  table["addc"] = decodeCarry<false>;
  table["subc"] = decodeCarry<true>;
  table["mul"] = decodeMul;
  table["mad"] = decodeMad;
  table["madc"] = decodeMadc;
  table["mul24"] = decodeMul24;
  table["mad24"] = decodeMad24;
  table["sad"] = decodeSad;
  table["div"] = decodeDiv;
  table["rem"] = decodeBinary<Rem>;
  table["min"] = decodeMinMax<Min>;
  table["max"] = decodeMinMax<Max>;
  table["neg"] = decodeUnary<Neg>;
  table["abs"] = decodeUnary<Abs>;
}
