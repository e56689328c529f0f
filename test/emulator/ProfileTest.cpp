// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// --profile: counts that follow from the program by hand.
#include "runtime/ProfileReport.h"
#include "test/emulator/PtxRunner.h"

using namespace llrt;
using namespace llrt::test;

namespace {

/// %rd1 = memory (64 KB), %t = thread, s = 4096 bytes of shared memory.
KernelProfile profileOf(const std::string &body, Dim3 grid = {},
                        Dim3 block = {32, 1, 1}, unsigned launches = 1) {
  EmulatorOptions options;
  options.profile = true;
  Emulated emulated(EmulatedGpu{}, options);
  std::string text =
      header +
      ".visible .entry k(.param .u64 memory) { .reg .pred %p<8>; .reg .b32 "
      "%r<32>, %t; .reg .b64 %rd<8>; .reg .f32 %f<16>;\n"
      ".shared .align 128 .b8 s[4096]; .shared .align 8 .b8 b[8]; .local "
      ".align 8 .b8 l[16];\n"
      "ld.param.u64 %rd1, [memory]; mov.u32 %t, %tid.x;\n" +
      body + "\nret;\n}\n";
  EXPECT_EQ(emulated.load(text), "");
  DeviceAddress memory =
      emulated.upload(std::vector<uint32_t>(16384, 0), "memory");
  for (unsigned i = 0; i < launches; ++i)
    EXPECT_EQ(emulated.launch("k", grid, block, {memory}), "");
  std::vector<KernelProfile> kernels = emulated.device->profile();
  EXPECT_EQ(kernels.size(), 1u);
  return kernels.empty() ? KernelProfile() : kernels[0];
}

uint64_t of(const KernelProfile &profile, InstructionClass each) {
  return profile.instructions[static_cast<size_t>(each)];
}

const std::string ownWord = "mul.wide.u32 %rd2, %t, 4; add.u64 %rd2, %rd2, "
                            "%rd1;\n";

} // namespace

TEST(Profile, CountsInstructionsByClass) {
  // Twice 3 blocks of 2 warps; the preamble has two moves, the end one ret.
  KernelProfile p = profileOf(
      "add.u32 %r1, %t, 1; mul.lo.u32 %r1, %r1, 3; cvt.rn.f32.u32 %f1, %r1; "
      "fma.rn.f32 %f1, %f1, %f1, %f1; mov.f32 %f2, %f1; shfl.sync.bfly.b32 "
      "%r2, %r1, 1, 31, -1; bar.sync 0;",
      {3, 1, 1}, {64, 1, 1}, 2);
  EXPECT_EQ(p.kernel, "k");
  EXPECT_EQ(p.launches, 2u);
  EXPECT_EQ(p.blocks, 6u);
  EXPECT_EQ(p.threads, 384u);
  EXPECT_EQ(of(p, InstructionClass::Integer), 24u);
  EXPECT_EQ(of(p, InstructionClass::Conversion), 12u);
  EXPECT_EQ(of(p, InstructionClass::Float), 12u);
  EXPECT_EQ(of(p, InstructionClass::Move), 36u);
  EXPECT_EQ(of(p, InstructionClass::Exchange), 12u);
  EXPECT_EQ(of(p, InstructionClass::Synchronisation), 12u);
  EXPECT_EQ(of(p, InstructionClass::Control), 12u);
  EXPECT_EQ(p.warpInstructions(), 120u);
  EXPECT_EQ(p.laneInstructions, 120u * 32);
  EXPECT_EQ(p.barrierWaits, 12u);
}

TEST(Profile, CountsOnlyLanesThatAreThere) {
  KernelProfile p = profileOf(
      "setp.lt.u32 %p1, %t, 8; @%p1 bra SOME; bra END; SOME: add.u32 %r1, %t, "
      "1; add.u32 %r1, %t, 1;\nEND:");
  EXPECT_EQ(of(p, InstructionClass::Integer), 2u);
  // 3 moves and the branch with 32 lanes, 24 that jump, 8 that add twice, ret.
  EXPECT_EQ(p.laneInstructions, 4u * 32 + 24 + 16 + 32);
}

