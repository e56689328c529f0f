// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// mma.sync of fp8, integers and f64, wmma, movmatrix: against whole-number
// arithmetic, with fragments laid out as the ISA document draws them.
#include "test/emulator/PtxRunner.h"

#include <random>

using namespace llrt;
using namespace llrt::test;

namespace {

/// One warp: `body` with %l (lane), %pa .. %pd (addresses of four buffers).
std::string runWarp(const std::string &body,
                    std::vector<std::vector<uint8_t>> in,
                    std::vector<uint8_t> &out) {
  std::string text =
      header +
      ".visible .entry k(.param .u64 a, .param .u64 b, .param .u64 c, "
      ".param .u64 d) {\n.reg .b32 %l, %r<64>; .reg .b64 %pa, %pb, "
      "%pc, %pd, %x<16>, %d<32>; .reg .pred %p<2>;\nmov.u32 %l, "
      "%laneid; ld.param.u64 %pa, [a]; ld.param.u64 %pb, [b]; "
      "ld.param.u64 %pc, [c]; ld.param.u64 %pd, [d];\n" +
      body + "\nret;\n}\n";
  Emulated emulated;
  std::string message = emulated.load(text);
  if (!message.empty())
    return message;
  DeviceAddress to = emulated.upload(out, "out");
  message = emulated.launch("k", {1, 1, 1}, {32, 1, 1},
                            {emulated.upload(in[0]), emulated.upload(in[1]),
                             emulated.upload(in[2]), to});
  out = emulated.download<uint8_t>(to, out.size());
  return message;
}

struct Type {
  std::string name;
  unsigned bits;
};

/// A value's bits; for fp8 whole numbers up to 7.
uint64_t encode(const std::string &type, int64_t value) {
  if (type == "f64")
    return bitsOf(static_cast<double>(value));
  if (type == "f32")
    return bitsOf(static_cast<float>(value));
  if (type == "f16") {
    _Float16 half = static_cast<_Float16>(value);
    uint16_t bits;
    std::memcpy(&bits, &half, 2);
    return bits;
  }
  if (type == "bf16" || type == "tf32")
    return type == "tf32" ? bitsOf(static_cast<float>(value))
                          : bitsOf(static_cast<float>(value)) >> 16;
  if (type != "e4m3" && type != "e5m2")
    return static_cast<uint64_t>(value);
  if (!value)
    return 0;
  uint64_t size = static_cast<uint64_t>(value < 0 ? -value : value);
  unsigned exponent = size >= 4 ? 2 : size >= 2 ? 1 : 0;
  uint64_t fraction = size << (2 - exponent) & 3;
  return static_cast<uint64_t>(value < 0) << 7 |
         (type == "e4m3" ? (exponent + 7) << 3 | fraction << 1
                         : (exponent + 15) << 2 | fraction);
}

int64_t pick(const std::string &type, std::mt19937 &random) {
  if (type == "s8")
    return static_cast<int64_t>(random() % 256) - 128;
  if (type == "u8")
    return static_cast<int64_t>(random() % 256);
  if (type == "s4")
    return static_cast<int64_t>(random() % 16) - 8;
  if (type == "u4")
    return static_cast<int64_t>(random() % 16);
  if (type == "b1")
    return static_cast<int64_t>(random() % 2);
  return static_cast<int64_t>(random() % 9) - 4;
}

void setBits(std::vector<uint8_t> &to, size_t bit, unsigned bits,
             uint64_t value) {
  for (unsigned i = 0; i < bits; ++i) {
    uint8_t &byte = to[(bit + i) / 8];
    uint8_t one = static_cast<uint8_t>(1u << ((bit + i) % 8));
    byte = static_cast<uint8_t>(value >> i & 1 ? byte | one : byte & ~one);
  }
}

struct Product {
  unsigned m, k;
  Type a, b;
  std::string sum;
  std::string modifier = "", suffix = "";
  int64_t start = 0; ///< added to C: near the ends for .satfinite
};

std::string checkMma(const Product &p) {
  unsigned sumBits = p.sum == "f64" ? 64 : p.sum == "f16" ? 16 : 32;
  unsigned perA = p.a.bits >= 32 ? 1 : 32 / p.a.bits;
  unsigned wordA = p.a.bits == 64 ? 64 : 32, wordC = sumBits == 64 ? 64 : 32;
  unsigned registersA = p.m * p.k / 32 / perA, registersB = 8 * p.k / 32 / perA,
           registersC = p.m * 8 * sumBits / 32 / wordC;
  std::mt19937 random(p.m * 1000 + p.k);
  std::vector<int64_t> a(p.m * p.k), b(8 * p.k), c(p.m * 8), expected(p.m * 8);
  for (int64_t &each : a)
    each = pick(p.a.name, random);
  for (int64_t &each : b)
    each = pick(p.b.name, random);
  for (int64_t &each : c)
    each = static_cast<int64_t>(random() % 100) - 50 + p.start;
  for (unsigned i = 0; i < p.m; ++i)
    for (unsigned j = 0; j < 8; ++j) {
      int64_t total = c[i * 8 + j];
      for (unsigned k = 0; k < p.k; ++k) {
        int64_t left = a[i * p.k + k], right = b[j * p.k + k];
        total += p.suffix == ".xor.popc" ? left ^ right : left * right;
      }
      if (p.modifier == ".satfinite")
        total =
            std::min<int64_t>(std::max<int64_t>(total, INT32_MIN), INT32_MAX);
      expected[i * 8 + j] = total;
    }
  // Lane l: row l/4 (and 8 more), columns (l%4) * perA and on along k.
  std::vector<uint8_t> imageA(32 * registersA * wordA / 8),
      imageB(32 * registersB * wordA / 8), imageC(32 * registersC * wordC / 8),
      want(imageC.size());
  auto placeA = [&](std::vector<uint8_t> &to, unsigned registers, unsigned row,
                    unsigned k, unsigned half, uint64_t value,
                    unsigned halves) {
    unsigned group = k / (4 * perA), lane = row % 8 * 4 + k % (4 * perA) / perA;
    size_t at = size_t(lane) * registers + group * halves + half;
    setBits(to, at * wordA + k % perA * p.a.bits, p.a.bits, value);
  };
  unsigned halves = p.m / 8;
  for (unsigned i = 0; i < p.m; ++i)
    for (unsigned k = 0; k < p.k; ++k)
      placeA(imageA, registersA, i, k, i / 8, encode(p.a.name, a[i * p.k + k]),
             halves);
  for (unsigned j = 0; j < 8; ++j)
    for (unsigned k = 0; k < p.k; ++k)
      placeA(imageB, registersB, j, k, 0, encode(p.b.name, b[j * p.k + k]), 1);
  for (unsigned i = 0; i < p.m; ++i)
    for (unsigned j = 0; j < 8; ++j) {
      unsigned lane = i % 8 * 4 + j / 2, slot = i / 8 * 2 + j % 2;
      size_t bit = size_t(lane) * registersC * wordC + slot * sumBits;
      setBits(imageC, bit, sumBits, encode(p.sum, c[i * 8 + j]));
      setBits(want, bit, sumBits, encode(p.sum, expected[i * 8 + j]));
    }
  unsigned next[2] = {0, 0};
  std::string body, lists[3];
  unsigned counts[3] = {registersA, registersB, registersC};
  for (unsigned m = 0; m < 3; ++m) {
    bool wide = (m == 2 ? wordC : wordA) == 64;
    std::string base = std::string("%p") + static_cast<char>('a' + m);
    std::string bytes = wide ? "8" : "4";
    body += "mul.wide.u32 %x0, %l, " +
            std::to_string(counts[m] * (wide ? 8 : 4)) + "; add.u64 " + base +
            ", " + base + ", %x0;\n";
    for (unsigned i = 0; i < counts[m]; ++i) {
      std::string reg = (wide ? "%d" : "%r") + std::to_string(next[wide]++);
      body += std::string("ld.global.") + (wide ? "b64 " : "b32 ") + reg +
              ", [" + base + "+" + std::to_string(i * (wide ? 8 : 4)) + "];\n";
      lists[m] += (i ? ", " : "") + reg;
    }
  }
  body += "mma.sync.aligned.m" + std::to_string(p.m) + "n8k" +
          std::to_string(p.k) + ".row.col" + p.modifier + "." + p.sum + "." +
          p.a.name + "." + p.b.name + "." + p.sum + p.suffix + " {" + lists[2] +
          "}, {" + lists[0] + "}, {" + lists[1] + "}, {" + lists[2] +
          "};\nmul.wide.u32 %x0, %l, " +
          std::to_string(registersC * wordC / 8) + "; add.u64 %pd, %pd, %x0;\n";
  for (unsigned i = 0, at = 0; i < registersC; ++i) {
    size_t comma = std::min(lists[2].find(", ", at), lists[2].size());
    body += std::string("st.global.") + (wordC == 64 ? "b64" : "b32") +
            " [%pd+" + std::to_string(i * wordC / 8) + "], " +
            lists[2].substr(at, comma - at) + ";\n";
    at = static_cast<unsigned>(comma) + 2;
  }
  std::vector<uint8_t> out(imageC.size());
  std::string message = runWarp(body, {imageA, imageB, imageC}, out);
  return !message.empty() ? message : out == want ? "" : "other values";
}

TEST(TensorForms, Fp8) {
  for (std::string a : {"e4m3", "e5m2"})
    for (std::string b : {"e4m3", "e5m2"})
      for (std::string sum : {"f32", "f16"})
        for (unsigned k : {16u, 32u})
          EXPECT_EQ(checkMma({16, k, {a, 8}, {b, 8}, sum}), "")
              << a << b << sum << k;
}

TEST(TensorForms, Integers) {
  for (std::string saturate : {"", ".satfinite"})
    for (int64_t start :
         {int64_t(0), int64_t(INT32_MAX) - 60, int64_t(INT32_MIN) + 60}) {
      if (start && saturate.empty())
        continue; // encode() would hide that they wrap
      for (std::string a : {"s8", "u8"})
        for (std::string b : {"s8", "u8"}) {
          EXPECT_EQ(
              checkMma({8, 16, {a, 8}, {b, 8}, "s32", saturate, "", start}),
              "");
          EXPECT_EQ(
              checkMma({16, 16, {a, 8}, {b, 8}, "s32", saturate, "", start}),
              "");
          EXPECT_EQ(
              checkMma({16, 32, {a, 8}, {b, 8}, "s32", saturate, "", start}),
              "");
        }
      for (std::string a : {"s4", "u4"}) {
        EXPECT_EQ(
            checkMma({8, 32, {a, 4}, {"s4", 4}, "s32", saturate, "", start}),
            "");
        EXPECT_EQ(
            checkMma({16, 32, {a, 4}, {"u4", 4}, "s32", saturate, "", start}),
            "");
        EXPECT_EQ(
            checkMma({16, 64, {a, 4}, {"s4", 4}, "s32", saturate, "", start}),
            "");
      }
    }
  // Without .satfinite sums wrap.
  EXPECT_EQ(checkMma({16,
                      32,
                      {"u8", 8},
                      {"u8", 8},
                      "s32",
                      "",
                      "",
                      int64_t(INT32_MAX) - 60}),
            "");
}

TEST(TensorForms, SingleBits) {
  for (std::string operation : {".xor.popc", ".and.popc"}) {
    EXPECT_EQ(checkMma({8, 128, {"b1", 1}, {"b1", 1}, "s32", "", operation}),
              "");
    EXPECT_EQ(checkMma({16, 128, {"b1", 1}, {"b1", 1}, "s32", "", operation}),
              "");
    EXPECT_EQ(checkMma({16, 256, {"b1", 1}, {"b1", 1}, "s32", "", operation}),
              "");
  }
}

TEST(TensorForms, Doubles) {
  EXPECT_EQ(checkMma({8, 4, {"f64", 64}, {"f64", 64}, "f64"}), "");
  for (unsigned k : {4u, 8u, 16u})
    EXPECT_EQ(checkMma({16, k, {"f64", 64}, {"f64", 64}, "f64"}), "") << k;
}

// The documented order: c, then k = 0, 1, ..., each step one rounding.
TEST(TensorForms, DoublesAddInTheOrderOfK) {
  std::vector<uint8_t> a(32 * 8), b(32 * 8), c(64 * 8), out(64 * 8);
  // Row 0: 2^60, 1, -2^60, 1; b all ones; c 0.5.
  const double row[4] = {0x1p60, 1, -0x1p60, 1};
  for (unsigned lane = 0; lane < 32; ++lane) {
    double left = lane < 4 ? row[lane] : 0, one = 1;
    std::memcpy(&a[lane * 8], &left, 8);
    std::memcpy(&b[lane * 8], &one, 8);
  }
  for (unsigned i = 0; i < 64; ++i) {
    double half = 0.5;
    std::memcpy(&c[i * 8], &half, 8);
  }
  EXPECT_EQ(runWarp("mul.wide.u32 %x0, %l, 8; add.u64 %pa, %pa, %x0; add.u64 "
                    "%pb, %pb, %x0; add.u64 %pc, %pc, %x0; add.u64 %pc, %pc, "
                    "%x0; add.u64 %pd, %pd, %x0; add.u64 %pd, %pd, %x0; "
                    "ld.global.f64 %d0, [%pa]; ld.global.f64 %d1, [%pb]; "
                    "ld.global.v2.f64 {%d2, %d3}, [%pc];\n"
                    "mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%d4, "
                    "%d5}, {%d0}, {%d1}, {%d2, %d3};\nst.global.v2.f64 [%pd], "
                    "{%d4, %d5};",
                    {a, b, c}, out),
            "");
  double first;
  std::memcpy(&first, out.data(), 8);
  // 0.5 + 2^60 loses the half, + 1 loses the one, - 2^60 gives 0, + 1.
  EXPECT_EQ(first, 1.0);
}

// --- wmma ---

struct Whole {
  unsigned m, n, k;
  Type element;
  std::string sum;
  unsigned registersA, registersB, registersC;
  bool rowA = true, rowB = false, rowC = true, shared = false;
  std::string suffix = "";
};

std::string checkWmma(const Whole &w) {
  unsigned bits = w.element.bits;
  unsigned sumBits = w.sum == "f64" ? 64 : w.sum == "f16" ? 16 : 32;
  std::mt19937 random(w.m + w.n + w.k + bits);
  std::vector<int64_t> a(w.m * w.k), b(w.k * w.n), c(w.m * w.n);
  for (auto *each : {&a, &b})
    for (int64_t &value : *each)
      value = pick(w.element.name, random);
  for (int64_t &value : c)
    value = static_cast<int64_t>(random() % 100) - 50;
  // Memory with a leading dimension wider than the matrix.
  auto image = [&](const std::vector<int64_t> &values, unsigned rows,
                   unsigned columns, bool rowMajor, const std::string &type,
                   unsigned width, unsigned extra) {
    unsigned lead = (rowMajor ? columns : rows) + extra;
    std::vector<uint8_t> bytes(
        (size_t(lead) * (rowMajor ? rows : columns) * width + 7) / 8 + 16,
        0xee);
    for (unsigned i = 0; i < rows; ++i)
      for (unsigned j = 0; j < columns; ++j)
        setBits(bytes, size_t(rowMajor ? i * lead + j : j * lead + i) * width,
                width, encode(type, values[i * columns + j]));
    return bytes;
  };
  unsigned pad = 128 / bits, padC = 128 / sumBits;
  std::vector<int64_t> total(w.m * w.n);
  for (unsigned i = 0; i < w.m; ++i)
    for (unsigned j = 0; j < w.n; ++j) {
      int64_t sum = c[i * w.n + j];
      for (unsigned k = 0; k < w.k; ++k) {
        int64_t left = a[i * w.k + k], right = b[k * w.n + j];
        sum += w.element.name == "b1" ? left ^ right : left * right;
      }
      total[i * w.n + j] = sum;
    }
  std::vector<uint8_t> want =
      image(total, w.m, w.n, w.rowC, w.sum, sumBits, padC);
  std::vector<uint8_t> out(want.size(), 0xee);
  auto list = [](const std::string &reg, unsigned first, unsigned count) {
    std::string text = "{";
    for (unsigned i = 0; i < count; ++i)
      text += (i ? ", " : "") + reg + std::to_string(first + i);
    return text + "}";
  };
  std::string wide = bits == 64 ? "%d" : "%r";
  std::string A = list(wide, 0, w.registersA), B = list(wide, 8, w.registersB),
              C = list(wide, 16, w.registersC);
  std::string shape = "m" + std::to_string(w.m) + "n" + std::to_string(w.n) +
                      "k" + std::to_string(w.k);
  auto order = [](bool row) { return row ? std::string(".row.") : ".col."; };
  auto lead = [&](bool row, unsigned rows, unsigned columns, unsigned extra) {
    return std::to_string((row ? columns : rows) + extra);
  };
  bool half = w.element.name == "f16";
  std::string types =
      half ? w.sum + "." + w.sum
           : w.sum + "." + w.element.name + "." + w.element.name + "." + w.sum;
  std::string body =
      "wmma.load.a.sync.aligned" + order(w.rowA) + shape + ".global." +
      w.element.name + " " + A + ", [%pa], " + lead(w.rowA, w.m, w.k, pad) +
      ";\nwmma.load.b.sync.aligned" + order(w.rowB) + shape + "." +
      w.element.name + " " + B + ", [%pb], " + lead(w.rowB, w.k, w.n, pad) +
      ";\nwmma.load.c.sync.aligned" + order(w.rowC) + shape + ".global." +
      w.sum + " " + C + ", [%pc], " + lead(w.rowC, w.m, w.n, padC) +
      ";\nwmma.mma" + w.suffix + ".sync.aligned" + order(w.rowA) +
      (w.rowB ? "row." : "col.") + shape + "." + types + " " + C + ", " + A +
      ", " + B + ", " + C + ";\nwmma.store.d.sync.aligned" + order(w.rowC) +
      shape + ".global." + w.sum + " [%pd], " + C + ", " +
      lead(w.rowC, w.m, w.n, padC) + ";";
  std::string message =
      runWarp(body,
              {image(a, w.m, w.k, w.rowA, w.element.name, bits, pad),
               image(b, w.k, w.n, w.rowB, w.element.name, bits, pad),
               image(c, w.m, w.n, w.rowC, w.sum, sumBits, padC)},
              out);
  return !message.empty() ? message : out == want ? "" : "other values";
}

TEST(Wmma, EveryShapeTypeAndLayout) {
  for (bool rowA : {false, true})
    for (bool rowB : {false, true})
      for (bool rowC : {false, true}) {
        auto check = [&](Whole w) {
          w.rowA = rowA;
          w.rowB = rowB;
          w.rowC = rowC;
          EXPECT_EQ(checkWmma(w), "")
              << w.m << "x" << w.n << "x" << w.k << " " << w.element.name;
        };
        for (auto [m, n] :
             {std::pair(16u, 16u), std::pair(32u, 8u), std::pair(8u, 32u)}) {
          check({m, n, 16, {"f16", 16}, "f32", 8, 8, 8});
          check({m, n, 16, {"f16", 16}, "f16", 8, 8, 4});
          check({m, n, 16, {"bf16", 16}, "f32", m / 4, n / 4, 8});
          check({m, n, 16, {"s8", 8}, "s32", m / 8, n / 8, 8});
          check({m, n, 16, {"u8", 8}, "s32", m / 8, n / 8, 8});
        }
        check({16, 16, 8, {"tf32", 32}, "f32", 4, 4, 8});
        check({8, 8, 4, {"f64", 64}, "f64", 1, 1, 2});
      }
  for (bool rowC : {false, true}) {
    Whole nibbles{8, 8, 32, {"s4", 4}, "s32", 1, 1, 2};
    nibbles.rowC = rowC;
    EXPECT_EQ(checkWmma(nibbles), "");
    Whole bits{8, 8, 128, {"b1", 1}, "s32", 1, 1, 2};
    bits.rowC = rowC;
    bits.suffix = ".xor.popc";
    EXPECT_EQ(checkWmma(bits), "");
  }
}

TEST(Wmma, OutOfBoundsIsAFault) {
  std::vector<uint8_t> small(256), out(16);
  std::string message =
      runWarp("wmma.load.a.sync.aligned.row.m16n16k16.global.f16 {%r0, %r1, "
              "%r2, %r3, %r4, %r5, %r6, %r7}, [%pa], 16;",
              {small, small, small}, out);
  EXPECT_NE(message.find("past the end"), std::string::npos) << message;
}

TEST(TensorForms, MovmatrixTransposes) {
  std::vector<uint8_t> in(128), out(128);
  for (unsigned i = 0; i < 64; ++i)
    setBits(in, i * 16, 16, i);
  EXPECT_EQ(runWarp("mul.wide.u32 %x0, %l, 4; add.u64 %pa, %pa, %x0; add.u64 "
                    "%pd, %pd, %x0; ld.global.b32 %r0, [%pa]; "
                    "movmatrix.sync.aligned.m8n8.trans.b16 %r1, %r0; "
                    "st.global.b32 [%pd], %r1;",
                    {in, in, in}, out),
            "");
  for (unsigned row = 0; row < 8; ++row)
    for (unsigned column = 0; column < 8; ++column)
      EXPECT_EQ(out[(row * 8 + column) * 2], column * 8 + row);
}

} // namespace
