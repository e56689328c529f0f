// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The CUDA programs of the emulator's tests (test/programs) on this device:
// each has to give what its host code expects, and on a GPU the bits that the
// emulator gives. Only approximate functions may make those differ.
#include "bench/gpu-kit/Kit.h"

#include "test/programs/Session.h"

#include <gtest/gtest-spi.h>

#include <algorithm>
#include <cstring>

using namespace llrt;
using namespace llrt::kit;
using namespace llrt::test;

namespace {

/// Programs whose arithmetic the ISA leaves open (ex2.approx and the like): on
/// a GPU they are held to their own tolerance.
bool isApproximate(const std::string &program) {
  return program == "softmax" || program == "rms-norm";
}

/// Runs it; what the program's own expectations say, "" where all hold.
std::string complaintsOf(const Program &program, Session &session) {
  ::testing::TestPartResultArray results;
  {
    ::testing::ScopedFakeTestPartResultReporter reporter(
        ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ALL_THREADS,
        &results);
    program.run(session);
  }
  std::string text = session.message();
  for (int i = 0; i < results.size(); ++i)
    if (results.GetTestPartResult(i).failed())
      text += results.GetTestPartResult(i).summary();
  return text;
}

size_t differentWords(const std::string &found, const std::string &wanted) {
  size_t count = 0;
  for (size_t at = 0; at < std::max(found.size(), wanted.size()); at += 4)
    count += found.compare(std::min(at, found.size()), 4, wanted,
                           std::min(at, wanted.size()), 4) != 0;
  return count;
}

} // namespace

Result<int> llrt::kit::runPrograms(const Options &options) {
  ::testing::InitGoogleTest();
  int failures = 0;
  for (const Program &program : allPrograms()) {
    const std::string name = std::string("programs/") + program.file;
    Result<std::string> ptx = readKernels(options, name + ".ptx");
    if (!ptx)
      return ptx.error();
    Result<std::unique_ptr<Device>> device = openDevice(options, "h200");
    if (!device)
      return device.error();
    std::string image = *ptx;
    if (!options.emulator) {
      Result<std::string> cubin = readKernels(options, name + ".cubin");
      if (!cubin)
        return cubin.error();
      image = *cubin;
    }
    Session session(std::move(*device), image);
    std::string found = complaintsOf(program, session);
    Json row = {{"part", "correctness"}, {"program", program.file}};
    if (!options.emulator) {
      Session emulated(*ptx, EmulatorOptions());
      if (std::string text = complaintsOf(program, emulated); !text.empty())
        found += "on the emulator: " + text;
      const size_t different = differentWords(session.bits(), emulated.bits());
      row["words"] = session.bits().size() / 4;
      row["differ_from_emulator"] = different;
      if (different && !isApproximate(program.file))
        found += "other bits than the emulator's";
    }
    row["ok"] = found.empty();
    if (!found.empty())
      row["found"] = found.substr(0, 400);
    note((found.empty() ? "ok      " : "FAILED  ") + std::string(program.file) +
         (found.empty() ? "" : ": ") + found);
    emitRow(row);
    failures += found.empty() ? 0 : 1;
  }
  return failures;
}
