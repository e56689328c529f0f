// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Integer arithmetic against arithmetic in wider types.
#include "test/emulator/PtxRunner.h"

using namespace llrt::test;
using V = std::vector<uint64_t>;
using i128 = __int128;

namespace {

const V edge32 = {
    0,           1,           2,           3,          7,          0x7f,
    0x80,        0xffff,      0x10000,     0x7ffffffe, 0x7fffffff, 0x80000000u,
    0x80000001u, 0xfffffffeu, 0xffffffffu, 0x12345678, 0xdeadbeefu};
const V edge64 = {0,
                  1,
                  2,
                  0xffffffffu,
                  0x100000000ull,
                  0x7fffffffffffffffull,
                  0x8000000000000000ull,
                  0xfffffffffffffffeull,
                  ~0ull,
                  0x123456789abcdef0ull,
                  0xdeadbeefcafebabeull};
const V edge16 = {0,      1,      2,      0x7f,   0xff,   0x100, 0x7ffe,
                  0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff, 0x1234};

const V &edges(unsigned bits) {
  return bits == 16 ? edge16 : bits == 32 ? edge32 : edge64;
}

uint64_t cut(i128 value, unsigned bits) {
  return static_cast<uint64_t>(value) &
         (bits == 64 ? ~0ull : (1ull << bits) - 1);
}
i128 number(uint64_t bits, unsigned width, bool isSigned) {
  bits = cut(static_cast<i128>(bits), width);
  if (isSigned && (bits >> (width - 1)))
    return static_cast<i128>(bits) - (static_cast<i128>(1) << width);
  return static_cast<i128>(bits);
}

/// All pairs of edges through `opcode`, against `expected` on exact numbers.
template <class F>
void checkBinary(const std::string &opcode, unsigned bits, bool isSigned,
                 unsigned resultBits, F expected) {
  V a, b;
  for (uint64_t x : edges(bits))
    for (uint64_t y : edges(bits))
      a.push_back(x), b.push_back(y);
  V d = runLanes(opcode + " %d, %a, %b;", {{bits, a}, {bits, b}}, resultBits);
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_EQ(d[i], cut(expected(number(a[i], bits, isSigned),
                                 number(b[i], bits, isSigned)),
                        resultBits))
        << opcode << " of " << std::hex << a[i] << ", " << b[i];
}

std::string typed(const std::string &opcode, bool isSigned, unsigned bits) {
  return opcode + (isSigned ? ".s" : ".u") + std::to_string(bits);
}

} // namespace

TEST(Integer, SumsWrap) {
  for (unsigned bits : {16u, 32u, 64u})
    for (bool isSigned : {false, true}) {
      checkBinary(typed("add", isSigned, bits), bits, isSigned, bits,
                  [](i128 a, i128 b) { return a + b; });
      checkBinary(typed("sub", isSigned, bits), bits, isSigned, bits,
                  [](i128 a, i128 b) { return a - b; });
    }
}

TEST(Integer, SaturatedSumsStayInRange) {
  auto clamp = [](i128 v) {
    return v > INT32_MAX   ? i128(INT32_MAX)
           : v < INT32_MIN ? i128(INT32_MIN)
                           : v;
  };
  checkBinary("add.sat.s32", 32, true, 32,
              [&](i128 a, i128 b) { return clamp(a + b); });
  checkBinary("sub.sat.s32", 32, true, 32,
              [&](i128 a, i128 b) { return clamp(a - b); });
}

TEST(Integer, ProductsLowHighWide) {
  for (unsigned bits : {16u, 32u, 64u})
    for (bool isSigned : {false, true}) {
      checkBinary(typed("mul.lo", isSigned, bits), bits, isSigned, bits,
                  [](i128 a, i128 b) {
                    return static_cast<i128>(static_cast<unsigned __int128>(a) *
                                             static_cast<unsigned __int128>(b));
                  });
      if (bits < 64) {
        checkBinary(typed("mul.hi", isSigned, bits), bits, isSigned, bits,
                    [&](i128 a, i128 b) { return (a * b) >> bits; });
        checkBinary(typed("mul.wide", isSigned, bits), bits, isSigned, bits * 2,
                    [](i128 a, i128 b) { return a * b; });
      }
    }
  // 64-bit high halves by schoolbook.
  V a, b;
  for (uint64_t x : edge64)
    for (uint64_t y : edge64)
      a.push_back(x), b.push_back(y);
  V d = runLanes("mul.hi.u64 %d, %a, %b;", {u64(a), u64(b)}, 64);
  for (size_t i = 0; i < a.size(); ++i) {
    uint64_t al = a[i] & 0xffffffffu, ah = a[i] >> 32, bl = b[i] & 0xffffffffu,
             bh = b[i] >> 32;
    uint64_t middle = ah * bl + (al * bl >> 32),
             other = al * bh + (middle & 0xffffffffu);
    ASSERT_EQ(d[i], ah * bh + (middle >> 32) + (other >> 32));
  }
}

