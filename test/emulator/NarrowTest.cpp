// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// fp8 (every code, every f16), tf32, .satfinite, cvt.pack, .xorsign, .oob,
// minima of three, sums of mixed types: by exhaustive search or by the host's
// own arithmetic.
#include "test/emulator/PtxRunner.h"

#include <cfenv>
#include <cmath>
#include <limits>
#include <random>

using namespace llrt;
using namespace llrt::test;
using V = std::vector<uint64_t>;

namespace {

/// The value of a code of a format with `fraction` bits: (-1)^s 2^(e-bias) 1.f.
double valueOf(unsigned code, unsigned fraction, int bias, bool hasInfinity) {
  unsigned exponent = (code & 0x7f) >> fraction,
           rest = code & ((1u << fraction) - 1);
  unsigned top = 0x7fu >> fraction;
  double size;
  if (hasInfinity && exponent == top)
    size = rest ? NAN : INFINITY;
  else if (!hasInfinity && (code & 0x7f) == 0x7f)
    size = NAN;
  else if (exponent == 0)
    size = rest * std::pow(2.0, 1 - bias - static_cast<int>(fraction));
  else
    size = (1 + rest / std::pow(2.0, fraction)) *
           std::pow(2.0, static_cast<int>(exponent) - bias);
  return code & 0x80 ? -size : size;
}
double e4m3(unsigned code) { return valueOf(code, 3, 7, false); }
double e5m2(unsigned code) { return valueOf(code, 2, 15, true); }

/// The nearest finite code by search, ties to the even one; NaN is 0x7f.
unsigned nearest(double value, double (*decode)(unsigned), unsigned largest) {
  if (value != value)
    return 0x7f;
  unsigned sign = std::signbit(value) ? 0x80 : 0;
  double size = std::fabs(value);
  if (size >= decode(largest))
    return sign | largest;
  unsigned low = 0;
  while (decode(low + 1) <= size)
    ++low;
  double below = size - decode(low), above = decode(low + 1) - size;
  unsigned code =
      below < above || (below == above && low % 2 == 0) ? low : low + 1;
  return sign | code;
}

double half(uint16_t bits) {
  _Float16 value;
  std::memcpy(&value, &bits, 2);
  return static_cast<double>(value);
}
uint16_t bitsOfHalf(double value) {
  if (value != value)
    return 0x7fff;
  _Float16 narrow = static_cast<_Float16>(value);
  uint16_t bits;
  std::memcpy(&bits, &narrow, 2);
  return bits;
}

TEST(Fp8, EveryCodeToF16) {
  V codes;
  for (unsigned i = 0; i < 256; ++i)
    codes.push_back(i << 8 | (255 - i));
  for (bool five : {false, true})
    for (bool relu : {false, true}) {
      std::string form = std::string("cvt.rn") + (relu ? ".relu" : "") +
                         ".f16x2." + (five ? "e5m2x2" : "e4m3x2");
      V got = runLanes(form + " %d, %a;", {u16(codes)}, 32);
      auto one = [&](unsigned code) {
        double value = five ? e5m2(code) : e4m3(code);
        if (relu && !(value > 0) && value == value)
          value = 0;
        return uint64_t(bitsOfHalf(value));
      };
      for (unsigned i = 0; i < 256; ++i)
        EXPECT_EQ(got[i], one(i) << 16 | one(255 - i)) << form << " " << i;
    }
}

TEST(Fp8, EveryF16AndManyF32) {
  V halves;
  for (unsigned i = 0; i < 65536; i += 2)
    halves.push_back(uint64_t(i + 1) << 16 | i);
  for (bool five : {false, true}) {
    auto decode = five ? e5m2 : e4m3;
    unsigned largest = five ? 0x7b : 0x7e;
    std::string type = five ? "e5m2x2" : "e4m3x2";
    V got = runLanes("cvt.rn.satfinite." + type + ".f16x2 %d, %a;",
                     {u32(halves)}, 16);
    for (unsigned i = 0; i < 65536; i += 2)
      ASSERT_EQ(got[i / 2],
                nearest(half(static_cast<uint16_t>(i + 1)), decode, largest)
                        << 8 |
                    nearest(half(static_cast<uint16_t>(i)), decode, largest))
          << type << " " << i;
    // f32: every code, the midpoints to the next, and a step beside them.
    std::vector<float> values = {0.0f,  -0.0f,  INFINITY, -INFINITY, NAN,
                                 1e30f, -1e30f, 1e-30f,   0x1p-10f,  0x1p-17f};
    for (unsigned code = 0; code < largest; ++code) {
      double middle = (decode(code) + decode(code + 1)) / 2;
      for (double value : {decode(code), middle})
        for (float each : {static_cast<float>(value),
                           std::nextafterf(static_cast<float>(value), 1e9f),
                           std::nextafterf(static_cast<float>(value), -1e9f)}) {
          values.push_back(each);
          values.push_back(-each);
        }
    }
    std::vector<float> reversed(values.rbegin(), values.rend());
    for (bool relu : {false, true}) {
      V pair = runLanes(std::string("cvt.rn.satfinite") +
                            (relu ? ".relu." : ".") + type + ".f32 %d, %a, %b;",
                        {f32(values), f32(reversed)}, 16);
      auto one = [&](float value) {
        return nearest(relu && !(value > 0) && value == value ? 0.0f : value,
                       decode, largest);
      };
      for (size_t i = 0; i < values.size(); ++i)
        ASSERT_EQ(pair[i], one(values[i]) << 8 | one(reversed[i]))
            << type << " " << values[i] << " " << reversed[i];
    }
  }
}

std::vector<float> assorted() {
  std::vector<float> values = {
      0.0f,       -0.0f,      1.0f,          -1.0f,          INFINITY,
      -INFINITY,  NAN,        3.4028234e38f, -3.4028234e38f, 0x1p-149f,
      65504.0f,   65519.0f,   65520.0f,      65536.0f,       -70000.0f,
      0x1p-24f,   0x1p-25f,   0x1.8p-25f,    3.3895314e38f,  3.3961775e38f,
      0x1.004p0f, 0x1.002p0f, 0x1.006p0f,    -0x1.002p0f,    0x1.ffffp127f};
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i)
    values.push_back(floatOf(random()));
  return values;
}

