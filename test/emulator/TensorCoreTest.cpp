// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// mma.sync, ldmatrix and stmatrix against the layouts of the PTX ISA, written
// here a second time, element by element.
#include "test/emulator/PtxRunner.h"

#include <cmath>
#include <limits>
#include <random>

using namespace llrt;
using namespace llrt::test;

namespace {

enum class Format { Brain, Half, Tf32 };

float valueOf(Format format, uint32_t bits) {
  if (format == Format::Brain)
    return floatOf(bits << 16);
  if (format == Format::Tf32)
    return floatOf(bits & 0xffffe000u);
  _Float16 half;
  std::memcpy(&half, &bits, 2);
  return static_cast<float>(half);
}

struct Shape {
  const char *name;
  Format format;
  const char *type;
  unsigned k;
  bool halfSums; ///< C and D in f16
};

/// A mma of one warp: registers [register][lane], as in the kernel.
struct Mma {
  Shape shape;
  unsigned perWord, aRegisters, bRegisters, sumRegisters;

  explicit Mma(Shape shape)
      : shape(shape), perWord(shape.format == Format::Tf32 ? 1 : 2),
        aRegisters(16 * shape.k / 32 / perWord),
        bRegisters(8 * shape.k / 32 / perWord),
        sumRegisters(shape.halfSums ? 2 : 4) {}

  // The word and the half of it that hold an element.
  uint32_t element(const std::vector<uint32_t> &words, unsigned reg,
                   unsigned lane, unsigned half) const {
    uint32_t word = words[reg * 32 + lane];
    return perWord == 1 ? word : word >> (16 * half) & 0xffff;
  }
  float a(const std::vector<uint32_t> &words, unsigned row, unsigned k) const {
    unsigned group = 4 * perWord; // k of one register
    unsigned reg = (row >= 8 ? 1 : 0) + (k / group) * 2;
    return valueOf(
        shape.format,
        element(words, reg, row % 8 * 4 + k % group / perWord, k % perWord));
  }
  float b(const std::vector<uint32_t> &words, unsigned k,
          unsigned column) const {
    unsigned group = 4 * perWord;
    return valueOf(shape.format,
                   element(words, k / group, column * 4 + k % group / perWord,
                           k % perWord));
  }
  float sum(const std::vector<uint32_t> &words, unsigned row,
            unsigned column) const {
    unsigned lane = row % 8 * 4 + column / 2, high = row >= 8;
    if (shape.halfSums)
      return valueOf(Format::Half,
                     words[high * 32 + lane] >> (16 * (column % 2)) & 0xffff);
    return floatOf(words[(high * 2 + column % 2) * 32 + lane]);
  }

  /// `overwrite`: D in C's registers.
  std::string text(bool overwrite = false,
                   const std::string &guard = "") const {
    std::string t =
        header +
        ".visible .entry k(.param .u64 a, .param .u64 b, .param .u64 c, .param "
        ".u64 d) {\n"
        ".reg .b32 %a<4>, %b<2>, %c<4>, %d<4>, %t; .reg .b64 %x, %i; .reg "
        ".pred %p;\n"
        "mov.u32 %t, %tid.x; setp.lt.u32 %p, %t, 16; mul.wide.u32 %i, %t, 4;\n";
    auto each = [&](const char *array, const char *reg, unsigned count,
                    bool store) {
      t += std::string("ld.param.u64 %x, [") + array +
           "]; add.u64 %x, %x, %i;\n";
      for (unsigned r = 0; r < count; ++r) {
        std::string value = "%" + std::string(reg) + std::to_string(r),
                    at = "[%x+" + std::to_string(r * 128) + "]";
        t += store ? "st.global.b32 " + at + ", " + value + ";\n"
                   : "ld.global.b32 " + value + ", " + at + ";\n";
      }
    };
    auto list = [](const char *reg, unsigned count) {
      std::string s = "{";
      for (unsigned r = 0; r < count; ++r)
        s += (r ? ", %" : "%") + std::string(reg) + std::to_string(r);
      return s + "}";
    };
    each("a", "a", aRegisters, false);
    each("b", "b", bRegisters, false);
    each("c", "c", sumRegisters, false);
    const char *sums = shape.halfSums ? "f16" : "f32",
               *to = overwrite ? "c" : "d";
    t += guard + "mma.sync.aligned." + shape.name + ".row.col." + sums + "." +
         shape.type + "." + shape.type + "." + sums + " " +
         list(to, sumRegisters) + ", " + list("a", aRegisters) + ", " +
         list("b", bRegisters) + ", " + list("c", sumRegisters) + ";\n";
    each("d", to, sumRegisters, true);
    return t + "ret;\n}\n";
  }

