// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Video instructions, dp4a, dp2a, fns, szext, mad24, set on 16-bit floats,
// minima with .relu, lop3 with a predicate: the ISA document's own formulas.
#include "test/emulator/PtxRunner.h"

#include <cmath>
#include <functional>

using namespace llrt;
using namespace llrt::test;
using V = std::vector<uint64_t>;

namespace {

const V left = {0,          1,          0xffffffff, 0x80000000,
                0x7fffffff, 0x12345678, 0xfedcba98, 0x00ff00ff,
                0x80808080, 0x7f7f7f7f, 0x01020304, 0xdeadbeef};
const V right = {0,          0xffffffff, 1,          0x80000000,
                 1,          0x87654321, 0x12345678, 0xff00ff00,
                 0x7f7f7f7f, 0x80808080, 0x04030201, 0xcafebabe};
const V third = {0x01010101, 5,          0xffffffff, 0x7fffffff, 0x80000000, 7,
                 0,          0x11223344, 0xaaaaaaaa, 3,          0x55555555, 9};

int64_t part(uint64_t word, unsigned bits, unsigned index, bool isSigned) {
  uint64_t value = word >> (bits * index) & ((uint64_t(1) << bits) - 1);
  if (isSigned && value >> (bits - 1))
    return static_cast<int64_t>(value) - (int64_t(1) << bits);
  return static_cast<int64_t>(value);
}
int64_t clamp(int64_t value, unsigned bits, bool isSigned) {
  int64_t high =
      isSigned ? (int64_t(1) << (bits - 1)) - 1 : (int64_t(1) << bits) - 1;
  int64_t low = isSigned ? -high - 1 : 0;
  return std::max(low, std::min(high, value));
}
V run(const std::string &form, const std::string &operands = "%d, %a, %b, %c") {
  return runLanes(form + " " + operands + ";",
                  {u32(left), u32(right), u32(third)}, 32);
}

using Operation = std::function<int64_t(int64_t, int64_t)>;
const std::pair<std::string, Operation> operations[] = {
    {"vadd", [](int64_t a, int64_t b) { return a + b; }},
    {"vsub", [](int64_t a, int64_t b) { return a - b; }},
    {"vabsdiff", [](int64_t a, int64_t b) { return std::abs(a - b); }},
    {"vmin", [](int64_t a, int64_t b) { return std::min(a, b); }},
    {"vmax", [](int64_t a, int64_t b) { return std::max(a, b); }},
    {"vavrg", [](int64_t a, int64_t b) {
       return (a + b >= 0 ? a + b + 1 : a + b) >> 1;
     }}};

TEST(Video, PartsOfWords) {
  for (unsigned parts : {2u, 4u})
    for (auto &[name, operation] : operations)
      for (int types = 0; types < 8; ++types)
        for (std::string extra : {"", ".sat", ".add"}) {
          bool d = types & 1, a = types & 2, b = types & 4;
          auto type = [](bool s) { return s ? ".s32" : ".u32"; };
          std::string form = name + std::to_string(parts) + type(d) + type(a) +
                             type(b) + extra;
          V got = run(form);
          unsigned bits = 32 / parts;
          for (size_t i = 0; i < left.size(); ++i) {
            uint32_t want =
                extra == ".add" ? static_cast<uint32_t>(third[i]) : 0;
            for (unsigned k = 0; k < parts; ++k) {
              int64_t value = operation(part(left[i], bits, k, a),
                                        part(right[i], bits, k, b));
              if (extra == ".sat")
                value = clamp(value, bits, d);
              if (extra == ".add")
                want += static_cast<uint32_t>(value);
              else
                want |= (static_cast<uint32_t>(value) & ((1u << bits) - 1))
                        << (bits * k);
            }
            ASSERT_EQ(got[i], want) << form << " " << i;
          }
        }
}

TEST(Video, SelectionsAndMasks) {
  // {b, a} in halves: a0 a1 b0 b1 are 0 1 2 3.
  V got = run("vadd2.u32.u32.u32", "%d.h0, %a.h01, %b.h33, %c");
  V bytes = run("vsub4.u32.u32.u32", "%d.b30, %a.b0123, %b.b7777, %c");
  for (size_t i = 0; i < left.size(); ++i) {
    uint32_t a1 = static_cast<uint32_t>(left[i] >> 16),
             b1 = static_cast<uint32_t>(right[i] >> 16);
    ASSERT_EQ(got[i], ((a1 + b1) & 0xffff) | (third[i] & 0xffff0000u)) << i;
    uint32_t b3 = static_cast<uint32_t>(right[i] >> 24);
    uint32_t low = (static_cast<uint32_t>(left[i] >> 24) - b3) & 0xff;
    uint32_t high = (static_cast<uint32_t>(left[i] & 0xff) - b3) & 0xff;
    ASSERT_EQ(bytes[i], (third[i] & 0x00ffff00u) | low | high << 24) << i;
  }
}

TEST(Video, WholeWords) {
  for (auto &[name, operation] : operations) {
    if (name == "vavrg")
      continue;
    for (int types = 0; types < 8; ++types)
      for (bool sat : {false, true}) {
        bool d = types & 1, a = types & 2, b = types & 4;
        auto type = [](bool s) { return s ? ".s32" : ".u32"; };
        std::string form =
            name + type(d) + type(a) + type(b) + (sat ? ".sat" : "");
        V got = run(form, "%d, %a, %b"), select = run(form, "%d, %a.b1, %b.h1");
        for (size_t i = 0; i < left.size(); ++i) {
          auto finish = [&](int64_t value) {
            return static_cast<uint32_t>(sat ? clamp(value, 32, d) : value);
          };
          ASSERT_EQ(got[i], finish(operation(part(left[i], 32, 0, a),
                                             part(right[i], 32, 0, b))))
              << form << " " << i;
          ASSERT_EQ(select[i], finish(operation(part(left[i], 8, 1, a),
                                                part(right[i], 16, 1, b))))
              << form << " " << i;
        }
      }
  }
  V merged = run("vadd.u32.u32.u32", "%d.b2, %a, %b, %c");
  V least = run("vadd.s32.s32.s32.min", "%d, %a, %b, %c");
  for (size_t i = 0; i < left.size(); ++i) {
    uint32_t sum = static_cast<uint32_t>(left[i] + right[i]);
    EXPECT_EQ(merged[i], (third[i] & 0xff00ffffu) | (sum & 0xff) << 16);
    EXPECT_EQ(
        static_cast<int32_t>(least[i]),
        std::min(static_cast<int32_t>(sum), static_cast<int32_t>(third[i])));
  }
}

TEST(Video, ShiftsProductsAndTests) {
  V by = {0, 1, 31, 32, 33, 64, 0x80000001};
  V clamped = runLanes("vshl.u32.u32.u32.clamp %d, %a, %b;",
                       {u32({0x80000001}), u32(by)}, 32);
  V wrapped = runLanes("vshr.s32.s32.u32.wrap %d, %a, %b;",
                       {u32({0x80000001}), u32(by)}, 32);
  EXPECT_EQ(clamped, (V{0x80000001, 2, 0x80000000, 0, 0, 0, 0}));
  EXPECT_EQ(wrapped, (V{0x80000001, 0xc0000000, 0xffffffff, 0x80000001,
                        0xc0000000, 0x80000001, 0xc0000000}));
  V mad = run("vmad.s32.s32.s32.sat.shr7"), less = run("vset4.s32.u32.lt");
  for (size_t i = 0; i < left.size(); ++i) {
    __int128 sum = static_cast<__int128>(part(left[i], 32, 0, true)) *
                       part(right[i], 32, 0, true) +
                   part(third[i], 32, 0, true);
    EXPECT_EQ(static_cast<int32_t>(mad[i]),
              clamp(static_cast<int64_t>(sum >> 7), 32, true));
    uint32_t want = 0;
    for (unsigned k = 0; k < 4; ++k)
      want |= static_cast<uint32_t>(part(left[i], 8, k, true) <
                                    part(right[i], 8, k, false))
              << (8 * k);
    EXPECT_EQ(less[i], want);
  }
}

TEST(DotProducts, BytesAndHalves) {
  for (int types = 0; types < 4; ++types) {
    bool a = types & 1, b = types & 2;
    std::string suffix =
        std::string(a ? ".s32" : ".u32") + (b ? ".s32" : ".u32");
    V four = run("dp4a" + suffix), low = run("dp2a.lo" + suffix),
      high = run("dp2a.hi" + suffix);
    for (size_t i = 0; i < left.size(); ++i) {
      int64_t sum4 = 0, sums[2] = {0, 0};
      for (unsigned k = 0; k < 4; ++k)
        sum4 += part(left[i], 8, k, a) * part(right[i], 8, k, b);
      for (unsigned k = 0; k < 2; ++k)
        for (unsigned h = 0; h < 2; ++h)
          sums[h] += part(left[i], 16, k, a) * part(right[i], 8, 2 * h + k, b);
      uint32_t c = static_cast<uint32_t>(third[i]);
      EXPECT_EQ(four[i], c + static_cast<uint32_t>(sum4)) << suffix << i;
      EXPECT_EQ(low[i], c + static_cast<uint32_t>(sums[0])) << suffix << i;
      EXPECT_EQ(high[i], c + static_cast<uint32_t>(sums[1])) << suffix << i;
    }
  }
}

TEST(SmallIntegers, FnsSzextMad24Relu) {
  // The ISA document's loop: the |offset|-th set bit from base on.
  V words, bases, offsets, want;
  for (uint32_t word :
       {0u, 1u, 0x80000000u, 0xffffffffu, 0x00ff00f0u, 0x12345678u})
    for (int base : {0, 5, 16, 31})
      for (int offset : {0, 1, 2, 5, -1, -3, 32, -32}) {
        uint32_t found = ~0u;
        int count = std::abs(offset) - 1, step = offset > 0 ? 1 : -1;
        if (offset == 0)
          found = word >> base & 1 ? static_cast<uint32_t>(base) : ~0u;
        for (int at = base; offset && at >= 0 && at < 32; at += step)
          if ((word >> at & 1) && count-- == 0) {
            found = static_cast<uint32_t>(at);
            break;
          }
        words.push_back(word);
        bases.push_back(static_cast<uint32_t>(base));
        offsets.push_back(static_cast<uint32_t>(offset));
        want.push_back(found);
      }
  EXPECT_EQ(runLanes("fns.b32 %d, %a, %b, %c;",
                     {u32(words), u32(bases), u32(offsets)}, 32),
            want);
  V bits = {0, 1, 8, 31, 32, 33, 40};
  EXPECT_EQ(runLanes("szext.clamp.s32 %d, %a, %b;",
                     {u32({0x800000ff}), u32(bits)}, 32),
            (V{0, ~0u, ~0u, 0xff, 0x800000ff, 0x800000ff, 0x800000ff}));
  EXPECT_EQ(runLanes("szext.wrap.u32 %d, %a, %b;",
                     {u32({0x800000ff}), u32(bits)}, 32),
            (V{0, 1, 0xff, 0xff, 0, 1, 0xff}));
  V low = run("mad24.lo.s32"), high = run("mul24.hi.u32", "%d, %a, %b"),
    relu = run("max.relu.s32", "%d, %a, %b"),
    pairs = run("min.relu.s16x2", "%d, %a, %b");
  for (size_t i = 0; i < left.size(); ++i) {
    int64_t product = part(left[i], 24, 0, true) * part(right[i], 24, 0, true);
    EXPECT_EQ(low[i],
              static_cast<uint32_t>(product + static_cast<int64_t>(third[i])));
    uint64_t plain = (left[i] & 0xffffff) * (right[i] & 0xffffff);
    EXPECT_EQ(high[i], static_cast<uint32_t>(plain >> 16));
    EXPECT_EQ(static_cast<int64_t>(relu[i]),
              std::max<int64_t>({0, part(left[i], 32, 0, true),
                                 part(right[i], 32, 0, true)}));
    uint32_t both = 0;
    for (unsigned k = 0; k < 2; ++k)
      both |= static_cast<uint32_t>(
                  std::max<int64_t>(0, std::min(part(left[i], 16, k, true),
                                                part(right[i], 16, k, true))))
              << (16 * k);
    EXPECT_EQ(pairs[i], both);
  }
}

TEST(Logic, Lop3WithAPredicate) {
  // 0x80: a & b & c.
  V got =
      runLanes("setp.eq.u32 %p0, %c, 7; lop3.and.b32 %w0|%p1, %a, %b, %c, "
               "0x80, %p0; selp.u32 %w1, 1000, 0, %p1; add.u32 %d, %w0, %w1;",
               {u32({7, 7, 8}), u32({3, 0, 8}), u32({7, 7, 8})}, 32);
  EXPECT_EQ(got, (V{1003, 0, 8}));
  EXPECT_EQ(runLanes("setp.eq.u32 %p0, %c, 7; lop3.or.b32 _|%p1, %a, %b, %c, "
                     "0x80, !%p0; selp.u32 %d, 1, 0, %p1;",
                     {u32({7, 7, 8}), u32({3, 0, 8}), u32({7, 7, 8})}, 32),
            (V{1, 0, 1}));
}

TEST(SetOnHalves, OnesAndAllOnes) {
  // 1, 2, NaN in f16 and bf16; unordered tests hold with a NaN.
  for (bool brain : {false, true}) {
    uint64_t one = brain ? 0x3f80 : 0x3c00, two = 0x4000,
             nan = brain ? 0x7fc0 : 0x7e00;
    std::string type = brain ? "bf16" : "f16";
    V a = {one, two, nan, one}, b = {two, one, one, one};
    EXPECT_EQ(runLanes("set.lt." + type + "." + type + " %d, %a, %b;",
                       {u16(a), u16(b)}, 16),
              (V{one, 0, 0, 0}));
    EXPECT_EQ(
        runLanes("set.gtu.u32." + type + " %d, %a, %b;", {u16(a), u16(b)}, 32),
        (V{0, ~0u, ~0u, 0}));
    EXPECT_EQ(
        runLanes("set.nan.u16." + type + " %d, %a, %b;", {u16(a), u16(b)}, 16),
        (V{0, 0, 0xffff, 0}));
    V pairA, pairB;
    for (int i = 0; i < 4; ++i) {
      pairA.push_back(a[i] << 16 | one);
      pairB.push_back(b[i] << 16 | two);
    }
    EXPECT_EQ(runLanes("set.lt." + type + "x2." + type + "x2 %d, %a, %b;",
                       {u32(pairA), u32(pairB)}, 32),
              (V{one << 16 | one, one, one, one}));
    EXPECT_EQ(runLanes("set.ge.u32." + type + "x2 %d, %a, %b;",
                       {u32(pairA), u32(pairB)}, 32),
              (V{0, 0xffff0000, 0, 0xffff0000}));
    EXPECT_EQ(
        runLanes("setp.lt." + type +
                     "x2 %p0|%p1, %a, %b; selp.u32 %w0, 1, "
                     "0, %p0; selp.u32 %w1, 2, 0, %p1; add.u32 %d, %w0, %w1;",
                 {u32(pairA), u32(pairB)}, 32),
        (V{3, 1, 1, 1}));
  }
}

} // namespace
