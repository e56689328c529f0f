// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bit instructions, comparisons, selections and moves.
#include "test/emulator/PtxRunner.h"

#include <cmath>

using namespace llrt::test;
using V = std::vector<uint64_t>;

TEST(Bits, LogicOnAllWidths) {
  EXPECT_EQ(runLanes("and.b32 %d, %a, %b;",
                     {u32({0xff00ff00u}), u32({0x0ff00ff0})}, 32),
            (V{0x0f000f00}));
  EXPECT_EQ(
      runLanes("or.b64 %d, %a, %b;", {u64({0xf0f0ull << 40}), u64({1})}, 64),
      (V{0xf0f0ull << 40 | 1}));
  EXPECT_EQ(runLanes("xor.b16 %d, %a, %b;", {u16({0xffff}), u16({0x00ff})}, 16),
            (V{0xff00}));
  EXPECT_EQ(runLanes("not.b32 %d, %a;", {u32({0x0000ffff})}, 32),
            (V{0xffff0000u}));
  EXPECT_EQ(runLanes("cnot.b32 %d, %a;", {u32({0, 5})}, 32), (V{1, 0}));
}

TEST(Bits, ShiftsPastTheWidth) {
  EXPECT_EQ(runLanes("shl.b32 %d, %a, %b;",
                     {u32({1, 1, 1, 3}), u32({31, 32, 255, 31})}, 32),
            (V{0x80000000u, 0, 0, 0x80000000u}));
  EXPECT_EQ(runLanes("shr.u32 %d, %a, %b;",
                     {u32({0x80000000u}), u32({31, 32, 1000})}, 32),
            (V{1, 0, 0}));
  EXPECT_EQ(runLanes("shr.s32 %d, %a, %b;",
                     {u32({0x80000000u}), u32({31, 32, 1000})}, 32),
            (V{~0u, ~0u, ~0u}));
  EXPECT_EQ(runLanes("shl.b64 %d, %a, %b;", {u64({1}), u32({63, 64})}, 64),
            (V{1ull << 63, 0}));
  EXPECT_EQ(
      runLanes("shr.s64 %d, %a, %b;", {u64({1ull << 63}), u32({62, 64})}, 64),
      (V{~1ull, ~0ull}));
  EXPECT_EQ(runLanes("shr.s16 %d, %a, %b;", {u16({0x8000}), u32({4, 16})}, 16),
            (V{0xf800, 0xffff}));
  EXPECT_EQ(runLanes("shl.b16 %d, %a, %b;", {u16({0xffff}), u32({8, 16})}, 16),
            (V{0xff00, 0}));
}

TEST(Bits, FunnelShifts) {
  Lanes low = u32({0x01234567}), high = u32({0x89abcdefu});
  EXPECT_EQ(
      runLanes("shf.l.wrap.b32 %d, %a, %b, %c;", {low, high, u32({8, 40})}, 32),
      (V{0xabcdef01u, 0xabcdef01u}));
  EXPECT_EQ(runLanes("shf.l.clamp.b32 %d, %a, %b, %c;",
                     {low, high, u32({8, 40})}, 32),
            (V{0xabcdef01u, 0x01234567}));
  EXPECT_EQ(
      runLanes("shf.r.wrap.b32 %d, %a, %b, %c;", {low, high, u32({8, 40})}, 32),
      (V{0xef012345u, 0xef012345u}));
  EXPECT_EQ(runLanes("shf.r.clamp.b32 %d, %a, %b, %c;",
                     {low, high, u32({8, 40})}, 32),
            (V{0xef012345u, 0x89abcdefu}));
}

TEST(Bits, Lop3IsAnyFunctionOfThreeBits) {
  for (unsigned table :
       {0x00u, 0xffu, 0x80u, 0xfeu, 0x96u, 0xcau, 0xe8u, 0x1au}) {
    uint32_t a = 0xf0f0f0f0u, b = 0xccccccccu, c = 0xaaaaaaaau, expected = 0;
    for (unsigned i = 0; i < 32; ++i) {
      unsigned key = (a >> i & 1) << 2 | (b >> i & 1) << 1 | (c >> i & 1);
      expected |= (table >> key & 1) << i;
    }
    EXPECT_EQ(
        runLanes("lop3.b32 %d, %a, %b, %c, " + std::to_string(table) + ";",
                 {u32({a}), u32({b}), u32({c})}, 32),
        (V{expected}));
  }
}

