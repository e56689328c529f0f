// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions of floats: rcp sqrt rsqrt sin cos ex2 lg2 tanh copysign testp.
#include "runtime/device/emulator/FloatHandlers.h"
#include "runtime/device/emulator/Rounding.h"

using namespace llrt::emu;

namespace {

struct Rcp {
  template <class T> static T apply(T a) { return T(1) / a; }
};
struct Sqrt {
  template <class T> static T apply(T a) { return std::sqrt(a); }
};
struct Rsqrt {
  static float apply(float a) {
    return static_cast<float>(1.0 / std::sqrt(static_cast<double>(a)));
  }
  static double apply(double a) { return 1.0 / std::sqrt(a); }
};
struct Sin {
  static float apply(float a) {
    return static_cast<float>(std::sin(static_cast<double>(a)));
  }
};
struct Cos {
  static float apply(float a) {
    return static_cast<float>(std::cos(static_cast<double>(a)));
  }
};
struct Tanh {
  static float apply(float a) {
    return static_cast<float>(std::tanh(static_cast<double>(a)));
  }
};
struct Ex2 {
  static float apply(float a) {
    return a != a ? a : static_cast<float>(exp2Double(a));
  }
};
struct Lg2 {
  static float apply(float a) {
    float special = a == 0            ? -INFINITY
                    : a < 0 || a != a ? bitsToFloat(0x7fffffffu)
                                      : INFINITY;
    bool usual = a > 0 && a < INFINITY;
    return usual ? static_cast<float>(
                       log2Double(usual ? static_cast<double>(a) : 1.0))
                 : special;
  }
};

/// rcp and sqrt: approximate, or exact in a rounding mode.
template <class F, RoundedOperation Operation> void decodeRoot(Decoding &d) {
  bool approx = d.take("approx"), ftz = d.take("ftz");
  std::string_view rounding = d.takeOneOf({"rn", "rz", "rm", "rp"});
  Type type = d.takeType();
  if (approx == !rounding.empty() || (type != Type::F32 && type != Type::F64))
    d.unsupported();
  if (!approx && rounding != "rn") {
    bindFloat(d, roundedHandler(Operation, type), type, 1);
    d.inst().imm = roundingMode(rounding);
    d.inst().aux = ftz;
    return;
  }
  bindFloat(d, type == Type::F64 ? unary<F, double, double> : single1<F>(ftz),
            type, 1);
}

void decodeRsqrt(Decoding &d) {
  bool ftz = d.take("ftz");
  if (!d.take("approx"))
    d.unsupported();
  Type type = d.takeType();
  bindFloat(d,
            type == Type::F64   ? unary<Rsqrt, double, double>
            : type == Type::F32 ? single1<Rsqrt>(ftz)
                                : nullptr,
            type, 1);
}

template <class F> struct NarrowOne {
  template <class T> static T apply(T a) {
    return fromFloat<T>(F::apply(toFloat(a)));
  }
};
template <class F, class T> struct PairOne {
  static uint32_t apply(uint32_t a) {
    uint32_t low =
        NarrowOne<F>::template apply<T>(T{static_cast<uint16_t>(a)}).bits;
    uint32_t high =
        NarrowOne<F>::template apply<T>(T{static_cast<uint16_t>(a >> 16)}).bits;
    return high << 16 | low;
  }
};

template <class F> void decodeApprox(Decoding &d) {
  bool ftz = d.take("ftz");
  d.take("approx");
  Type type = d.takeType();
  Handler handler =
      type == Type::F32      ? single1<F>(ftz)
      : type == Type::F16    ? unary<NarrowOne<F>, Half, Half>
      : type == Type::BF16   ? unary<NarrowOne<F>, Brain, Brain>
      : type == Type::F16x2  ? unary<PairOne<F, Half>, uint32_t, uint32_t>
      : type == Type::BF16x2 ? unary<PairOne<F, Brain>, uint32_t, uint32_t>
                             : Handler(nullptr);
  bindFloat(d, handler, type, 1);
}

struct CopySign {
  template <class U> static U apply(U a, U b) {
    constexpr U sign = U(1) << (sizeof(U) * 8 - 1);
    return (a & sign) | (b & ~sign);
  }
};
void decodeCopysign(Decoding &d) {
  Type type = d.takeType();
  bindFloat(d,
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
template <class T>
const Inst *runTestp(const Inst *inst, Warp &warp, uint32_t mask) {
  const Lane<T> *a = warp.in<Lane<T>>(inst->op[1]);
  uint32_t result = 0;
  for (unsigned i = 0; i < 32; ++i)
    result |= static_cast<uint32_t>(hasProperty(inst->imm, fromLane<T>(a[i])))
              << i;
  putPredicate(warp, inst->op[0], result, mask);
  return inst + 1;
}
void decodeTestp(Decoding &d) {
  static const char *const names[] = {"finite",     "infinite", "number",
                                      "notanumber", "normal",   "subnormal"};
  int64_t property = -1;
  for (int i = 0; i < 6; ++i)
    if (d.take(names[i]))
      property = i;
  Type type = d.takeType();
  if (property < 0)
    d.unsupported();
  d.expectOperands(2, 2);
  d.emit(type == Type::F32   ? runTestp<float>
         : type == Type::F64 ? runTestp<double>
                             : nullptr);
  d.inst().imm = property;
  d.defPredicate(0, d.operand(0));
  d.use(1, d.operand(1), type);
}

} // namespace

void llrt::emu::addFunctionInstructions(InstructionTable &table) {
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