/// Keeps `keep` bits of a float's fraction, rounding as the mode says.
uint32_t shortened(float value, unsigned keep, char mode) {
  if (value != value)
    return 0x7fffffff;
  if (std::isinf(value))
    return bitsOf(value);
  unsigned drop = 23 - keep;
  uint64_t bits = bitsOf(value) & 0x7fffffff,
           sign = bitsOf(value) & 0x80000000u;
  uint64_t unit = uint64_t(1) << drop, rest = bits % unit;
  bits -= rest;
  bool up = mode == 'n'
                ? rest * 2 > unit || (rest * 2 == unit && bits / unit % 2)
            : mode == 'a' ? rest * 2 >= unit
                          : false;
  return static_cast<uint32_t>(bits + (up ? unit : 0) | sign);
}

TEST(Tf32, EveryRounding) {
  std::vector<float> values = assorted();
  struct Each {
    const char *name;
    char mode;
  };
  for (Each each : {Each{"rn", 'n'}, Each{"rz", 'z'}, Each{"rna", 'a'}})
    for (std::string extra : {"", ".relu", ".satfinite"}) {
      if (extra == ".relu" && each.mode == 'a')
        continue;
      V got = runLanes("cvt." + std::string(each.name) + extra +
                           ".tf32.f32 %d, %a;",
                       {f32(values)}, 32);
      for (size_t i = 0; i < values.size(); ++i) {
        uint32_t want = shortened(values[i], 10, each.mode);
        if (extra == ".relu" && values[i] < 0)
          want = 0;
        if (extra == ".relu" && values[i] == 0)
          continue; // the sign of a zero is not told
        if (extra == ".satfinite" && (want & 0x7fffffff) == 0x7f800000u)
          want -= 0x2000; // the largest tf32
        ASSERT_EQ(got[i], want) << each.name << extra << " " << values[i];
      }
    }
}

