// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Float arithmetic: add sub mul fma div min max neg abs copysign, and the
// functions rcp sqrt rsqrt sin cos ex2 lg2 tanh testp.
#include "runtime/device/emulator/Decoding.h"
#include "runtime/device/emulator/FloatValue.h"
#include "runtime/device/emulator/Rounding.h"

using namespace llrt::emu;

namespace {

struct Add {
  template <class T> static T apply(T a, T b) { return a + b; }
};
struct Sub {
  template <class T> static T apply(T a, T b) { return a - b; }
};
struct Mul {
  template <class T> static T apply(T a, T b) { return a * b; }
};
struct Div {
  template <class T> static T apply(T a, T b) { return a / b; }
};
/// a * (1/b) as the ISA document describes it for large divisors.
struct DivApprox {
  static float apply(float a, float b) {
    float quotient = a / b;
    bool large = std::fabs(b) > 0x1p126f && std::fabs(b) <= 3.402823466e38f;
    float instead = std::fabs(a) > 3.402823466e38f ? bitsToFloat(0x7fffffffu) : 0.0f;
    return large ? (a != a ? a : instead) : quotient;
  }
};
struct Fma {
  static float apply(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
  static double apply(double a, double b, double c) { return __builtin_fma(a, b, c); }
};
template <bool Nan> struct Min {
  template <class T> static T apply(T a, T b) {
    T less = a < b || (a == b && std::signbit(a)) ? a : b;
    if (Nan)
      return a != a ? a : b != b ? b : less;
    return a != a ? b : b != b ? a : less;
  }
};
template <bool Nan> struct Max {
  template <class T> static T apply(T a, T b) {
    T more = a > b || (a == b && !std::signbit(a)) ? a : b;
    if (Nan)
      return a != a ? a : b != b ? b : more;
    return a != a ? b : b != b ? a : more;
  }
};
template <class F> struct XorSignAbs {
  static float apply(float a, float b) {
    float r = F::apply(std::fabs(a), std::fabs(b));
    uint32_t sign = (floatToBits(a) ^ floatToBits(b)) & 0x80000000u;
    return bitsToFloat((floatToBits(r) & 0x7fffffffu) | sign);
  }
};
struct Rcp {
  template <class T> static T apply(T a) { return T(1) / a; }
};
struct Sqrt {
  template <class T> static T apply(T a) { return std::sqrt(a); }
};
struct Rsqrt {
  static float apply(float a) { return static_cast<float>(1.0 / std::sqrt(static_cast<double>(a))); }
  static double apply(double a) { return 1.0 / std::sqrt(a); }
};
struct Sin {
  static float apply(float a) { return static_cast<float>(std::sin(static_cast<double>(a))); }
};
struct Cos {
  static float apply(float a) { return static_cast<float>(std::cos(static_cast<double>(a))); }
};
struct Tanh {
  static float apply(float a) { return static_cast<float>(std::tanh(static_cast<double>(a))); }
};
struct Ex2 {
  static float apply(float a) { return a != a ? a : static_cast<float>(exp2Double(a)); }
};
struct Lg2 {
  static float apply(float a) {
    float special = a == 0 ? -INFINITY : a < 0 || a != a ? bitsToFloat(0x7fffffffu) : INFINITY;
    bool usual = a > 0 && a < INFINITY;
    return usual ? static_cast<float>(log2Double(usual ? static_cast<double>(a) : 1.0)) : special;
  }
};

/// F with the modifiers of f32 arithmetic.
template <class F, bool Ftz, bool Sat> struct Single {
  static float in(float value) { return Ftz ? flushed(value) : value; }
  static float result(float value) {
    if (Sat)
      return saturated(Ftz ? flushed(value) : value);
    value = canonical(value);
    return Ftz ? flushed(value) : value;
  }
  template <class... A> static float apply(A... a) { return result(F::apply(in(a)...)); }
};

template <class F> Handler single2(bool ftz, bool sat) {
  if (ftz)
    return sat ? binary<Single<F, true, true>, float, float, float>
               : binary<Single<F, true, false>, float, float, float>;
  return sat ? binary<Single<F, false, true>, float, float, float>
             : binary<Single<F, false, false>, float, float, float>;
}
template <class F> Handler single1(bool ftz, bool sat = false) {
  if (ftz)
    return sat ? unary<Single<F, true, true>, float, float> : unary<Single<F, true, false>, float, float>;
  return sat ? unary<Single<F, false, true>, float, float> : unary<Single<F, false, false>, float, float>;
}

/// F on a 16-bit format through f32: add, sub, mul and min, max of 11 or fewer
/// bits round the same in two steps as in one.
template <class F, bool Ftz, bool Sat> struct Narrow {
  template <class T> static T apply(T a, T b) {
    float r = F::template apply<float>(toFloat(a), toFloat(b));
    return finish<T>(fromFloat<T>(r));
  }
  template <class T> static T finish(T r) {
    if (Ftz)
      r.bits = (r.bits & 0x7c00) || !std::is_same_v<T, Half> ? r.bits : r.bits & 0x8000;
    return Sat ? fromFloat<T>(saturated(toFloat(r))) : r;
  }
};
template <bool Ftz, bool Sat, bool Relu> struct NarrowFma {
  template <class T> static T apply(T a, T b, T c) {
    T r = Narrow<Add, Ftz, Sat>::template finish<T>(fusedNarrow(a, b, c));
    if (Relu)
      r = toFloat(r) < 0 ? T{0} : r.bits == 0x8000 ? T{0} : r;
    return r;
  }
};

template <class F, class T> struct Pair2 {
  static uint32_t apply(uint32_t a, uint32_t b) {
    T low = F::template apply<T>(T{static_cast<uint16_t>(a)}, T{static_cast<uint16_t>(b)});
    T high = F::template apply<T>(T{static_cast<uint16_t>(a >> 16)}, T{static_cast<uint16_t>(b >> 16)});
    return static_cast<uint32_t>(high.bits) << 16 | low.bits;
  }
};
template <class F, class T> struct Pair3 {
  static uint32_t apply(uint32_t a, uint32_t b, uint32_t c) {
    T low = F::template apply<T>(T{static_cast<uint16_t>(a)}, T{static_cast<uint16_t>(b)}, T{static_cast<uint16_t>(c)});
    T high = F::template apply<T>(T{static_cast<uint16_t>(a >> 16)}, T{static_cast<uint16_t>(b >> 16)},
                                  T{static_cast<uint16_t>(c >> 16)});
    return static_cast<uint32_t>(high.bits) << 16 | low.bits;
  }
};

template <class F> Handler narrow2(Type type) {
  using u = uint32_t;
  return type == Type::F16      ? binary<F, Half, Half, Half>
         : type == Type::BF16   ? binary<F, Brain, Brain, Brain>
         : type == Type::F16x2  ? binary<Pair2<F, Half>, u, u, u>
         : type == Type::BF16x2 ? binary<Pair2<F, Brain>, u, u, u>
                                : Handler(nullptr);
}
template <class F> Handler narrow3(Type type) {
  using u = uint32_t;
  return type == Type::F16      ? ternary<F, Half, Half, Half, Half>
         : type == Type::BF16   ? ternary<F, Brain, Brain, Brain, Brain>
         : type == Type::F16x2  ? ternary<Pair3<F, Half>, u, u, u, u>
         : type == Type::BF16x2 ? ternary<Pair3<F, Brain>, u, u, u, u>
                                : Handler(nullptr);
}

bool isNarrow(Type type) {
  return type == Type::F16 || type == Type::BF16 || type == Type::F16x2 || type == Type::BF16x2;
}

void bind(Decoding &d, Handler handler, Type type, unsigned sources) {
  d.expectOperands(sources + 1, sources + 1);
  d.emit(handler);
  d.def(0, d.operand(0), bitsOf(type));
  for (unsigned i = 1; i <= sources; ++i)
    d.use(i, d.operand(i), type);
}

/// add, sub, mul, div and fma in f32 and f64 in any rounding mode.
template <class F, RoundedOperation Operation> void decodeRounded(Decoding &d, Type type, unsigned sources) {
  bool ftz = d.take("ftz"), sat = d.take("sat");
  std::string_view rounding = d.takeOneOf({"rn", "rz", "rm", "rp"});
  if (!rounding.empty() && rounding != "rn") {
    bind(d, roundedHandler(Operation, type), type, sources);
    d.inst().imm = roundingMode(rounding);
    d.inst().aux = static_cast<uint32_t>(ftz) | static_cast<uint32_t>(sat) << 1;
    return;
  }
  Handler handler = nullptr;
  if constexpr (Operation == RoundedOperation::Fma) {
    if (type == Type::F64)
      handler = ternary<F, double, double, double, double>;
    else if (ftz)
      handler = sat ? ternary<Single<F, true, true>, float, float, float, float>
                    : ternary<Single<F, true, false>, float, float, float, float>;
    else
      handler = sat ? ternary<Single<F, false, true>, float, float, float, float>
                    : ternary<Single<F, false, false>, float, float, float, float>;
  } else {
    handler = type == Type::F64 ? binary<F, double, double, double> : single2<F>(ftz, sat);
  }
  bind(d, handler, type, sources);
}

template <class F> void decodeNarrowBinary(Decoding &d, Type type) {
  d.take("rn");
  bool ftz = d.take("ftz"), sat = d.take("sat");
  bind(d,
       ftz ? (sat ? narrow2<Narrow<F, true, true>>(type) : narrow2<Narrow<F, true, false>>(type))
           : (sat ? narrow2<Narrow<F, false, true>>(type) : narrow2<Narrow<F, false, false>>(type)),
       type, 2);
}

void decodeFma(Decoding &d, Type type) {
  if (!isNarrow(type))
    return decodeRounded<Fma, RoundedOperation::Fma>(d, type, 3);
  d.take("rn");
  bool ftz = d.take("ftz"), sat = d.take("sat"), relu = d.take("relu");
  if (relu)
    return bind(d, ftz ? narrow3<NarrowFma<true, false, true>>(type) : narrow3<NarrowFma<false, false, true>>(type), type,
                3);
  bind(d,
       ftz ? (sat ? narrow3<NarrowFma<true, true, false>>(type) : narrow3<NarrowFma<true, false, false>>(type))
           : (sat ? narrow3<NarrowFma<false, true, false>>(type) : narrow3<NarrowFma<false, false, false>>(type)),
       type, 3);
}

template <template <bool> class F> void decodeMinMax(Decoding &d, Type type) {
  bool nan = d.take("NaN"), ftz = d.take("ftz");
  if (d.take("xorsign")) {
    if (!d.take("abs") || type != Type::F32)
      d.unsupported();
    return bind(d, nan ? single2<XorSignAbs<F<true>>>(ftz, false) : single2<XorSignAbs<F<false>>>(ftz, false), type, 2);
  }
  if (isNarrow(type))
    return bind(d,
                nan   ? (ftz ? narrow2<Narrow<F<true>, true, false>>(type) : narrow2<Narrow<F<true>, false, false>>(type))
                : ftz ? narrow2<Narrow<F<false>, true, false>>(type)
                      : narrow2<Narrow<F<false>, false, false>>(type),
                type, 2);
  if (d.operands() == 4)
    d.unsupported();
  if (type == Type::F64)
    return bind(d, binary<F<false>, double, double, double>, type, 2);
  bind(d, nan ? single2<F<true>>(ftz, false) : single2<F<false>>(ftz, false), type, 2);
}

/// Sign operations work on bits: NaNs keep theirs.
template <class U, uint64_t Flip, uint64_t Keep> struct Sign {
  static U apply(U a) { return static_cast<U>((a ^ Flip) & Keep); }
};
struct FlushNeg {
  static float apply(float a) { return -flushed(a); }
};
struct FlushAbs {
  static float apply(float a) { return std::fabs(flushed(a)); }
};

template <bool Negate> void decodeSign(Decoding &d, Type type) {
  bool ftz = d.take("ftz");
  constexpr uint64_t all = ~uint64_t(0);
  Handler handler = nullptr;
  switch (type) {
  case Type::F16:
  case Type::BF16:
    handler = unary<Sign<uint16_t, Negate ? 0x8000 : 0, Negate ? all : 0x7fff>, uint16_t, uint16_t>;
    break;
  case Type::F16x2:
  case Type::BF16x2:
    handler = unary<Sign<uint32_t, Negate ? 0x80008000u : 0, Negate ? all : 0x7fff7fffu>, uint32_t, uint32_t>;
    break;
  case Type::F32:
    handler = ftz ? unary<std::conditional_t<Negate, FlushNeg, FlushAbs>, float, float>
                  : unary<Sign<uint32_t, Negate ? 0x80000000u : 0, Negate ? all : 0x7fffffffu>, uint32_t, uint32_t>;
    break;
  case Type::F64:
    handler = unary<Sign<uint64_t, Negate ? all / 2 + 1 : 0, Negate ? all : all / 2>, uint64_t, uint64_t>;
    break;
  default:
    break;
  }
  bind(d, handler, type, 1);
}

void decodeDiv(Decoding &d, Type type) {
  bool approx = d.take("approx"), full = d.take("full");
  if (type == Type::F32 && (approx || full)) {
    bool ftz = d.take("ftz");
    return bind(d, approx ? single2<DivApprox>(ftz, false) : single2<Div>(ftz, false), type, 2);
  }
  decodeRounded<Div, RoundedOperation::Div>(d, type, 2);
}

void decodeFmaRoot(Decoding &d) {
  Type type = d.takeType();
  if (!decodeFloatArithmetic(d, "fma", type))
    d.unsupported();
}

/// rcp and sqrt: approximate, or exact in a rounding mode.
template <class F, RoundedOperation Operation> void decodeRoot(Decoding &d) {
  bool approx = d.take("approx"), ftz = d.take("ftz");
  std::string_view rounding = d.takeOneOf({"rn", "rz", "rm", "rp"});
  Type type = d.takeType();
  if (approx == !rounding.empty() || (type != Type::F32 && type != Type::F64))
    d.unsupported();
  if (!approx && rounding != "rn") {
    bind(d, roundedHandler(Operation, type), type, 1);
    d.inst().imm = roundingMode(rounding);
    d.inst().aux = ftz;
    return;
  }
  bind(d, type == Type::F64 ? unary<F, double, double> : single1<F>(ftz), type, 1);
}

void decodeRsqrt(Decoding &d) {
  bool ftz = d.take("ftz");
  if (!d.take("approx"))
    d.unsupported();
  Type type = d.takeType();
  bind(d, type == Type::F64 ? unary<Rsqrt, double, double> : type == Type::F32 ? single1<Rsqrt>(ftz) : nullptr, type, 1);
}

template <class F> struct NarrowOne {
  template <class T> static T apply(T a) { return fromFloat<T>(F::apply(toFloat(a))); }
};
template <class F, class T> struct PairOne {
  static uint32_t apply(uint32_t a) {
    uint32_t low = NarrowOne<F>::template apply<T>(T{static_cast<uint16_t>(a)}).bits;
    uint32_t high = NarrowOne<F>::template apply<T>(T{static_cast<uint16_t>(a >> 16)}).bits;
    return high << 16 | low;
  }
};

template <class F> void decodeApprox(Decoding &d) {
  bool ftz = d.take("ftz");
  d.take("approx");
  Type type = d.takeType();
  Handler handler = type == Type::F32      ? single1<F>(ftz)
                    : type == Type::F16    ? unary<NarrowOne<F>, Half, Half>
                    : type == Type::BF16   ? unary<NarrowOne<F>, Brain, Brain>
                    : type == Type::F16x2  ? unary<PairOne<F, Half>, uint32_t, uint32_t>
                    : type == Type::BF16x2 ? unary<PairOne<F, Brain>, uint32_t, uint32_t>
                                           : Handler(nullptr);
  bind(d, handler, type, 1);
}

struct CopySign {
  template <class U> static U apply(U a, U b) {
    constexpr U sign = U(1) << (sizeof(U) * 8 - 1);
    return (a & sign) | (b & ~sign);
  }
};
void decodeCopysign(Decoding &d) {
  Type type = d.takeType();
  bind(d,
       type == Type::F32   ? binary<CopySign, uint32_t, uint32_t, uint32_t>
       : type == Type::F64 ? binary<CopySign, uint64_t, uint64_t, uint64_t>
                           : nullptr,
       type, 2);
}

template <class T> bool hasProperty(int64_t property, T a) {
  switch (property) {
  case 0:
    return std::isfinite(a);
  case 1:
    return std::isinf(a);
  case 2:
    return !std::isnan(a);
  case 3:
    return std::isnan(a);
  case 4:
    return std::isnormal(a);
  default:
    return std::fpclassify(a) == FP_SUBNORMAL;
  }
}
template <class T> const Inst *runTestp(const Inst *inst, Warp &warp, uint32_t mask) {
  const Lane<T> *a = warp.in<Lane<T>>(inst->op[1]);
  uint32_t result = 0;
  for (unsigned i = 0; i < 32; ++i)
    result |= static_cast<uint32_t>(hasProperty(inst->imm, fromLane<T>(a[i]))) << i;
  putPredicate(warp, inst->op[0], result, mask);
  return inst + 1;
}
void decodeTestp(Decoding &d) {
  static const char *const names[] = {"finite", "infinite", "number", "notanumber", "normal", "subnormal"};
  int64_t property = -1;
  for (int i = 0; i < 6; ++i)
    if (d.take(names[i]))
      property = i;
  Type type = d.takeType();
  if (property < 0)
    d.unsupported();
  d.expectOperands(2, 2);
  d.emit(type == Type::F32 ? runTestp<float> : type == Type::F64 ? runTestp<double> : nullptr);
  d.inst().imm = property;
  d.defPredicate(0, d.operand(0));
  d.use(1, d.operand(1), type);
}

} // namespace

bool llrt::emu::decodeFloatArithmetic(Decoding &d, std::string_view root, Type type) {
  if (!isFloat(type))
    return false;
  bool narrow = isNarrow(type);
  if (!narrow && type != Type::F32 && type != Type::F64)
    d.unsupported();
  if (root == "add")
    narrow ? decodeNarrowBinary<Add>(d, type) : decodeRounded<Add, RoundedOperation::Add>(d, type, 2);
  else if (root == "sub")
    narrow ? decodeNarrowBinary<Sub>(d, type) : decodeRounded<Sub, RoundedOperation::Sub>(d, type, 2);
  else if (root == "mul")
    narrow ? decodeNarrowBinary<Mul>(d, type) : decodeRounded<Mul, RoundedOperation::Mul>(d, type, 2);
  else if (root == "fma")
    decodeFma(d, type);
  else if (root == "min")
    decodeMinMax<Min>(d, type);
  else if (root == "max")
    decodeMinMax<Max>(d, type);
  else if (root == "neg")
    decodeSign<true>(d, type);
  else if (root == "abs")
    decodeSign<false>(d, type);
  else if (root == "div" && !narrow)
    decodeDiv(d, type);
  else
    d.unsupported();
  return true;
}

void llrt::emu::addFloatInstructions(InstructionTable &table) {
  table["fma"] = decodeFmaRoot;
  table["rcp"] = decodeRoot<Rcp, RoundedOperation::Rcp>;
  table["sqrt"] = decodeRoot<Sqrt, RoundedOperation::Sqrt>;
  table["rsqrt"] = decodeRsqrt;
  table["sin"] = decodeApprox<Sin>;
  table["cos"] = decodeApprox<Cos>;
  table["ex2"] = decodeApprox<Ex2>;
  table["lg2"] = decodeApprox<Lg2>;
  table["tanh"] = decodeApprox<Tanh>;
  table["copysign"] = decodeCopysign;
  table["testp"] = decodeTestp;
}
