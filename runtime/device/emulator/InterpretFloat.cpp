// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Float arithmetic in f32, f64 and pairs of f32: add sub mul fma div min max
// neg abs.
#include "runtime/device/emulator/FloatHandlers.h"
#include "runtime/device/emulator/Rounding.h"

using namespace llrt::emu;
using namespace llrt::emu::floating;

namespace {

/// a * (1/b) as the ISA document describes it for large divisors.
struct DivApprox {
  static float apply(float a, float b) {
    float quotient = a / b;
    bool large = std::fabs(b) > 0x1p126f && std::fabs(b) <= 3.402823466e38f;
    float instead =
        std::fabs(a) > 3.402823466e38f ? bitsToFloat(0x7fffffffu) : 0.0f;
    return large ? (a != a ? a : instead) : quotient;
  }
};
struct Fma {
  static float apply(float a, float b, float c) {
    return __builtin_fmaf(a, b, c);
  }
  static double apply(double a, double b, double c) {
    return __builtin_fma(a, b, c);
  }
};
template <class F> struct XorSignAbs {
  static float apply(float a, float b) {
    float r = F::apply(std::fabs(a), std::fabs(b));
    uint32_t sign = (floatToBits(a) ^ floatToBits(b)) & 0x80000000u;
    return bitsToFloat((floatToBits(r) & 0x7fffffffu) | sign);
  }
};
/// add, sub, mul, div and fma in f32 and f64 in any rounding mode.
template <class F, RoundedOperation Operation>
void decodeRounded(Decoding &d, Type type, unsigned sources) {
  bool ftz = d.take("ftz"), sat = d.take("sat");
  std::string_view rounding = d.takeOneOf({"rn", "rz", "rm", "rp"});
  if (!rounding.empty() && rounding != "rn") {
    bindFloat(d, roundedHandler(Operation, type), type, sources);
    d.inst().imm = roundingMode(rounding);
    d.inst().aux = static_cast<uint32_t>(ftz) | static_cast<uint32_t>(sat) << 1;
    return;
  }
  Handler handler = nullptr;
  if constexpr (Operation == RoundedOperation::Fma) {
    if (type == Type::F64)
      handler = ternary<F, double, double, double, double>;
    else if (ftz)
      handler =
          sat ? ternary<Single<F, true, true>, float, float, float, float>
              : ternary<Single<F, true, false>, float, float, float, float>;
    else
      handler =
          sat ? ternary<Single<F, false, true>, float, float, float, float>
              : ternary<Single<F, false, false>, float, float, float, float>;
  } else {
    handler = type == Type::F64 ? binary<F, double, double, double>
                                : single2<F>(ftz, sat);
  }
  bindFloat(d, handler, type, sources);
}

/// min or max of three, of their sizes if Sizes.
template <class F, bool Sizes> struct OfThree {
  static float apply(float a, float b, float c) {
    if (Sizes)
      a = std::fabs(a), b = std::fabs(b), c = std::fabs(c);
    return F::template apply<float>(F::template apply<float>(a, b), c);
  }
};
template <class F> Handler single3(bool ftz) {
  return ftz ? ternary<Single<F, true, false>, float, float, float, float>
             : ternary<Single<F, false, false>, float, float, float, float>;
}

template <template <bool> class F> void decodeMinMax(Decoding &d, Type type) {
  bool nan = d.take("NaN"), ftz = d.take("ftz");
  if (d.take("xorsign")) {
    if (!d.take("abs") || type != Type::F32)
      d.unsupported();
    return bindFloat(d,
                     nan ? single2<XorSignAbs<F<true>>>(ftz, false)
                         : single2<XorSignAbs<F<false>>>(ftz, false),
                     type, 2);
  }
  if (d.operands() == 4) {
    bool sizes = d.take("abs");
    if (type != Type::F32)
      d.unsupported();
    using Plain = OfThree<F<false>, false>;
    using Sizes = OfThree<F<false>, true>;
    using PlainNan = OfThree<F<true>, false>;
    using SizesNan = OfThree<F<true>, true>;
    return bindFloat(
        d,
        nan ? (sizes ? single3<SizesNan>(ftz) : single3<PlainNan>(ftz))
            : (sizes ? single3<Sizes>(ftz) : single3<Plain>(ftz)),
        type, 3);
  }
  if (type == Type::F64)
    return bindFloat(d, binary<F<false>, double, double, double>, type, 2);
  bindFloat(d,
            nan ? single2<F<true>>(ftz, false) : single2<F<false>>(ftz, false),
            type, 2);
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
    handler = unary<Sign<uint16_t, Negate ? 0x8000 : 0, Negate ? all : 0x7fff>,
                    uint16_t, uint16_t>;
    break;
  case Type::F16x2:
  case Type::BF16x2:
    handler = unary<
        Sign<uint32_t, Negate ? 0x80008000u : 0, Negate ? all : 0x7fff7fffu>,
        uint32_t, uint32_t>;
    break;
  case Type::F32:
    handler = ftz ? unary<std::conditional_t<Negate, FlushNeg, FlushAbs>, float,
                          float>
                  : unary<Sign<uint32_t, Negate ? 0x80000000u : 0,
                               Negate ? all : 0x7fffffffu>,
                          uint32_t, uint32_t>;
    break;
  case Type::F64:
    handler =
        unary<Sign<uint64_t, Negate ? all / 2 + 1 : 0, Negate ? all : all / 2>,
              uint64_t, uint64_t>;
    break;
  default:
    break;
  }
  bindFloat(d, handler, type, 1);
}

