// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cvt: integers of all widths, integers and floats, float formats.
#include "test/emulator/PtxRunner.h"

#include <cmath>
#include <limits>

using namespace llrt::test;
using V = std::vector<uint64_t>;

namespace {
const float infinity = std::numeric_limits<float>::infinity();
const float notANumber = std::nanf("");
} // namespace

TEST(Convert, WidensAndCutsIntegers) {
  EXPECT_EQ(runLanes("cvt.u64.u32 %d, %a;", {u32({0xffffffffu})}, 64),
            (V{0xffffffffu}));
  EXPECT_EQ(runLanes("cvt.s64.s32 %d, %a;", {u32({0xffffffffu})}, 64),
            (V{~0ull}));
  EXPECT_EQ(runLanes("cvt.u32.u64 %d, %a;", {u64({0x123456789ull})}, 32),
            (V{0x23456789}));
  EXPECT_EQ(runLanes("cvt.s32.s16 %d, %a;", {u16({0x8000})}, 32),
            (V{0xffff8000u}));
  EXPECT_EQ(runLanes("cvt.u32.u16 %d, %a;", {u16({0x8000})}, 32), (V{0x8000}));
  EXPECT_EQ(runLanes("cvt.u16.u32 %d, %a;", {u32({0x12345678})}, 16),
            (V{0x5678}));
  EXPECT_EQ(runLanes("cvt.s32.s8 %d, %a;", {u32({0x1280})}, 32),
            (V{0xffffff80u}));
  EXPECT_EQ(runLanes("cvt.u32.u8 %d, %a;", {u32({0x1280})}, 32), (V{0x80}));
  EXPECT_EQ(runLanes("cvt.s64.s8 %d, %a;", {u32({0x80})}, 64),
            (V{0xffffffffffffff80ull}));
}

TEST(Convert, SaturatesIntegers) {
  EXPECT_EQ(
      runLanes("cvt.sat.s8.s32 %d, %a;", {u32({300, 0xfffffe00u, 5})}, 32),
      (V{127, 0xffffff80u, 5}));
  EXPECT_EQ(
      runLanes("cvt.sat.u8.s32 %d, %a;", {u32({300, 0xffffffffu, 5})}, 32),
      (V{255, 0, 5}));
  EXPECT_EQ(runLanes("cvt.sat.s32.u32 %d, %a;", {u32({0xffffffffu, 9})}, 32),
            (V{0x7fffffff, 9}));
  EXPECT_EQ(runLanes("cvt.sat.u32.s64 %d, %a;", {u64({~0ull, 1ull << 40})}, 32),
            (V{0, 0xffffffffu}));
}

TEST(Convert, IntegersToFloats) {
  EXPECT_EQ(runLanes("cvt.rn.f32.s32 %d, %a;",
                     {u32({0xffffffffu, 16777217, 33554434 + 1})}, 32),
            (V{bitsOf(-1.0f), bitsOf(16777216.0f), bitsOf(33554436.0f)}));
  EXPECT_EQ(runLanes("cvt.rn.f32.u32 %d, %a;", {u32({0xffffffffu})}, 32),
            (V{bitsOf(4294967296.0f)}));
  EXPECT_EQ(runLanes("cvt.rz.f32.u32 %d, %a;", {u32({0xffffffffu})}, 32),
            (V{bitsOf(4294967040.0f)}));
  EXPECT_EQ(runLanes("cvt.rp.f32.s32 %d, %a;", {u32({16777217})}, 32),
            (V{bitsOf(16777218.0f)}));
  EXPECT_EQ(runLanes("cvt.rn.f64.u64 %d, %a;", {u64({~0ull})}, 64),
            (V{bitsOf(18446744073709551616.0)}));
  EXPECT_EQ(runLanes("cvt.rn.f32.u64 %d, %a;",
                     {u64({(1ull << 40) + 1, (1ull << 63) + (1ull << 39) + 1})},
                     32),
            (V{bitsOf(0x1p40f), bitsOf(0x1p63f + 0x1p40f)}));
  EXPECT_EQ(runLanes("cvt.rn.f64.s32 %d, %a;", {u32({0x80000000u})}, 64),
            (V{bitsOf(-2147483648.0)}));
  EXPECT_EQ(runLanes("cvt.rn.f16.s32 %d, %a;",
                     {u32({2049, 100000, 0xfffffff6u})}, 16),
            (V{0x6800, 0x7c00, 0xc900}));
  EXPECT_EQ(runLanes("cvt.rn.bf16.u32 %d, %a;", {u32({257, 259})}, 16),
            (V{0x4380, 0x4382}));
  EXPECT_EQ(runLanes("cvt.rn.f32.u8 %d, %a;", {u32({0x1ff})}, 32),
            (V{bitsOf(255.0f)}));
}