TEST(SatFinite, SixteenBits) {
  std::vector<float> values = assorted();
  for (std::string rounding : {"rn", "rz"})
    for (bool brain : {false, true}) {
      V got = runLanes("cvt." + rounding + ".satfinite." +
                           (brain ? "bf16" : "f16") + ".f32 %d, %a;",
                       {f32(values)}, 16);
      V pair = runLanes("cvt." + rounding + ".relu.satfinite." +
                            (brain ? "bf16x2" : "f16x2") + ".f32 %d, %a, %a;",
                        {f32(values)}, 32);
      for (size_t i = 0; i < values.size(); ++i) {
        float value = values[i];
        auto one = [&](float x) -> uint32_t {
          if (x != x)
            return 0x7fff;
          uint32_t bits;
          if (brain) {
            bits = shortened(x, 7, rounding == "rn" ? 'n' : 'z') >> 16;
            return (bits & 0x7fff) == 0x7f80 ? bits - 1 : bits;
          }
          int before = std::fegetround();
          std::fesetround(rounding == "rn" ? FE_TONEAREST : FE_TOWARDZERO);
          volatile float in = x;
          _Float16 narrow = static_cast<_Float16>(in);
          std::fesetround(before);
          uint16_t word;
          std::memcpy(&word, &narrow, 2);
          bits = word;
          return (bits & 0x7fff) == 0x7c00 ? bits - 1 : bits;
        };
        ASSERT_EQ(got[i], one(value)) << rounding << brain << " " << value;
        if (value == 0)
          continue;
        uint32_t positive = one(value < 0 ? 0.0f : value);
        ASSERT_EQ(pair[i], positive << 16 | positive) << value;
      }
    }
}

TEST(Pack, SaturatesAndStacks) {
  V a = {0, 5, 0xffffffff, 300, 0x80000000, 0x7fffffff, 70000, 0xffff0000, 9};
  V b = {1, 0xfffffffe, 7, 128, 255, 256, 15, 16, 0x80000000};
  V c = {0x12345678};
  for (unsigned bits : {16u, 8u, 4u, 2u})
    for (bool isSigned : {false, true}) {
      std::string type = (isSigned ? "s" : "u") + std::to_string(bits);
      V got =
          bits == 16
              ? runLanes("cvt.pack.sat." + type + ".s32 %d, %a, %b;",
                         {u32(a), u32(b)}, 32)
              : runLanes("cvt.pack.sat." + type + ".s32.b32 %d, %a, %b, %c;",
                         {u32(a), u32(b), u32(c)}, 32);
      auto one = [&](uint64_t value) {
        int64_t wide = static_cast<int32_t>(value);
        int64_t high = isSigned ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
        int64_t low = isSigned ? -(1 << (bits - 1)) : 0;
        wide = std::max(low, std::min(high, wide));
        return static_cast<uint32_t>(wide) & ((1u << bits) - 1);
      };
      for (size_t i = 0; i < a.size(); ++i)
        EXPECT_EQ(got[i], one(a[i]) << bits | one(b[i]) |
                              (bits < 16 ? 0x12345678u << (2 * bits) : 0))
            << type << " " << i;
    }
}

TEST(NarrowArithmetic, XorSignTakesTheSignOfTheProduct) {
  // 1, 2, NaN, -0 and their negatives in f16 and bf16.
  for (bool brain : {false, true}) {
    V a = brain ? V{0x3f80, 0xbf80, 0x3f80, 0xbf80, 0x7fc0, 0x8000}
                : V{0x3c00, 0xbc00, 0x3c00, 0xbc00, 0x7e00, 0x8000};
    V b = brain ? V{0x4000, 0x4000, 0xc000, 0xc000, 0x3f80, 0x3f80}
                : V{0x4000, 0x4000, 0xc000, 0xc000, 0x3c00, 0x3c00};
    uint64_t one = brain ? 0x3f80 : 0x3c00, two = 0x4000, minus = 0x8000;
    std::string type = brain ? "bf16" : "f16";
    EXPECT_EQ(runLanes("min.xorsign.abs." + type + " %d, %a, %b;",
                       {u16(a), u16(b)}, 16),
              (V{one, one | minus, one | minus, one, one, minus}));
    EXPECT_EQ(runLanes("max.NaN.xorsign.abs." + type + " %d, %a, %b;",
                       {u16(a), u16(b)}, 16),
              (V{two, two | minus, two | minus, two, 0x7fff, one | minus}));
  }
}

