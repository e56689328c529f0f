// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loads and stores in every space, vectors, atomics, and what is said about
// addresses that are wrong.
#include "test/emulator/PtxRunner.h"

#include <numeric>

using namespace llrt;
using namespace llrt::test;

namespace {

/// A kernel of (.u64 in, .u64 out, .u32 n) with usual registers and %t = tid.
std::string kernel(const std::string &body, const std::string &before = "") {
  return header + before +
         ".visible .entry k(.param .u64 in, .param .u64 out, .param .u32 n) {\n"
         ".reg .pred %p<8>; .reg .b32 %r<32>; .reg .b64 %rd<32>; .reg .b16 "
         "%h<8>; .reg .f32 %f<16>; .reg .b32 %t;\n"
         "ld.param.u64 %rd1, [in]; ld.param.u64 %rd2, [out]; ld.param.u32 %r1, "
         "[n]; mov.u32 %t, %tid.x;\n" +
         body + "\nret;\n}\n";
}

struct Outcome {
  std::string message;
  std::vector<uint32_t> out;
};

Outcome run(const std::string &text, std::vector<uint32_t> in, size_t outWords,
            uint32_t n = 0, Dim3 grid = {}, Dim3 block = {32, 1, 1},
            uint32_t dynamicShared = 0) {
  Emulated emulated;
  Outcome result;
  result.message = emulated.load(text);
  if (!result.message.empty())
    return result;
  DeviceAddress from = emulated.upload(in, "input"),
                to = emulated.upload(std::vector<uint32_t>(outWords, 0),
                                     "output");
  result.message =
      emulated.launch("k", grid, block, {from, to, n}, dynamicShared);
  result.out = emulated.download<uint32_t>(to, outWords);
  return result;
}

std::vector<uint32_t> counting(size_t count) {
  std::vector<uint32_t> values(count);
  std::iota(values.begin(), values.end(), 0);
  return values;
}

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST(Memory, ThirtyTwoBytesAtOnce) {
  // The second load replaces its own address, in the first half of what it
  // loads.
  std::string body =
      "mul.wide.u32 %rd3, %t, 32; add.u64 %rd4, %rd1, %rd3; add.u64 %rd5, "
      "%rd2, %rd3; ld.global.v8.b32 {%r2, %r3, %r4, %r5, %r6, %r7, %r8, %r9}, "
      "[%rd4]; st.global.v8.b32 [%rd5], {%r9, %r8, %r7, %r6, %r5, %r4, %r3, "
      "%r2};\nld.global.v4.b64 {%rd6, %rd4, %rd7, %rd8}, [%rd4]; "
      "st.global.v4.b64 [%rd5+1024], {%rd8, %rd7, %rd4, %rd6};";
  Outcome r = run(kernel(body), counting(256), 512);
  ASSERT_EQ(r.message, "");
  for (uint32_t i = 0; i < 256; ++i) {
    ASSERT_EQ(r.out[i], i / 8 * 8 + 7 - i % 8);
    ASSERT_EQ(r.out[256 + i], i / 8 * 8 + (6 - i % 8 / 2 * 2) + i % 2);
  }
  Outcome astray =
      run(kernel("ld.global.v4.b64 {%rd6, %rd7, %rd8, %rd9}, [%rd1+16];"),
          counting(256), 8);
  EXPECT_TRUE(contains(astray.message, "misaligned")) << astray.message;
}

TEST(Memory, VectorsInAndOut) {
  Outcome r = run(kernel("mul.wide.u32 %rd3, %t, 16; add.u64 %rd4, %rd1, %rd3; "
                         "add.u64 %rd5, %rd2, %rd3;"
                         "ld.global.nc.v4.u32 {%r2, %r3, %r4, %r5}, [%rd4];"
                         "st.global.v2.u32 [%rd5], {%r5, %r4}; "
                         "st.global.v2.b32 [%rd5+8], {%r3, %r2};"),
                  counting(128), 128);
  ASSERT_EQ(r.message, "");
  for (uint32_t i = 0; i < 128; ++i)
    ASSERT_EQ(r.out[i], i / 4 * 4 + 3 - i % 4);
}

TEST(Memory, NarrowTypesExtendAndCut) {
  Outcome r =
      run(kernel("cvt.u64.u32 %rd3, %t; add.u64 %rd4, %rd1, %rd3; ld.global.s8 "
                 "%r2, [%rd4]; ld.global.u8 %r3, [%rd4];"
                 "ld.global.s8 %rd6, [%rd4]; cvt.u32.u64 %r4, %rd6; sub.u32 "
                 "%r4, %r4, %r2;"
                 "mul.wide.u32 %rd5, %t, 12; add.u64 %rd5, %rd5, %rd2; "
                 "st.global.u32 [%rd5], %r2; st.global.u32 [%rd5+4], %r3;"
                 "st.global.u8 [%rd5+8], %r2; st.global.u8 [%rd5+9], 7; "
                 "st.global.u16 [%rd5+10], %r4;"),
          {0x80ff7f01u}, 12, 0, {}, {4, 1, 1});
  ASSERT_EQ(r.message, "");
  uint32_t bytes[4] = {0x01, 0x7f, 0xff, 0x80};
  for (uint32_t i = 0; i < 4; ++i) {
    uint32_t extended = static_cast<uint32_t>(
        static_cast<int32_t>(static_cast<int8_t>(bytes[i])));
    EXPECT_EQ(r.out[i * 3], extended);
    EXPECT_EQ(r.out[i * 3 + 1], bytes[i]);
    EXPECT_EQ(r.out[i * 3 + 2], 0x700u | bytes[i]);
  }
}

TEST(Memory, SharedReversesABlock) {
  std::string body = "shl.b32 %r2, %t, 2; mov.u32 %r3, tile; add.u32 %r4, %r3, "
                     "%r2; st.shared.u32 [%r4], %t; bar.sync 0;"
                     "mov.u32 %r5, 127; sub.u32 %r5, %r5, %t; shl.b32 %r5, "
                     "%r5, 2; add.u32 %r5, %r5, %r3; ld.shared.u32 %r6, [%r5];"
                     "mul.wide.u32 %rd3, %t, 4; add.u64 %rd4, %rd2, %rd3; "
                     "st.global.u32 [%rd4], %r6;";
  for (std::string declaration :
       {".shared .align 4 .b8 tile[512];\n",
        ".extern .shared .align 1024 .b8 tile[];\n"}) {
    bool dynamic = declaration[1] == 'e';
    Outcome r = run(kernel(body, declaration), {0}, 128, 0, {}, {128, 1, 1},
                    dynamic ? 512 : 0);
    ASSERT_EQ(r.message, "");
    for (uint32_t i = 0; i < 128; ++i)
      ASSERT_EQ(r.out[i], 127 - i);
  }
}

TEST(Memory, GenericAddressesFindTheirSpace) {
  Outcome r = run(
      kernel(
          ".shared .align 8 .b8 s[256]; .local .align 8 .b8 l[16];\n"
          "mov.u64 %rd3, s; cvta.shared.u64 %rd4, %rd3; mul.wide.u32 %rd5, %t, "
          "4; add.u64 %rd4, %rd4, %rd5;"
          "st.u32 [%rd4], %t; mov.u64 %rd6, l; cvta.local.u64 %rd7, %rd6; "
          "add.u32 %r2, %t, 1000; st.u32 [%rd7+4], %r2;"
          "ld.u32 %r3, [%rd4]; ld.u32 %r4, [%rd7+4]; ld.local.u32 %r5, [l+4];"
          "cvta.to.shared.u64 %rd8, %rd4; ld.shared.u32 %r6, [%rd8]; "
          "isspacep.shared %p1, %rd4; selp.u32 %r7, 1, 0, %p1;"
          "isspacep.global %p2, %rd7; selp.u32 %r8, 1, 0, %p2; sub.u32 %r5, "
          "%r5, %r4; add.u32 %r9, %r3, %r4; add.u32 %r9, %r9, %r5;"
          "mad.lo.u32 %r9, %r7, 10000, %r9; mad.lo.u32 %r9, %r8, 100000, %r9; "
          "sub.u32 %r6, %r6, %t; add.u32 %r9, %r9, %r6;"
          "add.u64 %rd9, %rd2, %rd5; cvta.global.u64 %rd9, %rd9; st.u32 "
          "[%rd9], %r9;"),
      {0}, 32);
  ASSERT_EQ(r.message, "");
  for (uint32_t i = 0; i < 32; ++i)
    ASSERT_EQ(r.out[i], 2 * i + 1000 + 10000);
}

TEST(Memory, ModuleVariablesAndConstants) {
  Outcome r =
      run(kernel("mul.wide.u32 %rd3, %t, 4; mov.u64 %rd4, table; add.u64 %rd5, "
                 "%rd4, %rd3; ld.const.u32 %r2, [%rd5];"
                 "ld.global.u64 %rd6, [pointer]; ld.global.u32 %r3, [%rd6+4]; "
                 "add.u32 %r2, %r2, %r3; ld.global.f32 %f1, [number];"
                 "cvt.rzi.u32.f32 %r4, %f1; add.u32 %r2, %r2, %r4; add.u64 "
                 "%rd7, %rd2, %rd3; st.global.u32 [%rd7], %r2;",
                 ".const .align 4 .u32 table[4] = {10, 20, 30, 40};\n.global "
                 ".align 4 .b32 pair[2] = {1, 0x64};\n"
                 ".global .align 8 .u64 pointer = pair;\n.global .f32 number = "
                 "0f40A00000;\n"),
          {0}, 4, 0, {}, {4, 1, 1});
  ASSERT_EQ(r.message, "");
  EXPECT_EQ(r.out, (std::vector<uint32_t>{115, 125, 135, 145}));
}

TEST(Memory, FunctionsTakeParametersAndReturn) {
  std::string before =
      ".func (.param .b32 result) triple(.param .b32 x) { .reg .b32 %r<4>; "
      ".reg .pred %p<2>; ld.param.u32 %r1, [x];"
      "setp.gt.u32 %p1, %r1, 20; mul.lo.u32 %r2, %r1, 3; @%p1 bra BIG; "
      "st.param.u32 [result], %r2; ret;"
      "BIG: st.param.u32 [result], 7; ret; }\n"
      ".func (.reg .b32 out) twice(.reg .b32 in) { add.u32 out, in, in; ret; "
      "}\n";
  Outcome r =
      run(kernel("{ .param .b32 argument; .param .b32 back; st.param.b32 "
                 "[argument], %t; call.uni (back), triple, (argument);"
                 "ld.param.b32 %r2, [back]; } call (%r3), twice, (%r2); "
                 "mul.wide.u32 %rd3, %t, 4; add.u64 %rd4, %rd2, %rd3;"
                 "st.global.u32 [%rd4], %r3;",
                 before),
          {0}, 32);
  ASSERT_EQ(r.message, "");
  for (uint32_t i = 0; i < 32; ++i)
    ASSERT_EQ(r.out[i], i > 20 ? 14 : 6 * i);
}

TEST(Memory, ParametersOfEveryWidthAndVectors) {
  std::string text =
      header + ".visible .entry k(.param .u64 out, .param .align 16 .b8 "
               "s[16], .param .u8 small) {\n"
               ".reg .b32 %r<9>; .reg .b64 %rd<3>;\n"
               "ld.param.u64 %rd1, [out]; ld.param.v4.u32 {%r1, _, %r3, %r4}, "
               "[s]; ld.param.v2.u32 {%r5, %r6}, [s+8]; ld.param.s8 %r7, "
               "[small]; ld.param.u16 %r2, [s+2];\n"
               "st.global.v4.u32 [%rd1], {%r1, %r2, %r3, %r4}; "
               "st.global.v2.u32 [%rd1+16], {%r5, %r6}; st.global.u32 "
               "[%rd1+24], %r7;\nret;\n}\n";
  Emulated emulated;
  ASSERT_EQ(emulated.load(text), "");
  Result<Kernel *> found = emulated.device->findKernel(emulated.module, "k");
  ASSERT_TRUE(static_cast<bool>(found));
  uint64_t out = emulated.upload(std::vector<uint32_t>(8, 0));
  uint32_t words[4] = {0x00090001, 2, 3, 4};
  uint8_t small = 0xf0;
  const void *arguments[] = {&out, words, &small};
  LaunchShape shape;
  ASSERT_FALSE(
      static_cast<bool>(emulated.device->launch(*found, shape, arguments, 3)));
  EXPECT_EQ(emulated.download<uint32_t>(out, 7),
            (std::vector<uint32_t>{0x00090001, 9, 3, 4, 3, 4, 0xfffffff0u}));
}

TEST(Memory, AtomicsOverManyBlocks) {
  // out: sum, max, xor-parity, and the number of lanes that saw an odd ticket.
  Outcome r =
      run(kernel("mov.u32 %r2, %ctaid.x; mad.lo.u32 %r2, %r2, 64, %t; "
                 "red.global.add.u32 [%rd2], %r2;"
                 "red.relaxed.gpu.global.max.u32 [%rd2+4], %r2; "
                 "atom.global.xor.b32 %r3, [%rd2+8], %r2;"
                 "atom.global.add.u32 %r4, [%rd2+12], 1; and.b32 %r4, %r4, 1; "
                 "atom.global.add.u32 %r5, [%rd2+16], %r4;"
                 "atom.global.inc.u32 %r6, [%rd2+20], 9; red.global.min.s32 "
                 "[%rd2+24], %r2; atom.global.exch.b32 %r7, [%rd2+28], 5;"
                 "mov.f32 %f1, 0f3F800000; red.global.add.f32 [%rd2+32], %f1;"),
          {0}, 9, 0, {50, 1, 1}, {64, 1, 1});
  ASSERT_EQ(r.message, "");
  uint32_t count = 3200, sum = 0, parity = 0;
  for (uint32_t i = 0; i < count; ++i)
    sum += i, parity ^= i;
  EXPECT_EQ(r.out[0], sum);
  EXPECT_EQ(r.out[1], count - 1);
  EXPECT_EQ(r.out[2], parity);
  EXPECT_EQ(r.out[3], count);
  EXPECT_EQ(r.out[4], count / 2);
  EXPECT_EQ(r.out[5], 0u); // 3200 steps through 0..9
  EXPECT_EQ(r.out[6], 0u);
  EXPECT_EQ(r.out[7], 5u);
  EXPECT_EQ(floatOf(r.out[8]), 3200.0f);
}

TEST(Memory, AtomicsInSharedMemoryAndCompareAndSwap) {
  Outcome r = run(
      kernel(
          ".shared .align 8 .b8 s[16];\nmov.u32 %r2, s; setp.ne.u32 %p1, %t, "
          "0; @%p1 bra READY; st.shared.u64 [%r2], 0;\nREADY: bar.sync 0;"
          "atom.shared.add.u32 %r3, [%r2], 2; AGAIN: ld.relaxed.cta.shared.u32 "
          "%r4, "
          "[%r2+4]; add.u32 %r5, %r4, 3;"
          "atom.shared.cas.b32 %r6, [%r2+4], %r4, %r5; setp.ne.u32 %p2, %r6, "
          "%r4; @%p2 bra AGAIN; bar.sync 0;"
          "ld.shared.v2.u32 {%r7, %r8}, [%r2]; st.global.v2.u32 [%rd2], {%r7, "
          "%r8};"),
      {0}, 2, 0, {}, {96, 1, 1});
  ASSERT_EQ(r.message, "");
  EXPECT_EQ(r.out, (std::vector<uint32_t>{192, 288}));
}

TEST(Memory, OutOfBoundsNamesKernelThreadAndLine) {
  std::string text =
      kernel("mul.wide.u32 %rd3, %t, 4; add.u64 %rd4, %rd1, "
             "%rd3;\nld.global.u32 %r2, [%rd4];\nst.global.u32 [%rd2], %r2;");
  Outcome r = run(text, counting(20), 1);
  EXPECT_TRUE(contains(
      r.message, "kernel 'k', block (0,0,0), thread (20,0,0), test.ptx:8"))
      << r.message;
  EXPECT_TRUE(contains(r.message, "ld.global.u32 %r2, [%rd4]")) << r.message;
  EXPECT_TRUE(contains(r.message, "0 bytes past the end of 'input'"))
      << r.message;
}

TEST(Memory, WildAndNullAddresses) {
  EXPECT_TRUE(contains(
      run(kernel("mov.u64 %rd3, 16; ld.global.u32 %r2, [%rd3];"), {0}, 1)
          .message,
      "near null"));
  EXPECT_TRUE(contains(
      run(kernel("mov.u64 %rd3, 0x123456789000; st.u32 [%rd3], 1;"), {0}, 1)
          .message,
      "far from"));
  EXPECT_TRUE(contains(
      run(kernel("atom.global.add.u32 %r2, [%rd1+4], 1;"), {0}, 1).message,
      "past the end of 'input'"));
}

TEST(Memory, Misaligned) {
  EXPECT_TRUE(
      contains(run(kernel("ld.global.u32 %r2, [%rd1+2];"), {0, 0}, 1).message,
               "misaligned global load of 4 bytes"));
  EXPECT_TRUE(
      contains(run(kernel("ld.global.v4.u32 {%r2, %r3, %r4, %r5}, [%rd1+8];"),
                   counting(8), 1)
                   .message,
               "misaligned global load of 16"));
  EXPECT_TRUE(contains(
      run(kernel(".shared .b8 s[64];\nst.shared.u64 [s+4], 0;"), {0}, 1)
          .message,
      "misaligned shared store"));
}

TEST(Memory, SharedAndLocalBounds) {
  EXPECT_TRUE(contains(
      run(kernel(".shared .align 4 .b8 s[64];\nshl.b32 %r2, %t, 2; mov.u32 "
                 "%r3, s; add.u32 %r3, %r3, %r2; st.shared.u32 [%r3], 0;"),
          {0}, 1)
          .message,
      "thread (16,0,0)"));
  EXPECT_TRUE(contains(
      run(kernel("mov.u32 %r2, 0; ld.shared.u32 %r3, [%r2];"), {0}, 1).message,
      "outside the block's 0 bytes"));
  EXPECT_TRUE(contains(run(kernel(".local .align 4 .b8 l[8];\nmov.u64 %rd3, l; "
                                  "ld.local.u32 %r2, [%rd3+16];"),
                           {0}, 1)
                           .message,
                       "outside the thread's"));
}

TEST(Memory, ConstantMemoryIsNotWritten) {
  Emulated emulated;
  ASSERT_EQ(emulated.load(kernel("st.global.u32 [%rd1], 1;")), "");
  static const uint32_t host[4] = {1, 2, 3, 4};
  DeviceAddress at =
      *emulated.device->allocateConstant(host, sizeof host, "weights");
  EXPECT_TRUE(contains(emulated.launch("k", {}, {32, 1, 1}, {at, at, 0}),
                       "byte 0 of 'weights' (16 bytes): it is constant"));
}

TEST(Memory, TheDeviceChecksItsOwnCopies) {
  Emulated emulated;
  DeviceAddress at = emulated.buffer(64, "small");
  uint32_t word = 0;
  EXPECT_TRUE(
      static_cast<bool>(emulated.device->copyToDevice(at + 62, &word, 4)));
  EXPECT_TRUE(
      static_cast<bool>(emulated.device->copyToHost(&word, at + 64, 4)));
  EXPECT_TRUE(static_cast<bool>(emulated.device->fill(at, 0, 65)));
  EXPECT_FALSE(static_cast<bool>(emulated.device->release(at)));
  EXPECT_TRUE(static_cast<bool>(emulated.device->release(at)));
}
