// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cvt, between all integer and float types, and into packed pairs.
#include "runtime/device/emulator/Decoding.h"
#include "runtime/device/emulator/FloatValue.h"
#include "runtime/device/emulator/NarrowConversion.h"
#include "runtime/device/emulator/Rounding.h"

using namespace llrt::emu;

namespace {

// Registers may be wider than the types of a cvt. Of the many pairs of types,
// those that kernels are full of, in registers of their own width, are vector
// loops; the others call one small function for each lane, which keeps the
// program small.

/// F::apply(A) -> R as a vector loop.
template <class F, class R, class A>
const Inst *convert(const Inst *inst, Warp &warp, uint32_t mask) {
  const Lane<A> *a = warp.in<Lane<A>>(inst->op[1]);
  Lane<R> r[32];
  for (unsigned i = 0; i < 32; ++i)
    r[i] = toLane<R>(F::template apply<R, A>(fromLane<A>(a[i])));
  put(warp.out<Lane<R>>(inst->op[0]), r, mask);
  return inst + 1;
}

/// The same for the bits of one lane; an integer is extended to 64 bits.
using Scalar = uint64_t (*)(uint64_t);
template <class F, class R, class A> uint64_t convertOne(uint64_t lane) {
  R value = F::template apply<R, A>(fromLane<A>(lane));
  if constexpr (std::is_integral_v<R>)
    return static_cast<uint64_t>(value);
  else
    return toLane<R>(value);
}

/// Inst::imm: the Scalar.
template <class To, class From>
const Inst *convertEach(const Inst *inst, Warp &warp, uint32_t mask) {
  Scalar one = reinterpret_cast<Scalar>(inst->imm);
  const From *a = warp.in<From>(inst->op[1]);
  To r[32];
  for (unsigned i = 0; i < 32; ++i)
    r[i] = static_cast<To>(mask >> i & 1 ? one(a[i]) : 0);
  put(warp.out<To>(inst->op[0]), r, mask);
  return inst + 1;
}

struct Conversion {
  Handler vector =
      nullptr; ///< for registers as wide as the types; may be missing
  Scalar scalar = nullptr; ///< missing: not a conversion of PTX
};

struct Truncate {
  template <class R, class A> static R apply(A a) { return static_cast<R>(a); }
};
struct Clamp {
  template <class R, class A> static R apply(A a) {
    using Limits = std::numeric_limits<R>;
    if constexpr (std::is_signed_v<A>) {
      if (static_cast<int64_t>(a) < 0 && !std::is_signed_v<R>)
        return 0;
      if (std::is_signed_v<R> &&
          static_cast<int64_t>(a) < static_cast<int64_t>(Limits::min()))
        return Limits::min();
      if (static_cast<int64_t>(a) > 0 &&
          static_cast<uint64_t>(a) > static_cast<uint64_t>(Limits::max()))
        return Limits::max();
    } else if (static_cast<uint64_t>(a) >
               static_cast<uint64_t>(Limits::max())) {
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
    constexpr double past = sizeof(R) == 8
                                ? (std::is_signed_v<R> ? 0x1p63 : 0x1p64)
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
        double value = std::is_same_v<A, float> && Ftz
                           ? static_cast<double>(flushed(static_cast<float>(a)))
                           : static_cast<double>(a);
        return Sat ? saturated(value) : value;
      } else {
        return asDouble(a);
      }
    } else {
      float value;
      if constexpr (std::is_same_v<A, double>)
        value = std::is_same_v<R, float> ? static_cast<float>(a) : oddFloat(a);
      else if constexpr (std::is_integral_v<A>)
        value = std::is_same_v<R, float> || sizeof(A) <= 2
                    ? static_cast<float>(a)
                    : oddInteger(a);
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
    uint64_t size =
        a < 0 ? 0 - static_cast<uint64_t>(a) : static_cast<uint64_t>(a);
    unsigned extra =
        size >> 32 ? 64 - static_cast<unsigned>(__builtin_clzll(size)) - 32 : 0;
    uint64_t kept =
        size >> extra | ((size & ((uint64_t(1) << extra) - 1)) != 0);
    double value =
        std::ldexp(static_cast<double>(kept), static_cast<int>(extra));
    return oddFloat(a < 0 ? -value : value);
  }
};

/// Float to a whole number in the same float type.
template <Whole Mode, bool Ftz, bool Sat> struct ToWhole {
  template <class R, class A> static R apply(A a) {
    double value = whole<Mode>(
        Ftz ? static_cast<double>(flushed(static_cast<float>(asDouble(a))))
            : asDouble(a));
    if (Sat)
      value = saturated(value);
    if constexpr (std::is_same_v<R, double>)
      return value;
    else
      return fromFloat<R>(canonical(static_cast<float>(value)));
  }
};

template <class A>
constexpr bool isNarrowFloat =
    std::is_same_v<A, float> || std::is_same_v<A, Half> ||
    std::is_same_v<A, Brain>;
template <class A>
constexpr bool isWord = std::is_integral_v<A> && sizeof(A) == 4;

/// What deserves a vector loop.
template <class F, class R, class A> constexpr bool isFrequent = false;
template <class R, class A> constexpr bool isFrequent<Truncate, R, A> = true;
template <class R, class A>
constexpr bool isFrequent<ToFloat<false, false, false>, R, A> =
    isNarrowFloat<R> && (isNarrowFloat<A> || isWord<A>);
template <class R, class A, bool Ftz>
constexpr bool isFrequent<ToInteger<Whole::Zero, Ftz>, R, A> =
    isWord<R> && std::is_same_v<A, float>;

template <class F, class R, class A> Conversion pair() {
  if constexpr (isFrequent<F, R, A>)
    return {convert<F, R, A>, convertOne<F, R, A>};
  else
    return {nullptr, convertOne<F, R, A>};
}

template <class F, class R> Conversion fromInteger(Type from) {
  switch (from) {
  case Type::U8:
    return pair<F, R, uint8_t>();
  case Type::S8:
    return pair<F, R, int8_t>();
  case Type::U16:
    return pair<F, R, uint16_t>();
  case Type::S16:
    return pair<F, R, int16_t>();
  case Type::U32:
    return pair<F, R, uint32_t>();
  case Type::S32:
    return pair<F, R, int32_t>();
  case Type::U64:
    return pair<F, R, uint64_t>();
  case Type::S64:
    return pair<F, R, int64_t>();
  default:
    return {};
  }
}

template <class F, class R> Conversion fromFloatType(Type from) {
  switch (from) {
  case Type::F16:
    return pair<F, R, Half>();
  case Type::BF16:
    return pair<F, R, Brain>();
  case Type::F32:
    return pair<F, R, float>();
  case Type::F64:
    return pair<F, R, double>();
  default:
    return {};
  }
}

template <class F> Conversion integerToInteger(Type to, Type from) {
  switch (to) {
  case Type::U8:
    return fromInteger<F, uint8_t>(from);
  case Type::S8:
    return fromInteger<F, int8_t>(from);
  case Type::U16:
    return fromInteger<F, uint16_t>(from);
  case Type::S16:
    return fromInteger<F, int16_t>(from);
  case Type::U32:
    return fromInteger<F, uint32_t>(from);
  case Type::S32:
    return fromInteger<F, int32_t>(from);
  case Type::U64:
    return fromInteger<F, uint64_t>(from);
  case Type::S64:
    return fromInteger<F, int64_t>(from);
  default:
    return {};
  }
}

template <class F> Conversion floatToInteger(Type to, Type from) {
  switch (to) {
  case Type::U8:
    return fromFloatType<F, uint8_t>(from);
  case Type::S8:
    return fromFloatType<F, int8_t>(from);
  case Type::U16:
    return fromFloatType<F, uint16_t>(from);
  case Type::S16:
    return fromFloatType<F, int16_t>(from);
  case Type::U32:
    return fromFloatType<F, uint32_t>(from);
  case Type::S32:
    return fromFloatType<F, int32_t>(from);
  case Type::U64:
    return fromFloatType<F, uint64_t>(from);
  case Type::S64:
    return fromFloatType<F, int64_t>(from);
  default:
    return {};
  }
}

template <class F> Conversion toFloatType(Type to, Type from) {
  bool integer = !isFloat(from);
  switch (to) {
  case Type::F16:
    return integer ? fromInteger<F, Half>(from) : fromFloatType<F, Half>(from);
  case Type::BF16:
    return integer ? fromInteger<F, Brain>(from)
                   : fromFloatType<F, Brain>(from);
  case Type::F32:
    return integer ? fromInteger<F, float>(from)
                   : fromFloatType<F, float>(from);
  case Type::F64:
    return integer ? fromInteger<F, double>(from)
                   : fromFloatType<F, double>(from);
  default:
    return {};
  }
}

template <Whole Mode>
Conversion wholeOf(Type to, Type from, bool ftz, bool sat) {
  if (to != from)
    return {};
  switch (to) {
  case Type::F16:
    return pair<ToWhole<Mode, false, false>, Half, Half>();
  case Type::BF16:
    return pair<ToWhole<Mode, false, false>, Brain, Brain>();
  case Type::F32:
    return ftz ? (sat ? pair<ToWhole<Mode, true, true>, float, float>()
                      : pair<ToWhole<Mode, true, false>, float, float>())
               : (sat ? pair<ToWhole<Mode, false, true>, float, float>()
                      : pair<ToWhole<Mode, false, false>, float, float>());
  case Type::F64:
    return sat ? pair<ToWhole<Mode, false, true>, double, double>()
               : pair<ToWhole<Mode, false, false>, double, double>();
  default:
    return {};
  }
}

template <class T, bool Relu> struct PackPair {
  static uint32_t apply(float high, float low) {
    using F = ToFloat<false, false, Relu>;
    return static_cast<uint32_t>((F::template apply<T, float>(high)).bits)
               << 16 |
           (F::template apply<T, float>(low)).bits;
  }
};
bool decodePair(Decoding &d, Type to, bool relu, std::string_view rounding) {
  if (to != Type::F16x2 && to != Type::BF16x2)
    return false;
  if (d.takeType() != Type::F32 || rounding.empty())
    d.unsupported();
  d.expectOperands(3, 3);
  Handler handler = nullptr;
  if (rounding == "rn")
    handler =
        to == Type::F16x2
            ? (relu ? binary<PackPair<Half, true>, uint32_t, float, float>
                    : binary<PackPair<Half, false>, uint32_t, float, float>)
            : (relu ? binary<PackPair<Brain, true>, uint32_t, float, float>
                    : binary<PackPair<Brain, false>, uint32_t, float, float>);
  d.emit(handler);
  d.def(0, d.operand(0), 32);
  d.use(1, d.operand(1), Type::F32);
  d.use(2, d.operand(2), Type::F32);
  return true;
}

void decodeCvt(Decoding &d) {
  if (decodeNarrowConversion(d))
    return;
  bool ftz = d.take("ftz"), sat = d.take("sat"), relu = d.take("relu");
  std::string_view integral = d.takeOneOf({"rni", "rzi", "rmi", "rpi"});
  std::string_view rounding = d.takeOneOf({"rn", "rz", "rm", "rp", "rna"});
  Type to = d.takeType();
  if (decodePair(d, to, relu, rounding))
    return;
  Type from = d.takeType();
  d.expectOperands(2, 2);
  bool wideTo = d.registerBits(d.operand(0)) == 64 || bitsOf(to) == 64;
  bool wideFrom = d.registerBits(d.operand(1)) == 64 || bitsOf(from) == 64;
  bool natural =
      wideTo == (bitsOf(to) == 64) && wideFrom == (bitsOf(from) == 64);
  Conversion conversion;
  Handler handler = nullptr;
  bool directed = false;
  if (!isFloat(to) && !isFloat(from)) {
    conversion = sat ? integerToInteger<Clamp>(to, from)
                     : integerToInteger<Truncate>(to, from);
  } else if (!isFloat(to)) {
    if (integral == "rni")
      conversion =
          ftz ? floatToInteger<ToInteger<Whole::Nearest, true>>(to, from)
              : floatToInteger<ToInteger<Whole::Nearest, false>>(to, from);
    else if (integral == "rzi")
      conversion =
          ftz ? floatToInteger<ToInteger<Whole::Zero, true>>(to, from)
              : floatToInteger<ToInteger<Whole::Zero, false>>(to, from);
    else if (integral == "rmi")
      conversion =
          ftz ? floatToInteger<ToInteger<Whole::Down, true>>(to, from)
              : floatToInteger<ToInteger<Whole::Down, false>>(to, from);
    else if (integral == "rpi")
      conversion = ftz ? floatToInteger<ToInteger<Whole::Up, true>>(to, from)
                       : floatToInteger<ToInteger<Whole::Up, false>>(to, from);
  } else if (!integral.empty()) {
    conversion = integral == "rni" ? wholeOf<Whole::Nearest>(to, from, ftz, sat)
                 : integral == "rzi" ? wholeOf<Whole::Zero>(to, from, ftz, sat)
                 : integral == "rmi" ? wholeOf<Whole::Down>(to, from, ftz, sat)
                                     : wholeOf<Whole::Up>(to, from, ftz, sat);
  } else if (rounding == "rna") {
    d.unsupported();
  } else if (!rounding.empty() && rounding != "rn") {
    directed = true;
    if (!relu && natural)
      handler = roundedConversion(to, from);
  } else if (relu) {
    conversion = sat || ftz
                     ? Conversion()
                     : toFloatType<ToFloat<false, false, true>>(to, from);
  } else if (ftz) {
    conversion = sat ? toFloatType<ToFloat<true, true, false>>(to, from)
                     : toFloatType<ToFloat<true, false, false>>(to, from);
  } else {
    conversion = sat ? toFloatType<ToFloat<false, true, false>>(to, from)
                     : toFloatType<ToFloat<false, false, false>>(to, from);
  }
  if (natural && conversion.vector)
    handler = conversion.vector;
  else if (conversion.scalar)
    handler = wideTo ? (wideFrom ? convertEach<uint64_t, uint64_t>
                                 : convertEach<uint64_t, uint32_t>)
                     : (wideFrom ? convertEach<uint32_t, uint64_t>
                                 : convertEach<uint32_t, uint32_t>);
  d.emit(handler);
  if (!directed) {
    d.inst().imm = reinterpret_cast<int64_t>(conversion.scalar);
  } else {
    d.inst().imm = roundingMode(rounding);
    d.inst().aux = static_cast<uint32_t>(ftz) | static_cast<uint32_t>(sat) << 1;
  }
  d.def(0, d.operand(0), bitsOf(to), true);
  d.use(1, d.operand(1), from, true);
}

} // namespace

void llrt::emu::addConvertInstructions(InstructionTable &table) {
  table["cvt"] = decodeCvt;
}