TEST(Convert, FloatsToIntegersRoundClampAndNan) {
  Lanes a = f32({2.5f, -2.5f, 3.7f, -3.7f, 3e9f, -3e9f, notANumber, infinity});
  EXPECT_EQ(runLanes("cvt.rni.s32.f32 %d, %a;", {a}, 32),
            (V{2, 0xfffffffeu, 4, 0xfffffffcu, 0x7fffffff, 0x80000000u, 0,
               0x7fffffff}));
  EXPECT_EQ(runLanes("cvt.rzi.s32.f32 %d, %a;", {a}, 32),
            (V{2, 0xfffffffeu, 3, 0xfffffffdu, 0x7fffffff, 0x80000000u, 0,
               0x7fffffff}));
  EXPECT_EQ(runLanes("cvt.rmi.s32.f32 %d, %a;", {a}, 32),
            (V{2, 0xfffffffdu, 3, 0xfffffffcu, 0x7fffffff, 0x80000000u, 0,
               0x7fffffff}));
  EXPECT_EQ(runLanes("cvt.rpi.s32.f32 %d, %a;", {a}, 32),
            (V{3, 0xfffffffeu, 4, 0xfffffffdu, 0x7fffffff, 0x80000000u, 0,
               0x7fffffff}));
  EXPECT_EQ(runLanes("cvt.rzi.u32.f32 %d, %a;", {a}, 32),
            (V{2, 0, 3, 0, 3000000000u, 0, 0, 0xffffffffu}));
  EXPECT_EQ(runLanes("cvt.rzi.u64.f32 %d, %a;",
                     {f32({1e19f, 1e20f, -1, notANumber})}, 64),
            (V{static_cast<uint64_t>(1e19f), ~0ull, 0, 1ull << 63}));
  EXPECT_EQ(runLanes("cvt.rzi.s64.f64 %d, %a;", {f64({-1e30, 1e30, -7.9})}, 64),
            (V{1ull << 63, ~0ull >> 1, 0 - 7ull}));
  EXPECT_EQ(runLanes("cvt.rzi.s16.f32 %d, %a;", {f32({40000, -40000})}, 16),
            (V{0x7fff, 0x8000}));
  EXPECT_EQ(runLanes("cvt.rzi.u8.f32 %d, %a;", {f32({300, -1, 7.5f})}, 32),
            (V{255, 0, 7}));
  EXPECT_EQ(runLanes("cvt.rni.s32.f16 %d, %a;", {u16({0x4100, 0x7c00})}, 32),
            (V{2, 0x7fffffff}));
}

TEST(Convert, FloatsToWholeFloats) {
  Lanes a = f32({2.5f, -2.5f, 1e20f, -0.2f});
  EXPECT_EQ(runLanes("cvt.rni.f32.f32 %d, %a;", {a}, 32),
            (V{bitsOf(2.0f), bitsOf(-2.0f), bitsOf(1e20f), 0x80000000u}));
  EXPECT_EQ(runLanes("cvt.rpi.f32.f32 %d, %a;", {a}, 32),
            (V{bitsOf(3.0f), bitsOf(-2.0f), bitsOf(1e20f), 0x80000000u}));
  EXPECT_EQ(runLanes("cvt.rmi.f64.f64 %d, %a;", {f64({-2.5})}, 64),
            (V{bitsOf(-3.0)}));
  EXPECT_EQ(
      runLanes("cvt.sat.f32.f32 %d, %a;", {f32({-1, 0.5f, 2, notANumber})}, 32),
      (V{0, bitsOf(0.5f), bitsOf(1.0f), 0}));
}

