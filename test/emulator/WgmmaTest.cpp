// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// wgmma against integer arithmetic: every layout of the descriptors, every
// type. Elements are small whole numbers, so that sums are exact in any order.
#include "test/emulator/PtxRunner.h"

#include <random>

using namespace llrt;
using namespace llrt::test;

namespace {

struct Case {
  std::string element, sum;
  unsigned n;
  unsigned widthA = 128, widthB = 128; ///< of the swizzle; 0: none
  bool registersA = false, transA = false, transB = false;
  bool negateA = false, negateB = false, accumulate = true;
  unsigned step = 0; ///< which 32 bytes of a swizzled row
  std::string elementB = "", modifier = "", suffix = "";
};

unsigned bitsOfElement(const std::string &element) {
  return element == "tf32"                       ? 32
         : element == "bf16" || element == "f16" ? 16
         : element == "b1"                       ? 1
                                                 : 8;
}

/// Bits of a whole number from -7 to 7 (integers: any) in a format, by hand.
uint32_t encode(const std::string &element, int value) {
  if (element == "s8" || element == "u8" || element == "b1")
    return static_cast<uint32_t>(value) & 0xff;
  if (value == 0)
    return 0;
  uint32_t sign = value < 0, size = static_cast<uint32_t>(std::abs(value));
  int exponent = size >= 4 ? 2 : size >= 2 ? 1 : 0;
  uint32_t fraction = (size << (2 - exponent)) & 3; // two bits hold it
  auto build = [&](unsigned exponentBits, unsigned fractionBits, int bias) {
    return sign << (exponentBits + fractionBits) |
           static_cast<uint32_t>(exponent + bias) << fractionBits |
           fraction << (fractionBits - 2);
  };
  return element == "e4m3"   ? build(4, 3, 7)
         : element == "e5m2" ? build(5, 2, 15)
         : element == "f16"  ? build(5, 10, 15)
         : element == "bf16" ? build(8, 7, 127)
                             : build(8, 23, 127);
}

/// Where the 16 bytes of (row, chunk) lie when K runs along the row.
unsigned placeAlongK(unsigned row, unsigned chunk, unsigned width) {
  if (width == 0) // 8 rows of 16 bytes, the second chunk's behind them
    return row / 8 * 256 + chunk * 128 + row % 8 * 16;
  // An atom is 8 rows of `width` bytes; the picture in the ISA document: 128
  // bytes: chunk ^ row, 64: chunk ^ row/2, 32: chunk ^ row/4.
  unsigned chunks = width / 16, mixed = row % 8 / (128 / width);
  return row / 8 * 8 * width + row % 8 * width +
         (chunk ^ (mixed % chunks)) * 16;
}
/// The same when eight rows' elements lie side by side in a chunk.
unsigned placeAcrossK(unsigned k, unsigned unit, unsigned width) {
  if (width == 0)
    return unit * 256 + k / 8 * 128 + k % 8 * 16;
  unsigned chunks = width / 16, mixed = k % 8 / (128 / width);
  return unit / chunks * 16 * width + k / 8 * 8 * width + k % 8 * width +
         ((unit % chunks) ^ (mixed % chunks)) * 16;
}

uint64_t descriptor(unsigned width, bool transposed) {
  uint64_t lead = width == 0 ? 128 : transposed ? 16 * width : 0;
  uint64_t stride = width == 0 ? 256 : 8 * width;
  uint64_t mode = width == 128 ? 1 : width == 64 ? 2 : width == 32 ? 3 : 0;
  return lead >> 4 << 16 | stride >> 4 << 32 | mode << 62;
}

struct Matrix {
  unsigned rows, k;
  std::vector<int> values; ///< [row][k]
  int at(unsigned row, unsigned column) const {
    return values[row * k + column];
  }
};

std::vector<uint8_t> layOut(const Matrix &matrix, const std::string &element,
                            unsigned width, bool transposed, unsigned step) {
  unsigned bits = bitsOfElement(element);
  std::vector<uint8_t> image(64 * 1024, 0xa5);
  for (unsigned row = 0; row < matrix.rows; ++row)
    for (unsigned k = 0; k < matrix.k; ++k) {
      uint32_t value = encode(element, matrix.at(row, k));
      if (bits == 1) {
        unsigned byte = k / 8;
        unsigned at = placeAlongK(row, byte / 16 + step * 2, width) + byte % 16;
        if (k % 8 == 0)
          image[at] = 0;
        image[at] |= static_cast<uint8_t>(value << (k % 8));
        continue;
      }
      unsigned bytes = bits / 8, at;
      if (transposed)
        at = placeAcrossK(k, row / 8, width) + row % 8 * bytes;
      else
        at =
            placeAlongK(row, k * bytes / 16 + step * 2, width) + k * bytes % 16;
      std::memcpy(&image[at], &value, bytes);
    }
  return image;
}

std::string check(const Case &form) {
  std::string elementB = form.elementB.empty() ? form.element : form.elementB;
  unsigned bits = bitsOfElement(form.element), k = 256 / bits, n = form.n;
  bool half = form.sum == "f16", integer = form.sum == "s32";
  unsigned registers = half ? n / 4 : n / 2;
  std::mt19937 random(form.n * 7 + bits);
  auto fill = [&](unsigned rows, const std::string &element) {
    Matrix matrix{rows, k, {}};
    for (unsigned i = 0; i < rows * k; ++i)
      matrix.values.push_back(
          element == "b1"   ? static_cast<int>(random() % 2)
          : element == "u8" ? static_cast<int>(random() % 256)
          : element == "s8" ? static_cast<int>(random() % 256) - 128
                            : static_cast<int>(random() % 9) - 4);
    return matrix;
  };
  Matrix a = fill(64, form.element), b = fill(n, elementB);

  std::string d = "{", list;
  for (unsigned i = 0; i < registers; ++i)
    d += (i ? ", %d" : "%d") + std::to_string(i);
  d += "}";
  std::string text =
      header + ".visible .entry k(.param .u64 pa, .param .u64 pb, .param .u64 "
               "pd, .param .u64 pr, .param .u32 scale) {\n.reg .b32 %d<128>, "
               "%r<8>, %a<4>; .reg .b64 %x<8>, %da, %db; .reg .pred %p<4>;\n"
               ".shared .align 1024 .b8 left[65536]; .shared .align 1024 .b8 "
               "right[65536];\n"
               "mov.u32 %r0, %tid.x; ld.param.u64 %x0, [pa]; ld.param.u64 %x1, "
               "[pb]; shl.b32 %r1, %r0, 2; mov.u32 %r2, left; mov.u32 %r3, "
               "right; cvt.u64.u32 %x2, %r1; add.u64 %x0, %x0, %x2; add.u64 "
               "%x1, %x1, %x2; add.u32 %r2, %r2, %r1; add.u32 %r3, %r3, %r1; "
               "mov.u32 %r4, 0;\n"
               "COPY: ld.global.u32 %r5, [%x0]; st.shared.u32 [%r2], %r5; "
               "ld.global.u32 %r5, [%x1]; st.shared.u32 [%r3], %r5; add.u64 "
               "%x0, %x0, 512; add.u64 %x1, %x1, 512; add.u32 %r2, %r2, 512; "
               "add.u32 %r3, %r3, 512; add.u32 %r4, %r4, 1; setp.lt.u32 %p0, "
               "%r4, 128; @%p0 bra COPY; fence.proxy.async; bar.sync 0;\n";
  auto makeDescriptor = [&](const std::string &to, const std::string &base,
                            unsigned width, bool transposed) {
    char constant[32];
    std::snprintf(
        constant, sizeof constant, "0x%llx",
        static_cast<unsigned long long>(descriptor(width, transposed)));
    text += "mov.u32 %r5, " + base + "; add.u32 %r5, %r5, " +
            std::to_string(width && !transposed ? form.step * 32 : 0) +
            "; shr.u32 %r5, %r5, 4; cvt.u64.u32 %x3, %r5; or.b64 " + to +
            ", %x3, " + constant + ";\n";
  };
  makeDescriptor("%da", "left", form.widthA, form.transA);
  makeDescriptor("%db", "right", form.widthB, form.transB);
  text += "ld.param.u64 %x4, [pd]; mul.wide.u32 %x5, %r0, " +
          std::to_string(registers * 4) + "; add.u64 %x4, %x4, %x5;\n";
  for (unsigned i = 0; i < registers; ++i)
    text += "ld.global.u32 %d" + std::to_string(i) + ", [%x4+" +
            std::to_string(i * 4) + "];\n";
  if (form.registersA) {
    text += "ld.param.u64 %x6, [pr]; shl.b32 %r1, %r0, 4; cvt.u64.u32 %x5, "
            "%r1; add.u64 %x6, %x6, %x5; ld.global.v4.u32 {%a0, %a1, %a2, "
            "%a3}, [%x6];\n";
  }
  std::string types = integer || bits == 1 ? ".s32." : "." + form.sum + ".";
  text += "ld.param.u32 %r6, [scale]; setp.ne.u32 %p1, %r6, 0;\n"
          "wgmma.fence.sync.aligned;\nwgmma.mma_async.sync.aligned.m64n" +
          std::to_string(n) + "k" + std::to_string(k) + form.modifier + types +
          form.element + "." + elementB + form.suffix + " " + d + ", " +
          (form.registersA ? "{%a0, %a1, %a2, %a3}" : "%da") + ", %db, %p1";
  if (!integer)
    text += std::string(", ") + (form.negateA ? "-1" : "1") + ", " +
            (form.negateB ? "-1" : "1");
  if (bits == 16 && !form.registersA)
    text += std::string(", ") + (form.transA ? "1" : "0");
  if (bits == 16)
    text += std::string(", ") + (form.transB ? "1" : "0");
  text += ";\nwgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned "
          "0;\n";
  for (unsigned i = 0; i < registers; ++i)
    text += "st.global.u32 [%x4+" + std::to_string(i * 4) + "], %d" +
            std::to_string(i) + ";\n";
  text += "ret;\n}\n";

  // Fragments, as the ISA document draws them: thread t of the group holds row
  // 16 * warp + t/4 (and 8 more), columns 8j + 2 * (t % 4) and the next.
  std::vector<uint32_t> sums(128 * registers), expected(128 * registers);
  std::vector<int> start(64 * n);
  for (int &each : start)
    each = static_cast<int>(random() % 31) - 15;
  auto store = [&](std::vector<uint32_t> &to, unsigned row, unsigned column,
                   int64_t value) {
    unsigned thread = row / 16 * 32 + row % 8 * 4 + column % 8 / 2;
    unsigned upper = row % 16 / 8, tile = column / 8, odd = column % 2;
    if (half) {
      // Through f32 by the host's own conversion.
      _Float16 narrow = static_cast<_Float16>(static_cast<float>(value));
      uint16_t narrowBits;
      std::memcpy(&narrowBits, &narrow, 2);
      uint32_t &word = to[thread * registers + tile * 2 + upper];
      word = odd ? (word & 0xffff) | uint32_t(narrowBits) << 16
                 : (word & 0xffff0000u) | narrowBits;
    } else {
      to[thread * registers + tile * 4 + upper * 2 + odd] =
          integer ? static_cast<uint32_t>(value)
                  : bitsOf(static_cast<float>(value));
    }
  };
  for (unsigned i = 0; i < 64; ++i)
    for (unsigned j = 0; j < n; ++j) {
      int64_t sum = 0;
      for (unsigned x = 0; x < k; ++x)
        sum += int64_t(a.at(i, x)) * b.at(j, x);
      sum = form.negateA != form.negateB ? -sum : sum;
      store(sums, i, j, start[i * n + j]);
      store(expected, i, j, sum + (form.accumulate ? start[i * n + j] : 0));
    }
  std::vector<uint32_t> fragments(128 * 4, 0);
  for (unsigned row = 0; row < 64 && form.registersA; ++row)
    for (unsigned x = 0; x < k; ++x) {
      unsigned parts = 32 / bits, group = x / (4 * parts);
      unsigned thread = row / 16 * 32 + row % 8 * 4 + x % (4 * parts) / parts;
      fragments[thread * 4 + group * 2 + row % 16 / 8] |=
          encode(form.element, a.at(row, x)) << (x % parts * (bits & 31));
    }
  EmulatedGpu gpu;
  Emulated emulated(gpu);
  std::string message = emulated.load(text);
  if (!message.empty())
    return message;
  DeviceAddress to = emulated.upload(sums, "sums");
  message =
      emulated.launch("k", {1, 1, 1}, {128, 1, 1},
                      {emulated.upload(layOut(a, form.element, form.widthA,
                                              form.transA, form.step)),
                       emulated.upload(layOut(b, elementB, form.widthB,
                                              form.transB, form.step)),
                       to, emulated.upload(fragments), form.accumulate});
  if (!message.empty())
    return message;
  std::vector<uint32_t> got = emulated.download<uint32_t>(to, sums.size());
  for (size_t i = 0; i < got.size(); ++i)
    if (got[i] != expected[i])
      return "register " + std::to_string(i % registers) + " of thread " +
             std::to_string(i / registers) + " is " + std::to_string(got[i]) +
             ", expected " + std::to_string(expected[i]);
  return "";
}

TEST(Wgmma, EverySwizzleAlongK) {
  for (unsigned width : {0u, 32u, 64u, 128u})
    for (unsigned step = 0; step < std::max(1u, width / 32); ++step) {
      Case form{"bf16", "f32", 64, width, width};
      form.step = step;
      EXPECT_EQ(check(form), "") << width << " step " << step;
    }
  Case mixed{"f16", "f32", 24, 64, 32};
  EXPECT_EQ(check(mixed), "");
}

TEST(Wgmma, EverySwizzleTransposed) {
  for (unsigned width : {0u, 32u, 64u, 128u}) {
    Case left{"bf16", "f32", 64, width, width};
    left.transA = true;
    EXPECT_EQ(check(left), "") << "A " << width;
    Case right{"f16", "f32", 128, width, width};
    right.transB = true;
    EXPECT_EQ(check(right), "") << "B " << width;
    Case both{"f16", "f16", 64, width, width};
    both.transA = both.transB = true;
    EXPECT_EQ(check(both), "") << "both " << width;
  }
}

TEST(Wgmma, EveryWidthOfD) {
  for (unsigned n = 8; n <= 256; n += 8) {
    Case form{"bf16", "f32", n};
    form.accumulate = n % 16;
    EXPECT_EQ(check(form), "") << n;
  }
}

TEST(Wgmma, TypesAndRegisters) {
  for (bool registers : {false, true})
    for (Case form : {Case{"bf16", "f32", 32}, Case{"f16", "f32", 32},
                      Case{"f16", "f16", 32}, Case{"tf32", "f32", 40},
                      Case{"e4m3", "f32", 48}, Case{"e5m2", "f16", 16},
                      Case{"s8", "s32", 32}, Case{"u8", "s32", 16}}) {
      form.registersA = registers;
      EXPECT_EQ(check(form), "") << form.element << " " << form.sum;
    }
  Case mixed{"e4m3", "f32", 16};
  mixed.elementB = "e5m2";
  EXPECT_EQ(check(mixed), "");
  Case bytes{"s8", "s32", 24};
  bytes.elementB = "u8";
  EXPECT_EQ(check(bytes), "");
  Case bits{"b1", "s32", 16};
  bits.suffix = ".and.popc";
  EXPECT_EQ(check(bits), "");
}

TEST(Wgmma, SignsAndScale) {
  for (bool a : {false, true})
    for (bool b : {false, true})
      for (bool accumulate : {false, true}) {
        Case form{"f16", "f32", 16};
        form.negateA = a;
        form.negateB = b;
        form.accumulate = accumulate;
        form.registersA = a;
        EXPECT_EQ(check(form), "");
        Case tf32{"tf32", "f32", 8};
        tf32.negateA = a;
        tf32.negateB = b;
        EXPECT_EQ(check(tf32), "");
      }
}

TEST(Wgmma, WhatPtxDoesNotHave) {
  auto message = [](Case form) { return check(form); };
  EXPECT_NE(message({"bf16", "f16", 16}).find("unknown instruction"),
            std::string::npos);
  EXPECT_NE(message({"s8", "s32", 40}).find("unknown instruction"),
            std::string::npos);
  Case both{"e4m3", "f32", 16};
  both.elementB = "bf16";
  EXPECT_NE(message(both).find("unknown instruction"), std::string::npos);
}

} // namespace
