// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls through pointers, printf, assert, alloca, and what is refused.
#include "test/emulator/PtxRunner.h"

using namespace llrt;
using namespace llrt::test;

namespace {

const std::string functions =
    ".func (.param .b32 r) triple(.param .b32 a) { .reg .b32 %r<3>; "
    "ld.param.u32 %r1, [a]; mul.lo.u32 %r2, %r1, 3; st.param.b32 [r], %r2; "
    "ret; }\n"
    ".func (.param .b32 r) hundred(.param .b32 a) { .reg .b32 %r<3>; "
    "ld.param.u32 %r1, [a]; add.u32 %r2, %r1, 100; st.param.b32 [r], %r2; "
    "ret; }\n"
    ".func (.param .b32 r) wide(.param .b64 a) { st.param.b32 [r], 5; ret; }\n"
    ".func (.param .b32 r) unused(.param .b32 a) { st.param.b32 [r], 6; ret; "
    "}\n"
    ".extern .func (.param .b32 r) vprintf(.param .b64 a, .param .b64 b);\n"
    ".extern .func __assertfail(.param .b64 a, .param .b64 b, .param .b32 c, "
    ".param .b64 d, .param .b64 e);\n"
    ".global .align 8 .u64 table[3] = {triple, hundred, wide};\n";

/// A kernel (out, n) with %t, %out, %n and scratch.
std::string kernel(const std::string &body, const std::string &before = "") {
  return header + functions + before +
         ".visible .entry k(.param .u64 pout, .param .u32 pn) {\n.reg .b32 %t, "
         "%n, %r<16>; .reg .b64 %out, %at, %x<16>; .reg .pred %p<4>; .reg .f64 "
         "%d<4>;\nmov.u32 %t, %tid.x; ld.param.u64 %out, [pout]; ld.param.u32 "
         "%n, [pn]; mul.wide.u32 %at, %t, 4; add.u64 %at, %at, %out;\n" +
         body + "\nret;\n}\n";
}

struct Outcome {
  std::string message;
  std::vector<uint32_t> out;
};

Outcome run(const std::string &text, uint32_t threads, uint32_t n = 0,
            uint32_t blocks = 1, bool cooperative = false) {
  Emulated emulated;
  Outcome result;
  result.message = emulated.load(text);
  if (!result.message.empty())
    return result;
  DeviceAddress out = emulated.upload(std::vector<uint32_t>(256, 0), "output");
  result.message = emulated.launch("k", {blocks, 1, 1}, {threads, 1, 1},
                                   {out, n}, 0, cooperative);
  result.out = emulated.download<uint32_t>(out, 256);
  return result;
}

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

/// Calls what %x1 points to with %t, the result in %r1.
const std::string callPointer =
    "{ .param .b32 p0; st.param.b32 [p0], %t; .param .b32 q0; proto: "
    ".callprototype (.param .b32 _) _ (.param .b32 _); call (q0), %x1, (p0), "
    "proto; ld.param.b32 %r1, [q0]; }\n";

TEST(Calls, ThroughATableThatLanesIndexDifferently) {
  Outcome r =
      run(kernel("and.b32 %r2, %t, 1; mul.wide.u32 %x2, %r2, 8; mov.u64 "
                 "%x3, table; add.u64 %x3, %x3, %x2; ld.global.u64 "
                 "%x1, [%x3];\n" +
                 callPointer +
                 // all lanes are back: the whole warp counts itself
                 "activemask.b32 %r3; popc.b32 %r3, %r3; mad.lo.u32 "
                 "%r1, %r3, 1000, %r1; st.global.u32 [%at], %r1;"),
          64);
  ASSERT_EQ(r.message, "");
  for (uint32_t t = 0; t < 64; ++t)
    EXPECT_EQ(r.out[t], 32000 + (t % 2 ? t + 100 : t * 3));
}

TEST(Calls, PointersTakenInCodeAndGuards) {
  Outcome r = run(kernel("mov.u64 %x1, unused; setp.eq.u32 %p1, %t, 3; mov.u32 "
                         "%r1, 1; @%p1 bra SKIP;\n" +
                         callPointer + "SKIP: st.global.u32 [%at], %r1;"),
                  8);
  ASSERT_EQ(r.message, "");
  for (uint32_t t = 0; t < 8; ++t)
    EXPECT_EQ(r.out[t], t == 3 ? 1u : 6u);
}

TEST(Calls, ThatGoAstray) {
  EXPECT_TRUE(
      contains(run(kernel("mov.u64 %x1, 12345;\n" + callPointer), 1).message,
               "no function's"));
  // `wide` is in the table, but takes eight bytes.
  EXPECT_TRUE(
      contains(run(kernel("mov.u64 %x3, table; ld.global.u64 %x1, [%x3+16];\n" +
                          callPointer),
                   1)
                   .message,
               "does not fit the prototype"));
  EXPECT_TRUE(contains(run(kernel("call again, (); ",
                                  ".func again() { call again, (); ret; }\n"),
                           1)
                           .message,
                       "'again' is recursive"));
  EXPECT_TRUE(contains(
      run(kernel("call nowhere, ();", ".extern .func nowhere();\n"), 1).message,
      "no body in this module"));
}

TEST(Calls, PrintfWritesWhatCWouldWrite) {
  // "%d %5.2f|%s|%llx %c%%\n" with 7 * lane, 2.5, "str", 2^40, 'x'
  auto bytes = [](const std::string &name, const std::string &text) {
    std::string out = ".global .align 1 .b8 " + name + "[" +
                      std::to_string(text.size() + 1) + "] = {";
    for (char c : text)
      out += std::to_string(static_cast<int>(c)) + ", ";
    return out + "0};\n";
  };
  std::string text = kernel(
      ".local .align 8 .b8 values[40];\nmov.u64 %x1, values; cvta.local.u64 "
      "%x2, %x1; mul.lo.u32 %r1, %t, 7; st.local.u32 [%x1], %r1; st.local.f64 "
      "[%x1+8], 0d4004000000000000; mov.u64 %x3, string; st.local.u64 [%x1+16],"
      " %x3; st.local.u64 [%x1+24], 1099511627776; st.local.u32 [%x1+32], 120; "
      "mov.u64 %x4, form;\n"
      "{ .param .b64 p0; st.param.b64 [p0], %x4; .param .b64 p1; st.param.b64 "
      "[p1], %x2; .param .b32 q0; call (q0), vprintf, (p0, p1); ld.param.b32 "
      "%r2, [q0]; }\nst.global.u32 [%at], %r2;",
      bytes("form", "%d %5.2f|%-4s|%llx %c%%\n") + bytes("string", "str"));
  testing::internal::CaptureStdout();
  Outcome r = run(text, 2);
  std::fflush(stdout);
  std::string printed = testing::internal::GetCapturedStdout();
  ASSERT_EQ(r.message, "");
  EXPECT_EQ(printed, "0  2.50|str |10000000000 x%\n"
                     "7  2.50|str |10000000000 x%\n");
  EXPECT_EQ(r.out[0], 5u);
}

TEST(Calls, AssertionsTellTheirPlace) {
  Outcome r = run(
      kernel(
          "mov.u64 %x1, what; mov.u64 %x2, file; mov.u64 %x3, name; "
          "setp.ne.u32 %p1, %t, 2; @%p1 bra FINE;\n{ .param .b64 p0; "
          "st.param.b64 [p0], %x1; .param .b64 p1; st.param.b64 [p1], %x2; "
          ".param .b32 p2; st.param.b32 [p2], 17; .param .b64 p3; "
          "st.param.b64 [p3], %x3; .param .b64 p4; st.param.b64 [p4], 1; "
          "call __assertfail, (p0, p1, p2, p3, p4); }\nFINE:",
          // "a<b" "f.cu" "g()"
          ".global .b8 what[4] = {97, 60, 98, 0}; .global .b8 file[5] = "
          "{102, 46, 99, 117, 0}; .global .b8 name[4] = {103, 40, 41, 0};\n"),
      4);
  EXPECT_TRUE(contains(r.message, "thread (2,0,0)") &&
              contains(r.message, "assertion 'a<b' failed, f.cu:17, in g()"))
      << r.message;
}

TEST(Calls, AllocaGivesEachThreadItsOwn) {
  Outcome r = run(
      kernel(
          "add.u32 %r1, %t, 4; mul.wide.u32 %x1, %r1, 4; stacksave.u64 %x5; "
          "alloca.u64 %x2, %x1, 16; cvta.local.u64 %x3, %x2; alloca.u64 "
          "%x6, %x1; sub.u64 %x7, %x6, %x2; mov.u32 %r2, 0; mov.u32 %r6, 0;\n"
          "FILL: mul.wide.u32 %x4, %r2, 4; add.u64 %x4, %x4, %x3; st.u32 "
          "[%x4], %r2; add.u32 %r2, %r2, 1; setp.lt.u32 %p1, %r2, %r1; @%p1 "
          "bra FILL;\n"
          "SUM: sub.u32 %r2, %r2, 1; mul.wide.u32 %x4, %r2, 4; add.u64 %x4, "
          "%x4, %x2; ld.local.u32 %r5, [%x4]; add.u32 %r6, %r6, %r5; "
          "setp.ne.u32 %p1, %r2, 0; @%p1 bra SUM;\n"
          "stackrestore.u64 %x5; alloca.u64 %x8, %x1, 16; setp.ne.u64 %p2, "
          "%x8, %x2; @%p2 trap; setp.lt.u64 %p2, %x7, %x1; @%p2 trap; "
          "st.global.u32 [%at], %r6;"),
      32);
  ASSERT_EQ(r.message, "");
  for (uint32_t t = 0; t < 32; ++t)
    EXPECT_EQ(r.out[t], (t + 4) * (t + 3) / 2);
  EXPECT_TRUE(contains(
      run(kernel("mov.u64 %x1, 20000; alloca.u64 %x2, %x1;"), 1).message,
      "alloca of 20000 bytes: a thread has 16384"));
}

// The barrier of cooperative_groups::grid_group lies where %envreg1 and
// %envreg2 point, in a cooperative launch.
TEST(Calls, CooperativeGridsHaveAWorkspace) {
  std::string text = kernel(
      "mov.u32 %r1, %envreg2; mov.u32 %r2, %envreg1; mov.b64 %x1, {%r1, %r2}; "
      "atom.global.add.u32 %r3, [%x1+4], 1; red.global.add.u32 [%at], %r3;");
  Outcome r = run(text, 1, 0, 4, true);
  ASSERT_EQ(r.message, "");
  EXPECT_EQ(r.out[0], 0u + 1 + 2 + 3); // the tickets of four blocks
  EXPECT_TRUE(contains(run(text, 1, 0, 4, false).message, "near null"));
}

TEST(Calls, BreakpointsStop) {
  EXPECT_TRUE(contains(run(kernel("brkpt;"), 1).message, "brkpt"));
  EXPECT_EQ(run(kernel("pmevent 7; discard.global.L2 [%out], 128;"), 1).message,
            "");
}

} // namespace
