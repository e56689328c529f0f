// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Clusters: their special registers, distributed shared memory, their barrier,
// mbarriers of other blocks, and what a launch refuses.
#include "test/emulator/PtxRunner.h"

using namespace llrt;
using namespace llrt::test;

namespace {

struct Outcome {
  std::string message;
  std::vector<uint32_t> out;
};

/// A kernel (out) with %t (tid.x), %rank, %out, 1 KB of shared memory at %s,
/// an mbarrier at %bar and scratch %r, %x, %p.
std::string kernel(const std::string &body, const std::string &head = "") {
  return header + ".visible .entry k(.param .u64 pout)" + head +
         " {\n.reg .b32 %t, %s, %bar, %rank, %r<16>; .reg .b64 %out, %x<16>; "
         ".reg .pred %p<8>;\n.shared .align 16 .b8 data[1024]; .shared .align "
         "8 .b64 barriers[2];\n"
         "mov.u32 %t, %tid.x; mov.u32 %s, data; mov.u32 %bar, barriers; "
         "mov.u32 %rank, %cluster_ctarank; ld.param.u64 %out, [pout];\n" +
         body + "\nret;\n}\n";
}

Outcome run(const std::string &text, Dim3 grid, Dim3 block, Dim3 cluster,
            EmulatedGpu gpu = {}) {
  Emulated emulated(gpu);
  Outcome result;
  EXPECT_EQ(emulated.load(text), "");
  DeviceAddress out = emulated.upload(std::vector<uint32_t>(1024, 0), "output");
  result.message = emulated.launch("k", grid, block, {out}, 0, false, cluster);
  result.out = emulated.download<uint32_t>(out, 1024);
  return result;
}

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

const std::string arriveAndWait =
    "barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;\n";

// %x9 = out + 4 * (linear block index * 64 + tid)
const std::string place =
    "mov.u32 %r10, %ctaid.z; mov.u32 %r11, %nctaid.y; mov.u32 %r12, %ctaid.y; "
    "mad.lo.u32 %r10, %r10, %r11, %r12; mov.u32 %r11, %nctaid.x; mov.u32 %r12, "
    "%ctaid.x; mad.lo.u32 %r10, %r10, %r11, %r12; mad.lo.u32 %r10, %r10, 64, "
    "%t; mul.wide.u32 %x9, %r10, 4; add.u64 %x9, %x9, %out;\n";

TEST(Cluster, SpecialRegistersFollowTheGrid) {
  const char *names[] = {
      "clusterid.x",      "clusterid.y",      "clusterid.z",
      "nclusterid.x",     "nclusterid.y",     "nclusterid.z",
      "cluster_ctaid.x",  "cluster_ctaid.y",  "cluster_ctaid.z",
      "cluster_nctaid.x", "cluster_nctaid.y", "cluster_nctaid.z",
      "cluster_ctarank",  "cluster_nctarank"};
  std::string body = place;
  for (int i = 0; i < 14; ++i)
    body += "mov.u32 %r0, %" + std::string(names[i]) + "; st.global.u32 [%x9+" +
            std::to_string(4 * i) + "], %r0;\n";
  body += "mov.pred %p0, %is_explicit_cluster; selp.u32 %r0, 1, 0, %p0; "
          "st.global.u32 [%x9+56], %r0;\n";
  Dim3 grid = {4, 3, 1}, cluster = {2, 3, 1};
  Outcome r = run(kernel(body), grid, {1, 1, 1}, cluster);
  ASSERT_EQ(r.message, "");
  for (uint32_t y = 0; y < 3; ++y)
    for (uint32_t x = 0; x < 4; ++x) {
      std::vector<uint32_t> expected = {
          x / 2, 0, 0, 2, 1, 1, x % 2, y, 0, 2, 3, 1, y * 2 + x % 2, 6, 1};
      const uint32_t *at = &r.out[(y * 4 + x) * 64];
      EXPECT_EQ(std::vector<uint32_t>(at, at + 15), expected) << x << "," << y;
    }
}

TEST(Cluster, NeighboursReadAndWriteEachOther) {
  // Each block leaves 100 * rank + tid, reads its right neighbour's by a
  // shared::cluster and by a generic address, then adds into rank 0's.
  std::string body =
      place +
      "st.shared.v2.u32 [%s+512], {0, 0}; shl.b32 %r0, %t, 2; add.u32 %r0, "
      "%r0, %s; mad.lo.u32 %r1, %rank, 100, "
      "%t; st.shared.u32 [%r0], %r1;\n" +
      arriveAndWait +
      "mov.u32 %r2, %cluster_nctarank; add.u32 %r3, %rank, 1; rem.u32 %r3, "
      "%r3, %r2; mapa.shared::cluster.u32 %r4, %r0, %r3; "
      "ld.shared::cluster.u32 %r5, [%r4];\n"
      "cvt.u64.u32 %x0, %r0; cvta.shared.u64 %x0, %x0; mapa.u64 %x1, %x0, %r3; "
      "ld.u32 %r6, [%x1]; getctarank.u64 %r7, %x1; getctarank.shared::cluster."
      "u32 %r8, %r0;\n"
      "isspacep.shared::cta %p0, %x1; selp.u32 %r9, 10000, 0, %p0; "
      "isspacep.shared::cluster %p0, %x1; selp.u32 %r13, 20000, 0, %p0; "
      "add.u32 "
      "%r9, %r9, %r13;\n"
      "sub.u32 %r6, %r6, %r5; mad.lo.u32 %r5, %r7, 1000, %r5; mad.lo.u32 %r5, "
      "%r6, 7, %r5; add.u32 %r5, %r5, %r9; st.global.u32 [%x9], %r5;\n"
      "mov.u32 %r1, 0; mapa.shared::cluster.u32 %r4, %s, %r1; "
      "atom.shared::cluster.add.u32 %r5, [%r4+512], 1; "
      "red.shared::cluster.max.u32 [%r4+516], %rank;\n" +
      arriveAndWait +
      "ld.shared.u32 %r5, [%s+512]; ld.shared.u32 %r6, [%s+516]; setp.eq.u32 "
      "%p0, %t, 0; @%p0 st.global.u32 [%x9+128], %r5; @%p0 st.global.u32 "
      "[%x9+132], %r6;";
  Outcome r = run(kernel(body), {8, 1, 1}, {16, 1, 1}, {4, 1, 1});
  ASSERT_EQ(r.message, "");
  for (uint32_t b = 0; b < 8; ++b) {
    uint32_t next = (b % 4 + 1) % 4;
    for (uint32_t t = 0; t < 16; ++t)
      EXPECT_EQ(r.out[b * 64 + t], next * 1000 + next * 100 + t + 20000);
    if (b % 4 == 0) {
      EXPECT_EQ(r.out[b * 64 + 32], 64u);
      EXPECT_EQ(r.out[b * 64 + 33], 3u);
    }
  }
}

TEST(Cluster, BarriersCountPhasesAndForgetThreadsThatLeft) {
  // Rounds in which every block adds to all blocks; a third of the threads
  // leaves before the last barrier. Arrivals of divergent lanes need no
  // .aligned.
  std::string body =
      place + "mov.u32 %r0, 0; st.shared.u32 [%s], 0;\n" + arriveAndWait +
      "LOOP: mov.u32 %r1, 0;\nALL: mapa.shared::cluster.u32 %r2, %s, %r1; "
      "red.shared::cluster.add.u32 [%r2], 1; add.u32 %r1, %r1, 1; setp.lt.u32 "
      "%p0, %r1, 3; @%p0 bra ALL;\n" +
      arriveAndWait +
      "ld.shared.u32 %r3, [%s]; add.u32 %r0, %r0, 1; mul.lo.u32 %r4, %r0, 192; "
      "setp.ne.u32 %p1, %r3, %r4; @%p1 trap;\n" +
      arriveAndWait +
      "setp.lt.u32 %p0, %r0, 5; @%p0 bra LOOP;\n"
      "rem.u32 %r5, %t, 3; setp.eq.u32 %p2, %r5, 0; @%p2 exit; setp.eq.u32 "
      "%p3, %r5, 1; @%p3 bra ONE; barrier.cluster.arrive.release; bra TWO;\n"
      "ONE: barrier.cluster.arrive.relaxed;\nTWO: "
      "barrier.cluster.wait.acquire; st.global.u32 [%x9], %r3;";
  Outcome r = run(kernel(body), {6, 1, 1}, {64, 1, 1}, {3, 1, 1});
  ASSERT_EQ(r.message, "");
  for (uint32_t i = 0; i < 6 * 64; ++i)
    EXPECT_EQ(r.out[i], i % 64 % 3 ? 960u : 0u);
}

TEST(Cluster, RemoteArrivalsEndAPhase) {
  // Rank 0 waits for one arrival of each thread of the other block, and for a
  // value stored before.
  std::string body =
      "setp.ne.u32 %p0, %rank, 0; setp.ne.u32 %p1, %t, 0; @%p0 bra MAPPED; "
      "@%p1 bra MAPPED; mbarrier.init.shared.b64 [%bar], 32; "
      "fence.mbarrier_init.release.cluster;\nMAPPED:\n" +
      arriveAndWait +
      "@!%p0 bra WAIT; mov.u32 %r0, 0; mapa.shared::cluster.u32 %r1, %bar, "
      "%r0; mapa.shared::cluster.u32 %r2, %s, %r0; shl.b32 %r3, %t, 2; add.u32 "
      "%r2, %r2, %r3; st.shared::cluster.u32 [%r2], %t;\n"
      "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%r1]; bra END;\n"
      "WAIT: mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p2, "
      "[%bar], 0; @!%p2 bra WAIT;\nshl.b32 %r3, %t, 2; add.u32 %r2, %s, %r3; "
      "ld.shared.u32 %r4, [%r2]; mul.wide.u32 %x0, %t, 4; add.u64 %x0, %x0, "
      "%out; st.global.u32 [%x0], %r4;\nEND:\n" +
      arriveAndWait;
  Outcome r = run(kernel(body), {2, 1, 1}, {32, 1, 1}, {2, 1, 1});
  ASSERT_EQ(r.message, "");
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(r.out[i], i);
}

TEST(Cluster, Faults) {
  auto message = [](const std::string &body) {
    return run(kernel(body), {2, 1, 1}, {32, 1, 1}, {2, 1, 1}).message;
  };
  EXPECT_TRUE(contains(message("barrier.cluster.wait.aligned;"),
                       "without barrier.cluster.arrive"));
  EXPECT_TRUE(contains(
      message(
          "barrier.cluster.arrive.aligned; barrier.cluster.arrive.aligned;"),
      "twice without a wait"));
  EXPECT_TRUE(contains(message("mov.u32 %r0, 2; mapa.shared::cluster.u32 %r1, "
                               "%s, %r0;"),
                       "rank 2 in a cluster of 2"));
  EXPECT_TRUE(contains(
      message("mov.u32 %r0, 0x04000400; ld.shared::cluster.u32 %r1, [%r0];"),
      "names no block"));
  EXPECT_TRUE(contains(message("mov.u32 %r0, 1; mapa.shared::cluster.u32 %r1, "
                               "%s, %r0; ld.shared::cluster.u32 %r1, "
                               "[%r1+4096];"),
                       "outside the block's"));
  // Rank 1 leaves at once; rank 0 reads it only after a while.
  std::string early = message(
      "setp.eq.u32 %p0, %rank, 1; @%p0 exit; mov.u32 %r0, 1; "
      "mapa.shared::cluster.u32 %r1, %s, %r0;\nAGAIN: nanosleep.u32 100; "
      "add.u32 %r2, %r2, 1; setp.lt.u32 %p1, %r2, 50; @%p1 bra AGAIN; "
      "ld.shared::cluster.u32 %r1, [%r1];");
  EXPECT_TRUE(contains(early, "the block of rank 1 has exited")) << early;
  std::string stuck = message(
      "setp.eq.u32 %p0, %rank, 1; @%p0 bra SKIP; barrier.cluster.arrive; "
      "barrier.cluster.wait; bra END;\nSKIP: bar.sync 1, 64;\nEND:");
  EXPECT_TRUE(contains(stuck, "deadlock")) << stuck;
}

TEST(Cluster, LaunchesThatTheChipRefuses) {
  std::string plain = kernel("");
  auto message = [](const std::string &text, Dim3 grid, Dim3 cluster,
                    EmulatedGpu gpu = {}) {
    return run(text, grid, {32, 1, 1}, cluster, gpu).message;
  };
  EXPECT_EQ(message(plain, {16, 1, 1}, {16, 1, 1}), "");
  EXPECT_TRUE(contains(message(plain, {32, 1, 1}, {32, 1, 1}),
                       "clusters of 32 blocks; 1 to 16"));
  EXPECT_TRUE(contains(message(plain, {3, 1, 1}, {2, 1, 1}), "no multiples"));
  EXPECT_TRUE(
      contains(message(kernel("", ".maxclusterrank 2"), {4, 1, 1}, {4, 1, 1}),
               "1 to 2 are possible"));
  EmulatedGpu ampere;
  ampere.smVersion = 80;
  EXPECT_TRUE(contains(message(plain, {2, 1, 1}, {2, 1, 1}, ampere),
                       "sm_80 has no clusters"));
  // .reqnctapercluster alone makes the clusters.
  std::string fixed =
      kernel("mov.u32 %r0, %cluster_nctarank; st.global.u32 [%out], %r0;",
             ".reqnctapercluster 2, 1, 1");
  Outcome r = run(fixed, {4, 1, 1}, {1, 1, 1}, {1, 1, 1});
  EXPECT_EQ(r.message, "");
  EXPECT_EQ(r.out[0], 2u);
  EXPECT_TRUE(contains(message(fixed, {4, 1, 1}, {4, 1, 1}),
                       ".reqnctapercluster is not the cluster's shape"));
}

} // namespace
