// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// mbarriers, bulk copies and cp.async: what completes a phase, what lands
// where, and which misuse is a fault.
#include "test/emulator/PtxRunner.h"

#include <numeric>

using namespace llrt;
using namespace llrt::test;

namespace {

/// A kernel (in, out) whose threads have %t (tid), %in, %out (their arrays),
/// %bar (a shared mbarrier), %s (512 bytes of shared memory) and scratch.
std::string kernel(const std::string &body) {
  return header +
         ".visible .entry k(.param .u64 pin, .param .u64 pout) {\n"
         ".reg .b32 %t, %s, %bar, %r<8>; .reg .b64 %in, %out, %x<8>; .reg "
         ".pred %p<4>;\n"
         ".shared .align 16 .b8 data[512]; .shared .align 8 .b64 barriers[2];\n"
         "mov.u32 %t, %tid.x; mov.u32 %s, data; mov.u32 %bar, barriers;\n"
         "ld.param.u64 %in, [pin]; ld.param.u64 %out, [pout];\n" +
         body + "\nret;\n}\n";
}

/// One launch of `threads`; what lies in `out` afterwards.
std::vector<uint32_t> run(const std::string &body, uint32_t threads,
                          std::string *message = nullptr,
                          size_t inWords = 256) {
  Emulated emulated;
  EXPECT_EQ(emulated.load(kernel(body)), "");
  std::vector<uint32_t> input(inWords);
  std::iota(input.begin(), input.end(), 1000);
  DeviceAddress in = emulated.upload(input, "input"),
                out = emulated.upload(std::vector<uint32_t>(256, 7), "output");
  std::string error =
      emulated.launch("k", {1, 1, 1}, {threads, 1, 1}, {in, out});
  if (message)
    *message = error;
  else
    EXPECT_EQ(error, "") << body;
  return emulated.download<uint32_t>(out, 256);
}

std::string faultOf(const std::string &body, uint32_t threads = 1) {
  std::string message;
  run(body, threads, &message);
  return message;
}

testing::AssertionResult contains(const std::string &text,
                                  const std::string &part) {
  if (text.find(part) != std::string::npos)
    return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << "'" << text << "' does not say '" << part << "'";
}

// Writes the predicate %p0 to out[index].
std::string report(unsigned index) {
  return "selp.u32 %r7, 1, 0, %p0; st.global.u32 [%out+" +
         std::to_string(index * 4) + "], %r7;\n";
}

TEST(Mbarrier, PhasesAndParity) {
  std::vector<uint32_t> out = run(
      "mbarrier.init.shared.b64 [%bar], 2;\n"
      "mbarrier.test_wait.parity.shared.b64 %p0, [%bar], 1;\n" +
          report(0) + // the phase before
          "mbarrier.test_wait.parity.shared.b64 %p0, [%bar], 0;\n" + report(1) +
          "mbarrier.arrive.shared.b64 %x0, [%bar];\n"
          "mbarrier.test_wait.shared.b64 %p0, [%bar], %x0;\n" +
          report(2) +
          "mbarrier.pending_count.b64 %r0, %x0; st.global.u32 [%out+12], %r0;\n"
          "mbarrier.arrive.shared.b64 _, [%bar];\n"
          "mbarrier.test_wait.shared.b64 %p0, [%bar], %x0;\n" +
          report(4) + "mbarrier.test_wait.parity.shared.b64 %p0, [%bar], 0;\n" +
          report(5) + "mbarrier.test_wait.parity.shared.b64 %p0, [%bar], 1;\n" +
          report(6),
      1);
  EXPECT_EQ(std::vector<uint32_t>(out.begin(), out.begin() + 7),
            (std::vector<uint32_t>{1, 0, 0, 2, 1, 1, 0}));
}

TEST(Mbarrier, CountsOfArrivalsAndDrops) {
  std::vector<uint32_t> out = run(
      "mbarrier.init.shared.b64 [%bar], 4;\n"
      "mbarrier.arrive.shared.b64 %x0, [%bar], 3;\n"
      "mbarrier.arrive_drop.shared.b64 %x1, [%bar];\n" // 4 of 4; 3 from now on
      "mbarrier.test_wait.shared.b64 %p0, [%bar], %x0;\n" +
          report(0) +
          "mbarrier.arrive.noComplete.shared.b64 %x2, [%bar], 2;\n"
          "mbarrier.test_wait.shared.b64 %p0, [%bar], %x2;\n" +
          report(1) +
          "mbarrier.arrive.shared.b64 %x3, [%bar];\n"
          "mbarrier.test_wait.shared.b64 %p0, [%bar], %x2;\n" +
          report(2),
      1);
  EXPECT_EQ(std::vector<uint32_t>(out.begin(), out.begin() + 3),
            (std::vector<uint32_t>{1, 0, 1}));
}

TEST(Mbarrier, TransactionsHoldThePhase) {
  std::vector<uint32_t> out =
      run("mbarrier.init.shared.b64 [%bar], 1;\n"
          "mbarrier.arrive.expect_tx.shared.b64 %x0, [%bar], 64;\n"
          "mbarrier.test_wait.shared.b64 %p0, [%bar], %x0;\n" +
              report(0) +
              "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::"
              "bytes [%s], [%in], 48, [%bar];\n"
              "mbarrier.test_wait.shared.b64 %p0, [%bar], %x0;\n" +
              report(1) +
              "mbarrier.complete_tx.relaxed.cluster.shared::cluster.b64 "
              "[%bar], 16;\n"
              "again: mbarrier.test_wait.shared.b64 %p0, [%bar], %x0;\n"
              "@!%p0 bra again;\n" +
              report(2),
          1);
  EXPECT_EQ(out[0], 0u);
  EXPECT_EQ(out[1], 0u);
  EXPECT_EQ(out[2], 1u);
}

TEST(Mbarrier, Faults) {
  EXPECT_TRUE(contains(faultOf("mbarrier.arrive.shared.b64 %x0, [%bar];"),
                       "initialised"));
  EXPECT_TRUE(
      contains(faultOf("mbarrier.init.shared.b64 [%bar], 0;"), "0 arrivals"));
  EXPECT_TRUE(
      contains(faultOf("mbarrier.init.shared.b64 [%bar+4], 1;"), "misaligned"));
  EXPECT_TRUE(
      contains(faultOf("mbarrier.init.shared.b64 [%bar+4096], 1;"), "outside"));
  EXPECT_TRUE(
      contains(faultOf("mbarrier.init.shared.b64 [%bar], "
                       "2;\nmbarrier.arrive.shared.b64 %x0, [%bar], 3;"),
               "3 arrivals"));
  EXPECT_TRUE(
      contains(faultOf("mbarrier.init.shared.b64 [%bar], 1;\n"
                       "mbarrier.arrive.noComplete.shared.b64 %x0, [%bar], 1;"),
               "noComplete"));
  EXPECT_TRUE(contains(faultOf("mbarrier.init.shared.b64 [%bar], "
                               "1;\nmbarrier.inval.shared.b64 [%bar];\n"
                               "mbarrier.arrive.shared.b64 %x0, [%bar];"),
                       "initialised"));
}

TEST(Mbarrier, AWaitThatNothingEndsIsReported) {
  std::string message = faultOf("mbarrier.init.shared.b64 [%bar], 1;\n"
                                "again: mbarrier.try_wait.parity.shared.b64 "
                                "%p0, [%bar], 0;\n@!%p0 bra again;");
  EXPECT_NE(message, "");
  EXPECT_TRUE(contains(message, "mbarrier"));
}

TEST(BulkCopy, BothWays) {
  std::vector<uint32_t> out = run(
      "mbarrier.init.shared.b64 [%bar], 1; fence.proxy.async.shared::cta;\n"
      "mbarrier.arrive.expect_tx.shared.b64 _, [%bar], 256;\n"
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes "
      "[%s+16], [%in+32], 256, [%bar];\n"
      "again: mbarrier.try_wait.parity.shared.b64 %p0, [%bar], 0, 1000000; "
      "@!%p0 bra again;\n"
      "ld.shared.u32 %r0, [%s+16]; add.u32 %r0, %r0, 1; st.shared.u32 [%s+16], "
      "%r0;\n"
      "fence.proxy.async.shared::cta;\n"
      "cp.async.bulk.global.shared::cta.bulk_group [%out+64], [%s+16], 256;\n"
      "cp.async.bulk.commit_group; cp.async.bulk.wait_group.read 0;",
      1);
  EXPECT_EQ(out[15], 7u);
  EXPECT_EQ(out[16], 1000u + 8 + 1);
  for (unsigned i = 1; i < 64; ++i)
    EXPECT_EQ(out[16 + i], 1000 + 8 + i);
  EXPECT_EQ(out[80], 7u);
}

TEST(BulkCopy, Faults) {
  std::string init = "mbarrier.init.shared.b64 [%bar], 1;\n";
  auto copy = [&](const std::string &to, const std::string &from,
                  const std::string &bytes) {
    return init + "mov.u32 %r0, " + bytes +
           ";\ncp.async.bulk.shared::cluster.global.mbarrier::complete_tx::"
           "bytes [" +
           to + "], [" + from + "], %r0, [%bar];";
  };
  EXPECT_TRUE(contains(faultOf(copy("%s", "%in", "24")), "multiples of 16"));
  EXPECT_TRUE(contains(faultOf(copy("%s+8", "%in", "16")), "multiples of 16"));
  EXPECT_TRUE(contains(faultOf(copy("%s", "%in+4", "16")), "multiples of 16"));
  EXPECT_TRUE(contains(faultOf(copy("%s", "%in+1008", "32")), "input"));
  EXPECT_TRUE(contains(faultOf(copy("%s+1024", "%in", "1024")), "outside"));
  EXPECT_TRUE(contains(faultOf("cp.async.bulk.shared::cluster.global.mbarrier::"
                               "complete_tx::bytes [%s], [%in], 16, [%bar];"),
                       "initialised"));
}

TEST(BulkCopy, RingBetweenWarps) {
  // Thread 0 fills two stages of 64 bytes in turn; warp 1 adds up 8 of them.
  std::vector<uint32_t> out = run(
      "setp.eq.u32 %p1, %t, 0;\n"
      "@%p1 mbarrier.init.shared.b64 [%bar], 1; @%p1 mbarrier.init.shared.b64 "
      "[%bar+8], 1;\n"
      "bar.sync 0;\n"
      "mov.u32 %r0, 0; mov.u32 %r6, 0; mov.u64 %x0, %in;\n" // step, sum, source
      "next: and.b32 %r1, %r0, 1; shr.u32 %r2, %r0, 1; and.b32 %r2, %r2, 1;\n"
      "shl.b32 %r3, %r1, 3; add.u32 %r3, %r3, %bar; shl.b32 %r4, %r1, 6; "
      "add.u32 %r4, %r4, %s;\n"
      "@!%p1 bra filled;\n"
      "mbarrier.arrive.expect_tx.shared.b64 _, [%r3], 64;\n"
      "cp.async.bulk.shared::cta.global.mbarrier::complete_tx::bytes [%r4], "
      "[%x0], 64, [%r3];\n"
      "filled: add.u64 %x0, %x0, 64;\n"
      "again: mbarrier.try_wait.parity.shared.b64 %p0, [%r3], %r2; @!%p0 bra "
      "again;\n"
      "and.b32 %r5, %t, 15; shl.b32 %r5, %r5, 2; add.u32 %r5, %r5, %r4; "
      "ld.shared.u32 %r5, [%r5]; add.u32 %r6, %r6, %r5;\n"
      "bar.sync 0;\n"
      "add.u32 %r0, %r0, 1; setp.lt.u32 %p2, %r0, 8; @%p2 bra next;\n"
      "mul.wide.u32 %x1, %t, 4; add.u64 %x1, %x1, %out; st.global.u32 [%x1], "
      "%r6;",
      64);
  for (unsigned t = 0; t < 64; ++t) {
    uint32_t expected = 0;
    for (unsigned step = 0; step < 8; ++step)
      expected += 1000 + step * 16 + t % 16;
    EXPECT_EQ(out[t], expected) << t;
  }
}

TEST(CopyAsync, SizesAndZeroFill) {
  std::vector<uint32_t> out =
      run("mov.u32 %r0, 0xffffffff; st.shared.u32 [%s+28], %r0;\n"
          "cp.async.ca.shared.global [%s], [%in], 4;\n"
          "cp.async.ca.shared.global [%s+8], [%in+8], 8;\n"
          "cp.async.cg.shared.global [%s+16], [%in+16], 16, 12;\n"
          "cp.async.cg.shared.global.L2::128B [%s+32], [%in+32], 16, 0;\n"
          "cp.async.commit_group; cp.async.wait_group 0; cp.async.wait_all;\n"
          "ld.shared.u32 %r1, [%s]; st.global.u32 [%out], %r1;\n"
          "ld.shared.v2.u32 {%r1, %r2}, [%s+8]; st.global.v2.u32 [%out+8], "
          "{%r1, %r2};\n"
          "ld.shared.v4.u32 {%r1, %r2, %r3, %r4}, [%s+16]; st.global.v4.u32 "
          "[%out+16], {%r1, %r2, %r3, %r4};\n"
          "ld.shared.v4.u32 {%r1, %r2, %r3, %r4}, [%s+32]; st.global.v4.u32 "
          "[%out+32], {%r1, %r2, %r3, %r4};",
          1);
  EXPECT_EQ(out[0], 1000u);
  EXPECT_EQ(out[2], 1002u);
  EXPECT_EQ(out[3], 1003u);
  EXPECT_EQ(std::vector<uint32_t>(out.begin() + 4, out.begin() + 12),
            (std::vector<uint32_t>{1004, 1005, 1006, 0, 0, 0, 0, 0}));
}

TEST(CopyAsync, ArrivesAtAnMbarrier) {
  std::vector<uint32_t> out = run(
      "setp.eq.u32 %p1, %t, 0; @%p1 mbarrier.init.shared.b64 [%bar], 32; "
      "bar.sync 0;\n"
      "shl.b32 %r0, %t, 2; cvt.u64.u32 %x0, %r0; add.u32 %r1, %s, %r0; add.u64 "
      "%x1, %in, %x0;\n"
      "cp.async.ca.shared.global [%r1], [%x1], 4;\n"
      "cp.async.mbarrier.arrive.noinc.shared.b64 [%bar];\n"
      "again: mbarrier.try_wait.parity.shared.b64 %p0, [%bar], 0; @!%p0 bra "
      "again;\n"
      "xor.b32 %r0, %r0, 4; add.u32 %r1, %s, %r0; ld.shared.u32 %r2, [%r1];\n"
      "add.u64 %x1, %out, %x0; st.global.u32 [%x1], %r2;",
      32);
  for (unsigned t = 0; t < 32; ++t)
    EXPECT_EQ(out[t], 1000 + (t ^ 1));
}

TEST(CopyAsync, Faults) {
  EXPECT_TRUE(contains(faultOf("cp.async.ca.shared.global [%s+2], [%in], 4;"),
                       "misaligned"));
  EXPECT_TRUE(contains(faultOf("cp.async.cg.shared.global [%s], [%in+8], 16;"),
                       "misaligned"));
  EXPECT_TRUE(
      contains(faultOf("cp.async.cg.shared.global [%s], [%in+4096], 16;"),
               "copy of 16 bytes"));
  EXPECT_TRUE(contains(
      faultOf(
          "mov.u32 %r0, 20; cp.async.cg.shared.global [%s], [%in], 16, %r0;"),
      "20 bytes of 16"));
  Emulated emulated;
  EXPECT_NE(emulated.load(kernel("cp.async.ca.shared.global [%s], [%in], 12;")),
            "");
  EXPECT_NE(emulated.load(kernel("cp.async.cg.shared.global [%s], [%in], 8;")),
            "");
}

} // namespace
