// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The module of runtime/kernels: its entries, its constants, and that the toy
// model's copy is what it would be made now.
#include "compiler/emit/EmitKernels.h"
#include "runtime/kernels/KernelSources.h"

#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

using namespace mlir::llama;

namespace {

const std::string pieces = LLAMAC_BINARY_DIR "/libexec/llamac";

std::string readFile(const std::string &path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(EmitKernels, HasTheEntriesForEveryChip) {
  for (const char *chip : {"sm_80", "sm_86", "sm_89", "sm_90a", "sm_120a"}) {
    auto images = emitKernels(pieces, {128256, 128000}, chip, true);
    ASSERT_TRUE(images) << images.error().message();
    for (const char *entry :
         {"sample", "log_probabilities", "stream_fill", "stream_read",
          "advance"})
      EXPECT_NE(images->ptx.find(std::string(".entry ") + entry + "("),
                std::string::npos);
    EXPECT_EQ(images->log.find("warning"), std::string::npos) << images->log;
    for (const char *wrong : {".func", "fma.rn", ".local"})
      EXPECT_EQ(images->ptx.find(wrong), std::string::npos) << wrong;
    // "0 bytes spill stores" is the only count of spills that there is.
    for (size_t at = 0;
         (at = images->log.find(" bytes spill", at)) != std::string::npos; ++at)
      EXPECT_EQ(images->log.substr(at - 2, 2), " 0") << images->log;
  }
}

TEST(EmitKernels, RefusesAVocabularyThatItsSumsCannotHold) {
  auto images = emitKernels(pieces, {(1 << 23) + 1, 100}, "sm_90a", false);
  ASSERT_FALSE(images);
  EXPECT_NE(images.error().message().find("8388608"), std::string::npos)
      << images.error().message();
}

// test/runtime runs the sampler of the toy model where there is no NVRTC.
TEST(EmitKernels, TheToyModelsCopyIsUpToDate) {
  auto nvrtc = Nvrtc::open(pieces);
  ASSERT_TRUE(nvrtc);
  std::vector<CudaSource> sources;
  for (const llrt::KernelSource *source = llrt::kernelSources; source->name;
       ++source)
    if (std::string(source->name).rfind("Sampler", 0) == 0 ||
        std::string(source->name) == "Advance.cu")
      sources.push_back({source->name, source->text});
  auto images = (*nvrtc)->compile(
      sources, "sm_90a", {"LLAMAC_VOCABULARY=500", "LLAMAC_PIECES=420"}, false);
  ASSERT_TRUE(images) << images.error().message();
  std::string copy =
      readFile(LLAMAC_SOURCE_DIR "/test/runtime/Inputs/toy-kernels.ptx");
  if (copy.find("release 13.0, V13.0.88") == std::string::npos ||
      images->ptx.find("release 13.0, V13.0.88") == std::string::npos)
    GTEST_SKIP() << "another NVRTC than 13.0.88 writes other text";
  std::string fresh = LLAMAC_BINARY_DIR "/toy-kernels.ptx";
  std::ofstream(fresh) << images->ptx;
  EXPECT_TRUE(copy == images->ptx) << "runtime/kernels changed: cp " << fresh
                                   << " test/runtime/Inputs/toy-kernels.ptx";
}

} // namespace
