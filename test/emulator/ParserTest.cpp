// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading PTX: scopes, what is not known, and text that is cut or garbled.
#include "runtime/device/emulator/SourceLine.h"
#include "test/emulator/PtxRunner.h"

#include <fstream>
#include <sstream>

using namespace llrt;
using namespace llrt::test;

namespace {

std::string load(const std::string &text) {
  Emulated emulated({}, 1);
  return emulated.load(text);
}

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

std::string entry(const std::string &body) {
  return header +
         ".visible .entry k() {\n.reg .b32 %r<9>; .reg .pred %p<3>; .reg .b64 "
         "%rd<9>;\n" +
         body + "\nret;\n}\n";
}

const std::string inlineAssembly =
    "// begin inline asm\n{\n.reg .pred "
    "P1;\nLAB_WAIT:\nmbarrier.try_wait.parity.shared::cta.b64 P1, [%r1], "
    "%r2;\n@P1 bra.uni DONE;\nbra.uni LAB_WAIT;\nDONE:\n}\n// end inline asm\n";

} // namespace

TEST(Parser, ScopesHideLabelsAndRegisters) {
  EXPECT_EQ(load(entry("mov.u32 %r1, 1024; mov.u32 %r2, 0;\n" + inlineAssembly +
                       inlineAssembly)),
            "");
  EXPECT_TRUE(contains(load(entry("{ INNER: ret; }\nbra INNER;")),
                       "test.ptx:7: the label 'INNER' is not defined"));
  EXPECT_TRUE(contains(load(entry("A: ret; A: ret;")), "already defined"));
}

// A few lines whose calls expand to 2^levels times themselves.
TEST(Parser, CallsThatExpandWithoutMeasureAreRefused) {
  for (int levels : {15, 24}) {
    std::string text = header + ".func f0() { .reg .pred %p<2>; .reg .b32 "
                                "%r<4>; setp.eq.u32 %p1, %r1, %r2; @%p1 bra L; "
                                "add.u32 %r3, %r1, %r2; L: ret; }\n";
    for (int i = 1; i <= levels; ++i) {
      std::string callee = "call f" + std::to_string(i - 1) + ", ();";
      text += ".func f" + std::to_string(i) + "() { " + callee + " " + callee +
              " ret; }\n";
    }
    text += ".visible .entry k() { call f" + std::to_string(levels) +
            ", (); ret; }\n";
    std::string message = load(text);
    EXPECT_TRUE(contains(message, "test.ptx:") &&
                contains(message, "calls expanded"))
        << message;
  }
}

TEST(Parser, UnknownInstructionsAreNamedWithTheirLine) {
  EXPECT_EQ(load(entry("frobnicate.b32 %r1, %r2;")),
            "test.ptx:6: unknown instruction 'frobnicate.b32'");
  EXPECT_EQ(load(entry("\nadd.sideways.u32 %r1, %r2, %r3;")),
            "test.ptx:7: unknown instruction 'add.sideways.u32' (modifier "
            "'.sideways')");
  EXPECT_EQ(load(entry("mul.lo.f32 %r1, %r2, %r3;")),
            "test.ptx:6: unknown instruction 'mul.lo.f32' (modifier '.lo')");
  EXPECT_TRUE(contains(load(entry("tcgen05.commit.x;")),
                       "test.ptx:6: unknown instruction 'tcgen05.commit.x'"));
}

TEST(Parser, InstructionsWithoutEffectAreKnownToo) {
  EXPECT_EQ(load(entry("griddepcontrol.wait; griddepcontrol.launch_dependents;"
                       "setmaxnreg.dec.sync.aligned.u32 40; fence.sc.gpu;"
                       "fence.proxy.async; fence.proxy.async.shared::cta;"
                       "fence.mbarrier_init.release.cluster; membar.gl;"
                       "fence.acq_rel.cta; prefetch.global.L2 [%rd1];")),
            "");
  EXPECT_TRUE(contains(load(entry("griddepcontrol.sleep;")), "unknown"));
  EXPECT_TRUE(contains(load(entry("setmaxnreg.dec.sync.aligned.u32 41;")),
                       "multiple of 8"));
  EXPECT_TRUE(contains(load(entry("fence.sideways.gpu;")), "unknown"));
}

