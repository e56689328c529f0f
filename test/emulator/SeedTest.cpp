// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// --emulator-schedule: seeds draw different legal orders, right programs do not
// notice, wrong ones do.
#include "test/emulator/PtxRunner.h"

#include <set>

using namespace llrt;
using namespace llrt::test;

namespace {

using Words = std::vector<uint32_t>;

/// `body` with %rd1 = out, %rd2 = in, %t = thread, %s = 4096 bytes of shared
/// memory, %bar = an mbarrier.
std::string kernel(const std::string &body) {
  return header +
         ".visible .entry k(.param .u64 out, .param .u64 in) {\n"
         ".reg .pred %p<8>; .reg .b32 %r<32>, %t, %s, %bar; .reg .b64 "
         "%rd<32>;\n"
         ".shared .align 128 .b8 s[4096]; .shared .align 8 .b8 b[8];\n"
         "ld.param.u64 %rd1, [out]; ld.param.u64 %rd2, [in]; mov.u32 %t, "
         "%tid.x; mov.u32 %s, s; mov.u32 %bar, b;\n" +
         body + "\nret;\n}\n";
}

struct Outcome {
  std::string message;
  Words out;
};

/// in = 1000, 1001, ...
Outcome run(const std::string &text, uint64_t seed, Dim3 grid, Dim3 block,
            size_t words, unsigned threads = 1) {
  EmulatorOptions options;
  options.schedule = seed;
  options.threads = threads;
  Emulated emulated(EmulatedGpu{}, options);
  Outcome outcome;
  outcome.message = emulated.load(text);
  if (!outcome.message.empty())
    return outcome;
  Words input(1024);
  for (uint32_t i = 0; i < input.size(); ++i)
    input[i] = 1000 + i;
  DeviceAddress out = emulated.upload(Words(words, 0), "out"),
                in = emulated.upload(input, "in");
  outcome.message = emulated.launch("k", grid, block, {out, in});
  outcome.out = emulated.download<uint32_t>(out, words);
  return outcome;
}

/// Different results over 16 seeds.
std::set<Words> resultsOf(const std::string &text, Dim3 grid, Dim3 block,
                          size_t words) {
  std::set<Words> results;
  for (uint64_t seed = 0; seed < 16; ++seed) {
    Outcome outcome = run(text, seed, grid, block, words);
    EXPECT_EQ(outcome.message, "") << "seed " << seed;
    results.insert(outcome.out);
  }
  return results;
}

// Each warp of each block writes its turn.
const char *const tickets =
    "and.b32 %r1, %t, 31; setp.ne.u32 %p1, %r1, 0; @%p1 bra END;\n"
    "atom.global.add.u32 %r2, [%rd1], 1;\n"
    "mov.u32 %r3, %ctaid.x; mad.lo.u32 %r3, %r3, 4, 1; shr.u32 %r4, %t, 5; "
    "add.u32 %r3, %r3, %r4; mul.wide.u32 %rd3, %r3, 4; add.u64 %rd3, %rd3, "
    "%rd1; st.global.u32 [%rd3], %r2;\nEND: bar.sync 0;";

} // namespace

TEST(Seed, PermutesWarpsAndBlocks) {
  EXPECT_GT(resultsOf(kernel(tickets), {6, 1, 1}, {128, 1, 1}, 25).size(), 12u);
}

TEST(Seed, TheSameSeedIsTheSameOrderOnAnyNumberOfThreads) {
  for (uint64_t seed : {3u, 4u}) {
    Outcome one = run(kernel(tickets), seed, {6, 1, 1}, {128, 1, 1}, 25, 1),
            four = run(kernel(tickets), seed, {6, 1, 1}, {128, 1, 1}, 25, 4);
    ASSERT_EQ(one.message, "");
    EXPECT_EQ(one.out, four.out);
    EXPECT_EQ(one.out[0], 24u); // every warp had its turn
  }
}

// Lanes of one warp that diverge: which side goes first is nobody's promise.
TEST(Seed, PermutesTheSidesOfABranch) {
  std::set<Words> results = resultsOf(
      kernel("setp.lt.u32 %p1, %t, 16; @%p1 bra LOW; st.global.u32 [%rd1], 2; "
             "bra END;\nLOW: st.global.u32 [%rd1], 1;\nEND:"),
      {}, {32, 1, 1}, 1);
  EXPECT_EQ(results, (std::set<Words>{{1}, {2}}));
}

// A warp may be cut between any two instructions.
TEST(Seed, CutsStraightCode) {
  std::string increments;
  for (int i = 0; i < 40; ++i)
    increments += "ld.volatile.global.u32 %r1, [%rd1]; add.u32 %r1, %r1, 1; "
                  "st.volatile.global.u32 [%rd1], %r1;\n";
  std::string one = "and.b32 %r1, %t, 31; setp.ne.u32 %p1, %r1, 0; @%p1 bra "
                    "END;\n" +
                    increments + "END:";
  std::set<Words> results = resultsOf(kernel(one), {}, {64, 1, 1}, 1);
  EXPECT_GT(results.size(), 2u); // updates that get lost
  EXPECT_LE(*results.rbegin(), Words{80});
}