TEST(NarrowArithmetic, FmaOutOfBoundsIsZero) {
  EXPECT_EQ(runLanes("mov.b16 %h0, 0x3c00; fma.rn.oob.f16 %d, %a, %b, %h0;",
                     {u16({0x3c00, 0xffff, 0x4000, 0x3c00}),
                      u16({0x4000, 0x4000, 0xffff, 0xbc00})},
                     16),
            (V{0x4200, 0, 0, 0}));
  EXPECT_EQ(
      runLanes("mov.b16 %h0, 0x0000; fma.rn.oob.relu.bf16 %d, %a, %b, %h0;",
               {u16({0x3f80, 0xffff}), u16({0xbf80, 0x4000})}, 16),
      (V{0, 0}));
}

TEST(MixedArithmetic, MinimaOfThree) {
  std::vector<float> a = {1, -5, NAN, 3, 0x1p-140f, NAN};
  std::vector<float> b = {2, 4, 7, NAN, 1, NAN};
  std::vector<float> c = {0.5f, -6, 8, 2, 2, NAN};
  auto run = [&](const std::string &form) {
    return runLanes(form + " %d, %a, %b, %c;", {f32(a), f32(b), f32(c)}, 32);
  };
  V least = run("min.f32"), greatest = run("max.f32"),
    sizes = run("max.abs.f32"), strict = run("min.NaN.f32"),
    flushed = run("min.ftz.f32");
  std::vector<float> wantLeast = {0.5f, -6, 7, 2, 0x1p-140f};
  std::vector<float> wantGreatest = {2, 4, 8, 3, 2},
                     wantSizes = {2, 6, 8, 3, 2};
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(floatOf(least[i]), wantLeast[i]);
    EXPECT_EQ(floatOf(greatest[i]), wantGreatest[i]);
    EXPECT_EQ(floatOf(sizes[i]), wantSizes[i]);
  }
  EXPECT_EQ(least[5], 0x7fffffffu);
  EXPECT_EQ(strict[2], 0x7fffffffu);
  EXPECT_EQ(strict[3], 0x7fffffffu);
  EXPECT_EQ(flushed[4], 0u);
}

TEST(MixedArithmetic, SixteenBitOperandsInF32) {
  std::vector<float> c = {1e8f, -3, 0x1p-20f, 7};
  V a = {0x3c00, 0x4000, 0x0001, 0xfbff}, b = {0x3c01, 0xc000, 0x3c00, 0x0400};
  struct Each {
    const char *name;
    int mode;
  };
  for (Each each : {Each{"rn", FE_TONEAREST}, Each{"rz", FE_TOWARDZERO},
                    Each{"rm", FE_DOWNWARD}, Each{"rp", FE_UPWARD}}) {
    std::string rounding = each.name;
    V sum = runLanes("add." + rounding + ".f32.f16 %d, %a, %b;",
                     {u16(a), f32(c)}, 32);
    V fused = runLanes("fma." + rounding + ".f32.f16 %d, %a, %b, %c;",
                       {u16(a), u16(b), f32(c)}, 32);
    V difference = runLanes("sub." + rounding + ".f32.bf16 %d, %a, %b;",
                            {u16(a), f32(c)}, 32);
    int before = std::fegetround();
    std::fesetround(each.mode);
    for (size_t i = 0; i < 4; ++i) {
      volatile float x = static_cast<float>(half(static_cast<uint16_t>(a[i])));
      volatile float y = static_cast<float>(half(static_cast<uint16_t>(b[i])));
      volatile float z = c[i], brain = floatOf(a[i] << 16);
      volatile float want = x + z;
      EXPECT_EQ(floatOf(sum[i]), want) << rounding << i;
      want = std::fma(static_cast<float>(x), static_cast<float>(y),
                      static_cast<float>(z));
      EXPECT_EQ(floatOf(fused[i]), want) << rounding << i;
      want = brain - z;
      EXPECT_EQ(floatOf(difference[i]), want) << rounding << i;
    }
    std::fesetround(before);
  }
}

} // namespace