TEST(Integer, MadAddsTheThirdOperand) {
  V d = runLanes("mad.lo.s32 %d, %a, %b, %c;",
                 {u32({3, 0xffffffffu}), u32({5, 2}), u32({7, 1})}, 32);
  EXPECT_EQ(d, (V{22, 0xffffffffu}));
  d = runLanes(
      "mad.wide.s32 %d, %a, %b, %c;",
      {u32({0xffffffffu, 0x80000000u}), u32({2, 0x80000000u}), u64({1, 5})},
      64);
  EXPECT_EQ(d, (V{~0ull, 0x4000000000000005ull}));
  d = runLanes("mad.wide.u32 %d, %a, %b, %c;",
               {u32({0xffffffffu}), u32({0xffffffffu}), u64({1})}, 64);
  EXPECT_EQ(d, (V{0xfffffffe00000002ull}));
  d = runLanes("mad.hi.u32 %d, %a, %b, %c;",
               {u32({0xffffffffu}), u32({0xffffffffu}), u32({9})}, 32);
  EXPECT_EQ(d, (V{0xfffffffeu + 9}));
  d = runLanes("mad.lo.u16 %d, %a, %b, %c;", {u16({300}), u16({300}), u16({1})},
               16);
  EXPECT_EQ(d, (V{(90000 + 1) & 0xffff}));
  d = runLanes("mad.wide.u16 %d, %a, %b, %c;",
               {u16({0xffff}), u16({0xffff}), u32({1})}, 32);
  EXPECT_EQ(d, (V{0xfffe0002u}));
  d = runLanes("mad.hi.sat.s32 %d, %a, %b, %c;",
               {u32({0x7fffffff}), u32({0x7fffffff}), u32({0x7fffffff})}, 32);
  EXPECT_EQ(d, (V{0x7fffffff}));
}

TEST(Integer, QuotientsTruncateAndRemaindersFollow) {
  V a, b;
  for (unsigned bits : {32u, 64u})
    for (bool isSigned : {false, true}) {
      a.clear(), b.clear();
      for (uint64_t x : edges(bits))
        for (uint64_t y : edges(bits))
          if (y)
            a.push_back(x), b.push_back(y);
      V q = runLanes(typed("div", isSigned, bits) + " %d, %a, %b;",
                     {{bits, a}, {bits, b}}, bits);
      V r = runLanes(typed("rem", isSigned, bits) + " %d, %a, %b;",
                     {{bits, a}, {bits, b}}, bits);
      for (size_t i = 0; i < a.size(); ++i) {
        i128 x = number(a[i], bits, isSigned), y = number(b[i], bits, isSigned);
        ASSERT_EQ(q[i], cut(x / y, bits))
            << bits << isSigned << " " << std::hex << a[i] << " " << b[i];
        ASSERT_EQ(r[i], cut(x % y, bits))
            << bits << isSigned << " " << std::hex << a[i] << " " << b[i];
      }
    }
}

TEST(Integer, DivisionByZeroDoesNotTrap) {
  EXPECT_EQ(runLanes("div.u32 %d, %a, %b;", {u32({5}), u32({0})}, 32)[0],
            0xffffffffu);
  EXPECT_EQ(runLanes("rem.s64 %d, %a, %b;", {u64({5}), u64({0})}, 64)[0], 5u);
}