static std::string copy(const std::string &wait) {
  return kernel(
      "shl.b32 %r1, %t, 2; add.u32 %r2, %s, %r1; st.shared.u32 [%r2], 7; "
      "mul.wide.u32 %rd3, %t, 4; add.u64 %rd4, %rd2, %rd3; add.u64 %rd5, "
      "%rd1, %rd3;\n"
      "cp.async.ca.shared.global [%r2], [%rd4], 4; cp.async.commit_group;\n" +
      wait + "\nld.shared.u32 %r3, [%r2]; st.global.u32 [%rd5], %r3;");
}

TEST(Seed, ACopyIsThereOnlyAfterTheWait) {
  Words copied;
  for (uint32_t i = 0; i < 64; ++i)
    copied.push_back(1000 + i);
  EXPECT_EQ(resultsOf(copy("cp.async.wait_group 0;"), {}, {64, 1, 1}, 64),
            std::set<Words>{copied});
  EXPECT_EQ(resultsOf(copy("cp.async.wait_all;"), {}, {64, 1, 1}, 64),
            std::set<Words>{copied});
  // One group may be left: the only one.
  std::set<Words> early =
      resultsOf(copy("cp.async.wait_group 1;"), {}, {64, 1, 1}, 64);
  EXPECT_GT(early.size(), 8u);
  // Lanes see either what was there or what comes.
  for (const Words &words : early)
    for (uint32_t i = 0; i < 64; ++i)
      ASSERT_TRUE(words[i] == 7 || words[i] == 1000 + i);
}

static std::string bulkCopy(const std::string &wait) {
  return kernel(
      "shl.b32 %r1, %t, 2; add.u32 %r2, %s, %r1; st.shared.u32 [%r2], 7; "
      "mul.wide.u32 %rd3, %t, 4; add.u64 %rd5, %rd1, %rd3;\n"
      "fence.proxy.async; bar.sync 0; setp.ne.u32 %p1, %t, 0; @%p1 bra GO; "
      "mbarrier.init.shared.b64 [%bar], 1; fence.proxy.async;\n"
      "mbarrier.arrive.expect_tx.shared.b64 _, [%bar], 256;\n"
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes "
      "[%s], [%rd2], 256, [%bar];\nGO: bar.sync 0;\n" +
      wait + "\nld.shared.u32 %r3, [%r2]; st.global.u32 [%rd5], %r3;");
}

TEST(Seed, ABulkCopyIsThereOnlyAfterItsPhase) {
  Words copied;
  for (uint32_t i = 0; i < 64; ++i)
    copied.push_back(1000 + i);
  for (const char *wait :
       {"W: mbarrier.try_wait.parity.shared.b64 %p2, [%bar], 0; @!%p2 bra W;",
        "W: mbarrier.test_wait.parity.shared.b64 %p2, [%bar], 0; @!%p2 bra "
        "W;"})
    EXPECT_EQ(resultsOf(bulkCopy(wait), {}, {64, 1, 1}, 64),
              std::set<Words>{copied});
  EXPECT_GT(resultsOf(bulkCopy(""), {}, {64, 1, 1}, 64).size(), 1u);
}

// The other parity is that of the phase before: no wait at all, or for ever.
TEST(Seed, TheWrongParityIsNoWait) {
  Words copied;
  for (uint32_t i = 0; i < 64; ++i)
    copied.push_back(1000 + i);
  unsigned early = 0, late = 0;
  for (uint64_t seed = 0; seed < 16; ++seed) {
    Outcome outcome =
        run(bulkCopy("W: mbarrier.try_wait.parity.shared.b64 %p2, [%bar], 1; "
                     "@!%p2 bra W;"),
            seed, {}, {64, 1, 1}, 64);
    early += outcome.message.empty() && outcome.out != copied;
    late += outcome.message.find("deadlock") != std::string::npos;
  }
  EXPECT_GT(early, 3u);
  EXPECT_GT(late, 0u);
}

// A try_wait may come back without the phase's end: one that is not in a loop
// is no wait.
TEST(Seed, ATryMayExpire) {
  EXPECT_GT(resultsOf(bulkCopy("mbarrier.try_wait.parity.shared.b64 %p2, "
                               "[%bar], 0;"),
                      {}, {64, 1, 1}, 64)
                .size(),
            1u);
}

// Out of shared memory: the source belongs to the copy until wait_group.read.
TEST(Seed, ASourceIsReadLate) {
  auto text = [](const std::string &wait) {
    return kernel("setp.ne.u32 %p1, %t, 0; @%p1 bra END;\n"
                  "st.shared.v4.u32 [%s], {1, 2, 3, 4}; fence.proxy.async;\n"
                  "cp.async.bulk.global.shared::cta.bulk_group [%rd1], [%s], "
                  "16; cp.async.bulk.commit_group;\n" +
                  wait +
                  "st.shared.v4.u32 [%s], {5, 6, 7, 8};\n"
                  "cp.async.bulk.wait_group 0;\nEND:");
  };
  EXPECT_EQ(
      resultsOf(text("cp.async.bulk.wait_group.read 0;"), {}, {32, 1, 1}, 4),
      (std::set<Words>{{1, 2, 3, 4}}));
  EXPECT_EQ(resultsOf(text(""), {}, {32, 1, 1}, 4),
            (std::set<Words>{{1, 2, 3, 4}, {5, 6, 7, 8}}));
}
