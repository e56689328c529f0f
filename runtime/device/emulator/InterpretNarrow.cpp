// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Float arithmetic in f16, bf16 and pairs of them.
#include "runtime/device/emulator/FloatHandlers.h"

using namespace llrt::emu;
using namespace llrt::emu::floating;

namespace {

/// F on a 16-bit format through f32: add, sub, mul and min, max of 11 or fewer
/// bits round the same in two steps as in one.
template <class F, bool Ftz, bool Sat> struct Narrow {
  template <class T> static T apply(T a, T b) {
    float r = F::template apply<float>(toFloat(a), toFloat(b));
    return finish<T>(fromFloat<T>(r));
  }
  template <class T> static T finish(T r) {
    if (Ftz)
      r.bits = (r.bits & 0x7c00) || !std::is_same_v<T, Half> ? r.bits
                                                             : r.bits & 0x8000;
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
    T low = F::template apply<T>(T{static_cast<uint16_t>(a)},
                                 T{static_cast<uint16_t>(b)});
    T high = F::template apply<T>(T{static_cast<uint16_t>(a >> 16)},
                                  T{static_cast<uint16_t>(b >> 16)});
    return static_cast<uint32_t>(high.bits) << 16 | low.bits;
  }
};
template <class F, class T> struct Pair3 {
  static uint32_t apply(uint32_t a, uint32_t b, uint32_t c) {
    T low = F::template apply<T>(T{static_cast<uint16_t>(a)},
                                 T{static_cast<uint16_t>(b)},
                                 T{static_cast<uint16_t>(c)});
    T high = F::template apply<T>(T{static_cast<uint16_t>(a >> 16)},
                                  T{static_cast<uint16_t>(b >> 16)},
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

template <class F> void decodeBinary(Decoding &d, Type type) {
  d.take("rn");
  bool ftz = d.take("ftz"), sat = d.take("sat");
  bindFloat(d,
            ftz ? (sat ? narrow2<Narrow<F, true, true>>(type)
                       : narrow2<Narrow<F, true, false>>(type))
                : (sat ? narrow2<Narrow<F, false, true>>(type)
                       : narrow2<Narrow<F, false, false>>(type)),
            type, 2);
}

/// .oob: 0 where an operand is the NaN that marks what lies out of bounds.
template <bool Relu> struct FmaInBounds {
  template <class T> static T apply(T a, T b, T c) {
    if (a.bits == 0xffff || b.bits == 0xffff)
      return T{0};
    return NarrowFma<false, false, Relu>::template apply<T>(a, b, c);
  }
};

void decodeFma(Decoding &d, Type type) {
  d.take("rn");
  if (d.take("oob"))
    return bindFloat(d,
                     d.take("relu") ? narrow3<FmaInBounds<true>>(type)
                                    : narrow3<FmaInBounds<false>>(type),
                     type, 3);
  bool ftz = d.take("ftz"), sat = d.take("sat"), relu = d.take("relu");
  if (relu)
    return bindFloat(d,
                     ftz ? narrow3<NarrowFma<true, false, true>>(type)
                         : narrow3<NarrowFma<false, false, true>>(type),
                     type, 3);
  bindFloat(d,
            ftz ? (sat ? narrow3<NarrowFma<true, true, false>>(type)
                       : narrow3<NarrowFma<true, false, false>>(type))
                : (sat ? narrow3<NarrowFma<false, true, false>>(type)
                       : narrow3<NarrowFma<false, false, false>>(type)),
            type, 3);
}

/// .xorsign.abs: of the sizes, with the sign of the product.
template <class F> struct XorSign {
  template <class T> static T apply(T a, T b) {
    uint16_t sign = (a.bits ^ b.bits) & 0x8000;
    T size = F::template apply<T>(T{static_cast<uint16_t>(a.bits & 0x7fff)},
                                  T{static_cast<uint16_t>(b.bits & 0x7fff)});
    return {static_cast<uint16_t>((size.bits & 0x7fff) | sign)};
  }
};

template <template <bool> class F> void decodeMinMax(Decoding &d, Type type) {
  bool nan = d.take("NaN"), ftz = d.take("ftz");
  if (d.take("xorsign")) {
    if (!d.take("abs"))
      d.unsupported();
    return bindFloat(
        d,
        nan   ? (ftz ? narrow2<XorSign<Narrow<F<true>, true, false>>>(type)
                     : narrow2<XorSign<Narrow<F<true>, false, false>>>(type))
        : ftz ? narrow2<XorSign<Narrow<F<false>, true, false>>>(type)
              : narrow2<XorSign<Narrow<F<false>, false, false>>>(type),
        type, 2);
  }
  bindFloat(d,
            nan   ? (ftz ? narrow2<Narrow<F<true>, true, false>>(type)
                         : narrow2<Narrow<F<true>, false, false>>(type))
            : ftz ? narrow2<Narrow<F<false>, true, false>>(type)
                  : narrow2<Narrow<F<false>, false, false>>(type),
            type, 2);
}

} // namespace

bool llrt::emu::decodeNarrowArithmetic(Decoding &d, std::string_view root,
                                       Type type) {
  if (type != Type::F16 && type != Type::BF16 && type != Type::F16x2 &&
      type != Type::BF16x2)
    return false;
  if (root == "add")
    decodeBinary<Add>(d, type);
  else if (root == "sub")
    decodeBinary<Sub>(d, type);
  else if (root == "mul")
    decodeBinary<Mul>(d, type);
  else if (root == "fma")
    decodeFma(d, type);
  else if (root == "min")
    decodeMinMax<Min>(d, type);
  else if (root == "max")
    decodeMinMax<Max>(d, type);
  else
    d.unsupported();
  return true;
}
