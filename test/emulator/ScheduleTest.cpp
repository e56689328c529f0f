// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Divergence, exchanges in a warp, barriers, exchanges between blocks,
// deadlocks, clocks, and what a launch refuses.
#include "test/emulator/PtxRunner.h"

#include <numeric>

using namespace llrt;
using namespace llrt::test;
using V = std::vector<uint64_t>;

namespace {

std::string kernel(const std::string &body, const std::string &before = "") {
  return header + before +
         ".visible .entry k(.param .u64 out, .param .u32 n) {\n"
         ".reg .pred %p<8>; .reg .b32 %r<32>; .reg .b64 %rd<32>; .reg .b32 "
         "%t;\n"
         "ld.param.u64 %rd1, [out]; ld.param.u32 %r1, [n]; mov.u32 %t, %tid.x; "
         "mul.wide.u32 %rd2, %t, 4; add.u64 %rd2, %rd2, %rd1;\n" +
         body + "\nret;\n}\n";
}

struct Outcome {
  std::string message;
  std::vector<uint32_t> out;
};

Outcome run(const std::string &text, size_t words, Dim3 grid, Dim3 block,
            uint32_t n = 0, EmulatedGpu gpu = {}, bool cooperative = false,
            uint32_t dynamicShared = 0) {
  Emulated emulated(gpu);
  Outcome result;
  result.message = emulated.load(text);
  if (!result.message.empty())
    return result;
  DeviceAddress to = emulated.upload(std::vector<uint32_t>(words, 0), "output");
  result.message =
      emulated.launch("k", grid, block, {to, n}, dynamicShared, cooperative);
  result.out = emulated.download<uint32_t>(to, words);
  return result;
}

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST(Divergence, NestedBranchesMeetAgain) {
  Outcome r = run(kernel("mov.u32 %r2, 0; and.b32 %r3, %t, 1; setp.eq.u32 %p1, "
                         "%r3, 0; @%p1 bra EVEN;\n"
                         "setp.lt.u32 %p2, %t, 16; @%p2 bra ODDLOW; add.u32 "
                         "%r2, %r2, 1; bra ODDEND; ODDLOW: add.u32 %r2, %r2, "
                         "2; ODDEND: add.u32 %r2, %r2, 10; bra END;\n"
                         "EVEN: add.u32 %r2, %r2, 100;\nEND: activemask.b32 "
                         "%r4; popc.b32 %r4, %r4; mad.lo.u32 %r2, %r4, 1000, "
                         "%r2; st.global.u32 [%rd2], %r2;"),
                  32, {}, {32, 1, 1});
  ASSERT_EQ(r.message, "");
  for (uint32_t i = 0; i < 32; ++i)
    ASSERT_EQ(r.out[i], 32000u + (i % 2 == 0 ? 100 : i < 16 ? 12 : 11));
}

TEST(Divergence, LoopsOfDifferentLengths) {
  Outcome r =
      run(kernel("mov.u32 %r2, 0; mov.u32 %r3, 0; LOOP: add.u32 %r2, %r2, %r3; "
                 "add.u32 %r3, %r3, 1; setp.le.u32 %p1, %r3, %t; @%p1 bra LOOP;"
                 "activemask.b32 %r4; popc.b32 %r4, %r4; mad.lo.u32 %r2, %r4, "
                 "10000, %r2; st.global.u32 [%rd2], %r2;"),
          96, {}, {96, 1, 1});
  ASSERT_EQ(r.message, "");
  for (uint32_t i = 0; i < 96; ++i)
    ASSERT_EQ(r.out[i], 320000 + i * (i + 1) / 2);
}

TEST(Divergence, EarlyExitLeavesTheOthers) {
  Outcome r =
      run(kernel("setp.lt.u32 %p1, %t, 5; @%p1 exit; st.global.u32 [%rd2], 1; "
                 "and.b32 %r2, %t, 3; setp.eq.u32 %p2, %r2, 0; @%p2 ret;"
                 "bar.sync 0; st.global.u32 [%rd2], 2;"),
          64, {}, {64, 1, 1});
  ASSERT_EQ(r.message, "");
  for (uint32_t i = 0; i < 64; ++i)
    ASSERT_EQ(r.out[i], i < 5 ? 0u : i % 4 == 0 ? 1u : 2u);
}

TEST(Divergence, GuardedInstructionsKeepTheOtherLanes) {
  Outcome r =
      run(kernel("setp.lt.u32 %p1, %t, 7; mov.u32 %r2, 5; @%p1 mov.u32 %r2, 9; "
                 "@!%p1 add.u32 %r2, %r2, 1; @%p1 st.global.u32 [%rd2], %r2; "
                 "@!%p1 st.global.u32 [%rd2], %r2;"),
          32, {}, {32, 1, 1});
  ASSERT_EQ(r.message, "");
  for (uint32_t i = 0; i < 32; ++i)
    ASSERT_EQ(r.out[i], i < 7 ? 9u : 6u);
}

TEST(Divergence, JumpTables) {
  Outcome r = run(
      kernel("and.b32 %r2, %t, 3; TABLE: .branchtargets A, B, C, D; brx.idx "
             "%r2, TABLE; A: mov.u32 %r3, 11; bra E; B: mov.u32 %r3, 22; bra E;"
             "C: mov.u32 %r3, 33; bra E; D: mov.u32 %r3, 44; E: bar.sync 0; "
             "st.global.u32 [%rd2], %r3;"),
      32, {}, {32, 1, 1});
  ASSERT_EQ(r.message, "");
  for (uint32_t i = 0; i < 32; ++i)
    ASSERT_EQ(r.out[i], 11 * (i % 4 + 1));
}

// A lock taken and released by each lane of one warp in turn: a lane spins
// while the one that it waits for stands behind the loop.
TEST(Divergence, LanesThatSpinDoNotStarveTheOthers) {
  Outcome r = run(kernel("AGAIN: atom.global.cas.b32 %r2, [%rd1], 0, 1; "
                         "setp.ne.u32 %p1, %r2, 0; @%p1 bra AGAIN;"
                         "ld.volatile.global.u32 %r3, [%rd1+4]; add.u32 %r3, "
                         "%r3, 1; st.volatile.global.u32 [%rd1+4], %r3;"
                         "atom.global.exch.b32 %r4, [%rd1], 0;"),
                  2, {4, 1, 1}, {64, 1, 1});
  ASSERT_EQ(r.message, "");
  EXPECT_EQ(r.out[1], 256u);
}

TEST(Divergence, AFlagFromAnotherLaneOfTheSameWarp) {
  Outcome r = run(
      kernel("setp.eq.u32 %p1, %t, 31; @%p1 bra SET; WAIT: "
             "ld.acquire.gpu.global.u32 %r2, [%rd1+256]; setp.eq.u32 %p2, %r2, "
             "0; @%p2 bra WAIT;"
             "st.global.u32 [%rd2], %r2; bra END; SET: "
             "st.release.gpu.global.u32 [%rd1+256], 7; END: bar.warp.sync -1;"),
      65, {}, {32, 1, 1});
  ASSERT_EQ(r.message, "");
  for (uint32_t i = 0; i < 31; ++i)
    ASSERT_EQ(r.out[i], 7u);
}

TEST(Warp, Shuffles) {
  V lanes(32);
  std::iota(lanes.begin(), lanes.end(), 100);
  auto shuffle = [&](const std::string &mode, uint32_t by, uint32_t clamp) {
    return runLanes(
        "shfl.sync." + mode + ".b32 %w0|%p0, %a, " + std::to_string(by) + ", " +
            std::to_string(clamp) +
            ", 0xffffffff; selp.u32 %w1, 1000, 0, %p0; add.u32 %d, %w0, %w1;",
        {u32(lanes)}, 32);
  };
  V up = shuffle("up", 3, 0), down = shuffle("down", 3, 31),
    butterfly = shuffle("bfly", 5, 31), index = shuffle("idx", 9, 31);
  V segments = shuffle("down", 1, 0x1807 | 0x1f); // segments of 8: mask 0x18
  for (uint32_t i = 0; i < 32; ++i) {
    EXPECT_EQ(up[i], i >= 3 ? 1100 + i - 3 : 100 + i);
    EXPECT_EQ(down[i], i + 3 < 32 ? 1100 + i + 3 : 100 + i);
    EXPECT_EQ(butterfly[i], 1100 + (i ^ 5));
    EXPECT_EQ(index[i], 1109u);
    EXPECT_EQ(segments[i], i % 8 < 7 ? 1100 + i + 1 : 100 + i);
  }
}

TEST(Warp, VotesMatchesReductionsElection) {
  V lanes(32);
  std::iota(lanes.begin(), lanes.end(), 0);
  auto each = [&](const std::string &body) {
    return runLanes(body, {u32(lanes)}, 32);
  };
  std::string odd = "and.b32 %w0, %a, 1; setp.ne.u32 %p0, %w0, 0; ";
  EXPECT_EQ(each(odd + "vote.sync.ballot.b32 %d, %p0, 0xffffffff;"),
            V(32, 0xaaaaaaaau));
  EXPECT_EQ(
      each(odd +
           "vote.sync.any.pred %p1, %p0, 0xffffffff; selp.u32 %d, 1, 0, %p1;"),
      V(32, 1));
  EXPECT_EQ(
      each(odd +
           "vote.sync.all.pred %p1, !%p0, 0xffffffff; selp.u32 %d, 1, 0, %p1;"),
      V(32, 0));
  EXPECT_EQ(each("setp.lt.u32 %p0, %a, 99; vote.sync.uni.pred %p1, %p0, -1; "
                 "selp.u32 %d, 1, 0, %p1;"),
            V(32, 1));
  EXPECT_EQ(each("redux.sync.add.u32 %d, %a, 0xffffffff;"), V(32, 496));
  EXPECT_EQ(each("sub.s32 %w0, %a, 5; redux.sync.min.s32 %d, %w0, 0xffffffff;"),
            V(32, 0xfffffffbu));
  EXPECT_EQ(each("redux.sync.or.b32 %d, %a, 0xffffffff;"), V(32, 31));
  EXPECT_EQ(each("elect.sync %w0|%p0, 0xffffffff; selp.u32 %w1, 100, 0, %p0; "
                 "add.u32 %d, %w0, %w1;")[0],
            100u);
  EXPECT_EQ(each("elect.sync _|%p0, 0xffffffff; selp.u32 %d, 100, 0, %p0;")[1],
            0u);
  V match = each("shr.u32 %w0, %a, 3; match.any.sync.b32 %d, %w0, 0xffffffff;");
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(match[i], 0xffu << (i / 8 * 8));
  EXPECT_EQ(each("mov.u32 %w0, 3; match.all.sync.b32 %w1|%p0, %w0, 0xffffffff; "
                 "selp.u32 %d, %w1, 0, %p0;"),
            V(32, 0xffffffffu));
}

TEST(Barriers, ManyRoundsAndReductions) {
  Outcome r = run(
      kernel(
          ".shared .align 4 .b8 s[1024];\nmov.u32 %r2, s; shl.b32 %r3, %t, 2; "
          "add.u32 %r3, %r3, %r2; mov.u32 %r4, 0; mov.u32 %r9, 0;\n"
          "LOOP: st.shared.u32 [%r3], %r4; bar.sync 0; add.u32 %r5, %t, 33; "
          "and.b32 %r5, %r5, 127; shl.b32 %r5, %r5, 2; add.u32 %r5, %r5, %r2;"
          "ld.shared.u32 %r6, [%r5]; setp.ne.u32 %p1, %r6, %r4; @%p1 add.u32 "
          "%r9, %r9, 1; bar.sync 0; add.u32 %r4, %r4, 1; setp.lt.u32 %p2, %r4, "
          "50; @%p2 bra LOOP;\n"
          "setp.lt.u32 %p3, %t, 40; bar.red.popc.u32 %r7, 1, %p3; "
          "bar.red.and.pred %p4, 2, %p3; bar.red.or.pred %p5, 2, %p3; selp.u32 "
          "%r8, 1000, 0, %p4; selp.u32 %r10, 2000, 0, %p5;"
          "add.u32 %r7, %r7, %r8; add.u32 %r7, %r7, %r10; mad.lo.u32 %r7, %r9, "
          "10000, %r7; st.global.u32 [%rd2], %r7;"),
      128, {}, {128, 1, 1});
  ASSERT_EQ(r.message, "");
  EXPECT_EQ(r.out, std::vector<uint32_t>(128, 2040));
}

TEST(Barriers, ProducersArriveConsumersWait) {
  Outcome r =
      run(kernel(".shared .align 4 .b8 s[4];\nsetp.lt.u32 %p1, %t, 32; @%p1 "
                 "bra PRODUCE; bar.sync 3, 64; ld.shared.u32 %r2, [s]; "
                 "st.global.u32 [%rd2], %r2; bra END;\n"
                 "PRODUCE: st.shared.u32 [s], 77; bar.arrive 3, 64; END: ret;"),
          64, {}, {64, 1, 1});
  ASSERT_EQ(r.message, "");
  EXPECT_EQ(r.out[40], 77u);
}

TEST(Barriers, MissingThreadsAreADeadlock) {
  Outcome r = run(kernel("setp.lt.u32 %p1, %t, 32; @%p1 bra SKIP; bar.sync 0, "
                         "128; SKIP: ret;"),
                  1, {}, {64, 1, 1});
  EXPECT_TRUE(contains(r.message, "deadlock")) << r.message;
  EXPECT_TRUE(contains(r.message, "warp 1 lanes 0xffffffff at line") &&
              contains(r.message, "at barrier 0"))
      << r.message;
}

TEST(Barriers, MissingLanesAreAnError) {
  Outcome r =
      run(kernel("setp.lt.u32 %p1, %t, 16; @%p1 bra ONE; mov.u32 %r2, 5; bra "
                 "END;\nONE: bar.sync 0;\nEND: st.global.u32 [%rd2], %r2;"),
          32, {}, {32, 1, 1});
  EXPECT_TRUE(contains(r.message, "aligned instruction with missing lanes"))
      << r.message;
  EXPECT_TRUE(contains(r.message, "bar.sync 0")) << r.message;
}

// Every block adds to a counter and waits until all have: needs all resident.
static const char *const gridBarrier =
    "setp.ne.u32 %p1, %t, 0; @%p1 bra DONE; fence.acq_rel.gpu; "
    "red.release.gpu.global.add.u32 [%rd1], 1; mov.u32 %r2, %nctaid.x;\n"
    "WAIT: ld.acquire.gpu.global.u32 %r3, [%rd1]; setp.lt.u32 %p2, %r3, %r2; "
    "@%p2 bra WAIT;\n"
    "DONE: bar.sync 0; ld.global.u32 %r4, [%rd1]; mov.u32 %r5, %ctaid.x; "
    "mul.wide.u32 %rd3, %r5, 4; add.u64 %rd3, %rd3, %rd1; st.global.u32 "
    "[%rd3+4], %r4;";

TEST(Grid, BlocksThatAreResidentMeet) {
  Outcome r = run(kernel(gridBarrier), 41, {40, 1, 1}, {64, 1, 1}, 0, {}, true);
  ASSERT_EQ(r.message, "");
  EXPECT_EQ(r.out, std::vector<uint32_t>(41, 40));
}

TEST(Grid, MoreBlocksThanFitAreADeadlock) {
  EmulatedGpu small;
  small.multiprocessors = 1;
  small.blocksPerMultiprocessor = 4;
  Outcome r = run(kernel(gridBarrier), 41, {40, 1, 1}, {64, 1, 1}, 0, small);
  EXPECT_TRUE(contains(r.message, "deadlock") &&
              contains(r.message, "36 of 40 not started") &&
              contains(r.message, "ld.acquire"))
      << r.message;
  r = run(kernel(gridBarrier), 41, {40, 1, 1}, {64, 1, 1}, 0, small, true);
  EXPECT_TRUE(
      contains(r.message, "cooperative grid of 40 blocks; 4 can be resident"))
      << r.message;
}

TEST(Grid, AFlagThatNobodySetsIsADeadlock) {
  Outcome r = run(kernel("WAIT: ld.relaxed.gpu.global.u32 %r2, [%rd1]; "
                         "setp.eq.u32 %p1, %r2, 0; @%p1 bra WAIT;"),
                  1, {2, 1, 1}, {64, 1, 1});
  EXPECT_TRUE(contains(
      r.message, "deadlock: every block waits for memory that nobody writes"))
      << r.message;
}

TEST(Grid, IndicesOfThreeDimensions) {
  Outcome r =
      run(kernel("mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ctaid.y; mov.u32 %r4, "
                 "%ctaid.z; mov.u32 %r5, %tid.y; mov.u32 %r6, %tid.z;"
                 "mad.lo.u32 %r7, %r4, 3, %r3; mad.lo.u32 %r7, %r7, 2, %r2; "
                 "mad.lo.u32 %r8, %r6, 2, %r5; mad.lo.u32 %r8, %r8, 4, %t; "
                 "mad.lo.u32 %r9, %r7, 16, %r8;"
                 "mul.wide.u32 %rd3, %r9, 4; add.u64 %rd3, %rd3, %rd1; add.u32 "
                 "%r9, %r9, 1; st.global.u32 [%rd3], %r9;"),
          2 * 3 * 2 * 16, {2, 3, 2}, {4, 2, 2});
  ASSERT_EQ(r.message, "");
  for (uint32_t i = 0; i < r.out.size(); ++i)
    ASSERT_EQ(r.out[i], i + 1);
}

TEST(Grid, ClocksCountInstructionsAndRunsAreEqual) {
  std::string text = kernel(
      "mov.u64 %rd3, %globaltimer; mov.u32 %r2, %clock; mov.u32 %r3, 0; LOOP: "
      "add.u32 %r3, %r3, 1; setp.lt.u32 %p1, %r3, %t; @%p1 bra LOOP;"
      "mov.u32 %r4, %clock; sub.u32 %r4, %r4, %r2; st.global.u32 [%rd2], %r4;");
  Outcome first = run(text, 64, {}, {64, 1, 1}),
          second = run(text, 64, {}, {64, 1, 1});
  ASSERT_EQ(first.message, "");
  EXPECT_EQ(first.out, second.out);
  EXPECT_GT(first.out[63], 100u);
}

TEST(Grid, ALaunchIsRefusedAsTheChipWould) {
  std::string text = kernel("");
  EXPECT_TRUE(contains(run(text, 1, {0, 1, 1}, {32, 1, 1}).message, "is 0"));
  EXPECT_TRUE(contains(run(text, 1, {}, {1024, 2, 1}).message, "2048 threads"));
  EXPECT_TRUE(
      contains(run(text, 1, {1, 70000, 1}, {32, 1, 1}).message, "65535"));
  EXPECT_TRUE(
      contains(run(text, 1, {}, {32, 1, 1}, 0, {}, false, 240 << 10).message,
               "shared memory"));
  Emulated emulated;
  ASSERT_EQ(emulated.load(text), "");
  EXPECT_TRUE(contains(emulated.launch("k", {}, {32, 1, 1}, {0}),
                       "1 arguments for 2 parameters"));
  EXPECT_TRUE(contains(emulated.launch("other", {}, {32, 1, 1}, {}),
                       "no kernel 'other'"));
}

TEST(Grid, EventsCountInstructions) {
  Emulated emulated;
  ASSERT_EQ(emulated.load(kernel("")), "");
  DeviceAddress to = emulated.buffer(64);
  Event *start = *emulated.device->createEvent(),
        *end = *emulated.device->createEvent();
  EXPECT_FALSE(
      static_cast<bool>(emulated.device->elapsedMilliseconds(start, end)));
  ASSERT_FALSE(static_cast<bool>(emulated.device->record(start, nullptr)));
  ASSERT_EQ(emulated.launch("k", {10, 1, 1}, {32, 1, 1}, {to, 0}), "");
  ASSERT_FALSE(static_cast<bool>(emulated.device->record(end, nullptr)));
  EXPECT_GT(*emulated.device->elapsedMilliseconds(start, end), 0.0);
}

TEST(Grid, ATrapIsReported) {
  Outcome r =
      run(kernel("setp.eq.u32 %p1, %t, 3; @%p1 trap;"), 1, {}, {32, 1, 1});
  EXPECT_TRUE(contains(r.message, "thread (3,0,0)") &&
              contains(r.message, "trap"))
      << r.message;
}
