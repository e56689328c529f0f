// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Float arithmetic. f32 results are expected from double arithmetic rounded
// once more, which is exact for + - * / sqrt; the rest from the ISA document.
#include "test/emulator/PtxRunner.h"

#include <cmath>
#include <limits>

using namespace llrt::test;
using V = std::vector<uint64_t>;

namespace {

const float infinity = std::numeric_limits<float>::infinity();
const uint32_t canonicalNan = 0x7fffffff;
const std::vector<float> values = {0.0f,
                                   -0.0f,
                                   1.0f,
                                   -1.0f,
                                   1.5f,
                                   3.0f,
                                   1e-3f,
                                   -7.25f,
                                   3.4028235e38f,
                                   -3.4028235e38f,
                                   1.17549435e-38f,
                                   1e-40f,
                                   -1e-45f,
                                   16777216.0f,
                                   0.33333334f,
                                   2.5e10f,
                                   infinity,
                                   -infinity,
                                   std::nanf("")};

float flushed(float x) {
  return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x;
}

template <class F>
void checkPairs(const std::string &opcode, F expected, bool ftz = false) {
  std::vector<float> a, b;
  for (float x : values)
    for (float y : values)
      a.push_back(x), b.push_back(y);
  V d = runLanes(opcode + " %d, %a, %b;", {f32(a), f32(b)}, 32);
  for (size_t i = 0; i < a.size(); ++i) {
    float x = ftz ? flushed(a[i]) : a[i], y = ftz ? flushed(b[i]) : b[i];
    float e = static_cast<float>(
        expected(static_cast<double>(x), static_cast<double>(y)));
    if (ftz)
      e = flushed(e);
    uint32_t bits = std::isnan(e) ? canonicalNan : bitsOf(e);
    ASSERT_EQ(d[i], bits) << opcode << " " << a[i] << " " << b[i] << " gave "
                          << floatOf(d[i]);
  }
}

std::vector<double> floats(const V &bits) {
  std::vector<double> result;
  for (uint64_t each : bits)
    result.push_back(floatOf(each));
  return result;
}

/// Relative error bounds of approximate functions, with room for 0.
template <class F>
void checkApproximate(const std::string &opcode,
                      const std::vector<float> &inputs, double bound,
                      F expected) {
  V d = runLanes(opcode + " %d, %a;", {f32(inputs)}, 32);
  for (size_t i = 0; i < inputs.size(); ++i) {
    double e = expected(static_cast<double>(inputs[i]));
    ASSERT_LE(std::fabs(floatOf(d[i]) - e), bound * std::fabs(e) + 1e-45)
        << opcode << " " << inputs[i];
  }
}

} // namespace

TEST(Float, NearestEvenWithCanonicalNan) {
  auto add = [](double a, double b) { return a + b; };
  auto mul = [](double a, double b) { return a * b; };
  checkPairs("add.f32", add);
  checkPairs("add.rn.f32", add);
  checkPairs("sub.f32", [](double a, double b) { return a - b; });
  checkPairs("mul.f32", mul);
  checkPairs("div.rn.f32", [](double a, double b) { return a / b; });
  checkPairs("add.ftz.f32", add, true);
  checkPairs("mul.ftz.f32", mul, true);
}

TEST(Float, SaturationMakesNanZero) {
  V d =
      runLanes("add.sat.f32 %d, %a, %b;",
               {f32({0.25f, 3, -3, std::nanf("")}), f32({0.25f, 1, 1, 1})}, 32);
  EXPECT_EQ(floats(d), (std::vector<double>{0.5, 1, 0, 0}));
}

