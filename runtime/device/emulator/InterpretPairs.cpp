// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pairs of f32 in 64 bits (.f32x2), and sums in f32 of 16-bit operands.
#include "runtime/device/emulator/FloatHandlers.h"
#include "runtime/device/emulator/Rounding.h"

#include <cfenv>

using namespace llrt::emu;

namespace {

enum class Kind : uint8_t { Add, Sub, Mul, Fma };

/// Rounded in the host's current mode; volatile keeps it where it is.
float computed(Kind kind, float a, float b, float c) {
  volatile float x = a, y = b, z = c;
  switch (kind) {
  case Kind::Add:
    return x + y;
  case Kind::Sub:
    return x - y;
  case Kind::Mul:
    return x * y;
  case Kind::Fma:
    return std::fma(static_cast<float>(x), static_cast<float>(y),
                    static_cast<float>(z));
  }
  return 0;
}

class Mode {
public:
  explicit Mode(int64_t mode) : before(std::fegetround()) {
    std::fesetround(static_cast<int>(mode));
  }
  ~Mode() { std::fesetround(before); }

private:
  int before;
};

/// imm: the rounding mode; aux bits 0-1: Kind, bit 2: .ftz, bit 3: .sat.
LLRT_INLINE float finished(float value, uint32_t flags) {
  value = flags & 4 ? flushed(value) : value;
  return canonical(flags & 8 ? saturated(value) : value);
}

const Inst *runPair(const Inst *inst, Warp &warp, uint32_t mask) {
  Mode mode(inst->imm);
  Kind kind = static_cast<Kind>(inst->aux & 3);
  const uint64_t *a = warp.in<uint64_t>(inst->op[1]);
  const uint64_t *b = warp.in<uint64_t>(inst->op[2]);
  const uint64_t *c = warp.in<uint64_t>(inst->op[3]);
  uint64_t r[32];
  auto half = [&](uint64_t word, unsigned shift) {
    float value = bitsToFloat(static_cast<uint32_t>(word >> shift));
    return inst->aux & 4 ? flushed(value) : value;
  };
  for (unsigned i = 0; i < 32; ++i) {
    r[i] = 0;
    for (unsigned shift : {0u, 32u})
      r[i] |= uint64_t(floatToBits(
                  finished(computed(kind, half(a[i], shift), half(b[i], shift),
                                    half(c[i], shift)),
                           inst->aux)))
              << shift;
  }
  put(warp.out<uint64_t>(inst->op[0]), r, mask);
  return inst + 1;
}

/// add, sub: a narrow, b f32. fma: a and b narrow, c f32.
template <class T>
const Inst *runMixed(const Inst *inst, Warp &warp, uint32_t mask) {
  Mode mode(inst->imm);
  Kind kind = static_cast<Kind>(inst->aux & 3);
  const uint32_t *a = warp.in<uint32_t>(inst->op[1]);
  const uint32_t *b = warp.in<uint32_t>(inst->op[2]);
  const uint32_t *c = warp.in<uint32_t>(inst->op[3]);
  uint32_t r[32];
  for (unsigned i = 0; i < 32; ++i) {
    float left = toFloat(T{static_cast<uint16_t>(a[i])});
    float right = kind == Kind::Fma ? toFloat(T{static_cast<uint16_t>(b[i])})
                                    : bitsToFloat(b[i]);
    r[i] = floatToBits(
        finished(computed(kind, left, right, bitsToFloat(c[i])), inst->aux));
  }
  put(warp.out<uint32_t>(inst->op[0]), r, mask);
  return inst + 1;
}

Kind kindOf(Decoding &d, std::string_view root) {
  if (root == "add")
    return Kind::Add;
  if (root == "sub")
    return Kind::Sub;
  if (root == "mul")
    return Kind::Mul;
  if (root == "fma")
    return Kind::Fma;
  d.unsupported();
}

} // namespace

bool llrt::emu::decodePairArithmetic(Decoding &d, std::string_view root) {
  if (!d.take("f32x2"))
    return false;
  Kind kind = kindOf(d, root);
  if (kind == Kind::Sub)
    d.unsupported();
  bool ftz = d.take("ftz");
  std::string_view rounding = d.takeOneOf({"rn", "rz", "rm", "rp"});
  size_t sources = kind == Kind::Fma ? 3 : 2;
  d.expectOperands(sources + 1, sources + 1);
  d.emit(runPair);
  d.inst().imm = roundingMode(rounding);
  d.inst().aux = static_cast<uint32_t>(kind) | static_cast<uint32_t>(ftz) << 2;
  d.def(0, d.operand(0), 64);
  for (unsigned i = 1; i <= sources; ++i)
    d.use(i, d.operand(i), Type::B64);
  if (sources == 2)
    d.constantLanes(3, 0, 64);
  return true;
}

bool llrt::emu::decodeMixedArithmetic(Decoding &d, std::string_view root,
                                      Type type) {
  if (type != Type::F32 || !d.hasType())
    return false;
  Type narrow = d.takeType();
  if (narrow != Type::F16 && narrow != Type::BF16)
    d.unsupported();
  Kind kind = kindOf(d, root);
  if (kind == Kind::Mul)
    d.unsupported();
  bool sat = d.take("sat");
  std::string_view rounding = d.takeOneOf({"rn", "rz", "rm", "rp"});
  bool fused = kind == Kind::Fma;
  d.expectOperands(3u + fused, 3u + fused);
  d.emit(narrow == Type::F16 ? runMixed<Half> : runMixed<Brain>);
  d.inst().imm = roundingMode(rounding);
  d.inst().aux = static_cast<uint32_t>(kind) | static_cast<uint32_t>(sat) << 3;
  d.def(0, d.operand(0), 32);
  d.use(1, d.operand(1), narrow);
  d.use(2, d.operand(2), fused ? narrow : Type::F32);
  if (fused)
    d.use(3, d.operand(3), Type::F32);
  else
    d.constantLanes(3, 0, 32);
  return true;
}
