// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cvt, between all integer and float types, and into packed pairs.
#include "runtime/device/emulator/Decoding.h"
#include "runtime/device/emulator/FloatValue.h"
#include "runtime/device/emulator/Rounding.h"

using namespace llrt::emu;

namespace {

// Registers may be wider than the types of a cvt; From and To are the lanes
// (uint32_t or uint64_t), A and R the types.

/// F::apply(A) -> R, for lanes of any width.
template <class F, class R, class To, class A, class From>
const Inst *convert(const Inst *inst, Warp &warp, uint32_t mask) {
  const From *a = warp.in<From>(inst->op[1]);
  To r[32];
  for (unsigned i = 0; i < 32; ++i) {
    R value = F::template apply<R, A>(fromLane<A>(a[i]));
    if constexpr (std::is_integral_v<R>)
      r[i] = static_cast<To>(value); // sign-extends into a wider register
    else
      r[i] = static_cast<To>(toLane<R>(value));
  }
  put(warp.out<To>(inst->op[0]), r, mask);
  return inst + 1;
}

struct Truncate {
  template <class R, class A> static R apply(A a) { return static_cast<R>(a); }
};
struct Clamp {
  template <class R, class A> static R apply(A a) {
    using Limits = std::numeric_limits<R>;
    if constexpr (std::is_signed_v<A>) {
      if (static_cast<int64_t>(a) < 0 && !std::is_signed_v<R>)
        return 0;
      if (std::is_signed_v<R> && static_cast<int64_t>(a) < static_cast<int64_t>(Limits::min()))
        return Limits::min();
      if (static_cast<int64_t>(a) > 0 && static_cast<uint64_t>(a) > static_cast<uint64_t>(Limits::max()))
        return Limits::max();
    } else if (static_cast<uint64_t>(a) > static_cast<uint64_t>(Limits::max())) {
      return Limits::max();
    }
    return static_cast<R>(a);
  }
};

enum class Whole : uint8_t { Nearest, Zero, Down, Up };

template <Whole Mode> LLRT_INLINE double whole(double value) {
  switch (Mode) {
  case Whole::Nearest:
    return __builtin_nearbyint(value);
  case Whole::Zero:
    return __builtin_trunc(value);
  case Whole::Down:
    return __builtin_floor(value);
  case Whole::Up:
    return __builtin_ceil(value);
  }
  return value;
}

template <class A> LLRT_INLINE double asDouble(A value) {
  if constexpr (std::is_same_v<A, double>)
    return value;
  else
    return static_cast<double>(toFloat(value));
}

/// Out-of-range values go to the nearest end; a NaN becomes 0, or for 64-bit
/// types the top bit alone.
template <Whole Mode, bool Ftz> struct ToInteger {
  template <class R, class A> static R apply(A a) {
    double value = asDouble(a);
    if constexpr (Ftz && std::is_same_v<A, float>)
      value = flushed(a);
    using Limits = std::numeric_limits<R>;
    constexpr double past = sizeof(R) == 8 ? (std::is_signed_v<R> ? 0x1p63 : 0x1p64)
                                           : static_cast<double>(Limits::max()) + 1;
    bool wide = sizeof(R) == 8 || std::is_same_v<A, double>;
    R nan = wide ? static_cast<R>(R(1) << (sizeof(R) * 8 - 1)) : R(0);
    if (value != value)
      return nan;
    value = whole<Mode>(value);
    if (value >= past)
      return Limits::max();
    if (value <= static_cast<double>(Limits::min()))
      return Limits::min();
    return static_cast<R>(value);
  }
};

/// To the nearest value of a float type.
template <bool Ftz, bool Sat, bool Relu> struct ToFloat {
  template <class R, class A> static R apply(A a) {
    if constexpr (std::is_same_v<R, double>) {
      if constexpr (std::is_arithmetic_v<A>) {
        double value = std::is_same_v<A, float> && Ftz ? static_cast<double>(flushed(static_cast<float>(a))) : static_cast<double>(a);
        return Sat ? saturated(value) : value;
      } else {
        return asDouble(a);
      }
    } else {
      float value;
      if constexpr (std::is_same_v<A, double>)
        value = std::is_same_v<R, float> ? static_cast<float>(a) : oddFloat(a);
      else if constexpr (std::is_integral_v<A>)
        value = std::is_same_v<R, float> || sizeof(A) <= 2 ? static_cast<float>(a) : oddInteger(a);
      else
        value = toFloat(a);
      if (Ftz)
        value = flushed(value);
      if (Relu)
        value = value > 0 ? value : value != value ? value : 0.0f;
      if (Sat)
        value = saturated(value);
      return fromFloat<R>(std::is_same_v<R, float> ? canonical(value) : value);
    }
  }
  /// An integer as an odd float if it does not fit, for a second rounding.
  template <class A> static float oddInteger(A a) {
    if constexpr (sizeof(A) <= 4)
      return oddFloat(static_cast<double>(a));
    // 16-bit formats end far below 2^53; f16 overflows, bf16 needs the bits.
    uint64_t size = a < 0 ? 0 - static_cast<uint64_t>(a) : static_cast<uint64_t>(a);
    unsigned extra = size >> 32 ? 64 - static_cast<unsigned>(__builtin_clzll(size)) - 32 : 0;
    uint64_t kept = size >> extra | ((size & ((uint64_t(1) << extra) - 1)) != 0);
    double value = std::ldexp(static_cast<double>(kept), static_cast<int>(extra));
    return oddFloat(a < 0 ? -value : value);
  }
};

/// Float to a whole number in the same float type.
template <Whole Mode, bool Ftz, bool Sat> struct ToWhole {
  template <class R, class A> static R apply(A a) {
    double value = whole<Mode>(Ftz ? static_cast<double>(flushed(static_cast<float>(asDouble(a)))) : asDouble(a));
    if (Sat)
      value = saturated(value);
    if constexpr (std::is_same_v<R, double>)
      return value;
    else
      return fromFloat<R>(canonical(static_cast<float>(value)));
  }
};

/// f32 to tf32: 10 bits of mantissa, ties away from zero (.rna).
struct ToTf32 {
  template <class R, class A> static R apply(A a) {
    uint32_t bits = floatToBits(a);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
      return 0x7fffffffu;
    if ((bits & 0x7f800000u) == 0x7f800000u)
      return bits;
    return (bits + 0x1000u) & ~0x1fffu;
  }
};

template <class F, class R, class A> Handler widths(bool wideTo, bool wideFrom) {
  if constexpr (sizeof(R) == 8 && sizeof(A) == 8)
    return convert<F, R, uint64_t, A, uint64_t>;
  else if constexpr (sizeof(R) == 8)
    return wideFrom ? convert<F, R, uint64_t, A, uint64_t> : convert<F, R, uint64_t, A, uint32_t>;
  else if constexpr (sizeof(A) == 8)
    return wideTo ? convert<F, R, uint64_t, A, uint64_t> : convert<F, R, uint32_t, A, uint64_t>;
  else if (wideTo)
    return wideFrom ? convert<F, R, uint64_t, A, uint64_t> : convert<F, R, uint64_t, A, uint32_t>;
  else
    return wideFrom ? convert<F, R, uint32_t, A, uint64_t> : convert<F, R, uint32_t, A, uint32_t>;
}

struct Shape {
  bool wideTo, wideFrom;
};

template <class F, class R> Handler fromInteger(Type from, Shape s) {
  switch (from) {
  case Type::U8:
    return widths<F, R, uint8_t>(s.wideTo, s.wideFrom);
  case Type::S8:
    return widths<F, R, int8_t>(s.wideTo, s.wideFrom);
  case Type::U16:
    return widths<F, R, uint16_t>(s.wideTo, s.wideFrom);
  case Type::S16:
    return widths<F, R, int16_t>(s.wideTo, s.wideFrom);
  case Type::U32:
    return widths<F, R, uint32_t>(s.wideTo, s.wideFrom);
  case Type::S32:
    return widths<F, R, int32_t>(s.wideTo, s.wideFrom);
  case Type::U64:
    return widths<F, R, uint64_t>(s.wideTo, s.wideFrom);
  case Type::S64:
    return widths<F, R, int64_t>(s.wideTo, s.wideFrom);
  default:
    return nullptr;
  }
}

template <class F, class R> Handler fromFloatType(Type from, Shape s) {
  switch (from) {
  case Type::F16:
    return widths<F, R, Half>(s.wideTo, false);
  case Type::BF16:
    return widths<F, R, Brain>(s.wideTo, false);
  case Type::F32:
    return widths<F, R, float>(s.wideTo, false);
  case Type::F64:
    return widths<F, R, double>(s.wideTo, true);
  default:
    return nullptr;
  }
}

template <class F> Handler integerToInteger(Type to, Type from, Shape s) {
  switch (to) {
  case Type::U8:
    return fromInteger<F, uint8_t>(from, s);
  case Type::S8:
    return fromInteger<F, int8_t>(from, s);
  case Type::U16:
    return fromInteger<F, uint16_t>(from, s);
  case Type::S16:
    return fromInteger<F, int16_t>(from, s);
  case Type::U32:
    return fromInteger<F, uint32_t>(from, s);
  case Type::S32:
    return fromInteger<F, int32_t>(from, s);
  case Type::U64:
    return fromInteger<F, uint64_t>(from, s);
  case Type::S64:
    return fromInteger<F, int64_t>(from, s);
  default:
    return nullptr;
  }
}

template <class F> Handler floatToInteger(Type to, Type from, Shape s) {
  switch (to) {
  case Type::U8:
    return fromFloatType<F, uint8_t>(from, s);
  case Type::S8:
    return fromFloatType<F, int8_t>(from, s);
  case Type::U16:
    return fromFloatType<F, uint16_t>(from, s);
  case Type::S16:
    return fromFloatType<F, int16_t>(from, s);
  case Type::U32:
    return fromFloatType<F, uint32_t>(from, s);
  case Type::S32:
    return fromFloatType<F, int32_t>(from, s);
  case Type::U64:
    return fromFloatType<F, uint64_t>(from, s);
  case Type::S64:
    return fromFloatType<F, int64_t>(from, s);
  default:
    return nullptr;
  }
}

template <class F> Handler toFloatType(Type to, Type from, Shape s) {
  bool integer = !isFloat(from);
  switch (to) {
  case Type::F16:
    return integer ? fromInteger<F, Half>(from, s) : fromFloatType<F, Half>(from, s);
  case Type::BF16:
    return integer ? fromInteger<F, Brain>(from, s) : fromFloatType<F, Brain>(from, s);
  case Type::F32:
    return integer ? fromInteger<F, float>(from, s) : fromFloatType<F, float>(from, s);
  case Type::F64:
    return integer ? fromInteger<F, double>(from, s) : fromFloatType<F, double>(from, s);
  default:
    return nullptr;
  }
}

template <Whole Mode> Handler wholeOf(Type to, Type from, bool ftz, bool sat) {
  if (to != from)
    return nullptr;
  switch (to) {
  case Type::F16:
    return widths<ToWhole<Mode, false, false>, Half, Half>(false, false);
  case Type::BF16:
    return widths<ToWhole<Mode, false, false>, Brain, Brain>(false, false);
  case Type::F32:
    return ftz ? (sat ? widths<ToWhole<Mode, true, true>, float, float>(false, false)
                      : widths<ToWhole<Mode, true, false>, float, float>(false, false))
               : (sat ? widths<ToWhole<Mode, false, true>, float, float>(false, false)
                      : widths<ToWhole<Mode, false, false>, float, float>(false, false));
  case Type::F64:
    return sat ? widths<ToWhole<Mode, false, true>, double, double>(true, true)
               : widths<ToWhole<Mode, false, false>, double, double>(true, true);
  default:
    return nullptr;
  }
}

template <class T, bool Relu> struct PackPair {
  static uint32_t apply(float high, float low) {
    using F = ToFloat<false, false, Relu>;
    return static_cast<uint32_t>((F::template apply<T, float>(high)).bits) << 16 |
           (F::template apply<T, float>(low)).bits;
  }
};
/// .rz: the bits beyond are cut off.
template <class T> struct PackPairCut {
  static uint16_t cut(float value) {
    T near = fromFloat<T>(value);
    if (value == value && std::fabs(toFloat(near)) > std::fabs(value))
      --near.bits;
    return near.bits;
  }
  static uint32_t apply(float high, float low) { return static_cast<uint32_t>(cut(high)) << 16 | cut(low); }
};

bool decodePair(Decoding &d, Type to, bool relu, std::string_view rounding) {
  if (to != Type::F16x2 && to != Type::BF16x2)
    return false;
  if (d.takeType() != Type::F32 || rounding.empty())
    d.unsupported();
  d.expectOperands(3, 3);
  Handler handler = nullptr;
  if (rounding == "rn")
    handler = to == Type::F16x2 ? (relu ? binary<PackPair<Half, true>, uint32_t, float, float>
                                        : binary<PackPair<Half, false>, uint32_t, float, float>)
                                : (relu ? binary<PackPair<Brain, true>, uint32_t, float, float>
                                        : binary<PackPair<Brain, false>, uint32_t, float, float>);
  else if (rounding == "rz" && !relu)
    handler = to == Type::F16x2 ? binary<PackPairCut<Half>, uint32_t, float, float>
                                : binary<PackPairCut<Brain>, uint32_t, float, float>;
  d.emit(handler);
  d.def(0, d.operand(0), 32);
  d.use(1, d.operand(1), Type::F32);
  d.use(2, d.operand(2), Type::F32);
  return true;
}

void decodeCvt(Decoding &d) {
  bool ftz = d.take("ftz"), sat = d.take("sat"), relu = d.take("relu");
  std::string_view integral = d.takeOneOf({"rni", "rzi", "rmi", "rpi"});
  std::string_view rounding = d.takeOneOf({"rn", "rz", "rm", "rp", "rna"});
  Type to = d.takeType();
  if (decodePair(d, to, relu, rounding))
    return;
  Type from = d.takeType();
  d.expectOperands(2, 2);
  Shape shape{d.registerBits(d.operand(0)) == 64 || bitsOf(to) == 64,
              d.registerBits(d.operand(1)) == 64 || bitsOf(from) == 64};
  Handler handler = nullptr;
  bool directed = false;
  if (!isFloat(to) && !isFloat(from)) {
    handler = sat ? integerToInteger<Clamp>(to, from, shape) : integerToInteger<Truncate>(to, from, shape);
  } else if (!isFloat(to)) {
    if (integral == "rni")
      handler = ftz ? floatToInteger<ToInteger<Whole::Nearest, true>>(to, from, shape)
                    : floatToInteger<ToInteger<Whole::Nearest, false>>(to, from, shape);
    else if (integral == "rzi")
      handler = ftz ? floatToInteger<ToInteger<Whole::Zero, true>>(to, from, shape)
                    : floatToInteger<ToInteger<Whole::Zero, false>>(to, from, shape);
    else if (integral == "rmi")
      handler = ftz ? floatToInteger<ToInteger<Whole::Down, true>>(to, from, shape)
                    : floatToInteger<ToInteger<Whole::Down, false>>(to, from, shape);
    else if (integral == "rpi")
      handler = ftz ? floatToInteger<ToInteger<Whole::Up, true>>(to, from, shape)
                    : floatToInteger<ToInteger<Whole::Up, false>>(to, from, shape);
  } else if (!integral.empty()) {
    handler = integral == "rni"   ? wholeOf<Whole::Nearest>(to, from, ftz, sat)
              : integral == "rzi" ? wholeOf<Whole::Zero>(to, from, ftz, sat)
              : integral == "rmi" ? wholeOf<Whole::Down>(to, from, ftz, sat)
                                  : wholeOf<Whole::Up>(to, from, ftz, sat);
  } else if (to == Type::TF32) {
    if (rounding == "rna" && from == Type::F32)
      handler = convert<ToTf32, uint32_t, uint32_t, float, uint32_t>;
  } else if (rounding == "rna") {
    d.unsupported();
  } else if (!rounding.empty() && rounding != "rn") {
    directed = true;
    if (!relu && !shape.wideFrom == (bitsOf(from) != 64) && !shape.wideTo == (bitsOf(to) != 64))
      handler = roundedConversion(to, from);
  } else if (relu) {
    handler = sat || ftz ? nullptr : toFloatType<ToFloat<false, false, true>>(to, from, shape);
  } else if (ftz) {
    handler = sat ? toFloatType<ToFloat<true, true, false>>(to, from, shape)
                  : toFloatType<ToFloat<true, false, false>>(to, from, shape);
  } else {
    handler = sat ? toFloatType<ToFloat<false, true, false>>(to, from, shape)
                  : toFloatType<ToFloat<false, false, false>>(to, from, shape);
  }
  d.emit(handler);
  if (directed) {
    d.inst().imm = roundingMode(rounding);
    d.inst().aux = static_cast<uint32_t>(ftz) | static_cast<uint32_t>(sat) << 1;
  }
  d.def(0, d.operand(0), bitsOf(to), true);
  d.use(1, d.operand(1), from, true);
}

} // namespace

void llrt::emu::addConvertInstructions(InstructionTable &table) { table["cvt"] = decodeCvt; }
