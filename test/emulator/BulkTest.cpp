// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bulk copies between blocks and to several, bulk reductions, st.async and
// red.async, vector atomics: against plain arithmetic on the host.
#include "test/emulator/PtxRunner.h"

#include <functional>

using namespace llrt;
using namespace llrt::test;

namespace {

/// A kernel (in, out): %t, %rank, %in, %out, %s (2 KB, 128-aligned), %bar.
std::string kernel(const std::string &body) {
  return header +
         ".visible .entry k(.param .u64 pin, .param .u64 pout) {\n"
         ".reg .b32 %t, %s, %bar, %rank, %r<16>; .reg .b64 %in, %out, %x<16>; "
         ".reg .b16 %h<8>; .reg .f32 %f<8>; .reg .pred %p<8>;\n.shared .align "
         "128 .b8 data[2048]; .shared .align 8 .b64 barriers[2];\nmov.u32 %t, "
         "%tid.x; mov.u32 %s, data; mov.u32 %bar, barriers; mov.u32 %rank, "
         "%cluster_ctarank; ld.param.u64 %in, [pin]; ld.param.u64 %out, "
         "[pout];\n" +
         body + "\nret;\n}\n";
}

struct Outcome {
  std::string message;
  std::vector<uint8_t> out;
  template <class T> T at(size_t i) const {
    T value;
    std::memcpy(&value, &out[i * sizeof(T)], sizeof(T));
    return value;
  }
};

template <class T>
Outcome run(const std::string &body, const std::vector<T> &in,
            const std::vector<T> &out, uint32_t blocks = 1,
            uint32_t threads = 1) {
  Emulated emulated;
  Outcome result;
  result.message = emulated.load(kernel(body));
  if (!result.message.empty())
    return result;
  DeviceAddress to = emulated.upload(out, "output");
  result.message = emulated.launch("k", {blocks, 1, 1}, {threads, 1, 1},
                                   {emulated.upload(in, "input"), to}, 0, false,
                                   {blocks, 1, 1});
  result.out = emulated.download<uint8_t>(to, out.size() * sizeof(T));
  return result;
}

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

const std::string meet = "barrier.cluster.arrive.release.aligned; "
                         "barrier.cluster.wait.acquire.aligned;\n";
const std::string wait =
    "WAIT: mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p1, "
    "[%bar], 0; @!%p1 bra WAIT;\n";
std::string prepare(unsigned bytes) {
  return "mbarrier.init.shared.b64 [%bar], 1; fence.mbarrier_init.release."
         "cluster; mbarrier.arrive.expect_tx.shared.b64 _, [%bar], " +
         std::to_string(bytes) + ";\n" + meet;
}
/// out[rank * 64 + i] = shared word i, i < 64.
const std::string dump =
    "mul.lo.u32 %r10, %rank, 256; cvt.u64.u32 %x10, %r10; add.u64 %x10, %out, "
    "%x10; mov.u32 %r11, 0;\nDUMP: add.u32 %r12, %s, %r11; ld.shared.u32 %r13, "
    "[%r12]; st.global.u32 [%x10], %r13; add.u64 %x10, %x10, 4; add.u32 %r11, "
    "%r11, 4; setp.lt.u32 %p2, %r11, 256; @%p2 bra DUMP;\n";

std::vector<uint32_t> numbers(size_t count, uint32_t first) {
  std::vector<uint32_t> values(count);
  for (size_t i = 0; i < count; ++i)
    values[i] = first + static_cast<uint32_t>(i);
  return values;
}

TEST(Bulk, MulticastReachesTheNamedBlocks) {
  // Rank 1 sends 128 bytes to ranks 0, 2 and 3, at the same offset.
  Outcome r = run<uint32_t>(
      "mov.u32 %r0, 0;\nCLEAR: add.u32 %r1, %s, %r0; st.shared.u32 [%r1], 9; "
      "add.u32 %r0, %r0, 4; setp.lt.u32 %p0, %r0, 256; @%p0 bra CLEAR;\n" +
          prepare(128) +
          "setp.ne.u32 %p0, %rank, 1; @%p0 bra REST; mov.u16 %h0, 13;\n"
          "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes."
          "multicast::cluster [%s+64], [%in+16], 128, [%bar], %h0;\n"
          "bra OWN;\nREST:\n" +
          wait + "OWN:\n" + meet + dump,
      numbers(64, 100), std::vector<uint32_t>(256, 7), 4);
  ASSERT_EQ(r.message, "");
  for (uint32_t block = 0; block < 4; ++block)
    for (uint32_t i = 0; i < 64; ++i)
      EXPECT_EQ(r.at<uint32_t>(block * 64 + i),
                block != 1 && i >= 16 && i < 48 ? 100 + 4 + i - 16 : 9u);
}

TEST(Bulk, FromOneBlockToAnother) {
  Outcome r = run<uint32_t>(
      "mov.u32 %r0, 0;\nFILL: add.u32 %r1, %s, %r0; mad.lo.u32 %r2, %rank, "
      "1000, %r0; st.shared.u32 [%r1], %r2; add.u32 %r0, %r0, 4; setp.lt.u32 "
      "%p0, %r0, 512; @%p0 bra FILL; fence.proxy.async;\n" +
          prepare(64) +
          "xor.b32 %r3, %rank, 1; mapa.shared::cluster.u32 %r4, %s, %r3; "
          "mapa.shared::cluster.u32 %r5, %bar, %r3;\n"
          "cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::"
          "bytes [%r4], [%s+256], 64, [%r5];\n" +
          wait + dump + meet,
      numbers(4, 0), std::vector<uint32_t>(128, 7), 2);
  ASSERT_EQ(r.message, "");
  for (uint32_t block = 0; block < 2; ++block)
    for (uint32_t i = 0; i < 64; ++i)
      EXPECT_EQ(r.at<uint32_t>(block * 64 + i),
                i < 16 ? (block ^ 1) * 1000 + 256 + i * 4
                       : block * 1000 + i * 4);
}

TEST(Bulk, CopiesThatGoAstray) {
  auto message = [](const std::string &body) {
    return run<uint32_t>(prepare(64) + body + meet, numbers(64, 0),
                         std::vector<uint32_t>(64, 0), 2)
        .message;
  };
  std::string other = "xor.b32 %r3, %rank, 1; mapa.shared::cluster.u32 %r4, "
                      "%s, %r3; mapa.shared::cluster.u32 %r5, %bar, %r3;\n";
  EXPECT_TRUE(contains(
      message(other + "cp.async.bulk.shared::cluster.shared::cta.mbarrier::"
                      "complete_tx::bytes [%r4], [%s], 64, [%bar];"),
      "but the mbarrier lies in"));
  EXPECT_TRUE(contains(
      message("mov.u16 %h0, 4; cp.async.bulk.shared::cluster.global.mbarrier::"
              "complete_tx::bytes.multicast::cluster [%s], [%in], 64, [%bar], "
              "%h0;"),
      "a multicast to ranks"));
  EXPECT_TRUE(contains(
      message("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::"
              "bytes [%s], [%in], 24, [%bar];"),
      "multiples of 16"));
}

/// Reduces 32 bytes of `in` into `out`, through shared memory; both as given.
template <class T>
void reduces(const std::string &operation, const std::string &type,
             const std::vector<T> &in, const std::vector<T> &out,
             const std::function<T(T, T)> &expected, bool toShared = false) {
  static_assert(sizeof(T) >= 2, "whole elements");
  std::string load = "ld.global.v4.u32 {%r0, %r1, %r2, %r3}, [%in]; "
                     "ld.global.v4.u32 {%r4, %r5, %r6, %r7}, [%in+16]; "
                     "st.shared.v4.u32 [%s], {%r0, %r1, %r2, %r3}; "
                     "st.shared.v4.u32 [%s+16], {%r4, %r5, %r6, %r7};\n";
  std::string body;
  if (toShared) {
    body = load +
           "ld.global.v4.u32 {%r0, %r1, %r2, %r3}, [%out]; ld.global.v4.u32 "
           "{%r4, %r5, %r6, %r7}, [%out+16]; st.shared.v4.u32 [%s+64], {%r0, "
           "%r1, %r2, %r3}; st.shared.v4.u32 [%s+80], {%r4, %r5, %r6, %r7}; "
           "fence.proxy.async;\n" +
           prepare(32) +
           "cp.reduce.async.bulk.shared::cluster.shared::cta.mbarrier::"
           "complete_tx::bytes." +
           operation + "." + type + " [%s+64], [%s], 32, [%bar];\n" + wait +
           "ld.shared.v4.u32 {%r0, %r1, %r2, %r3}, [%s+64]; ld.shared.v4.u32 "
           "{%r4, %r5, %r6, %r7}, [%s+80]; st.global.v4.u32 [%out], {%r0, %r1, "
           "%r2, %r3}; st.global.v4.u32 [%out+16], {%r4, %r5, %r6, %r7};";
  } else {
    body = load +
           "fence.proxy.async; cp.reduce.async.bulk.global.shared::cta."
           "bulk_group." +
           operation + "." + type +
           " [%out], [%s], 32; cp.async.bulk.commit_group; "
           "cp.async.bulk.wait_group 0;";
  }
  Outcome r = run<T>(body, in, out);
  ASSERT_EQ(r.message, "") << operation << " " << type;
  for (size_t i = 0; i < in.size(); ++i) {
    T got = r.at<T>(i), want = expected(out[i], in[i]);
    EXPECT_EQ(std::memcmp(&got, &want, sizeof(T)), 0)
        << operation << " " << type << " element " << i;
  }
}

TEST(Bulk, ReductionsOfEveryKind) {
  using u32 = uint32_t;
  std::vector<u32> a = {0, 1, 0xffffffffu, 7, 0x80000000u, 5, 123456, 9};
  std::vector<u32> b = {3, 0xffffffffu, 2, 7, 0x7fffffffu, 6, 654321, 0};
  auto signedOf = [](u32 x) { return static_cast<int32_t>(x); };
  for (bool shared : {false, true}) {
    reduces<u32>(
        "add", "u32", a, b, [](u32 x, u32 y) { return x + y; }, shared);
    reduces<u32>(
        "add", "s32", a, b, [](u32 x, u32 y) { return x + y; }, shared);
    reduces<u32>(
        "min", "u32", a, b, [](u32 x, u32 y) { return x < y ? x : y; }, shared);
    reduces<u32>(
        "max", "u32", a, b, [](u32 x, u32 y) { return x > y ? x : y; }, shared);
    reduces<u32>(
        "min", "s32", a, b,
        [&](u32 x, u32 y) { return signedOf(x) < signedOf(y) ? x : y; },
        shared);
    reduces<u32>(
        "max", "s32", a, b,
        [&](u32 x, u32 y) { return signedOf(x) > signedOf(y) ? x : y; },
        shared);
    reduces<u32>(
        "inc", "u32", a, b, [](u32 x, u32 y) { return x >= y ? 0 : x + 1; },
        shared);
    reduces<u32>(
        "dec", "u32", a, b,
        [](u32 x, u32 y) { return x == 0 || x > y ? y : x - 1; }, shared);
    reduces<u32>(
        "and", "b32", a, b, [](u32 x, u32 y) { return x & y; }, shared);
    reduces<u32>("or", "b32", a, b, [](u32 x, u32 y) { return x | y; }, shared);
    reduces<u32>(
        "xor", "b32", a, b, [](u32 x, u32 y) { return x ^ y; }, shared);
    reduces<uint64_t>(
        "add", "u64", {~0ull, 5, 1ull << 63, 7}, {1, 6, 1ull << 63, 8},
        [](uint64_t x, uint64_t y) { return x + y; }, shared);
  }
  reduces<int64_t>("min", "s64", {-5, 5, INT64_MIN, 7}, {1, 6, 3, -8},
                   [](int64_t x, int64_t y) { return x < y ? x : y; });
  reduces<uint64_t>("max", "u64", {~0ull, 5, 1ull << 63, 7}, {1, 6, 3, 8},
                    [](uint64_t x, uint64_t y) { return x > y ? x : y; });
  reduces<uint64_t>("xor", "b64", {~0ull, 5, 1ull << 63, 7}, {1, 6, 3, 8},
                    [](uint64_t x, uint64_t y) { return x ^ y; });
  reduces<float>("add", "f32", {1, 0.5f, -3, 1e30f, 0x1p-24f, 2, 3, 4},
                 {2, 0.25f, 3, 1e30f, 1, 2, 3, -4},
                 [](float x, float y) { return x + y; });
  reduces<double>("add", "f64", {1, 0.1, -3, 1e300}, {2, 0.2, 3, 1e300},
                  [](double x, double y) { return x + y; });
  reduces<_Float16>(
      "add.noftz", "f16",
      {1, 2, 3, 4, 5, 6, 7, 8, 0.1f16, 60000, 11, 12, 13, 14, 15, 16},
      {1, -2, 3, 2048, 5, 6, 7, 8, 0.2f16, 60000, 11, 12, 13, 14, 15, 16},
      [](_Float16 x, _Float16 y) {
        return static_cast<_Float16>(static_cast<float>(x) +
                                     static_cast<float>(y));
      });
  // bf16: 1, 2 and 3 are 0x3f80, 0x4000, 0x4040.
  reduces<uint16_t>("max", "bf16", std::vector<uint16_t>(16, 0x3f80),
                    std::vector<uint16_t>(16, 0x4040),
                    [](uint16_t, uint16_t) { return uint16_t(0x4040); });
  reduces<uint16_t>("add.noftz", "bf16", std::vector<uint16_t>(16, 0x3f80),
                    std::vector<uint16_t>(16, 0x4000),
                    [](uint16_t, uint16_t) { return uint16_t(0x4040); });
}

TEST(Bulk, ReductionsThatPtxDoesNotHave) {
  for (const char *each : {"global.shared::cta.bulk_group.add.f16",
                           "global.shared::cta.bulk_"
                           "group.add.s64",
                           "global.shared::cta.bulk_group.inc.s32",
                           "global.shared::cta.bulk_group.and.u32",
                           "global.shared::cta.bulk_group.exch.b32"}) {
    Outcome r = run<uint32_t>(std::string("cp.reduce.async.bulk.") + each +
                                  " [%out], [%s], 32;",
                              numbers(8, 0), numbers(8, 0));
    EXPECT_TRUE(contains(r.message, "unknown instruction") ||
                contains(r.message, "cp.reduce"))
        << each << ": " << r.message;
  }
}

TEST(Remote, StoresOfEveryWidth) {
  Outcome r = run<uint32_t>(
      prepare(4 + 8 + 8 + 16 + 16) +
          "xor.b32 %r3, %rank, 1; mapa.shared::cluster.u32 %r4, %s, %r3; "
          "mapa.shared::cluster.u32 %r5, %bar, %r3; mad.lo.u32 %r0, %rank, "
          "100, 1; cvt.u64.u32 %x0, %r0; shl.b64 %x0, %x0, 32; or.b64 %x0, "
          "%x0, 5; cvt.rn.f32.u32 %f0, %r0;\n"
          "st.async.shared::cluster.mbarrier::complete_tx::bytes.u32 [%r4], "
          "%r0, [%r5];\n"
          "st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.b64 "
          "[%r4+8], %x0, [%r5];\n"
          "st.async.shared::cluster.mbarrier::complete_tx::bytes.v2.s32 "
          "[%r4+16], {%r0, 77}, [%r5];\n"
          "st.async.shared::cluster.mbarrier::complete_tx::bytes.v4.f32 "
          "[%r4+32], {%f0, %f0, %f0, %f0}, [%r5];\n"
          "st.async.shared::cluster.mbarrier::complete_tx::bytes.v2.u64 "
          "[%r4+48], {%x0, %x0}, [%r5];\n" +
          wait + dump + meet,
      numbers(4, 0), std::vector<uint32_t>(128, 7), 2);
  ASSERT_EQ(r.message, "");
  for (uint32_t block = 0; block < 2; ++block) {
    const uint32_t *at =
        reinterpret_cast<const uint32_t *>(&r.out[block * 256]);
    uint32_t sent = (block ^ 1) * 100 + 1,
             real = bitsOf(static_cast<float>(sent));
    EXPECT_EQ(at[0], sent);
    EXPECT_EQ(at[2], 5u);
    EXPECT_EQ(at[3], sent);
    EXPECT_EQ(at[4], sent);
    EXPECT_EQ(at[5], 77u);
    for (int i = 8; i < 12; ++i)
      EXPECT_EQ(at[i], real);
    EXPECT_EQ(at[12], 5u);
    EXPECT_EQ(at[15], sent);
  }
}

TEST(Remote, ReductionsOfEveryKind) {
  struct Each {
    const char *operation, *type;
    uint32_t expected; ///< of 12 with 10
  };
  for (Each each :
       {Each{"add", "u32", 22}, Each{"add", "s32", 22}, Each{"min", "u32", 10},
        Each{"max", "s32", 12}, Each{"inc", "u32", 0}, Each{"dec", "u32", 10},
        Each{"and", "b32", 8}, Each{"or", "b32", 14}, Each{"xor", "b32", 6}}) {
    Outcome r = run<uint32_t>(
        "st.shared.u32 [%s], 12;\n" + prepare(4) +
            "xor.b32 %r3, %rank, 1; mapa.shared::cluster.u32 %r4, %s, %r3; "
            "mapa.shared::cluster.u32 %r5, %bar, %r3; "
            "red.async.relaxed.cluster." +
            each.operation + ".shared::cluster.mbarrier::complete_tx::bytes." +
            each.type + " [%r4], 10, [%r5];\n" + wait + dump + meet,
        numbers(4, 0), std::vector<uint32_t>(128, 7), 2);
    ASSERT_EQ(r.message, "") << each.operation;
    EXPECT_EQ(r.at<uint32_t>(0), each.expected) << each.operation;
    EXPECT_EQ(r.at<uint32_t>(64), each.expected) << each.operation;
  }
}

TEST(VectorAtomics, OldValuesAndSums) {
  std::vector<float> in = {1, 2, 3, 4, 5, 6, 7, 8}, out(16, 10);
  Outcome r = run<float>(
      "ld.global.v4.f32 {%f0, %f1, %f2, %f3}, [%in];\n"
      "atom.global.add.v4.f32 {%f4, %f5, %f6, %f7}, [%out], {%f0, %f1, %f2, "
      "%f3}; st.global.v4.f32 [%out+32], {%f4, %f5, %f6, %f7};\n"
      "red.relaxed.gpu.global.add.v2.f32 [%out+16], {%f0, %f1};",
      in, out);
  ASSERT_EQ(r.message, "");
  std::vector<float> expected = {11, 12, 13, 14, 11, 12, 10, 10,
                                 10, 10, 10, 10, 10, 10, 10, 10};
  for (size_t i = 0; i < 16; ++i)
    EXPECT_EQ(r.at<float>(i), expected[i]) << i;
  // f16: 1, 2, 3 are 0x3c00, 0x4000, 0x4200.
  Outcome halves = run<uint16_t>(
      "mov.b16 %h0, 0x3c00; mov.b16 %h1, 0x4000; mov.b32 %r0, 0x40003c00;\n"
      "red.global.add.noftz.v2.f16 [%out], {%h0, %h1};\n"
      "red.global.max.noftz.v4.f16x2 [%out+16], {%r0, %r0, %r0, %r0};\n"
      "atom.global.min.noftz.v2.bf16x2 {%r1, %r2}, [%out+8], {%r0, %r0};",
      std::vector<uint16_t>(8, 0), std::vector<uint16_t>(16, 0x3c00));
  ASSERT_EQ(halves.message, "");
  EXPECT_EQ(halves.at<uint16_t>(0), 0x4000);
  EXPECT_EQ(halves.at<uint16_t>(1), 0x4200);
  EXPECT_EQ(halves.at<uint16_t>(8), 0x3c00);
  EXPECT_EQ(halves.at<uint16_t>(9), 0x4000);
  EXPECT_EQ(halves.at<uint16_t>(4), 0x3c00);
  EXPECT_EQ(halves.at<uint16_t>(5), 0x3c00);
  Outcome astray = run<float>(
      "red.global.add.v4.f32 [%out+8], {%f0, %f0, %f0, %f0};", in, out);
  EXPECT_TRUE(contains(astray.message, "misaligned")) << astray.message;
}

// The ISA document: atom.add.f32 flushes subnormal numbers in global memory,
// and keeps them in shared memory.
TEST(VectorAtomics, SubnormalSums) {
  std::vector<float> in = {0x1p-140f, 0x1p-127f},
                     out = {0x1p-140f, 0x1p-127f, 0, 0};
  Outcome r = run<float>(
      "ld.global.f32 %f0, [%in]; red.global.add.f32 [%out], %f0; st.shared.f32 "
      "[%s], %f0; red.shared.add.f32 [%s], %f0; ld.shared.f32 %f1, [%s]; "
      "st.global.f32 [%out+8], %f1; red.add.f32 [%out+4], %f0;",
      in, out);
  ASSERT_EQ(r.message, "");
  EXPECT_EQ(r.at<float>(0), 0.0f);
  EXPECT_EQ(r.at<float>(1), 0.0f);
  EXPECT_EQ(r.at<float>(2), 0x1p-139f);
}

} // namespace