TEST(Parser, OperandsAreChecked) {
  EXPECT_TRUE(
      contains(load(entry("add.u32 %r1, %r2;")), "2 operands, expected 3"));
  EXPECT_TRUE(contains(load(entry("add.u32 %r1, %rd2, %r3;")),
                       "'%rd2' has 64 bits, expected 32"));
  EXPECT_TRUE(contains(load(entry("add.u64 %rd1, %rd2, %r3;")),
                       "'%r3' has 32 bits, expected 64"));
  EXPECT_TRUE(
      contains(load(entry("mov.u32 %r1, %q;")), "'%q' is not declared"));
  EXPECT_TRUE(contains(load(entry("mov.u32 %r1, nothing;")),
                       "'nothing' is not declared"));
  EXPECT_TRUE(contains(load(entry("@%r1 bra X; X:")), "'%r1' is no predicate"));
  EXPECT_TRUE(contains(load(entry("bra NOWHERE;")),
                       "the label 'NOWHERE' is not defined"));
  EXPECT_TRUE(contains(load(entry("call missing;")), "'missing' has no body"));
  EXPECT_TRUE(contains(load(entry("ld.global.u32 %r1, [%r2];")), "64 bits"));
  EXPECT_TRUE(contains(
      load(header + ".func f() { call f; ret; }\n.entry k() { call f; ret; }"),
      "recursive"));
}

TEST(Parser, TextThatIsNoPtx) {
  EXPECT_TRUE(contains(load(""), "test.ptx:1: "));
  EXPECT_TRUE(contains(load("hello"), "test.ptx:1: "));
  EXPECT_TRUE(contains(load(std::string("\x7f"
                                        "ELF\0\1\2",
                                        7)),
                       "test.ptx:1: the byte 127"));
  EXPECT_TRUE(contains(load(header + "/* never ends"), "never ends"));
  EXPECT_TRUE(contains(load(header + ".global .b8 x[99999999999999999999];"),
                       "does not fit"));
  EXPECT_TRUE(
      contains(load(header + ".global .b8 x[9999999999999];"), "out of range"));
  EXPECT_TRUE(contains(load(header + std::string(5000, '{')), "test.ptx:4"));
  EXPECT_TRUE(contains(load(entry(std::string(5000, '{'))), "nested"));
  EXPECT_TRUE(contains(load(entry("mov.u32 %r1, " + std::string(5000, '{'))),
                       "nested"));
}

/// Real kernels: loops, calls, shared memory, inline assembly.
static std::string sample() {
  return header +
         ".extern .shared .align 1024 .b8 smem[];\n.global .align 4 .b8 "
         "table[8] = {1, 2, 3, 4, 5, 6, 7, 8};\n"
         ".func (.param .b32 result) f(.param .b32 x) {\n.reg .b32 "
         "%r<3>;\nld.param.u32 %r1, [x];\nst.param.u32 [result+0], "
         "%r1;\nret;\n}\n"
         ".visible .entry k(\n\t.param .u64 .ptr .global .align 16 "
         "k_param_0,\n\t.param .u32 k_param_1\n)\n.maxntid 128, 1, 1\n{\n"
         "\t.reg .pred \t%p<5>;\n\t.reg .b32 \t%r<20>;\n\t.reg .b64 "
         "\t%rd<9>;\n\t.loc 1 2 3\n"
         "\tld.param.u64 \t%rd1, [k_param_0];\n\tmov.u32 \t%r1, "
         "%tid.x;\n$L__BB0_1:\n\tadd.s32 \t%r1, %r1, -1;\n\tsetp.gt.s32 \t%p1, "
         "%r1, 0;\n\t@%p1 bra \t$L__BB0_1;\n"
         "\t{ // callseq 0, 0\n\t.param .b32 param0;\n\tst.param.b32 "
         "\t[param0], %r1;\n\t.param .b32 retval0;\n\tcall.uni (retval0), f, "
         "(param0);\n\tld.param.b32 \t%r2, [retval0];\n\t} // callseq 0\n"
         "\tmov.u32 %r3, smem;\n\tst.shared.u32 \t[%r3+16], %r2;\n" +
         inlineAssembly + "\tret;\n\n}\n";
}