  std::vector<uint32_t> run(const std::vector<uint32_t> &a,
                            const std::vector<uint32_t> &b,
                            const std::vector<uint32_t> &c,
                            bool overwrite = false) const {
    Emulated emulated;
    EXPECT_EQ(emulated.load(text(overwrite)), "");
    DeviceAddress out =
        emulated.upload(std::vector<uint32_t>(32 * sumRegisters, 0xdeadbeef));
    EXPECT_EQ(emulated.launch("k", {1, 1, 1}, {32, 1, 1},
                              {emulated.upload(a), emulated.upload(b),
                               emulated.upload(c), out}),
              "");
    return emulated.download<uint32_t>(out, 32 * sumRegisters);
  }

  /// The documented order: ascending k, each step one rounding.
  void check(const std::vector<uint32_t> &aWords,
             const std::vector<uint32_t> &bWords,
             const std::vector<uint32_t> &cWords,
             bool overwrite = false) const {
    std::vector<uint32_t> d = run(aWords, bWords, cWords, overwrite);
    for (unsigned row = 0; row < 16; ++row)
      for (unsigned column = 0; column < 8; ++column) {
        float expected = sum(cWords, row, column);
        for (unsigned k = 0; k < shape.k; ++k)
          expected =
              std::fmaf(a(aWords, row, k), b(bWords, k, column), expected);
        if (shape.halfSums)
          expected = static_cast<float>(static_cast<_Float16>(expected));
        float got = sum(d, row, column);
        if (std::isnan(expected))
          ASSERT_TRUE(std::isnan(got))
              << shape.type << ' ' << row << ' ' << column;
        else
          ASSERT_EQ(bitsOf(got), bitsOf(expected))
              << shape.type << ' ' << row << ' ' << column;
      }
  }
};

const Shape shapes[] = {{"m16n8k16", Format::Brain, "bf16", 16, false},
                        {"m16n8k8", Format::Brain, "bf16", 8, false},
                        {"m16n8k16", Format::Half, "f16", 16, false},
                        {"m16n8k8", Format::Half, "f16", 8, false},
                        {"m16n8k8", Format::Tf32, "tf32", 8, false},
                        {"m16n8k4", Format::Tf32, "tf32", 4, false},
                        {"m16n8k16", Format::Half, "f16", 16, true},
                        {"m16n8k8", Format::Half, "f16", 8, true}};

/// Words whose elements are finite and between 2^-8 and 2^8 in size.
std::vector<uint32_t> ordinary(std::mt19937 &random, Format format,
                               unsigned registers) {
  auto one = [&]() -> uint32_t {
    float value = std::ldexp(1 + (random() & 0xffff) / 65536.0f,
                             static_cast<int>(random() % 16) - 8);
    uint32_t bits = bitsOf(random() & 1 ? value : -value);
    if (format == Format::Brain)
      return bits >> 16;
    if (format == Format::Tf32)
      return bits; // the 13 low bits must not matter
    _Float16 half = static_cast<_Float16>(floatOf(bits));
    uint16_t word;
    std::memcpy(&word, &half, 2);
    return word;
  };
  std::vector<uint32_t> words(registers * 32);
  for (uint32_t &word : words)
    word = format == Format::Tf32 ? one() : one() | one() << 16;
  return words;
}

std::vector<uint32_t> ordinarySums(std::mt19937 &random, const Mma &mma) {
  if (mma.shape.halfSums)
    return ordinary(random, Format::Half, 2);
  std::vector<uint32_t> words(128);
  for (uint32_t &word : words)
    word = bitsOf(
        std::ldexp(static_cast<float>(static_cast<int32_t>(random())), -24));
  return words;
}

TEST(TensorCore, EveryShapeAndType) {
  std::mt19937 random(1);
  for (const Shape &shape : shapes) {
    Mma mma(shape);
    std::vector<uint32_t> a = ordinary(random, shape.format, mma.aRegisters),
                          b = ordinary(random, shape.format, mma.bRegisters),
                          c = ordinarySums(random, mma);
    mma.check(a, b, c);
    mma.check(a, b, c, /*overwrite=*/true);
  }
}

TEST(TensorCore, AnyBits) {
  // Denormals, infinities and NaN of every operand.
  std::mt19937 random(2);
  for (const Shape &shape : shapes)
    for (unsigned round = 0; round < 4; ++round) {
      Mma mma(shape);
      auto words = [&](unsigned registers) {
        std::vector<uint32_t> result(registers * 32);
        for (uint32_t &word : result)
          word = random();
        return result;
      };
      mma.check(words(mma.aRegisters), words(mma.bRegisters),
                words(mma.sumRegisters));
    }
}

TEST(TensorCore, SmallAndLargeValues) {
  Mma mma(shapes[0]);
  auto all = [](unsigned registers, uint32_t word) {
    return std::vector<uint32_t>(registers * 32, word);
  };
  // 16 products of two bf16 denormals vanish; of one denormal with 2^126 they
  // do not.
  EXPECT_EQ(
      mma.sum(mma.run(all(4, 0x00010001), all(2, 0x00010001), all(4, 0)), 0, 0),
      0.0f);
  EXPECT_EQ(
      mma.sum(mma.run(all(4, 0x00010001), all(2, 0x7e807e80), all(4, 0)), 3, 5),
      16 * std::ldexp(1.0f, -133 + 126));
  // 2^127 * 2 is past the largest float; infinity less infinity is no number.
  EXPECT_EQ(mma.sum(mma.run(all(4, 0x7f007f00), all(2, 0x40004000), all(4, 0)),
                    15, 7),
            INFINITY);
  EXPECT_TRUE(std::isnan(mma.sum(mma.run(all(4, 0x7f807f80), all(2, 0x3f803f80),
                                         all(4, bitsOf(-INFINITY))),
                                 8, 1)));
  EXPECT_TRUE(std::isnan(
      mma.sum(mma.run(all(4, 0x7f807f80), all(2, 0), all(4, 0)), 8, 1)));
}

TEST(TensorCore, NeedsTheWholeWarp) {
  Mma mma(shapes[0]);
  Emulated emulated;
  ASSERT_EQ(emulated.load(mma.text(false, "@!%p exit;\n")), "");
  DeviceAddress words = emulated.upload(std::vector<uint32_t>(128, 0));
  std::string message =
      emulated.launch("k", {1, 1, 1}, {32, 1, 1}, {words, words, words, words});
  EXPECT_NE(message.find("whole warps"), std::string::npos) << message;
}

/// Loads `count` matrices whose rows lie at `offsets` of a shared array that
/// holds 0, 1, 2, ... in 16 bits; [matrix][lane].
std::vector<uint32_t> loadMatrices(unsigned count, bool transposed,
                                   const std::vector<uint32_t> &offsets,
                                   bool wideAddress,
                                   std::string *message = nullptr) {
  std::string registers;
  for (unsigned m = 0; m < count; ++m)
    registers += (m ? ", %r" : "%r") + std::to_string(m);
  std::string text =
      header +
      ".visible .entry k(.param .u64 at, .param .u64 out) {\n"
      ".reg .b32 %r<4>, %t, %o, %v, %s; .reg .b64 %x, %i, %l; .reg .pred %p;\n"
      ".shared .align 16 .b8 data[2048];\n"
      "mov.u32 %t, %tid.x; mul.wide.u32 %i, %t, 4; mov.u32 %s, data;\n"
      "mov.u32 %o, 0;\n"
      "fill: mad.lo.u32 %v, %o, 32, %t; shl.b32 %r0, %v, 2; add.u32 %r0, %r0, "
      "%s;\n"
      "shl.b32 %v, %v, 1; add.u32 %r1, %v, 1; shl.b32 %r1, %r1, 16; or.b32 %v, "
      "%v, %r1;\n"
      "st.shared.u32 [%r0], %v; add.u32 %o, %o, 1; setp.lt.u32 %p, %o, 16; @%p "
      "bra fill;\n"
      "bar.sync 0;\n"
      "ld.param.u64 %x, [at]; add.u64 %x, %x, %i; ld.global.u32 %o, [%x];\n"
      "add.u32 %o, %o, %s; cvt.u64.u32 %l, %o;\n"
      "ldmatrix.sync.aligned.m8n8.x" +
      std::to_string(count) + (transposed ? ".trans" : "") + ".shared.b16 {" +
      registers + "}, [" + (wideAddress ? "%l" : "%o") +
      "];\nld.param.u64 %x, [out]; add.u64 %x, %x, %i;\n";
  for (unsigned m = 0; m < count; ++m)
    text += "st.global.u32 [%x+" + std::to_string(m * 128) + "], %r" +
            std::to_string(m) + ";\n";
  text += "ret;\n}\n";
  Emulated emulated;
  EXPECT_EQ(emulated.load(text), "");
  DeviceAddress out = emulated.upload(std::vector<uint32_t>(128, 0));
  std::string error = emulated.launch("k", {1, 1, 1}, {32, 1, 1},
                                      {emulated.upload(offsets), out});
  if (message)
    *message = error;
  else
    EXPECT_EQ(error, "");
  return emulated.download<uint32_t>(out, 32 * count);
}

TEST(TensorCore, LoadMatrix) {
  std::mt19937 random(3);
  std::vector<uint32_t> offsets(32);
  for (uint32_t &offset : offsets)
    offset = random() % 128 * 16;
  for (unsigned count : {1u, 2u, 4u})
    for (bool transposed : {false, true}) {
      // Lanes that name no row may hold anything.
      std::vector<uint32_t> given = offsets;
      for (unsigned lane = 8 * count; lane < 32; ++lane)
        given[lane] = 0x7ffffff1;
      std::vector<uint32_t> got =
          loadMatrices(count, transposed, given, transposed);
      for (unsigned m = 0; m < count; ++m)
        for (unsigned lane = 0; lane < 32; ++lane)
          for (unsigned half = 0; half < 2; ++half) {
            unsigned row = lane / 4, column = lane % 4 * 2 + half;
            if (transposed)
              std::swap(row, column);
            EXPECT_EQ(got[m * 32 + lane] >> (16 * half) & 0xffff,
                      offsets[m * 8 + row] / 2 + column)
                << "x" << count << " matrix " << m << " lane " << lane;
          }
    }
}

TEST(TensorCore, LoadMatrixFaults) {
  std::vector<uint32_t> offsets(32, 0);
  std::string message;
  offsets[5] = 8;
  loadMatrices(1, false, offsets, false, &message);
  EXPECT_NE(message.find("misaligned"), std::string::npos) << message;
  offsets[5] = 2048;
  loadMatrices(1, false, offsets, false, &message);
  EXPECT_NE(message, "");
}

TEST(TensorCore, StoreMatrixUndoesLoadMatrix) {
  for (bool transposed : {false, true}) {
    std::string trans = transposed ? ".trans" : "";
    std::string text =
        header +
        ".visible .entry k(.param .u64 in, .param .u64 out) {\n"
        ".reg .b32 %r<4>, %t, %o, %s, %w; .reg .b64 %x, %i;\n"
        ".shared .align 16 .b8 first[512]; .shared .align 16 .b8 second[512];\n"
        "mov.u32 %t, %tid.x; mul.wide.u32 %i, %t, 16; mov.u32 %s, first; "
        "mov.u32 %w, second;\n"
        "shl.b32 %o, %t, 4; add.u32 %s, %s, %o; add.u32 %w, %w, %o;\n"
        "ld.param.u64 %x, [in]; add.u64 %x, %x, %i; ld.global.v4.u32 {%r0, "
        "%r1, %r2, %r3}, [%x];\n"
        "st.shared.v4.u32 [%s], {%r0, %r1, %r2, %r3}; bar.sync 0;\n"
        "ldmatrix.sync.aligned.m8n8.x4" +
        trans +
        ".shared.b16 {%r0, %r1, %r2, %r3}, [%s];\n"
        "stmatrix.sync.aligned.m8n8.x4" +
        trans +
        ".shared.b16 [%w], {%r0, %r1, %r2, %r3};\n"
        "bar.sync 0; ld.shared.v4.u32 {%r0, %r1, %r2, %r3}, [%w];\n"
        "ld.param.u64 %x, [out]; add.u64 %x, %x, %i; st.global.v4.u32 [%x], "
        "{%r0, %r1, %r2, %r3};\n"
        "ret;\n}\n";
    std::vector<uint32_t> data(128);
    std::mt19937 random(4);
    for (uint32_t &word : data)
      word = random();
    Emulated emulated;
    ASSERT_EQ(emulated.load(text), "");
    DeviceAddress out = emulated.buffer(512);
    ASSERT_EQ(emulated.launch("k", {1, 1, 1}, {32, 1, 1},
                              {emulated.upload(data), out}),
              "");
    EXPECT_EQ(emulated.download<uint32_t>(out, 128), data);
  }
}

TEST(TensorCore, UnknownFormsAreNamed) {
  for (const char *form :
       {"mma.sync.aligned.m8n8k4.row.col.f32.f16.f16.f32 {%r0}, {%r0}, {%r0}, "
        "{%r0};",
        "mma.sync.aligned.m16n8k16.col.col.f32.bf16.bf16.f32 {%r0}, {%r0}, "
        "{%r0}, {%r0};",
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.f16.f32 {%r0}, {%r0}, "
        "{%r0}, {%r0};",
        "ldmatrix.sync.aligned.m8n16.x1.shared.b8 {%r0}, [0];"}) {
    Emulated emulated;
    std::string message =
        emulated.load(header + ".visible .entry k() {\n.reg .b32 %r<4>;\n" +
                      form + "\nret;\n}\n");
    EXPECT_NE(message.find(":6"), std::string::npos) << form << "\n" << message;
  }
}

} // namespace
