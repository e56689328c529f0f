// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The conversions of cvt beyond those between single numbers of 16 bits and
// more: fp8 pairs, tf32, .satfinite, cvt.pack.
#include "runtime/device/emulator/Fp8.h"
#include "runtime/device/emulator/NarrowConversion.h"

using namespace llrt::emu;

namespace {

float clampedToZero(float value, bool relu) {
  return relu && value <= 0 ? 0.0f : value; // a NaN stays
}

/// What the handlers below read of Inst::aux.
enum Flags : uint32_t { Relu = 1, Finite = 2, E5M2 = 4, TowardsZero = 8 };

const Fp8Format &formatOf(uint32_t flags) {
  return flags & E5M2 ? e5m2Format : e4m3Format;
}

/// d = {fp8(a), fp8(b)}, a in the upper byte.
const Inst *runFloatsToFp8(const Inst *inst, Warp &warp, uint32_t mask) {
  const uint32_t *a = warp.in<uint32_t>(inst->op[1]);
  const uint32_t *b = warp.in<uint32_t>(inst->op[2]);
  uint32_t r[32];
  auto one = [&](uint32_t bits) {
    return static_cast<uint32_t>(
        toFp8(formatOf(inst->aux),
              clampedToZero(bitsToFloat(bits), inst->aux & Relu)));
  };
  for (unsigned i = 0; i < 32; ++i)
    r[i] = one(a[i]) << 8 | one(b[i]);
  put(warp.out<uint32_t>(inst->op[0]), r, mask);
  return inst + 1;
}

const Inst *runHalvesToFp8(const Inst *inst, Warp &warp, uint32_t mask) {
  const uint32_t *a = warp.in<uint32_t>(inst->op[1]);
  uint32_t r[32];
  auto one = [&](uint32_t bits) {
    return static_cast<uint32_t>(
        toFp8(formatOf(inst->aux),
              clampedToZero(toFloat(Half{static_cast<uint16_t>(bits)}),
                            inst->aux & Relu)));
  };
  for (unsigned i = 0; i < 32; ++i)
    r[i] = one(a[i] >> 16) << 8 | one(a[i]);
  put(warp.out<uint32_t>(inst->op[0]), r, mask);
  return inst + 1;
}

const Inst *runFp8ToHalves(const Inst *inst, Warp &warp, uint32_t mask) {
  const uint32_t *a = warp.in<uint32_t>(inst->op[1]);
  uint32_t r[32];
  auto one = [&](uint32_t bits) {
    float value = fromFp8(formatOf(inst->aux), static_cast<uint8_t>(bits));
    return static_cast<uint32_t>(
        fromFloat<Half>(clampedToZero(value, inst->aux & Relu)).bits);
  };
  for (unsigned i = 0; i < 32; ++i)
    r[i] = one(a[i] >> 8) << 16 | one(a[i]);
  put(warp.out<uint32_t>(inst->op[0]), r, mask);
  return inst + 1;
}

/// f32 to tf32 by rounding to nearest even or cutting off.
const Inst *runToTf32(const Inst *inst, Warp &warp, uint32_t mask) {
  const uint32_t *a = warp.in<uint32_t>(inst->op[1]);
  uint32_t r[32];
  for (unsigned i = 0; i < 32; ++i) {
    uint32_t bits = a[i], size = bits & 0x7fffffffu;
    if (size > 0x7f800000u) {
      r[i] = 0x7fffffffu;
      continue;
    }
    if (inst->imm == 0) // nearest even
      size = size >= 0x7f800000u ? size : size + 0xfffu + (size >> 13 & 1);
    else if (inst->imm == 1) // nearest, ties away
      size = size >= 0x7f800000u ? size : size + 0x1000u;
    size &= ~0x1fffu;
    if ((inst->aux & Finite) && size >= 0x7f800000u)
      size = 0x7f7fe000u;
    bool negative = bits >> 31;
    r[i] = negative && (inst->aux & Relu) ? 0 : size | (bits & 0x80000000u);
  }
  put(warp.out<uint32_t>(inst->op[0]), r, mask);
  return inst + 1;
}

/// f32 to f16 or bf16 bits with all modifiers.
template <class T> uint32_t narrowed(uint32_t bits, uint32_t flags) {
  float value = bitsToFloat(bits);
  if (value != value)
    return 0x7fff;
  value = clampedToZero(value, flags & Relu);
  T near = fromFloat<T>(value);
  if ((flags & TowardsZero) && std::fabs(toFloat(near)) > std::fabs(value))
    --near.bits;
  constexpr uint32_t infinity = std::is_same_v<T, Half> ? 0x7c00 : 0x7f80;
  if ((flags & Finite) && (near.bits & 0x7fffu) == infinity)
    --near.bits;
  return near.bits;
}

template <class T>
const Inst *runNarrow(const Inst *inst, Warp &warp, uint32_t mask) {
  const uint32_t *a = warp.in<uint32_t>(inst->op[1]);
  uint32_t r[32];
  for (unsigned i = 0; i < 32; ++i)
    r[i] = narrowed<T>(a[i], inst->aux);
  put(warp.out<uint32_t>(inst->op[0]), r, mask);
  return inst + 1;
}
template <class T>
const Inst *runNarrowPair(const Inst *inst, Warp &warp, uint32_t mask) {
  const uint32_t *a = warp.in<uint32_t>(inst->op[1]);
  const uint32_t *b = warp.in<uint32_t>(inst->op[2]);
  uint32_t r[32];
  for (unsigned i = 0; i < 32; ++i)
    r[i] = narrowed<T>(a[i], inst->aux) << 16 | narrowed<T>(b[i], inst->aux);
  put(warp.out<uint32_t>(inst->op[0]), r, mask);
  return inst + 1;
}

/// imm: bits of the type; aux bit 0: signed. d = {c, a, b} from above.
const Inst *runPack(const Inst *inst, Warp &warp, uint32_t mask) {
  const uint32_t *a = warp.in<uint32_t>(inst->op[1]);
  const uint32_t *b = warp.in<uint32_t>(inst->op[2]);
  const uint32_t *c = warp.in<uint32_t>(inst->op[3]);
  unsigned bits = static_cast<unsigned>(inst->imm);
  int64_t high = (int64_t(1) << (bits - (inst->aux & 1))) - 1;
  int64_t low = inst->aux & 1 ? -high - 1 : 0;
  uint32_t keep = (1u << bits) - 1;
  auto one = [&](uint32_t lane) {
    int64_t value = static_cast<int32_t>(lane);
    return static_cast<uint32_t>(value < low    ? low
                                 : value > high ? high
                                                : value) &
           keep;
  };
  uint32_t r[32];
  for (unsigned i = 0; i < 32; ++i)
    r[i] = one(a[i]) << bits | one(b[i]) | (bits < 16 ? c[i] << (2 * bits) : 0);
  put(warp.out<uint32_t>(inst->op[0]), r, mask);
  return inst + 1;
}

void decodePack(Decoding &d) {
  if (!d.take("sat"))
    d.unsupported();
  static const std::pair<const char *, unsigned> widths[] = {
      {"u16", 16}, {"s16", 16}, {"u8", 8}, {"s8", 8},
      {"u4", 4},   {"s4", 4},   {"u2", 2}, {"s2", 2}};
  unsigned bits = 0;
  bool isSignedType = false;
  for (auto &[name, width] : widths)
    if (!bits && d.take(name)) {
      bits = width;
      isSignedType = name[0] == 's';
    }
  if (!bits || d.takeType() != Type::S32)
    d.unsupported();
  if (bits < 16 && d.takeType() != Type::B32)
    d.unsupported();
  size_t count = bits < 16 ? 4 : 3;
  d.expectOperands(count, count);
  d.emit(runPack);
  d.inst().imm = bits;
  d.inst().aux = isSignedType;
  d.def(0, d.operand(0), 32);
  d.use(1, d.operand(1), Type::S32);
  d.use(2, d.operand(2), Type::S32);
  bits < 16 ? d.use(3, d.operand(3), Type::B32) : d.constantLanes(3, 0, 32);
}

void decodeFp8(Decoding &d, std::string_view fp8) {
  if (!d.take("rn"))
    d.unsupported();
  uint32_t flags = (d.take("relu") ? Relu : 0u) | (fp8 == "e5m2x2" ? E5M2 : 0u);
  bool finite = d.take("satfinite");
  Type other = d.takeType();
  // The first type in the opcode is what comes out.
  bool encodes = d.statement.opcode.find(fp8) <
                 d.statement.opcode.rfind(other == Type::F32 ? ".f32" : ".f16");
  if (encodes != finite || (!encodes && other != Type::F16x2))
    d.unsupported();
  if (other == Type::F32) {
    d.expectOperands(3, 3);
    d.emit(runFloatsToFp8);
    d.def(0, d.operand(0), 16);
    d.use(1, d.operand(1), Type::F32);
    d.use(2, d.operand(2), Type::F32);
  } else if (other == Type::F16x2) {
    d.expectOperands(2, 2);
    d.emit(encodes ? runHalvesToFp8 : runFp8ToHalves);
    d.def(0, d.operand(0), encodes ? 16 : 32);
    d.use(1, d.operand(1), encodes ? Type::F16x2 : Type::B16);
  } else {
    d.unsupported();
  }
  d.inst().aux = flags;
}

} // namespace