TEST(Convert, BetweenFloatFormats) {
  EXPECT_EQ(runLanes("cvt.f64.f32 %d, %a;", {f32({1e-40f})}, 64),
            (V{bitsOf(static_cast<double>(1e-40f))}));
  EXPECT_EQ(runLanes("cvt.f64.ftz.f32 %d, %a;", {f32({1e-40f})}, 64), (V{0}));
  EXPECT_EQ(runLanes("cvt.rn.f32.f64 %d, %a;",
                     {f64({1 + 0x1p-24, 1 + 0x1p-24 + 0x1p-50, 1e300})}, 32),
            (V{bitsOf(1.0f), bitsOf(1.0f) + 1, 0x7f800000}));
  EXPECT_EQ(runLanes("cvt.rz.f32.f64 %d, %a;",
                     {f64({1 + 0x1p-23 - 0x1p-50, 1e300})}, 32),
            (V{bitsOf(1.0f), 0x7f7fffff}));
  EXPECT_EQ(runLanes("cvt.f32.f16 %d, %a;",
                     {u16({0x3c00, 0x0001, 0xfc00, 0x7e00})}, 32),
            (V{bitsOf(1.0f), bitsOf(0x1p-24f), 0xff800000u, 0x7fffffff}));
  EXPECT_EQ(
      runLanes("cvt.f32.bf16 %d, %a;", {u16({0x3f80, 0xff80, 0x0001})}, 32),
      (V{bitsOf(1.0f), 0xff800000u, 0x10000}));
  // Ties at half of the last place (f16: 2^-11, bf16: 2^-8), overflow, NaN,
  // denormals.
  EXPECT_EQ(runLanes("cvt.rn.f16.f32 %d, %a;",
                     {f32({1 + 0x1p-11f, 1 + 0x1.8p-10f, 65520, 65519,
                           notANumber, 0x1p-25f, 0x1.8p-25f})},
                     16),
            (V{0x3c00, 0x3c02, 0x7c00, 0x7bff, 0x7fff, 0, 1}));
  EXPECT_EQ(runLanes("cvt.rz.f16.f32 %d, %a;",
                     {f32({1 + 0x1.8p-10f, 65520, 1e9f})}, 16),
            (V{0x3c01, 0x7bff, 0x7bff}));
  EXPECT_EQ(runLanes("cvt.rn.bf16.f32 %d, %a;",
                     {f32({1 + 0x1p-8f, 1 + 0x1.8p-7f, 3.4e38f, notANumber})},
                     16),
            (V{0x3f80, 0x3f82, 0x7f80, 0x7fff}));
  EXPECT_EQ(runLanes("cvt.rn.f16.f64 %d, %a;",
                     {f64({1 + 0x1p-11, 1 + 0x1p-11 + 0x1p-40})}, 16),
            (V{0x3c00, 0x3c01}));
  EXPECT_EQ(runLanes("cvt.rn.relu.bf16.f32 %d, %a;", {f32({-1, 1})}, 16),
            (V{0, 0x3f80}));
  EXPECT_EQ(
      runLanes("cvt.rna.tf32.f32 %d, %a;", {u32({0x3f801000, 0x3f800fff})}, 32),
      (V{0x3f802000, 0x3f800000}));
}

TEST(Convert, PairsHoldTheFirstSourceHigh) {
  EXPECT_EQ(runLanes("cvt.rn.bf16x2.f32 %d, %a, %b;",
                     {f32({1, notANumber}), f32({-2, 1 + 0x1p-8f})}, 32),
            (V{0x3f80c000, 0x7fff3f80}));
  EXPECT_EQ(
      runLanes("cvt.rn.f16x2.f32 %d, %a, %b;", {f32({1}), f32({65536})}, 32),
      (V{0x3c007c00}));
  EXPECT_EQ(
      runLanes("cvt.rn.relu.f16x2.f32 %d, %a, %b;", {f32({-1}), f32({2})}, 32),
      (V{0x00004000}));
  EXPECT_EQ(runLanes("cvt.rz.bf16x2.f32 %d, %a, %b;",
                     {f32({1.999f}), f32({-1.999f})}, 32),
            (V{0x3fffbfff}));
}
