// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Data races: what orders two accesses, and what only seems to.
#include "test/emulator/CheckFixture.h"

using namespace llrt;
using namespace llrt::test;

namespace {

const CheckRun block64{64}, block128{128}, twoBlocks{32, 2};

// Each thread writes its word and reads that of the thread `apart` away.
std::string neighbour(const std::string &between, unsigned apart = 32) {
  return "st.shared.u32 [%sm], %t;\n" + between +
         "\n"
         "xor.b32 %r0, %t, " +
         std::to_string(apart) +
         ";\n"
         "mad.lo.u32 %r1, %r0, 4, %s;\n"
         "ld.shared.u32 %r2, [%r1]; // HERE\n"
         "st.global.u32 [%mine], %r2;";
}

TEST(CheckRace, BarrierOrdersSharedMemory) {
  expectSilent(neighbour("bar.sync 0;"), block64);
  expectSilent(neighbour("barrier.sync 3, 64;"), block64);
  expectReport(CheckKind::SharedRace, neighbour(""), block64);
}

TEST(CheckRace, BarrierOfOtherThreadsOrdersNothing) {
  // Warps 0, 1 and warps 2, 3 meet at barriers of their own.
  std::string halves = "setp.lt.u32 %p0, %t, 64; @%p0 bra LOW;\n"
                       "bar.sync 1, 64; bra DONE;\n"
                       "LOW: bar.sync 2, 64; DONE:";
  expectSilent(neighbour(halves, 32), block128);
  expectReport(CheckKind::SharedRace, neighbour(halves, 64), block128);
}

TEST(CheckRace, ArrivingLearnsNothing) {
  // Warp 0 produces and arrives; warp 1 waits. The other way is a race.
  std::string one = "setp.lt.u32 %p0, %t, 32;\n"
                    "@!%p0 bra WAIT;\n"
                    "st.shared.u32 [%sm], %t; bar.arrive 1, 64; bra DONE;\n"
                    "WAIT: bar.sync 1, 64;\n"
                    "ld.shared.u32 %r0, [%sm+-128];\n"
                    "st.global.u32 [%mine], %r0;\nDONE:";
  expectSilent(one, block64);
  std::string other = "setp.lt.u32 %p0, %t, 32;\n"
                      "@!%p0 bra WAIT;\n"
                      "bar.arrive 1, 64; st.shared.u32 [%sm], %t; bra DONE;\n"
                      "WAIT: bar.sync 1, 64;\n"
                      "ld.shared.u32 %r0, [%sm+-128]; // HERE\n"
                      "st.global.u32 [%mine], %r0;\nDONE:";
  std::string message = checked(other, block64);
  EXPECT_NE(message.find("[shared-race]"), std::string::npos) << message;
}

TEST(CheckRace, WriteAfterReadNeedsABarrierToo) {
  std::string head = "st.shared.u32 [%sm], %t; bar.sync 0;\n"
                     "xor.b32 %r0, %t, 32; mad.lo.u32 %r1, %r0, 4, %s;\n"
                     "ld.shared.u32 %r2, [%r1];\n";
  std::string tail =
      "\nadd.u32 %r2, %r2, 1;\nst.shared.u32 [%sm], %r2; // HERE\n";
  expectSilent(head + "bar.sync 0;" + tail, block64);
  expectReport(CheckKind::SharedRace, head + tail, block64);
}

TEST(CheckRace, LanesOfAWarpAreThreads) {
  expectSilent(neighbour("bar.warp.sync 0xffffffff;", 1));
  expectReport(CheckKind::SharedRace, neighbour("", 1));
  expectReport(CheckKind::SharedRace,
               neighbour("shfl.sync.idx.b32 %r5, %t, 0, 31, 0xffffffff;", 1));
  // Pairs of lanes that meet in halves of the warp.
  std::string halves = "setp.lt.u32 %p0, %t, 16; @%p0 bra LOW;\n"
                       "bar.warp.sync 0xffff0000; bra DONE;\n"
                       "LOW: bar.warp.sync 0x0000ffff; DONE:";
  expectSilent(neighbour(halves, 8));
  expectReport(CheckKind::SharedRace, neighbour(halves, 16));
}

TEST(CheckRace, OwnWordsAndBytesApartAreNoRace) {
  expectSilent("st.shared.u32 [%sm], %t; ld.shared.u32 %r0, [%sm];\n"
               "add.u32 %r0, %r0, 1; st.shared.u32 [%sm], %r0;",
               block64);
  expectSilent("add.u32 %r0, %s, %t; st.shared.u8 [%r0], %t;\n"
               "ld.shared.u8 %r1, [%r0]; st.global.u32 [%mine], %r1;",
               block64);
  expectSilent("mad.lo.u32 %r0, %t, 2, %s; cvt.u16.u32 %h, %t;\n"
               "st.shared.u16 [%r0], %h;"
               "ld.shared.u16 %h, [%r0]; st.shared.u16 [%r0], %h;",
               block64);
}

TEST(CheckRace, SameValueStoresAreNoRace) {
  expectSilent("mov.u32 %r0, 7; st.shared.u32 [%s], %r0;", block64);
  expectReport(CheckKind::SharedRace, "st.shared.u32 [%s], %t; // HERE");
  expectReport(CheckKind::SharedRace,
               "shr.u32 %r0, %t, 5; st.shared.u32 [%s], %r0; // HERE", block64);
}

TEST(CheckRace, AtomicsAreNoRace) {
  expectSilent("setp.eq.u32 %p0, %t, 0; mov.u32 %r0, 0;\n"
               "@%p0 st.shared.u32 [%s], %r0; bar.sync 0;\n"
               "atom.shared.add.u32 %r1, [%s], 1; bar.sync 0;\n"
               "ld.shared.u32 %r2, [%s]; st.global.u32 [%mine], %r2;",
               block64);
  expectReport(CheckKind::SharedRace,
               "setp.eq.u32 %p0, %t, 0; mov.u32 %r0, 0;\n"
               "@%p0 st.shared.u32 [%s], %r0; bar.sync 0;\n"
               "atom.shared.add.u32 %r1, [%s], 1;\n"
               "ld.shared.u32 %r2, [%s]; // HERE\nst.global.u32 [%mine], %r2;",
               block64);
}

// Block 0 writes data and sets a flag; block 1 waits for it and reads.
std::string message(const std::string &release, const std::string &acquire) {
  return "mov.u32 %r0, 1; mov.u32 %r4, 42;\n"
         "setp.ne.u32 %p0, %t, 0; @%p0 bra DONE;\n"
         "setp.ne.u32 %p1, %b, 0; @%p1 bra READER;\n"
         "st.global.u32 [%out+256], %r4;\n" +
         release +
         "\nbra DONE;\n"
         "READER: " +
         acquire +
         "\n"
         "setp.eq.u32 %p2, %r1, 0; @%p2 bra READER;\nAFTER:\n"
         "ld.global.u32 %r2, [%out+256]; // HERE\n"
         "st.global.u32 [%out+512], %r2;\nDONE:";
}

TEST(CheckRace, ReleaseAndAcquireBetweenBlocks) {
  expectSilent(message("st.release.gpu.global.u32 [%out], %r0;",
                       "ld.acquire.gpu.global.u32 %r1, [%out];"),
               twoBlocks);
  expectSilent(message("atom.add.release.gpu.global.u32 %r3, [%out], 1;",
                       "ld.acquire.gpu.global.u32 %r1, [%out];"),
               twoBlocks);
  expectSilent(
      message("fence.acq_rel.gpu; st.relaxed.gpu.global.u32 [%out], %r0;",
              "ld.acquire.gpu.global.u32 %r1, [%out];"),
      twoBlocks);
  expectSilent(message("membar.gl; st.volatile.global.u32 [%out], %r0;",
                       "ld.volatile.global.u32 %r1, [%out]; membar.gl;"),
               twoBlocks);
  expectSilent(message("membar.gl; red.global.add.u32 [%out], 1;",
                       "atom.global.add.u32 %r1, [%out], 0; membar.gl;"),
               twoBlocks);
}

TEST(CheckRace, RelaxedFlagsOrderNothing) {
  expectReport(CheckKind::GlobalRace,
               message("st.relaxed.gpu.global.u32 [%out], %r0;",
                       "ld.acquire.gpu.global.u32 %r1, [%out];"),
               twoBlocks);
  expectReport(CheckKind::GlobalRace,
               message("st.release.gpu.global.u32 [%out], %r0;",
                       "ld.relaxed.gpu.global.u32 %r1, [%out];"),
               twoBlocks);
  expectReport(CheckKind::GlobalRace,
               message("st.release.gpu.global.u32 [%out], %r0;",
                       "ld.volatile.global.u32 %r1, [%out];"),
               twoBlocks);
}

TEST(CheckRace, WeakPollIsARace) {
  std::string body = "mov.u32 %r0, 1; setp.ne.u32 %p0, %t, 0; @%p0 bra DONE;\n"
                     "setp.ne.u32 %p1, %b, 0; @%p1 bra READER;\n"
                     "st.release.gpu.global.u32 [%out], %r0; bra DONE;\n"
                     "READER: ld.global.u32 %r1, [%out]; // HERE\n"
                     "setp.eq.u32 %p2, %r1, 0; @%p2 bra READER;\nDONE:";
  expectReport(CheckKind::GlobalRace, body, twoBlocks);
}

TEST(CheckRace, ScopeHasToReachTheOtherBlock) {
  std::string message =
      "mov.u32 %r0, 1; setp.ne.u32 %p0, %t, 0; @%p0 bra DONE;\n"
      "setp.ne.u32 %p1, %b, 0; @%p1 bra READER;\n"
      "st.release.cta.global.u32 [%out], %r0; bra DONE;\n"
      "READER: ld.acquire.gpu.global.u32 %r1, [%out]; // HERE\n"
      "setp.eq.u32 %p2, %r1, 0; @%p2 bra READER;\nDONE:";
  expectReport(CheckKind::GlobalRace, message, twoBlocks);
}

TEST(CheckRace, ScopeOfTheBlockIsEnoughWithinIt) {
  std::string body = "mov.u32 %r0, 1; mov.u32 %r4, 5;\n"
                     "setp.ge.u32 %p0, %t, 32; @%p0 bra READER;\n"
                     "setp.ne.u32 %p1, %t, 0; @%p1 bra DONE;\n"
                     "st.global.u32 [%out+256], %r4;\n"
                     "st.release.cta.global.u32 [%out], %r0; bra DONE;\n"
                     "READER: ld.acquire.cta.global.u32 %r1, [%out];\n"
                     "setp.eq.u32 %p2, %r1, 0; @%p2 bra READER;\n"
                     "ld.global.u32 %r2, [%out+256];\n"
                     "st.global.u32 [%mine+1024], %r2;\nDONE:";
  expectSilent(body, block64);
}

// A grid barrier: all threads of a block meet, one of them counts and polls.
std::string gridBarrier(const std::string &fence, const std::string &after) {
  return "mad.lo.u32 %r5, %b, 32, %t; mad.wide.u32 %x0, %r5, 4, %out;\n"
         "st.global.u32 [%x0+1024], %r5;\n"
         "bar.sync 0; setp.ne.u32 %p0, %t, 0; @%p0 bra MEET;\n" +
         fence +
         "\natom.global.add.u32 %r0, [%out], 1;\n"
         "POLL: ld.relaxed.gpu.global.u32 %r1, [%out];\n"
         "setp.lt.u32 %p1, %r1, 2; @%p1 bra POLL;\n" +
         fence + "\nMEET: " + after +
         "\n"
         "xor.b32 %r5, %r5, 32; mad.wide.u32 %x0, %r5, 4, %out;\n"
         "ld.global.u32 %r2, [%x0+1024]; // HERE\n"
         "st.global.u32 [%x0+2048], %r2;";
}

TEST(CheckRace, GridBarrier) {
  expectSilent(gridBarrier("fence.acq_rel.gpu;", "bar.sync 0;"), twoBlocks);
  expectReport(CheckKind::GlobalRace, gridBarrier("", "bar.sync 0;"),
               twoBlocks);
  expectReport(CheckKind::GlobalRace,
               gridBarrier("fence.acq_rel.cta;", "bar.sync 0;"), twoBlocks);
  // The other lanes go on before lane 0 has seen the count.
  expectReport(CheckKind::GlobalRace, gridBarrier("fence.acq_rel.gpu;", ""),
               twoBlocks);
}

TEST(CheckRace, KernelsFollowEachOther) {
  std::string body = "xor.b32 %r0, %t, 1; mad.wide.u32 %x0, %r0, 4, %out;\n"
                     "ld.global.u32 %r1, [%x0+1024];\n"
                     "add.u32 %r1, %r1, 1; st.global.u32 [%mine], %r1;\n";
  CheckRun twice{32};
  twice.launches = 2;
  expectSilent("st.global.u32 [%mine], %t;", twice);
  expectSilent("add.u32 %r0, %t, 1; and.b32 %r0, %r0, 31;\n"
               "ld.global.u32 %r1, [%mine]; st.global.u32 [%mine], %r1;",
               twice);
  twice.programmatic = true;
  expectSilent("griddepcontrol.wait; ld.global.u32 %r0, [%out+64];\n"
               "mov.u32 %r1, 9; setp.eq.u32 %p0, %t, 31;\n"
               "bar.warp.sync 0xffffffff;\n@%p0 st.global.u32 [%out+64], %r0;",
               twice);
  expectReport(
      CheckKind::GlobalRace,
      "ld.global.u32 %r0, [%out+64]; // HERE\n"
      "griddepcontrol.wait; bar.warp.sync 0xffffffff; add.u32 %r1, %r0, 1;\n"
      "setp.eq.u32 %p0, %t, 31; @%p0 st.global.u32 [%out+64], %r1;",
      twice);
}

TEST(CheckRace, WhatIsOverWhenAKernelIsLaunchedEarly) {
  // Launch 0 writes; a later one reads it before it waits.
  auto body = [](const std::string &reader, const std::string &waits) {
    return "ld.global.u32 %r0, [%in+4092];\nsetp.eq.u32 %p0, %r0, " + reader +
           ";\n@%p0 ld.global.u32 %r1, [%out+64]; // HERE\n" + waits +
           "\nsetp.eq.u32 %p1, %r0, 0; setp.eq.and.u32 %p1, %t, 0, %p1;\n"
           "@%p1 st.global.u32 [%out+64], 9;";
  };
  CheckRun often{32};
  often.programmatic = true;
  often.launches = 3;
  const std::string wait = "griddepcontrol.wait;",
                    next = "griddepcontrol.launch_dependents;";
  // Each waits for the one before and only then lets the next one start.
  expectSilent(body("2", wait + next), often);
  expectSilent(body("2", wait), often);
  expectReport(CheckKind::GlobalRace, body("1", wait + next), often);
  expectReport(CheckKind::GlobalRace, body("2", next + wait), often);
  expectReport(CheckKind::GlobalRace, body("2", next), often);
  expectReport(CheckKind::GlobalRace, body("2", ""), often);
  // All threads of a block let go, one of them without having waited.
  expectReport(CheckKind::GlobalRace,
               body("2", "setp.ne.u32 %p2, %t, 5; @%p2 " + wait + next), often);
  often.launches = 4;
  expectSilent(body("3", wait + next), often);
  expectReport(CheckKind::GlobalRace, body("3", next + wait), often);
}

TEST(CheckRace, OnlyLanesThatRunAreSeen) {
  expectSilent("setp.eq.u32 %p0, %t, 0; @%p0 st.shared.u32 [%s], %t;\n"
               "setp.eq.u32 %p1, %t, 33; @%p1 st.shared.u32 [%s+4], %t;\n"
               "@%p0 ld.shared.u32 %r0, [%s]; @%p1 ld.shared.u32 %r0, [%s+4];",
               block64);
}

} // namespace
