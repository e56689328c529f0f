// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Uninitialised memory, by use and not by copy.
#include "test/emulator/CheckFixture.h"

using namespace llrt;
using namespace llrt::test;

namespace {

const CheckRun warp{32}, unwritten{32, 1, false};

TEST(CheckMemory, ArithmeticOnUnwrittenShared) {
  expectReport(CheckKind::Uninitialised,
               "ld.shared.u32 %r0, [%sm];\nadd.u32 %r1, %r0, 1; // HERE\n"
               "st.global.u32 [%mine], %r1;");
  expectSilent("st.shared.u32 [%sm], %t;\nld.shared.u32 %r0, [%sm];\n"
               "add.u32 %r1, %r0, 1;\nst.global.u32 [%mine], %r1;");
  expectReport(CheckKind::Uninitialised,
               "ld.shared.f32 %f0, [%sm];\nfma.rn.f32 %f1, %f0, %f0, "
               "0f3f800000; // HERE\n"
               "mov.b32 %r1, %f1; st.global.u32 [%mine], %r1;");
}

TEST(CheckMemory, SharedMemoryIsFreshInEveryBlock) {
  CheckRun two{32, 2};
  expectReport(CheckKind::Uninitialised,
               "setp.eq.u32 %p0, %b, 0; @%p0 st.shared.u32 [%sm], %t;\n"
               "ld.shared.u32 %r0, [%sm];\nadd.u32 %r1, %r0, 1; // HERE\n"
               "@!%p0 st.global.u32 [%mine], %r1;",
               two);
}

TEST(CheckMemory, DeviceMemoryHasToBeWritten) {
  std::string body =
      "ld.global.u32 %r0, [%mine];\nadd.u32 %r1, %r0, 1; // HERE\n"
      "st.global.u32 [%mine], %r1;";
  expectSilent(body, warp);
  expectReport(CheckKind::Uninitialised, body, unwritten);
  expectSilent("st.global.u32 [%mine], %t;" + body, unwritten);
}

TEST(CheckMemory, LocalMemory) {
  std::string head = ".local .align 4 .b8 stack[64];\nmov.u32 %r9, stack;\n";
  expectReport(
      CheckKind::Uninitialised,
      head + "ld.local.u32 %r0, [%r9+4];\nmul.lo.u32 %r0, %r0, 3; // HERE\n"
             "st.global.u32 [%mine], %r0;");
  expectSilent(head + "st.local.u32 [%r9+4], %t;\nld.local.u32 %r0, [%r9+4];\n"
                      "mul.lo.u32 %r0, %r0, 3;\nst.global.u32 [%mine], %r0;");
}

TEST(CheckMemory, CopiesAreNoUse) {
  expectSilent("ld.shared.u32 %r0, [%sm]; st.shared.u32 [%sm+512], %r0;\n"
               "ld.shared.v2.u32 {%r1, %r2}, [%s+1024];\n"
               "mov.b64 %x0, {%r1, %r2}; mov.b64 {%r3, %r4}, %x0;\n"
               "shfl.sync.bfly.b32 %r5, %r3, 1, 31, 0xffffffff;\n"
               "prmt.b32 %r6, %r5, %r4, 0x5410;\nst.global.u32 [%mine], %r6;");
  // .. and a copy of a copy is still unwritten.
  expectReport(CheckKind::Uninitialised,
               "ld.shared.u32 %r0, [%sm]; st.shared.u32 [%sm+512], %r0;\n"
               "ld.shared.u32 %r1, [%sm+512];\nadd.u32 %r1, %r1, %r1; // HERE\n"
               "st.global.u32 [%mine], %r1;");
}

TEST(CheckMemory, PaddingThatIsSelectedAway) {
  // Half of a vector is padding: computed with, and thrown away.
  expectSilent("st.shared.u32 [%s], %t;\nbar.warp.sync 0xffffffff;\n"
               "ld.shared.v2.u32 {%r0, %r1}, [%s];\nadd.u32 %r2, %r1, 5;\n"
               "setp.lt.u32 %p0, %t, 64; selp.u32 %r3, %r0, %r2, %p0;\n"
               "st.global.u32 [%mine], %r3;",
               CheckRun{1});
  // Masked out, bytewise.
  expectSilent("st.shared.u16 [%s], 7;\nld.shared.u32 %r0, [%s];\n"
               "and.b32 %r0, %r0, 0xffff; add.u32 %r0, %r0, 1;\n"
               "st.global.u32 [%mine], %r0;",
               CheckRun{1});
  expectReport(CheckKind::Uninitialised,
               "st.shared.u16 [%s], 7;\nld.shared.u32 %r0, [%s];\n"
               "add.u32 %r0, %r0, 1; // HERE\nst.global.u32 [%mine], %r0;",
               CheckRun{1});
  expectSilent("st.shared.u16 [%s], 7;\nld.shared.u32 %r0, [%s];\n"
               "shl.b32 %r0, %r0, 16; add.u32 %r0, %r0, 1;\n"
               "st.global.u32 [%mine], %r0;",
               CheckRun{1});
}

TEST(CheckMemory, BranchesAndAddresses) {
  expectReport(CheckKind::Uninitialised,
               "ld.shared.u32 %r0, [%sm];\nsetp.gt.u32 %p0, %r0, 5; // HERE\n"
               "@%p0 bra DONE; st.global.u32 [%mine], %t;\nDONE:");
  expectReport(CheckKind::Uninitialised,
               "ld.shared.u32 %r0, [%sm];\nsetp.gt.u32 %p0, %r0, 5; // HERE\n"
               "@%p0 st.global.u32 [%mine], %t;");
  // A comparison that another one makes irrelevant.
  expectSilent("ld.shared.u32 %r0, [%sm];\nsetp.gt.u32 %p0, %r0, 5;\n"
               "setp.gt.u32 %p1, %t, 64; and.pred %p2, %p0, %p1;\n"
               "@%p2 st.global.u32 [%mine], %t;");
  expectReport(
      CheckKind::Uninitialised,
      "ld.shared.u32 %r0, [%sm];\nmad.wide.u32 %x0, %r0, 4, %out; // HERE\n"
      "ld.global.u32 %r1, [%x0];\nst.global.u32 [%mine], %r1;");
}

TEST(CheckMemory, AtomicsUseWhatIsThere) {
  expectReport(CheckKind::Uninitialised,
               "atom.shared.add.u32 %r0, [%s], 1; // HERE");
  expectSilent("setp.eq.u32 %p0, %t, 0; @%p0 st.shared.u32 [%s], 0;\n"
               "bar.sync 0; atom.shared.add.u32 %r0, [%s], 1;\n"
               "add.u32 %r0, %r0, 1; st.global.u32 [%mine], %r0;");
}

TEST(CheckMemory, ProductsAreExactToRowsAndColumns) {
  // Rows 8 to 15 of A (registers 1 and 3) were never written.
  std::string product =
      "mov.u32 %r1, 0x3f803f80; mov.u32 %r2, 0;\n"
      "ld.shared.u32 %r0, [%sm];\n"
      "mov.f32 %f0, 0f00000000; mov.f32 %f1, %f0; mov.f32 %f2, %f0; mov.f32 "
      "%f3, %f0;\n"
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f4, %f5, %f6, "
      "%f7}, "
      "{%r1, %r0, %r1, %r0}, {%r1, %r1}, {%f0, %f1, %f2, %f3}; // HERE\n";
  expectSilent(product + "mov.b32 %r5, %f4; st.global.u32 [%mine], %r5;\n"
                         "mov.b32 %r5, %f5; st.global.u32 [%mine+128], %r5;");
  expectReport(CheckKind::Uninitialised,
               product + "mov.b32 %r5, %f6; st.global.u32 [%mine], %r5;");
}

TEST(CheckMemory, MatrixLoads) {
  std::string load =
      "mad.lo.u32 %r9, %t, 16, %s;\n"
      "ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%r0, %r1}, [%r9];\n";
  // 128 bytes are written: the first matrix.
  expectSilent("st.shared.u32 [%sm], %t; bar.warp.sync 0xffffffff;\n" + load +
               "add.u32 %r2, %r0, 1; st.global.u32 [%mine], %r2;");
  expectReport(CheckKind::Uninitialised,
               "st.shared.u32 [%sm], %t; bar.warp.sync 0xffffffff;\n" + load +
                   "add.u32 %r2, %r1, 1; // HERE\nst.global.u32 [%mine], %r2;");
}

TEST(CheckMemory, AsynchronousCopiesBringWhatTheyCopy) {
  std::string copy = "mad.wide.u32 %x0, %t, 4, %out;\n"
                     "cp.async.ca.shared.global [%sm], [%x0], 4;\n"
                     "cp.async.wait_all;\nld.shared.u32 %r0, [%sm];\n"
                     "add.u32 %r1, %r0, 1; // HERE\n"
                     "st.global.u32 [%mine+2048], %r1;";
  expectSilent(copy, warp);
  expectReport(CheckKind::Uninitialised, copy, unwritten);
}

TEST(CheckMemory, BoundsAndAlignment) {
  expectReport(CheckKind::OutOfBounds,
               "st.global.u32 [%mine+4096], %t; // HERE");
  expectReport(CheckKind::OutOfBounds, "st.shared.u32 [%sm+4096], %t; // HERE");
  expectReport(CheckKind::Misaligned,
               "add.u64 %x0, %mine, 2; st.global.u32 [%x0], %t; // HERE");
}

} // namespace