bool llrt::emu::decodeNarrowConversion(Decoding &d) {
  if (d.take("pack")) {
    decodePack(d);
    return true;
  }
  std::string_view fp8 = d.takeOneOf({"e4m3x2", "e5m2x2"});
  if (!fp8.empty()) {
    decodeFp8(d, fp8);
    return true;
  }
  auto names = [&](const char *modifier) {
    return d.statement.opcode.find(modifier) != std::string_view::npos;
  };
  bool toTf32 = names(".tf32.f32");
  bool pair = names("f16x2.f32");
  bool narrow = names("f16.f32");
  bool special = names(".satfinite") || (pair && names(".rz")) ||
                 (narrow && names(".rz") && names(".relu"));
  if (!toTf32 && !((pair || narrow) && special))
    return false;
  std::string_view rounding = d.takeOneOf({"rn", "rz", "rna"});
  uint32_t flags = (d.take("relu") ? Relu : 0u) |
                   (d.take("satfinite") ? Finite : 0u) |
                   (rounding == "rz" ? TowardsZero : 0u);
  Type to = d.takeType();
  if (rounding.empty() || d.takeType() != Type::F32 ||
      (rounding == "rna" && (!toTf32 || flags & Relu)))
    d.unsupported();
  size_t count = pair ? 3 : 2;
  d.expectOperands(count, count);
  d.emit(to == Type::TF32     ? runToTf32
         : to == Type::F16    ? runNarrow<Half>
         : to == Type::BF16   ? runNarrow<Brain>
         : to == Type::F16x2  ? runNarrowPair<Half>
         : to == Type::BF16x2 ? runNarrowPair<Brain>
                              : nullptr);
  d.inst().aux = flags;
  d.inst().imm = rounding == "rn" ? 0 : rounding == "rna" ? 1 : 2;
  d.def(0, d.operand(0), bitsOf(to), !pair);
  for (unsigned i = 1; i < count; ++i)
    d.use(i, d.operand(i), Type::F32);
  return true;
}
