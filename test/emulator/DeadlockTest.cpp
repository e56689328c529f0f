// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Who waits for what, when nobody can go on; and who only seems to.
#include "test/emulator/PtxRunner.h"

using namespace llrt;
using namespace llrt::test;

namespace {

/// Line 4 is the first of `body`; %rd1 = out (16 words of 0), %t = thread.
std::string messageOf(const std::string &body, Dim3 grid = {},
                      Dim3 block = {32, 1, 1}, const EmulatedGpu &gpu = {},
                      std::vector<uint32_t> *result = nullptr) {
  std::string text = ".version 8.6 .target sm_90a .address_size 64\n"
                     ".visible .entry k(.param .u64 out) { .reg .pred %p<8>; "
                     ".reg .b32 %r<32>, %t; .reg .b64 %rd<8>;\n"
                     ".shared .align 8 .b8 s[64]; ld.param.u64 %rd1, [out]; "
                     "mov.u32 %t, %tid.x; mov.u32 %r9, 0;\n" +
                     body + "\nret;\n}\n";
  Emulated emulated(gpu);
  std::string message = emulated.load(text);
  if (!message.empty())
    return message;
  DeviceAddress out = emulated.upload(std::vector<uint32_t>(16, 0), "flags");
  message = emulated.launch("k", grid, block, {out});
  if (result)
    *result = emulated.download<uint32_t>(out, 16);
  return message;
}

#define EXPECT_SAYS(MESSAGE, PART)                                             \
  EXPECT_NE((MESSAGE).find(PART), std::string::npos) << (MESSAGE)

} // namespace

// Its registers change in every round; the word that it reads does not.
TEST(Deadlock, APollThatCountsItsRounds) {
  std::string message = messageOf(
      "WAIT: add.u32 %r9, %r9, 1;\nld.acquire.gpu.global.u32 %r1, [%rd1+8];\n"
      "setp.ne.u32 %p1, %r1, 3;\n@%p1 bra WAIT;\nst.global.u32 [%rd1], %r9;");
  EXPECT_SAYS(message, "deadlock: every block waits for memory that nobody "
                       "writes");
  EXPECT_SAYS(message, "warp 0 lanes 0xffffffff");
  EXPECT_SAYS(message, "byte 8 of 'flags' (64 bytes) (line 5), which stays "
                       "0x0");
}

TEST(Deadlock, ALockThatNobodyReleases) {
  std::string message =
      messageOf("setp.ne.u32 %p0, %t, 0; @%p0 bra END;\nAGAIN: add.u32 %r9, "
                "%r9, 1;\natom.global.cas.b32 %r1, [%rd1], 0, 1;\nsetp.ne.u32 "
                "%p1, %r1, 0; @%p1 bra AGAIN;\nEND:",
                {3, 1, 1});
  EXPECT_SAYS(message, "deadlock");
  EXPECT_SAYS(message, "byte 0 of 'flags' (64 bytes) (line 6), which stays "
                       "0x1");
}

TEST(Deadlock, AFlagInSharedMemory) {
  std::string message = messageOf(
      "st.volatile.shared.u32 [s+4], 0;\nWAIT: add.u32 %r9, %r9, 1;\n"
      "ld.volatile.shared.u32 %r1, [s+4];\nsetp.eq.u32 %p1, %r1, 0; @%p1 bra "
      "WAIT;");
  EXPECT_SAYS(message, "polls shared address 1028 (line 6), which stays 0x0");
}

TEST(Deadlock, AnMbarrierWhoseTransactionNeverComes) {
  std::string message = messageOf(
      "setp.ne.u32 %p0, %t, 0; @%p0 bra GO; mbarrier.init.shared.b64 [s+16], "
      "1; mbarrier.arrive.expect_tx.shared.b64 _, [s+16], 32;\nGO: bar.sync "
      "0;\nWAIT: mbarrier.try_wait.parity.shared.b64 %p1, [s+16], 0;\n@!%p1 "
      "bra WAIT;",
      {}, {64, 1, 1});
  EXPECT_SAYS(message, "deadlock");
  EXPECT_SAYS(message, "mbarrier at shared address 1040");
  EXPECT_SAYS(message, "warp 1");
}

TEST(Deadlock, ABarrierSaysWhoHasCome) {
  std::string message =
      messageOf("setp.lt.u32 %p0, %t, 32; @%p0 bra SKIP;\nbar.sync 1, 96;\n"
                "SKIP: bar.sync 0;",
                {}, {64, 1, 1});
  EXPECT_SAYS(message, "warp 0 lanes 0xffffffff at line 6 wait at barrier 0, "
                       "where 32 of 64 threads have arrived");
  EXPECT_SAYS(message, "warp 1 lanes 0xffffffff at line 5 wait at barrier 1, "
                       "where 32 of 96 threads have arrived");
}

// Where the PTX says what it was made from, the report does.
TEST(Deadlock, NamesTheSource) {
  std::string message = messageOf(
      ".loc 1 42 7\nsetp.lt.u32 %p0, %t, 32; @%p0 bra SKIP;\n.loc 1 43 3\n"
      "bar.sync 1, 96;\nSKIP:\n.loc 1 44 3\nbar.sync 0;\n.file 1 "
      "\"sum.cu\"",
      {}, {64, 1, 1});
  EXPECT_SAYS(message, "at line 10 (of sum.cu:44) wait at barrier 0");
  EXPECT_SAYS(message, "at line 7 (of sum.cu:43) wait at barrier 1");
}

TEST(Deadlock, AGridThatIsNotResident) {
  EmulatedGpu small;
  small.multiprocessors = 2;
  small.blocksPerMultiprocessor = 3;
  std::string message = messageOf(
      "setp.ne.u32 %p0, %t, 0; @%p0 bra END; red.release.gpu.global.add.u32 "
      "[%rd1], 1;\nWAIT: add.u32 %r9, %r9, 1; ld.acquire.gpu.global.u32 %r1, "
      "[%rd1]; setp.lt.u32 %p1, %r1, 8; @%p1 bra WAIT;\nEND: bar.sync 0;",
      {8, 1, 1}, {32, 1, 1}, small);
  EXPECT_SAYS(message, "6 blocks resident, 2 of 8 not started, room for 6");
  EXPECT_SAYS(message, "which stays 0x6");
}

// What polls for a while and then does something else is not stuck.
TEST(Deadlock, GivingUpIsProgress) {
  std::vector<uint32_t> out;
  std::string message = messageOf(
      "WAIT: add.u32 %r9, %r9, 1; ld.acquire.gpu.global.u32 %r1, [%rd1]; "
      "setp.lt.u32 %p2, %r9, 20000; setp.eq.and.u32 %p1, %r1, 0, %p2;\n@%p1 "
      "bra WAIT;\nst.global.u32 [%rd1+4], %r9;",
      {4, 1, 1}, {32, 1, 1}, {}, &out);
  EXPECT_EQ(message, "");
  EXPECT_EQ(out[1], 20000u);
}

// A long computation that writes nothing is not stuck either.
TEST(Deadlock, ComputingIsProgress) {
  std::vector<uint32_t> out;
  std::string message =
      messageOf("LOOP: add.u32 %r9, %r9, 1; setp.lt.u32 %p1, %r9, 300000; "
                "@%p1 bra LOOP;\nst.global.u32 [%rd1+4], %r9;",
                {}, {32, 1, 1}, {}, &out);
  EXPECT_EQ(message, "");
  EXPECT_EQ(out[1], 300000u);
}