TEST(Profile, CoalescedAccesses) {
  KernelProfile p = profileOf(ownWord + "ld.global.u32 %r1, [%rd2]; "
                                        "st.global.u32 [%rd2+4096], %r1;");
  EXPECT_EQ(p.global.read, 128u);
  EXPECT_EQ(p.global.written, 128u);
  EXPECT_EQ(p.distinctGlobalBytes, 256u);
  EXPECT_EQ(p.sectors, 8u);
  EXPECT_EQ(p.leastSectors, 8u);
}

TEST(Profile, ScatteredAccesses) {
  // A word of each 128 bytes: 32 sectors where 4 would do.
  KernelProfile p = profileOf("mul.wide.u32 %rd2, %t, 128; add.u64 %rd2, %rd2, "
                              "%rd1; ld.global.u32 %r1, [%rd2];");
  EXPECT_EQ(p.sectors, 32u);
  EXPECT_EQ(p.leastSectors, 4u);
  // All lanes one word, twice: one sector each, 4 bytes in all.
  p = profileOf("ld.global.u32 %r1, [%rd1]; ld.global.u32 %r2, [%rd1];", {},
                {32, 1, 1}, 3);
  EXPECT_EQ(p.global.read, 3u * 2 * 128);
  EXPECT_EQ(p.distinctGlobalBytes, 3u * 4);
  EXPECT_EQ(p.sectors, 6u);
  EXPECT_EQ(p.leastSectors, 6u);
}

TEST(Profile, AMisalignedRowTakesASectorMore) {
  KernelProfile p = profileOf(ownWord + "ld.global.u32 %r1, [%rd2+4];");
  EXPECT_EQ(p.sectors, 5u);
  EXPECT_EQ(p.leastSectors, 4u);
}

TEST(Profile, BankConflicts) {
  auto conflicts = [](const std::string &stride, const std::string &load) {
    KernelProfile p = profileOf("mov.u32 %r1, s; mad.lo.u32 %r1, %t, " +
                                stride + ", %r1; " + load);
    return p.bankConflicts;
  };
  EXPECT_EQ(conflicts("4", "ld.shared.u32 %r2, [%r1];"), 0u);
  EXPECT_EQ(conflicts("0", "ld.shared.u32 %r2, [%r1];"), 0u); // one word
  EXPECT_EQ(conflicts("8", "ld.shared.u32 %r2, [%r1];"), 1u);
  EXPECT_EQ(conflicts("16", "st.shared.u32 [%r1], %t;"), 3u);
  EXPECT_EQ(conflicts("128", "st.shared.u32 [%r1], %t;"), 31u);
  // Four passes of eight lanes are what 16 bytes a lane need.
  EXPECT_EQ(conflicts("16", "ld.shared.v4.u32 {%r2, %r3, %r4, %r5}, [%r1];"),
            0u);
  EXPECT_EQ(conflicts("32", "ld.shared.v4.u32 {%r2, %r3, %r4, %r5}, [%r1];"),
            4u);
  // Rows of 16 bytes; at 128 bytes from row to row all eight meet in 4 banks.
  EXPECT_EQ(conflicts("16", "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r2, "
                            "%r3, %r4, %r5}, [%r1];"),
            0u);
  EXPECT_EQ(conflicts("128", "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r2, "
                             "%r3, %r4, %r5}, [%r1];"),
            4u * 7);
}

TEST(Profile, BytesOfSharedAndLocalMemory) {
  KernelProfile p =
      profileOf("st.shared.v2.u32 [s], {%t, %t}; ld.shared.u16 %r1, [s]; "
                "st.local.u32 [l], %t; ld.local.u32 %r2, [l]; "
                "atom.shared.add.u32 %r3, [s], 1;");
  EXPECT_EQ(p.shared.written, 32u * 8 + 32 * 4);
  EXPECT_EQ(p.shared.read, 32u * 2 + 32 * 4);
  EXPECT_EQ(p.local.written, 128u);
  EXPECT_EQ(p.local.read, 128u);
  EXPECT_EQ(p.global.read + p.global.written, 0u);
}

TEST(Profile, TensorOperations) {
  KernelProfile p = profileOf(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f1, %f2, %f3, "
      "%f4}, {%r4, %r5, %r6, %r7}, {%r8, %r9}, {%f1, %f2, %f3, %f4};",
      {2, 1, 1}, {64, 1, 1});
  EXPECT_EQ(of(p, InstructionClass::Tensor), 4u);
  EXPECT_EQ(p.tensorOperations, 4u * 2 * 16 * 8 * 16);
}

