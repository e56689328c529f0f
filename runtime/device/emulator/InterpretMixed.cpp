// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// add, sub and fma in f32 of f16 and bf16 operands.
#include "runtime/device/emulator/FloatHandlers.h"
#include "runtime/device/emulator/Rounding.h"

#include <cfenv>

using namespace llrt::emu;

namespace {

enum class Kind : uint8_t { Add, Sub, Fma };

/// Rounded in the host's current mode; volatile keeps it where it is.
float computed(Kind kind, float a, float b, float c) {
  volatile float x = a, y = b, z = c;
  switch (kind) {
  case Kind::Add:
    return x + y;
  case Kind::Sub:
    return x - y;
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

/// imm: the rounding mode; aux bits 0-1: Kind, bit 3: .sat.
LLRT_INLINE float finished(float value, uint32_t flags) {
  return canonical(flags & 8 ? saturated(value) : value);
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
  if (root == "fma")
    return Kind::Fma;
  d.unsupported();
}

} // namespace

bool llrt::emu::decodeMixedArithmetic(Decoding &d, std::string_view root,
                                      Type type) {
  if (type != Type::F32 || !d.hasType())
    return false;
  Type narrow = d.takeType();
  if (narrow != Type::F16 && narrow != Type::BF16)
    d.unsupported();
  Kind kind = kindOf(d, root);
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
