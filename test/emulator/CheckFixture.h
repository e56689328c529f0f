// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels under full checking. The line that a report has to name is marked in
// the kernel's text by "// HERE".
#ifndef LLAMAC_TEST_EMULATOR_CHECKFIXTURE_H
#define LLAMAC_TEST_EMULATOR_CHECKFIXTURE_H

#include "test/emulator/PtxRunner.h"

#include "runtime/device/emulator/check/CheckKind.h"

namespace llrt::test {

using emu::CheckKind;

/// A kernel (in, out): %t: tid, %b: ctaid, %in and %out: arrays of 1024 words
/// (in: written, its last word is the launch's number; out: not), %mine: this
/// thread's word of out, %s: 2048 bytes of shared memory, %sm: this thread's
/// word of it, %bar: two mbarriers.
inline std::string checkKernel(const std::string &body) {
  return header +
         ".visible .entry k(.param .u64 pin, .param .u64 pout) {\n"
         ".reg .b32 %t, %b, %s, %sm, %bar, %r<12>; .reg .f32 %f<12>;\n"
         ".reg .b64 %in, %out, %mine, %x<8>; .reg .pred %p<4>; .reg .b16 %h;\n"
         ".shared .align 128 .b8 data[2048]; .shared .align 8 .b64 bars[2];\n"
         "mov.u32 %t, %tid.x; mov.u32 %b, %ctaid.x; mov.u32 %s, data;\n"
         "mad.lo.u32 %sm, %t, 4, %s; mov.u32 %bar, bars;\n"
         "ld.param.u64 %in, [pin]; ld.param.u64 %out, [pout];\n"
         "mad.wide.u32 %mine, %t, 4, %out;\n" +
         body + "\nret;\n}\n";
}

struct CheckRun {
  uint32_t threads = 32, blocks = 1;
  bool outWritten = true; ///< the host fills `out` first
  bool programmatic = false;
  unsigned launches = 1;
  uint32_t cluster = 1;
};

/// The message of the launch, "" for none.
inline std::string checked(const std::string &body, CheckRun how = {}) {
  EmulatorOptions options = testOptions();
  options.check = true;
  Emulated emulated({}, options);
  std::string error = emulated.load(checkKernel(body));
  EXPECT_EQ(error, "") << body;
  if (!error.empty())
    return error;
  DeviceAddress in = emulated.upload(std::vector<uint32_t>(1024, 3), "input");
  DeviceAddress out =
      how.outWritten ? emulated.upload(std::vector<uint32_t>(1024, 0), "output")
                     : emulated.buffer(4096, "output");
  const void *arguments[2] = {&in, &out};
  Result<Kernel *> kernel = emulated.device->findKernel(emulated.module, "k");
  if (!kernel)
    return kernel.error().message();
  LaunchShape shape;
  shape.grid = {how.blocks, 1, 1};
  shape.block = {how.threads, 1, 1};
  shape.cluster = {how.cluster, 1, 1};
  shape.programmatic = how.programmatic;
  for (unsigned i = 0; i < how.launches; ++i) {
    if (Error failed = emulated.device->copyToDevice(in + 4092, &i, 4))
      return failed.message();
    if (Error failed = emulated.device->launch(*kernel, shape, arguments, 2))
      return failed.message();
  }
  return "";
}

/// The 1-based line of the marked statement.
inline unsigned markedLine(const std::string &body) {
  std::string text = checkKernel(body);
  size_t at = text.find("// HERE");
  EXPECT_NE(at, std::string::npos) << body;
  return 1 + static_cast<unsigned>(std::count(
                 text.begin(), text.begin() + static_cast<long>(at), '\n'));
}

inline void expectSilent(const std::string &body, CheckRun how = {}) {
  EXPECT_EQ(checked(body, how), "") << body;
}

inline void expectReport(CheckKind kind, const std::string &body,
                         CheckRun how = {}) {
  std::string message = checked(body, how);
  EXPECT_NE(message.find(std::string("[") + emu::nameOf(kind) + "]"),
            std::string::npos)
      << "'" << message << "'\n"
      << body;
  // Which of two racing accesses comes second is the schedule's choice; the
  // report names both.
  std::string line = std::to_string(markedLine(body));
  EXPECT_TRUE(message.find("test.ptx:" + line + ":") != std::string::npos ||
              message.find("line " + line + " ") != std::string::npos)
      << "'" << message << "' does not name line " << line << "\n"
      << body;
}

} // namespace llrt::test

#endif