TEST(Profile, BulkCopiesAndTheirWaits) {
  KernelProfile p = profileOf(
      "setp.ne.u32 %p1, %t, 0; @%p1 bra GO; mbarrier.init.shared.b64 [b], 1; "
      "mbarrier.arrive.expect_tx.shared.b64 _, [b], 256; "
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [s], "
      "[%rd1], 256, [b];\nGO: bar.sync 0;\nW: "
      "mbarrier.try_wait.parity.shared.b64 %p2, [b], 0; @!%p2 bra W;");
  EXPECT_EQ(p.global.read, 256u);
  EXPECT_EQ(p.shared.written, 256u);
  EXPECT_EQ(p.distinctGlobalBytes, 256u);
  EXPECT_EQ(of(p, InstructionClass::Asynchronous), 1u);
  EXPECT_EQ(p.mbarrierWaits, 32u);
}

TEST(Profile, TheSameUnderASeedAndWithout) {
  EmulatorCounters totals;
  for (int seeded = 0; seeded < 2; ++seeded) {
    EmulatorOptions options;
    options.profile = true;
    if (seeded)
      options.schedule = 5;
    Emulated emulated(EmulatedGpu{}, options);
    ASSERT_EQ(emulated.load(header + ".visible .entry k(.param .u64 p) { .reg "
                                     ".b64 %rd<4>; .reg .b32 %r<4>;\n"
                                     "ld.param.u64 %rd1, [p]; ld.global.u32 "
                                     "%r1, [%rd1]; ret; }"),
              "");
    DeviceAddress memory = emulated.buffer(64);
    ASSERT_EQ(emulated.launch("k", {4, 1, 1}, {64, 1, 1}, {memory}), "");
    const EmulatorCounters *counters = emulated.device->counters();
    ASSERT_NE(counters, nullptr);
    EXPECT_TRUE(counters->countsBytes);
    EXPECT_EQ(counters->launches, 1u);
    EXPECT_EQ(counters->global.read, 4u * 64 * 4);
    if (seeded)
      EXPECT_EQ(counters->warpInstructions, totals.warpInstructions);
    totals = *counters;
  }
}

TEST(Profile, NothingWhenOff) {
  Emulated emulated;
  EXPECT_TRUE(emulated.device->profile().empty());
  ASSERT_NE(emulated.device->counters(), nullptr);
  EXPECT_FALSE(emulated.device->counters()->countsBytes);
}

// The roofs by hand, for a row whose datasheet everybody knows.
TEST(Profile, RooflineOfAnA100) {
  KernelProfile p;
  p.kernel = "k";
  p.launches = 1;
  p.blocks = 1000;
  p.distinctGlobalBytes = 2'039'000'000;    // 1 ms at 2039 GB/s
  p.tensorOperations = 624'000'000'000;     // 2 ms at 312 TFLOP/s
  p.instructions[0] = 4 * 108 * 1410 * 500; // 0.5 ms at 1.41 GHz
  Roofline roofline;
  ASSERT_TRUE(estimate(p, *findGpuRow("a100-80g"), roofline));
  EXPECT_NEAR(roofline.memorySeconds, 1e-3, 1e-9);
  EXPECT_NEAR(roofline.tensorSeconds, 2e-3, 1e-9);
  EXPECT_NEAR(roofline.issueSeconds, 0.5e-3, 1e-9);
  EXPECT_STREQ(roofline.bound(), "tensor");
  p.blocks = 54; // half the multiprocessors
  ASSERT_TRUE(estimate(p, *findGpuRow("a100-80g"), roofline));
  EXPECT_NEAR(roofline.tensorSeconds, 4e-3, 1e-9);
  EXPECT_NEAR(roofline.memorySeconds, 1e-3, 1e-9);
  EXPECT_FALSE(estimate(p, *findGpuRow("emulator"), roofline));
  std::string table = profileTable({p}, *findGpuRow("a100-80g"));
  EXPECT_NE(table.find("ESTIMATE"), std::string::npos) << table;
  EXPECT_EQ(profileTable({p}, *findGpuRow("emulator")).find("ESTIMATE"),
            std::string::npos);
  std::string json = profileJson({p}, *findGpuRow("a100-80g"));
  EXPECT_NE(json.find("\"distinct_global_bytes\": 2039000000"),
            std::string::npos)
      << json;
  EXPECT_NE(json.find("\"bound\": \"tensor\""), std::string::npos) << json;
}