TEST(Float, FusedMultiplyAddRoundsOnce) {
  // (1+2^-23)^2 - (1+2^-22) = 2^-46, which a rounded product loses.
  float x = 1 + 0x1p-23f;
  EXPECT_EQ(runLanes("fma.rn.f32 %d, %a, %a, %b;",
                     {f32({x}), f32({-(1 + 0x1p-22f)})}, 32),
            (V{bitsOf(0x1p-46f)}));
  EXPECT_EQ(runLanes("mul.f32 %w0, %a, %a; add.f32 %d, %w0, %b;",
                     {f32({x}), f32({-(1 + 0x1p-22f)})}, 32),
            (V{0}));
  EXPECT_EQ(runLanes("fma.rn.f64 %d, %a, %a, %b;",
                     {f64({1 + 0x1p-52}), f64({-(1 + 0x1p-51)})}, 64),
            (V{bitsOf(0x1p-104)}));
  EXPECT_EQ(runLanes("fma.rn.ftz.f32 %d, %a, %b, %c;",
                     {f32({1e-40f}), f32({1e5f}), f32({0})}, 32),
            (V{0}));
  EXPECT_EQ(runLanes("fma.rn.f32 %d, %a, %b, %c;",
                     {f32({infinity}), f32({0}), f32({1})}, 32),
            (V{canonicalNan}));
  EXPECT_EQ(runLanes("mad.rn.f32 %d, %a, %a, %b;", {f32({3}), f32({1})}, 32),
            (V{bitsOf(10.0f)}));
}

TEST(Float, DirectedRounding) {
  // 1 + 2^-30 lies between 1 and the next float.
  Lanes a = f32({1, -1}), b = f32({0x1p-30f, -0x1p-30f});
  uint64_t one = bitsOf(1.0f), next = one + 1, minus = bitsOf(-1.0f),
           below = minus + 1;
  EXPECT_EQ(runLanes("add.rz.f32 %d, %a, %b;", {a, b}, 32), (V{one, minus}));
  EXPECT_EQ(runLanes("add.rp.f32 %d, %a, %b;", {a, b}, 32), (V{next, minus}));
  EXPECT_EQ(runLanes("add.rm.f32 %d, %a, %b;", {a, b}, 32), (V{one, below}));
  EXPECT_EQ(runLanes("mul.rz.f32 %d, %a, %a;", {f32({1 + 0x1p-23f})}, 32),
            (V{one + 2}));
  EXPECT_EQ(runLanes("mul.rp.f32 %d, %a, %a;", {f32({1 + 0x1p-23f})}, 32),
            (V{one + 3}));
  EXPECT_EQ(runLanes("div.rz.f32 %d, %a, %b;", {f32({2}), f32({3})}, 32),
            (V{0x3f2aaaaa}));
  EXPECT_EQ(runLanes("div.rp.f32 %d, %a, %b;", {f32({2}), f32({3})}, 32),
            (V{0x3f2aaaab}));
  EXPECT_EQ(runLanes("fma.rz.f32 %d, %a, %b, %c;",
                     {f32({1}), f32({1}), f32({-0x1p-40f})}, 32),
            (V{one - 1}));
  EXPECT_EQ(runLanes("sqrt.rp.f32 %d, %a;", {f32({2})}, 32), (V{0x3fb504f4}));
  EXPECT_EQ(runLanes("sqrt.rm.f32 %d, %a;", {f32({2})}, 32), (V{0x3fb504f3}));
  EXPECT_EQ(runLanes("rcp.rm.f32 %d, %a;", {f32({3})}, 32), (V{0x3eaaaaaa}));
  EXPECT_EQ(runLanes("add.rp.f64 %d, %a, %b;", {f64({1}), f64({0x1p-80})}, 64),
            (V{bitsOf(1.0) + 1}));
  EXPECT_EQ(runLanes("add.f32 %d, %a, %b;", {a, b}, 32), (V{one, minus}))
      << "the mode did not come back";
}