void decodeDiv(Decoding &d, Type type) {
  bool approx = d.take("approx"), full = d.take("full");
  if (type == Type::F32 && (approx || full)) {
    bool ftz = d.take("ftz");
    return bindFloat(
        d, approx ? single2<DivApprox>(ftz, false) : single2<Div>(ftz, false),
        type, 2);
  }
  decodeRounded<Div, RoundedOperation::Div>(d, type, 2);
}

/// F on both halves of a pair of f32.
template <class F> struct Both {
  template <class... A> static uint64_t apply(A... pairs) {
    auto half = [](uint64_t pair, int shift) {
      return bitsToFloat(static_cast<uint32_t>(pair >> shift));
    };
    uint64_t low = floatToBits(F::apply(half(pairs, 0)...)),
             high = floatToBits(F::apply(half(pairs, 32)...));
    return high << 32 | low;
  }
};

template <class F, bool Ftz> Handler pairHandler() {
  using u = uint64_t;
  using G = Both<Single<F, Ftz, false>>;
  if constexpr (std::is_same_v<F, Fma>)
    return ternary<G, u, u, u, u>;
  else
    return binary<G, u, u, u>;
}

template <class F> void decodePair(Decoding &d) {
  d.take("rn");
  bool ftz = d.take("ftz");
  bindFloat(d, ftz ? pairHandler<F, true>() : pairHandler<F, false>(),
            Type::F32x2, std::is_same_v<F, Fma> ? 3 : 2);
}

/// "fma" itself; the other roots are shared with integers.
void decodeFmaRoot(Decoding &d) {
  Type type = d.takeType();
  if (!decodeFloatArithmetic(d, "fma", type))
    d.unsupported();
}

} // namespace

bool llrt::emu::decodeFloatArithmetic(Decoding &d, std::string_view root,
                                      Type type) {
  if (!isFloat(type))
    return false;
  if (root == "neg" || root == "abs") {
    root == "neg" ? decodeSign<true>(d, type) : decodeSign<false>(d, type);
    return true;
  }
  if (decodeNarrowArithmetic(d, root, type))
    return true;
  if (type == Type::F32x2) {
    if (root == "add")
      decodePair<Add>(d);
    else if (root == "sub")
      decodePair<Sub>(d);
    else if (root == "mul")
      decodePair<Mul>(d);
    else if (root == "fma")
      decodePair<Fma>(d);
    else
      d.unsupported();
    return true;
  }
  if (type != Type::F32 && type != Type::F64)
    d.unsupported();
  if (decodeMixedArithmetic(d, root, type))
    return true;
  if (root == "add")
    decodeRounded<Add, RoundedOperation::Add>(d, type, 2);
  else if (root == "sub")
    decodeRounded<Sub, RoundedOperation::Sub>(d, type, 2);
  else if (root == "mul")
    decodeRounded<Mul, RoundedOperation::Mul>(d, type, 2);
  else if (root == "fma")
    decodeRounded<Fma, RoundedOperation::Fma>(d, type, 3);
  else if (root == "min")
    decodeMinMax<Min>(d, type);
  else if (root == "max")
    decodeMinMax<Max>(d, type);
  else if (root == "div")
    decodeDiv(d, type);
  else
    d.unsupported();
  return true;
}

void llrt::emu::addFloatInstructions(InstructionTable &table) {
  table["fma"] = decodeFmaRoot;
}