TEST(Integer, LeastAndGreatest) {
  for (unsigned bits : {16u, 32u, 64u})
    for (bool isSigned : {false, true}) {
      checkBinary(typed("min", isSigned, bits), bits, isSigned, bits,
                  [](i128 a, i128 b) { return a < b ? a : b; });
      checkBinary(typed("max", isSigned, bits), bits, isSigned, bits,
                  [](i128 a, i128 b) { return a > b ? a : b; });
    }
  EXPECT_EQ(runLanes("min.s16x2 %d, %a, %b;",
                     {u32({0x8000ffff}), u32({0x00010002})}, 32)[0],
            0x8000ffffu);
  EXPECT_EQ(runLanes("max.u16x2 %d, %a, %b;",
                     {u32({0x8000ffff}), u32({0x00010002})}, 32)[0],
            0x8000ffffu);
  EXPECT_EQ(runLanes("add.u16x2 %d, %a, %b;",
                     {u32({0xffff0001}), u32({0x00020003})}, 32)[0],
            0x00010004u);
}

TEST(Integer, NegAbsSad) {
  EXPECT_EQ(runLanes("neg.s32 %d, %a;", {u32({5, 0x80000000u, 0})}, 32),
            (V{0xfffffffbu, 0x80000000u, 0}));
  EXPECT_EQ(
      runLanes("abs.s32 %d, %a;", {u32({0xfffffffbu, 0x80000000u, 7})}, 32),
      (V{5, 0x80000000u, 7}));
  EXPECT_EQ(runLanes("neg.s64 %d, %a;", {u64({1})}, 64), (V{~0ull}));
  EXPECT_EQ(runLanes("abs.s16 %d, %a;", {u16({0xfff0})}, 16), (V{0x10}));
  EXPECT_EQ(runLanes("sad.s32 %d, %a, %b, %c;",
                     {u32({0xffffffffu}), u32({3}), u32({10})}, 32),
            (V{14}));
  EXPECT_EQ(runLanes("sad.u32 %d, %a, %b, %c;",
                     {u32({0xffffffffu}), u32({3}), u32({10})}, 32),
            (V{0xfffffffcu + 10}));
}

TEST(Integer, CarriesRunThroughWideSums) {
  // 128 bits as two halves: (2^64-1) + 1, and the borrow back.
  V d = runLanes("add.cc.u64 %x0, %a, %b; addc.u64 %d, 5, 6;",
                 {u64({~0ull, 1}), u64({1, 1})}, 64);
  EXPECT_EQ(d, (V{12, 11}));
  d = runLanes("sub.cc.u32 %w0, %a, %b; subc.u32 %d, 10, 4;",
               {u32({0, 9}), u32({1, 1})}, 32);
  EXPECT_EQ(d, (V{5, 6}));
  d = runLanes(
      "add.cc.u32 %w0, %a, %b; addc.cc.u32 %w1, %a, 0; addc.u32 %d, 0, 0;",
      {u32({~0u}), u32({1})}, 32);
  EXPECT_EQ(d, (V{1}));
}

TEST(Integer, ProductsCarryToo) {
  // (2^64-1) * (2^64-1) as four 32-bit products, the middle ones of it.
  V d = runLanes(
      "mad.lo.cc.u32 %w0, %a, %b, %c; madc.hi.u32 %d, %a, %b, 7;",
      {u32({0xffffffffu, 2}), u32({0xffffffffu, 3}), u32({0xffffffffu, 1})},
      32);
  // low: 1 + 0xffffffff carries; high: 0xfffffffe + 7 + 1.
  EXPECT_EQ(d, (V{0x00000006u, 7}));
  d = runLanes("mad.lo.cc.u64 %x0, %a, %b, %c; madc.lo.cc.u64 %x1, 0, 0, 0; "
               "add.u64 %d, %x1, 10;",
               {u64({1}), u64({~0ull}), u64({1})}, 64);
  EXPECT_EQ(d, (V{11}));
}

TEST(Integer, Mul24KeepsTheLowProduct) {
  EXPECT_EQ(
      runLanes("mul24.lo.u32 %d, %a, %b;", {u32({0xff000003u}), u32({5})}, 32),
      (V{15}));
  EXPECT_EQ(
      runLanes("mul24.lo.s32 %d, %a, %b;", {u32({0x00ffffffu}), u32({5})}, 32),
      (V{0xfffffffbu}));
}
