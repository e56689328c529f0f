// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Directed rounding. Built with -frounding-math, so that nothing is folded or
// moved over a change of mode.
#include "runtime/device/emulator/Rounding.h"
#include "runtime/device/emulator/FloatValue.h"

#include <cfenv>

using namespace llrt::emu;

#pragma STDC FENV_ACCESS ON

namespace {

struct Mode {
  int before = std::fegetround();
  explicit Mode(int64_t mode) { std::fesetround(static_cast<int>(mode)); }
  ~Mode() { std::fesetround(before); }
};

template <class T> T finish(T value, uint32_t flags) {
  if constexpr (sizeof(T) == 4) {
    if (flags & 1)
      value = flushed(value);
  }
  if (flags & 2)
    value = saturated(value);
  return canonical(value);
}
template <class T> T begin(T value, uint32_t flags) {
  if constexpr (sizeof(T) == 4)
    return flags & 1 ? flushed(value) : value;
  return value;
}

template <RoundedOperation Operation, class T>
const Inst *runRounded(const Inst *inst, Warp &warp, uint32_t mask) {
  Mode mode(inst->imm);
  const Lane<T> *lanes[3];
  for (unsigned i = 0; i < 3; ++i)
    lanes[i] = warp.in<Lane<T>>(inst->op[i + 1]);
  Lane<T> r[32];
  for (unsigned i = 0; i < 32; ++i) {
    T a = begin(fromLane<T>(lanes[0][i]), inst->aux), b = a, c = a, value = 0;
    if (Operation < RoundedOperation::Rcp)
      b = begin(fromLane<T>(lanes[1][i]), inst->aux);
    if (Operation == RoundedOperation::Fma)
      c = begin(fromLane<T>(lanes[2][i]), inst->aux);
    switch (Operation) {
    case RoundedOperation::Add:
      value = a + b;
      break;
    case RoundedOperation::Sub:
      value = a - b;
      break;
    case RoundedOperation::Mul:
      value = a * b;
      break;
    case RoundedOperation::Div:
      value = a / b;
      break;
    case RoundedOperation::Fma:
      value = std::fma(a, b, c);
      break;
    case RoundedOperation::Rcp:
      value = T(1) / a;
      break;
    case RoundedOperation::Sqrt:
      value = std::sqrt(a);
      break;
    }
    r[i] = toLane<T>(finish(value, inst->aux));
  }
  put(warp.out<Lane<T>>(inst->op[0]), r, mask);
  return inst + 1;
}

template <RoundedOperation Operation> Handler ofType(Type type) {
  return type == Type::F32   ? runRounded<Operation, float>
         : type == Type::F64 ? runRounded<Operation, double>
                             : nullptr;
}

/// 16-bit formats: f32's bits cut off, and one unit more away from zero where
/// the mode asks for it. `value` is exact.
template <class T> T narrowed(double value, int64_t mode) {
  if (value != value)
    return T{0x7fff};
  T near = fromFloat<T>(oddFloat(value));
  double back = toFloat(near);
  bool negative = std::signbit(value);
  bool awayFromZero =
      (mode == FE_UPWARD && !negative) || (mode == FE_DOWNWARD && negative);
  if (std::fabs(back) > std::fabs(value) && !awayFromZero)
    --near.bits;
  else if (std::fabs(back) < std::fabs(value) && awayFromZero)
    ++near.bits;
  return near;
}

template <class To, class From>
const Inst *runConversion(const Inst *inst, Warp &warp, uint32_t mask) {
  const Lane<From> *a = warp.in<Lane<From>>(inst->op[1]);
  Lane<To> r[32];
  for (unsigned i = 0; i < 32; ++i) {
    From from = fromLane<From>(a[i]);
    if constexpr (std::is_same_v<From, float>) {
      if (inst->aux & 1)
        from = flushed(from);
    }
    if constexpr (std::is_same_v<To, Half> || std::is_same_v<To, Brain>) {
      r[i] = toLane<To>(narrowed<To>(static_cast<double>(from), inst->imm));
    } else {
      Mode mode(inst->imm);
      // long double holds every 64-bit integer.
      To value = std::is_integral_v<From>
                     ? static_cast<To>(static_cast<long double>(from))
                     : static_cast<To>(from);
      r[i] = toLane<To>(finish(value, inst->aux));
    }
  }
  put(warp.out<Lane<To>>(inst->op[0]), r, mask);
  return inst + 1;
}

template <class To> Handler conversionTo(Type from) {
  switch (from) {
  case Type::U8:
    return runConversion<To, uint8_t>;
  case Type::S8:
    return runConversion<To, int8_t>;
  case Type::U16:
    return runConversion<To, uint16_t>;
  case Type::S16:
    return runConversion<To, int16_t>;
  case Type::U32:
    return runConversion<To, uint32_t>;
  case Type::S32:
    return runConversion<To, int32_t>;
  case Type::U64:
    return runConversion<To, uint64_t>;
  case Type::S64:
    return runConversion<To, int64_t>;
  case Type::F32:
    return runConversion<To, float>;
  case Type::F64:
    return runConversion<To, double>;
  default:
    return nullptr;
  }
}

} // namespace

Handler llrt::emu::roundedHandler(RoundedOperation operation, Type type) {
  switch (operation) {
  case RoundedOperation::Add:
    return ofType<RoundedOperation::Add>(type);
  case RoundedOperation::Sub:
    return ofType<RoundedOperation::Sub>(type);
  case RoundedOperation::Mul:
    return ofType<RoundedOperation::Mul>(type);
  case RoundedOperation::Div:
    return ofType<RoundedOperation::Div>(type);
  case RoundedOperation::Fma:
    return ofType<RoundedOperation::Fma>(type);
  case RoundedOperation::Rcp:
    return ofType<RoundedOperation::Rcp>(type);
  case RoundedOperation::Sqrt:
    return ofType<RoundedOperation::Sqrt>(type);
  }
  return nullptr;
}

Handler llrt::emu::roundedConversion(Type to, Type from) {
  switch (to) {
  case Type::F16:
    return conversionTo<Half>(from);
  case Type::BF16:
    return conversionTo<Brain>(from);
  case Type::F32:
    return conversionTo<float>(from);
  case Type::F64:
    return conversionTo<double>(from);
  default:
    return nullptr;
  }
}

int64_t llrt::emu::roundingMode(std::string_view name) {
  return name == "rz"   ? FE_TOWARDZERO
         : name == "rm" ? FE_DOWNWARD
         : name == "rp" ? FE_UPWARD
                        : FE_TONEAREST;
}
