// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operations and modifiers that the files of float handlers share.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_FLOATHANDLERS_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_FLOATHANDLERS_H

#include "runtime/device/emulator/Decoding.h"
#include "runtime/device/emulator/FloatValue.h"

namespace llrt::emu {

/// Operations on values; `floating` because integers have their own.
namespace floating {

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
/// A NaN gives way to a number, or (Nan) takes over; -0 is less than +0.
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
} // namespace floating

/// F with the modifiers of f32 arithmetic.
template <class F, bool Ftz, bool Sat> struct Single {
  static float in(float value) { return Ftz ? flushed(value) : value; }
  static float result(float value) {
    if (Sat)
      return saturated(Ftz ? flushed(value) : value);
    value = canonical(value);
    return Ftz ? flushed(value) : value;
  }
  template <class... A> static float apply(A... a) {
    return result(F::apply(in(a)...));
  }
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
    return sat ? unary<Single<F, true, true>, float, float>
               : unary<Single<F, true, false>, float, float>;
  return sat ? unary<Single<F, false, true>, float, float>
             : unary<Single<F, false, false>, float, float>;
}

inline void bindFloat(Decoding &d, Handler handler, Type type,
                      unsigned sources) {
  d.expectOperands(sources + 1, sources + 1);
  d.emit(handler);
  d.def(0, d.operand(0), bitsOf(type));
  for (unsigned i = 1; i <= sources; ++i)
    d.use(i, d.operand(i), type);
}

/// add, sub and fma in f32 of f16 or bf16; false: no second type is there.
bool decodeMixedArithmetic(Decoding &d, std::string_view root, Type type);
/// add, sub, mul, fma, min and max of f16 and bf16; false: the type is none.
bool decodeNarrowArithmetic(Decoding &d, std::string_view root, Type type);

} // namespace llrt::emu

#endif