TEST(Parser, CutAnywhereIsAnErrorWithALine) {
  std::string whole = sample();
  ASSERT_EQ(load(whole), "");
  size_t body = whole.find(".visible"), end = whole.rfind('}');
  unsigned refused = 0;
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    std::string message = load(whole.substr(0, cut));
    if (message.empty()) {
      // Between declarations a shorter module is a module.
      ASSERT_FALSE(cut > body && cut <= end) << cut;
      continue;
    }
    ++refused;
    ASSERT_EQ(message.compare(0, 9, "test.ptx:"), 0) << message;
    ASSERT_TRUE(std::isdigit(static_cast<unsigned char>(message[9])))
        << message;
  }
  EXPECT_GT(refused, whole.size() / 2);
}

TEST(Parser, GarbledTextNeverCrashes) {
  std::string whole = sample();
  uint64_t state = 88172645463325252ull;
  auto random = [&] {
    return state ^= state << 13, state ^= state >> 7, state ^= state << 17,
           state;
  };
  for (int round = 0; round < 3000; ++round) {
    std::string text = whole;
    for (int i = 0; i < 3; ++i) {
      size_t at = random() % text.size();
      switch (random() % 3) {
      case 0:
        text[at] =
            static_cast<char>(" ;{}[](),.%@!+-0aR\"\0\xff"[random() % 22]);
        break;
      case 1:
        text.erase(at, random() % 20);
        break;
      default:
        text.insert(at, text.substr(random() % text.size(), random() % 30));
      }
    }
    std::string message = load(text);
    if (!message.empty())
      ASSERT_EQ(message.compare(0, 9, "test.ptx:"), 0) << message;
  }
}

TEST(Parser, DebugLinesNameTheSource) {
  const std::string text = header + R"(.visible .entry first() {
  ret;
}
.visible .entry second() {
	.reg .b64 %rd<2>;
	.loc	2 17 6
	mov.b64 %rd1, 4096;
	{ .reg .b32 %r1;
	.loc	1 0 6
	ld.global.b32 %r1, [%rd1];
	}
	.loc 3 5 1
	ret;
}
	.file	1 "model.layers.*.mlp.gate_proj.weight + model.layers.*.mlp.up_proj.weight"
	.file	2 "model.norm.weight"
)";
  auto lineOf = [&](const std::string &part) {
    return static_cast<uint32_t>(
        1 + std::count(text.begin(), text.begin() + text.find(part), '\n'));
  };
  using emu::findSource;
  EXPECT_EQ(findSource(text, lineOf("ret;")), "") << "no .loc above it";
  EXPECT_EQ(findSource(text, lineOf(".reg .b64")), "");
  EXPECT_EQ(findSource(text, lineOf("mov.b64")), "model.norm.weight:17");
  EXPECT_EQ(findSource(text, lineOf("ld.global")),
            "model.layers.*.mlp.gate_proj.weight + "
            "model.layers.*.mlp.up_proj.weight");
  EXPECT_EQ(findSource(text, lineOf(".loc 3") + 1), "") << "no file 3";
  EXPECT_EQ(findSource(text, 1000), "") << "past the end";
  EXPECT_EQ(findSource("", 1), "");

  // A fault says it.
  Emulated emulated;
  ASSERT_EQ(emulated.load(text), "");
  std::string fault = emulated.launch("second", {1, 1, 1}, {1, 1, 1}, {});
  EXPECT_TRUE(contains(fault, "ld.global.b32 %r1, [%rd1]; (of "
                              "model.layers.*.mlp.gate_proj.weight + "
                              "model.layers.*.mlp.up_proj.weight): "))
      << fault;
}