TEST(Bits, PrmtPicksBytes) {
  Lanes a = u32({0x33221100}), b = u32({0x77665544});
  EXPECT_EQ(runLanes("prmt.b32 %d, %a, %b, 0x7531;", {a, b}, 32),
            (V{0x77553311}));
  EXPECT_EQ(runLanes("prmt.b32 %d, %a, %b, 0x1032;", {a, b}, 32),
            (V{0x11003322}));
  // Bit 3 of a selector spreads the sign: of byte 0 (0x80) and byte 7 (0x7f).
  EXPECT_EQ(runLanes("prmt.b32 %d, %a, %b, 0x70f8;",
                     {u32({0x80}), u32({0x7f000000u})}, 32),
            (V{0x7f8000ff}));
  EXPECT_EQ(runLanes("prmt.b32.f4e %d, %a, %b, 1;", {a, b}, 32),
            (V{0x44332211}));
  EXPECT_EQ(runLanes("prmt.b32.rc16 %d, %a, %b, 1;", {a, b}, 32),
            (V{0x33223322}));
}

TEST(Bits, Fields) {
  EXPECT_EQ(
      runLanes("bfe.u32 %d, %a, %b, %c;",
               {u32({0x12345678}), u32({8, 28, 32, 0}), u32({8, 8, 8, 0})}, 32),
      (V{0x56, 1, 0, 0}));
  EXPECT_EQ(runLanes("bfe.s32 %d, %a, %b, %c;",
                     {u32({0x0000f000, 0x80000000u, 0x80000000u}),
                      u32({12, 28, 40}), u32({4, 8, 3})},
                     32),
            (V{0xffffffffu, 0xfffffff8u, 0xffffffffu}));
  EXPECT_EQ(
      runLanes("bfe.u64 %d, %a, 32, 16;", {u64({0x123456789abcdef0ull})}, 64),
      (V{0x5678}));
  EXPECT_EQ(runLanes("bfi.b32 %d, %a, %b, 8, 8;",
                     {u32({0xab}), u32({0xffffffffu})}, 32),
            (V{0xffffabffu}));
  EXPECT_EQ(runLanes("bfi.b64 %d, %a, %b, 32, 32;",
                     {u64({0x11223344}), u64({0x55667788})}, 64),
            (V{0x1122334455667788ull}));
  EXPECT_EQ(runLanes("bmsk.clamp.b32 %d, %a, %b;",
                     {u32({4, 0, 32}), u32({8, 32, 1})}, 32),
            (V{0xff0, ~0u, 0}));
}

TEST(Bits, Counting) {
  EXPECT_EQ(
      runLanes("popc.b32 %d, %a;", {u32({0, 0xffffffffu, 0x80000001u})}, 32),
      (V{0, 32, 2}));
  EXPECT_EQ(runLanes("popc.b64 %d, %a;", {u64({~0ull})}, 32), (V{64}));
  EXPECT_EQ(runLanes("clz.b32 %d, %a;", {u32({0, 1, 0x80000000u})}, 32),
            (V{32, 31, 0}));
  EXPECT_EQ(runLanes("clz.b64 %d, %a;", {u64({0, 1})}, 32), (V{64, 63}));
  EXPECT_EQ(runLanes("bfind.u32 %d, %a;", {u32({0, 1, 0x80000000u})}, 32),
            (V{~0u, 0, 31}));
  EXPECT_EQ(
      runLanes("bfind.s32 %d, %a;", {u32({0xffffffffu, 0xfffffffeu, 4})}, 32),
      (V{~0u, 0, 2}));
  EXPECT_EQ(runLanes("bfind.shiftamt.u32 %d, %a;", {u32({1, 0x80000000u})}, 32),
            (V{31, 0}));
  EXPECT_EQ(runLanes("brev.b32 %d, %a;", {u32({1, 0x0000000f})}, 32),
            (V{0x80000000u, 0xf0000000u}));
  EXPECT_EQ(runLanes("brev.b64 %d, %a;", {u64({1})}, 64), (V{1ull << 63}));
}