// Each half by itself: 1 + 2 and 3 + 2^-24, which is a tie; a denormal.
TEST(Float, PairsOfSingles) {
  const Lanes a = u64({0x40400000'3f800000}), b = u64({0x33800000'40000000}),
              c = u64({0x3f800000'bf800000}), tiny = u64({0x00000001'3f800000});
  EXPECT_EQ(runLanes("add.rn.f32x2 %d, %a, %b;", {a, b}, 64),
            (V{0x40400000'40400000}));
  EXPECT_EQ(runLanes("sub.rn.f32x2 %d, %a, %b;", {a, b}, 64),
            (V{0x40400000'bf800000}));
  EXPECT_EQ(runLanes("mul.rn.f32x2 %d, %a, %b;", {a, b}, 64),
            (V{0x34400000'40000000}));
  EXPECT_EQ(runLanes("fma.rn.f32x2 %d, %a, %b, %c;", {a, b, c}, 64),
            (V{0x3f800002'3f800000}));
  EXPECT_EQ(runLanes("mul.f32x2 %d, %a, %b;", {tiny, c}, 64),
            (V{0x00000001'bf800000}));
  EXPECT_EQ(runLanes("mul.ftz.f32x2 %d, %a, %b;", {tiny, c}, 64),
            (V{0x00000000'bf800000}));
}

TEST(Float, MinMaxWithNanAndZeros) {
  float nan = std::nanf("");
  Lanes a = f32({1, nan, nan, -0.0f, 0.0f, -2}),
        b = f32({2, 3, nan, 0.0f, -0.0f, -3});
  EXPECT_EQ(runLanes("min.f32 %d, %a, %b;", {a, b}, 32),
            (V{bitsOf(1.0f), bitsOf(3.0f), canonicalNan, 0x80000000u,
               0x80000000u, bitsOf(-3.0f)}));
  EXPECT_EQ(runLanes("max.f32 %d, %a, %b;", {a, b}, 32),
            (V{bitsOf(2.0f), bitsOf(3.0f), canonicalNan, 0, 0, bitsOf(-2.0f)}));
  EXPECT_EQ(runLanes("max.NaN.f32 %d, %a, %b;", {a, b}, 32),
            (V{bitsOf(2.0f), canonicalNan, canonicalNan, 0, 0, bitsOf(-2.0f)}));
  EXPECT_EQ(runLanes("min.ftz.f32 %d, %a, %b;", {f32({1e-40f}), f32({1})}, 32),
            (V{0}));
  EXPECT_EQ(runLanes("max.f64 %d, %a, %b;", {f64({1}), f64({-5})}, 64),
            (V{bitsOf(1.0)}));
  EXPECT_EQ(
      runLanes("max.xorsign.abs.f32 %d, %a, %b;", {f32({-2}), f32({3})}, 32),
      (V{bitsOf(-3.0f)}));
}

TEST(Float, SignsAreBits) {
  EXPECT_EQ(runLanes("neg.f32 %d, %a;", {u32({0, 0x7fc00001})}, 32),
            (V{0x80000000u, 0xffc00001u}));
  EXPECT_EQ(runLanes("abs.f32 %d, %a;", {u32({0x80000000u, 0xff800000u})}, 32),
            (V{0, 0x7f800000}));
  EXPECT_EQ(runLanes("abs.ftz.f32 %d, %a;", {u32({0x80000001u})}, 32), (V{0}));
  EXPECT_EQ(runLanes("neg.f64 %d, %a;", {f64({2})}, 64), (V{bitsOf(-2.0)}));
  EXPECT_EQ(runLanes("neg.bf16 %d, %a;", {u16({0x3f80})}, 16), (V{0xbf80}));
  EXPECT_EQ(runLanes("abs.f16x2 %d, %a;", {u32({0xbc00c000})}, 32),
            (V{0x3c004000}));
  EXPECT_EQ(runLanes("copysign.f32 %d, %a, %b;", {f32({-1}), f32({5})}, 32),
            (V{bitsOf(-5.0f)}));
}

TEST(Float, RootsAndReciprocals) {
  V d = runLanes("sqrt.rn.f32 %d, %a;", {f32({4, 2, 0, -0.0f, -1, infinity})},
                 32);
  EXPECT_EQ(d, (V{bitsOf(2.0f), bitsOf(static_cast<float>(std::sqrt(2.0))), 0,
                  0x80000000u, canonicalNan, 0x7f800000}));
  EXPECT_EQ(runLanes("rcp.rn.f32 %d, %a;", {f32({4, 0, -0.0f, infinity})}, 32),
            (V{bitsOf(0.25f), 0x7f800000, 0xff800000u, 0}));
  EXPECT_EQ(runLanes("rcp.approx.ftz.f32 %d, %a;", {f32({1e-40f, 4})}, 32),
            (V{0x7f800000, bitsOf(0.25f)}));
  EXPECT_EQ(runLanes("sqrt.rn.f64 %d, %a;", {f64({9})}, 64), (V{bitsOf(3.0)}));
  EXPECT_EQ(runLanes("rsqrt.approx.f32 %d, %a;", {f32({4, 0, infinity})}, 32),
            (V{bitsOf(0.5f), 0x7f800000, 0}));
  checkApproximate("rsqrt.approx.f32", {0.1f, 2, 3, 1e20f, 1e-20f}, 0x1p-22,
                   [](double x) { return 1 / std::sqrt(x); });
}

TEST(Float, DivisionByLargeNumbersIsApproximate) {
  EXPECT_EQ(runLanes("div.approx.f32 %d, %a, %b;",
                     {f32({1, infinity}), f32({0x1p127f})}, 32),
            (V{0, canonicalNan}));
  EXPECT_EQ(runLanes("div.full.f32 %d, %a, %b;", {f32({6}), f32({3})}, 32),
            (V{bitsOf(2.0f)}));
}

TEST(Float, ExponentialAndLogarithm) {
  std::vector<float> inputs;
  for (float x = -140; x < 127; x += 0.37f)
    inputs.push_back(x);
  checkApproximate("ex2.approx.f32", inputs, 0x1p-22,
                   [](double x) { return std::exp2(x); });
  EXPECT_EQ(runLanes("ex2.approx.ftz.f32 %d, %a;",
                     {f32({-infinity, infinity, -130, 128, 0, std::nanf("")})},
                     32),
            (V{0, 0x7f800000, 0, 0x7f800000, bitsOf(1.0f), canonicalNan}));
  std::vector<float> positive;
  for (float x = 1e-30f; x < 1e30f; x *= 3.7f)
    positive.push_back(x);
  checkApproximate("lg2.approx.f32", positive, 0x1p-22,
                   [](double x) { return std::log2(x); });
  EXPECT_EQ(runLanes("lg2.approx.f32 %d, %a;", {f32({0, infinity, -1, 8})}, 32),
            (V{0xff800000u, 0x7f800000, canonicalNan, bitsOf(3.0f)}));
}

TEST(Float, Trigonometry) {
  std::vector<float> inputs;
  for (float x = -3; x < 3; x += 0.11f)
    inputs.push_back(x);
  V s = runLanes("sin.approx.f32 %d, %a;", {f32(inputs)}, 32),
    c = runLanes("cos.approx.f32 %d, %a;", {f32(inputs)}, 32);
  for (size_t i = 0; i < inputs.size(); ++i) {
    ASSERT_NEAR(floatOf(s[i]), std::sin(static_cast<double>(inputs[i])),
                0x1p-20);
    ASSERT_NEAR(floatOf(c[i]), std::cos(static_cast<double>(inputs[i])),
                0x1p-20);
  }
  checkApproximate("tanh.approx.f32", {0.1f, -0.5f, 3, 20}, 0x1p-10,
                   [](double x) { return std::tanh(x); });
}

// bf16: 0x3f80 = 1, one unit in the last place above is 0x3f81 = 1 + 2^-7.
TEST(NarrowFloat, Brain) {
  EXPECT_EQ(
      runLanes("add.rn.bf16 %d, %a, %b;",
               {u16({0x3f80, 0x3f80, 0x3f81}), u16({0x3f80, 0x3b80, 0x3b80})},
               16),
      (V{0x4000, 0x3f80, 0x3f82})); // ties to even: 1+2^-8 down, 1+2^-7+2^-8 up
  EXPECT_EQ(
      runLanes("mul.rn.bf16 %d, %a, %b;", {u16({0x4040}), u16({0x4040})}, 16),
      (V{0x4110}));
  // 1.0078125^2 - 1 in one rounding: 2^-6 + 2^-14, which bf16 holds as 2^-6.
  EXPECT_EQ(runLanes("fma.rn.bf16 %d, %a, %b, %c;",
                     {u16({0x3f81}), u16({0x3f81}), u16({0xbf80})}, 16),
            (V{0x3c80}));
  EXPECT_EQ(runLanes("fma.rn.relu.bf16 %d, %a, %b, %c;",
                     {u16({0x3f80}), u16({0x3f80}), u16({0xc000})}, 16),
            (V{0}));
  EXPECT_EQ(runLanes("fma.rn.bf16x2 %d, %a, %b, %c;",
                     {u32({0x3f804000}), u32({0x40403f80}), u32({0x3f803f80})},
                     32),
            (V{0x40804040}));
  EXPECT_EQ(runLanes("max.bf16x2 %d, %a, %b;",
                     {u32({0x3f80c000}), u32({0x40003f80})}, 32),
            (V{0x40003f80}));
  EXPECT_EQ(
      runLanes("min.NaN.bf16 %d, %a, %b;", {u16({0x7fc0}), u16({0x3f80})}, 16),
      (V{0x7fff}));
  EXPECT_EQ(runLanes("sub.rn.bf16x2 %d, %a, %b;",
                     {u32({0x40004000}), u32({0x3f803f80})}, 32),
            (V{0x3f803f80}));
}

// f16: 0x3c00 = 1, 0x7bff = 65504, 0x0001 = 2^-24.
TEST(NarrowFloat, Half) {
  EXPECT_EQ(
      runLanes("add.f16 %d, %a, %b;",
               {u16({0x7bff, 0x3c00, 0x0001}), u16({0x7bff, 0x0001, 0x0001})},
               16),
      (V{0x7c00, 0x3c00, 0x0002}));
  EXPECT_EQ(runLanes("mul.f16 %d, %a, %b;", {u16({0x4200}), u16({0x4200})}, 16),
            (V{0x4880}));
  EXPECT_EQ(
      runLanes("mul.ftz.f16 %d, %a, %b;", {u16({0x0400}), u16({0x3800})}, 16),
      (V{0}));
  EXPECT_EQ(runLanes("fma.rn.f16 %d, %a, %b, %c;",
                     {u16({0x3c01}), u16({0x3c01}), u16({0xbc02})}, 16),
            (V{0x0010}));
  EXPECT_EQ(
      runLanes("add.sat.f16 %d, %a, %b;", {u16({0x3c00}), u16({0x3c00})}, 16),
      (V{0x3c00}));
  EXPECT_EQ(runLanes("add.f16x2 %d, %a, %b;",
                     {u32({0x3c004000}), u32({0x3c003c00})}, 32),
            (V{0x40004200}));
  EXPECT_EQ(runLanes("max.f16 %d, %a, %b;", {u16({0x7e00}), u16({0x3c00})}, 16),
            (V{0x3c00}));
  EXPECT_EQ(runLanes("ex2.approx.f16 %d, %a;", {u16({0x4000})}, 16),
            (V{0x4400}));
}

TEST(Float, Properties) {
  std::string out = " %p0, %a; selp.b32 %d, 1, 0, %p0;";
  Lanes a = f32({1, infinity, std::nanf(""), 1e-40f, 0});
  EXPECT_EQ(runLanes("testp.finite.f32" + out, {a}, 32), (V{1, 0, 0, 1, 1}));
  EXPECT_EQ(runLanes("testp.infinite.f32" + out, {a}, 32), (V{0, 1, 0, 0, 0}));
  EXPECT_EQ(runLanes("testp.number.f32" + out, {a}, 32), (V{1, 1, 0, 1, 1}));
  EXPECT_EQ(runLanes("testp.notanumber.f32" + out, {a}, 32),
            (V{0, 0, 1, 0, 0}));
  EXPECT_EQ(runLanes("testp.normal.f32" + out, {a}, 32), (V{1, 0, 0, 0, 0}));
  EXPECT_EQ(runLanes("testp.subnormal.f32" + out, {a}, 32), (V{0, 0, 0, 1, 0}));
}
