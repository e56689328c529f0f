// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Asynchronous copies and mbarriers: used too early, reused too early, or seen
// through the wrong proxy.
#include "test/emulator/CheckFixture.h"

using namespace llrt;
using namespace llrt::test;

namespace {

const CheckRun one{1}, block64{64};

const std::string initialise =
    "setp.eq.u32 %p3, %t, 0;\n@%p3 mbarrier.init.shared.b64 [%bar], 1;\n"
    "fence.mbarrier_init.release.cluster;\nbar.sync 0;\n";
const std::string copyIn =
    "@%p3 mbarrier.arrive.expect_tx.shared.b64 _, [%bar], 256;\n"
    "@%p3 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes "
    "[%s], [%in], 256, [%bar];\n";
std::string wait(const std::string &parity = "0") {
  static int count = 0;
  std::string label = "WAIT" + std::to_string(count++);
  return label + ": mbarrier.try_wait.parity.shared.b64 %p0, [%bar], " +
         parity + "; @!%p0 bra " + label + ";\n";
}
const std::string use = "ld.shared.u32 %r0, [%sm]; // HERE\n"
                        "st.global.u32 [%mine], %r0;\n";

TEST(CheckAsync, BulkCopyIsReadAfterItsPhase) {
  expectSilent(initialise + copyIn + wait() + use, block64);
  expectReport(CheckKind::AsyncReadEarly, initialise + copyIn + use, block64);
  // The wrong parity passes at once.
  expectReport(CheckKind::AsyncReadEarly, initialise + copyIn + wait("1") + use,
               block64);
}

TEST(CheckAsync, OneThreadWaitsForAll) {
  std::string waits = "@!%p3 bra MEET;\n" + wait() + "MEET:\n";
  expectSilent(initialise + copyIn + waits + "bar.sync 0;\n" + use, block64);
  expectReport(CheckKind::AsyncReadEarly, initialise + copyIn + waits + use,
               block64);
}

TEST(CheckAsync, AnotherMbarrierTellsNothing) {
  std::string two =
      "setp.eq.u32 %p3, %t, 0;\n@%p3 mbarrier.init.shared.b64 [%bar], 1;\n"
      "@%p3 mbarrier.init.shared.b64 [%bar+8], 1;\nbar.sync 0;\n" +
      copyIn +
      "@%p3 mbarrier.arrive.expect_tx.shared.b64 _, [%bar+8], 256;\n"
      "@%p3 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes "
      "[%s+256], [%in+256], 256, [%bar+8];\n"
      "OTHER: mbarrier.try_wait.parity.shared.b64 %p0, [%bar+8], 0;\n"
      "@!%p0 bra OTHER;\n";
  expectReport(CheckKind::AsyncReadEarly, two + use, block64);
  expectSilent(two + wait() + use, block64);
}

TEST(CheckAsync, StageIsRefilledAfterItsReaders) {
  std::string again =
      "@%p3 mbarrier.arrive.expect_tx.shared.b64 _, [%bar], 256;\n"
      "@%p3 cp.async.bulk.shared::cluster.global.mbarrier::"
      "complete_tx::bytes [%s], [%in+256], 256, [%bar]; // HERE\n" +
      wait("1") + "ld.shared.u32 %r1, [%sm]; st.global.u32 [%mine], %r1;\n";
  std::string first = initialise + copyIn + wait() +
                      "ld.shared.u32 %r0, [%sm]; st.global.u32 [%mine], %r0;\n";
  expectSilent(first + "bar.sync 0;\n" + again, block64);
  expectReport(CheckKind::AsyncOverwrite, first + again, block64);
}

TEST(CheckAsync, StageIsNotWrittenWhileItIsFilled) {
  expectReport(CheckKind::AsyncOverwrite,
               initialise + copyIn + "st.shared.u32 [%sm], %t; // HERE\n",
               block64);
  expectSilent(initialise + copyIn + wait() +
                   "bar.sync 0;\n"
                   "st.shared.u32 [%sm], %t;\n",
               block64);
}

// Threads fill 256 bytes of shared memory and one of them copies them out.
std::string copyOut(const std::string &fence, const std::string &after) {
  return "st.shared.u32 [%sm], %t;\n" + fence +
         "\nbar.sync 0;\nsetp.ne.u32 %p0, %t, 0; @%p0 bra DONE;\n"
         "cp.async.bulk.global.shared::cta.bulk_group [%out], [%s], 256; // "
         "HERE\n"
         "cp.async.bulk.commit_group;\n" +
         after + "\nDONE:";
}

TEST(CheckAsync, GenericWritesAreFencedForTheOtherProxy) {
  expectSilent(
      copyOut("fence.proxy.async.shared::cta;", "cp.async.bulk.wait_group 0;"),
      block64);
  expectReport(CheckKind::ProxyFence,
               copyOut("", "cp.async.bulk.wait_group 0;"), block64);
  // One thread's fence, after the barrier, covers what it has learnt of.
  expectSilent(
      "st.shared.u32 [%sm], %t;\nbar.sync 0;\nsetp.ne.u32 %p0, %t, 0; "
      "@%p0 bra DONE;\nfence.proxy.async;\n"
      "cp.async.bulk.global.shared::cta.bulk_group [%out], [%s], 256;\n"
      "cp.async.bulk.commit_group;\ncp.async.bulk.wait_group 0;\nDONE:",
      block64);
}

TEST(CheckAsync, SourceIsKeptUntilItHasBeenRead) {
  std::string reuse = "mov.u32 %r0, 5; st.shared.u32 [%s], %r0;";
  expectSilent(copyOut("fence.proxy.async;",
                       "cp.async.bulk.wait_group.read 0;\n" + reuse),
               block64);
  // The block's shared memory goes with it.
  expectReport(CheckKind::AsyncOverwrite, copyOut("fence.proxy.async;", ""),
               block64);
  expectSilent(
      copyOut("fence.proxy.async;", "cp.async.bulk.wait_group.read 0;"),
      block64);
  std::string wrong = copyOut("fence.proxy.async;", reuse);
  std::string message = checked(wrong, block64);
  EXPECT_NE(message.find("[async-overwrite]"), std::string::npos) << message;
  // .read says nothing of the target.
  std::string target =
      "ld.global.u32 %r1, [%out]; st.global.u32 [%out+512], %r1;";
  message = checked(copyOut("fence.proxy.async;",
                            "cp.async.bulk.wait_group.read 0;\n" + target),
                    block64);
  EXPECT_NE(message.find("[async-read-early]"), std::string::npos) << message;
  expectSilent(
      copyOut("fence.proxy.async;", "cp.async.bulk.wait_group 0;\n" + target),
      block64);
}

// cp.async of this thread's word in two stages.
std::string copies(const std::string &waitFor, const std::string &read) {
  return "mad.wide.u32 %x0, %t, 4, %in;\n"
         "cp.async.ca.shared.global [%sm], [%x0], 4;\ncp.async.commit_group;\n"
         "cp.async.ca.shared.global [%sm+512], [%x0+512], 4;\n"
         "cp.async.commit_group;\n" +
         waitFor + "\n" + read +
         "\nst.global.u32 [%mine], %r0;\ncp.async.wait_all;";
}

TEST(CheckAsync, CopyGroups) {
  expectSilent(copies("cp.async.wait_group 1;", "ld.shared.u32 %r0, [%sm];"),
               block64);
  expectSilent(
      copies("cp.async.wait_group 0;", "ld.shared.u32 %r0, [%sm+512];"),
      block64);
  expectReport(
      CheckKind::AsyncReadEarly,
      copies("cp.async.wait_group 1;", "ld.shared.u32 %r0, [%sm+512]; // HERE"),
      block64);
  expectReport(CheckKind::AsyncReadEarly,
               copies("", "ld.shared.u32 %r0, [%sm]; // HERE"), block64);
}

TEST(CheckAsync, WaitingForOwnCopiesIsNotEnoughForOthers) {
  std::string other = "xor.b32 %r1, %t, 32; mad.lo.u32 %r1, %r1, 4, %s;\n";
  expectSilent(copies("cp.async.wait_group 0;\nbar.sync 0;\n" + other,
                      "ld.shared.u32 %r0, [%r1];"),
               block64);
  std::string wrong =
      copies("cp.async.wait_group 0;\n" + other, "ld.shared.u32 %r0, [%r1];");
  EXPECT_NE(checked(wrong, block64).find("[async-"), std::string::npos);
  // The barrier comes before the wait.
  wrong = copies("bar.sync 0;\ncp.async.wait_group 0;\n" + other,
                 "ld.shared.u32 %r0, [%r1];");
  EXPECT_NE(checked(wrong, block64).find("[async-"), std::string::npos);
}

TEST(CheckAsync, CopiesThatAnMbarrierCounts) {
  std::string body =
      "setp.eq.u32 %p3, %t, 0;\n@%p3 mbarrier.init.shared.b64 [%bar], 64;\n"
      "bar.sync 0;\nmad.wide.u32 %x0, %t, 4, %in;\n"
      "cp.async.ca.shared.global [%sm], [%x0], 4;\n"
      "cp.async.mbarrier.arrive.noinc.shared.b64 [%bar];\n";
  std::string other = "xor.b32 %r1, %t, 32; mad.lo.u32 %r1, %r1, 4, %s;\n"
                      "ld.shared.u32 %r0, [%r1]; // HERE\n"
                      "st.global.u32 [%mine], %r0;";
  expectSilent(body + wait() + other, block64);
  expectReport(CheckKind::AsyncReadEarly, body + other, block64);
}

TEST(CheckAsync, MbarriersOrderTheirArrivals) {
  // Warp 0 writes and arrives, warp 1 waits and reads.
  auto exchange = [](const std::string &arrive) {
    return "setp.eq.u32 %p3, %t, 0;\n@%p3 mbarrier.init.shared.b64 [%bar], "
           "32;\n"
           "bar.sync 0;\nsetp.ge.u32 %p1, %t, 32; @%p1 bra READER;\n"
           "st.shared.u32 [%sm], %t;\n" +
           arrive + "\nbra DONE;\nREADER:\n" + wait() +
           "ld.shared.u32 %r0, [%sm+-128]; // HERE\nst.global.u32 [%mine], "
           "%r0;\nDONE:";
  };
  expectSilent(exchange("mbarrier.arrive.shared.b64 _, [%bar];"), block64);
  expectReport(
      CheckKind::SharedRace,
      exchange("mbarrier.arrive.relaxed.cta.shared::cta.b64 _, [%bar];"),
      block64);
}

TEST(CheckAsync, MbarriersAreInitialisedOnce) {
  expectReport(CheckKind::Mbarrier,
               "mbarrier.arrive.shared.b64 %x0, [%bar]; // HERE", one);
  expectReport(CheckKind::Mbarrier,
               "mbarrier.init.shared.b64 [%bar], 1;\n"
               "mbarrier.inval.shared.b64 [%bar];\n"
               "mbarrier.arrive.shared.b64 %x0, [%bar]; // HERE",
               one);
  expectReport(CheckKind::Mbarrier,
               "mbarrier.init.shared.b64 [%bar], 1;\n"
               "mbarrier.init.shared.b64 [%bar], 1; // HERE",
               one);
  expectSilent("mbarrier.init.shared.b64 [%bar], 1;\n"
               "mbarrier.inval.shared.b64 [%bar];\n"
               "mbarrier.init.shared.b64 [%bar], 1;\n"
               "mbarrier.arrive.shared.b64 %x0, [%bar];",
               one);
  // What the block before left in shared memory is no mbarrier.
  CheckRun twoBlocks{1, 2};
  expectReport(CheckKind::Mbarrier,
               "setp.eq.u32 %p0, %b, 0;\n"
               "@%p0 mbarrier.init.shared.b64 [%bar], 1;\n"
               "mbarrier.test_wait.parity.shared.b64 %p1, [%bar], 1; // HERE",
               twoBlocks);
}

TEST(CheckAsync, BarriersThatSomeNeverReach) {
  expectReport(CheckKind::Barrier,
               "setp.lt.u32 %p0, %t, 32; @%p0 bra OTHER;\n"
               "bar.sync 1, 64; // HERE\nbra DONE;\n"
               "OTHER: bar.sync 2, 64;\nDONE:",
               block64);
  expectReport(CheckKind::MissingLanes,
               "setp.lt.u32 %p0, %t, 16; @%p0 bra OTHER;\n"
               "bar.sync 0; // HERE\nbra DONE;\nOTHER: bar.sync 0;\nDONE:",
               block64);
}

} // namespace