TEST(Compare, IntegersSignedAndNot) {
  std::string pick = " %p0, %a, %b; selp.b32 %d, 1, 0, %p0;";
  Lanes a = u32({1, 0xffffffffu, 5}), b = u32({2, 1, 5});
  EXPECT_EQ(runLanes("setp.lt.s32" + pick, {a, b}, 32), (V{1, 1, 0}));
  EXPECT_EQ(runLanes("setp.lt.u32" + pick, {a, b}, 32), (V{1, 0, 0}));
  EXPECT_EQ(runLanes("setp.lo.u32" + pick, {a, b}, 32), (V{1, 0, 0}));
  EXPECT_EQ(runLanes("setp.ls.u32" + pick, {a, b}, 32), (V{1, 0, 1}));
  EXPECT_EQ(runLanes("setp.hi.u32" + pick, {a, b}, 32), (V{0, 1, 0}));
  EXPECT_EQ(runLanes("setp.hs.u32" + pick, {a, b}, 32), (V{0, 1, 1}));
  EXPECT_EQ(runLanes("setp.ge.s32" + pick, {a, b}, 32), (V{0, 0, 1}));
  EXPECT_EQ(runLanes("setp.eq.b32" + pick, {a, b}, 32), (V{0, 0, 1}));
  EXPECT_EQ(runLanes("setp.gt.s64" + pick,
                     {u64({1ull << 63, 1}), u64({1, 1ull << 63})}, 32),
            (V{0, 1}));
  EXPECT_EQ(
      runLanes("setp.gt.s16" + pick, {u16({0x8000, 1}), u16({1, 0x8000})}, 32),
      (V{0, 1}));
}

TEST(Compare, FloatsWithNan) {
  float nan = std::nanf("");
  Lanes a = f32({1, 2, 2, nan, 1, -0.0f}), b = f32({2, 1, 2, 1, nan, 0.0f});
  struct Row {
    const char *name;
    V expected;
  } rows[] = {{"eq", {0, 0, 1, 0, 0, 1}},  {"ne", {1, 1, 0, 0, 0, 0}},
              {"lt", {1, 0, 0, 0, 0, 0}},  {"le", {1, 0, 1, 0, 0, 1}},
              {"gt", {0, 1, 0, 0, 0, 0}},  {"ge", {0, 1, 1, 0, 0, 1}},
              {"equ", {0, 0, 1, 1, 1, 1}}, {"neu", {1, 1, 0, 1, 1, 0}},
              {"ltu", {1, 0, 0, 1, 1, 0}}, {"leu", {1, 0, 1, 1, 1, 1}},
              {"gtu", {0, 1, 0, 1, 1, 0}}, {"geu", {0, 1, 1, 1, 1, 1}},
              {"num", {1, 1, 1, 0, 0, 1}}, {"nan", {0, 0, 0, 1, 1, 0}}};
  for (const Row &row : rows) {
    std::string body = std::string("setp.") + row.name +
                       ".f32 %p0, %a, %b; selp.b32 %d, 1, 0, %p0;";
    EXPECT_EQ(runLanes(body, {a, b}, 32), row.expected) << row.name;
  }
  EXPECT_EQ(
      runLanes("setp.gt.ftz.f32 %p0, %a, 0f00000000; selp.b32 %d, 1, 0, %p0;",
               {u32({1, 0x00800000})}, 32),
      (V{0, 1}));
  EXPECT_EQ(runLanes("setp.lt.f64 %p0, %a, %b; selp.b32 %d, 1, 0, %p0;",
                     {f64({1}), f64({2})}, 32),
            (V{1}));
  EXPECT_EQ(runLanes("setp.lt.f16 %p0, %a, %b; selp.b32 %d, 1, 0, %p0;",
                     {u16({0x3c00}), u16({0x4000})}, 32),
            (V{1}));
  EXPECT_EQ(runLanes("setp.gt.bf16 %p0, %a, %b; selp.b32 %d, 1, 0, %p0;",
                     {u16({0x3f80}), u16({0xbf80})}, 32),
            (V{1}));
}

TEST(Compare, CombinesWithAPredicateAndGivesTheOpposite) {
  std::string first = "setp.ne.u32 %p0, %c, 0; ";
  Lanes a = u32({1, 1, 9, 9}), b = u32({5}), c = u32({0, 1, 0, 1});
  EXPECT_EQ(
      runLanes(first + "setp.lt.and.u32 %p1|%p2, %a, %b, %p0; selp.b32 %w0, 1, "
                       "0, %p1; selp.b32 %w1, 2, 0, %p2; or.b32 %d, %w0, %w1;",
               {a, b, c}, 32),
      (V{0, 1, 0, 2}));
  EXPECT_EQ(
      runLanes(first +
                   "setp.lt.or.u32 %p1, %a, %b, !%p0; selp.b32 %d, 1, 0, %p1;",
               {a, b, c}, 32),
      (V{1, 1, 1, 0}));
  EXPECT_EQ(
      runLanes(first +
                   "setp.lt.xor.u32 %p1, %a, %b, %p0; selp.b32 %d, 1, 0, %p1;",
               {a, b, c}, 32),
      (V{1, 0, 0, 1}));
  EXPECT_EQ(runLanes("set.lt.u32.s32 %d, %a, %b;", {a, b}, 32),
            (V{~0u, ~0u, 0, 0}));
  EXPECT_EQ(runLanes("set.lt.f32.u32 %d, %a, %b;", {a, b}, 32),
            (V{0x3f800000, 0x3f800000, 0, 0}));
}

TEST(Compare, PredicateLogic) {
  std::string set = "setp.ne.u32 %p0, %a, 0; setp.ne.u32 %p1, %b, 0; ";
  Lanes a = u32({0, 0, 1, 1}), b = u32({0, 1, 0, 1});
  std::string out = " selp.b32 %d, 1, 0, %p2;";
  EXPECT_EQ(runLanes(set + "and.pred %p2, %p0, %p1;" + out, {a, b}, 32),
            (V{0, 0, 0, 1}));
  EXPECT_EQ(runLanes(set + "or.pred %p2, %p0, %p1;" + out, {a, b}, 32),
            (V{0, 1, 1, 1}));
  EXPECT_EQ(runLanes(set + "xor.pred %p2, %p0, %p1;" + out, {a, b}, 32),
            (V{0, 1, 1, 0}));
  EXPECT_EQ(runLanes(set + "not.pred %p2, %p0;" + out, {a, b}, 32),
            (V{1, 1, 0, 0}));
  EXPECT_EQ(runLanes(set + "mov.pred %p2, %p1;" + out, {a, b}, 32),
            (V{0, 1, 0, 1}));
}

TEST(Move, PacksAndUnpacks) {
  EXPECT_EQ(runLanes("mov.b64 %d, {%a, %b};",
                     {u32({0x11223344}), u32({0x55667788})}, 64),
            (V{0x5566778811223344ull}));
  EXPECT_EQ(
      runLanes("mov.b64 {%w0, %d}, %a;", {u64({0x5566778811223344ull})}, 32),
      (V{0x55667788}));
  EXPECT_EQ(
      runLanes("mov.b64 {%d, _}, %a;", {u64({0x5566778811223344ull})}, 32),
      (V{0x11223344}));
  EXPECT_EQ(
      runLanes("mov.b32 %d, {%a, %b};", {u16({0x1122}), u16({0x3344})}, 32),
      (V{0x33441122}));
  EXPECT_EQ(
      runLanes("mov.b32 {%h0, %h1}, %a; mov.b64 %d, {%h1, %h0, %h1, %h0};",
               {u32({0x33441122})}, 64),
      (V{0x1122334411223344ull}));
  EXPECT_EQ(runLanes("slct.b32.s32 %d, %a, %b, %c;",
                     {u32({1}), u32({2}), u32({0, 0xffffffffu})}, 32),
            (V{1, 2}));
}

TEST(Move, SpecialRegisters) {
  V d = runLanes(
      "mov.u32 %w0, %laneid; mov.u32 %w1, %lanemask_lt; popc.b32 %w2, %w1; "
      "sub.u32 %w3, %w0, %w2; mov.u32 %w4, %ntid.x;"
      "mad.lo.u32 %w3, %w3, 1000, %w4; mov.u32 %w5, %lanemask_ge; popc.b32 "
      "%w5, %w5; add.u32 %w5, %w5, %w0; add.u32 %d, %w3, %w5;",
      {u32(V(64, 0))}, 32);
  for (uint64_t value : d)
    EXPECT_EQ(value, 64u);
}
