// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// CUDA C++ -> PTX and cubin: what comes out, that it is the same every time,
// and what is said where something is missing or wrong.
#include "compiler/emit/Nvrtc.h"
#include "compiler/emit/CudaPieces.h"

#include <cstdlib>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace mlir::llama;

namespace {

const CudaSource scale{"Scale.cu",
                       "extern \"C\" __global__ void scale(float *x) {\n"
                       "  x[threadIdx.x] = x[threadIdx.x] * FACTOR + 1.0f;\n"
                       "}\n"};
const CudaSource clear{"Clear.cu",
                       "extern \"C\" __global__ void clear(int *x) {\n"
                       "  x[threadIdx.x] = 0;\n"
                       "}\n"};

Nvrtc &compiler() {
  static llrt::Result<std::unique_ptr<Nvrtc>> opened =
      Nvrtc::open(LLAMAC_BINARY_DIR "/libexec/llamac");
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message().c_str());
    std::abort();
  }
  return **opened;
}

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

TEST(Nvrtc, MakesOneModuleOfSeveralSources) {
  auto images =
      compiler().compile({scale, clear}, "sm_90a", {"FACTOR=3.0f"}, false);
  ASSERT_TRUE(images) << images.error().message();
  EXPECT_TRUE(contains(images->ptx, ".entry scale("));
  EXPECT_TRUE(contains(images->ptx, ".entry clear("));
  EXPECT_TRUE(contains(images->ptx, ".target sm_90a"));
  EXPECT_TRUE(contains(images->ptx, "0f40400000")) << "3.0f as a constant";
  EXPECT_TRUE(images->cubin.empty());
  // A product and a sum stay two roundings.
  EXPECT_TRUE(contains(images->ptx, "mul.f32") ||
              contains(images->ptx, "mul.rn.f32"));
  EXPECT_FALSE(contains(images->ptx, "fma.rn.f32"));
}

TEST(Nvrtc, MakesACubinWithItsResources) {
  for (const char *chip : {"sm_80", "sm_90a", "sm_120"}) {
    auto images = compiler().compile({scale}, chip, {"FACTOR=3.0f"}, true);
    ASSERT_TRUE(images) << images.error().message();
    EXPECT_EQ(images->cubin.substr(0, 4), "\x7f"
                                          "ELF");
    EXPECT_TRUE(contains(images->ptx, std::string(".target ") + chip));
    EXPECT_TRUE(contains(images->log, "registers")) << images->log;
  }
}

TEST(Nvrtc, GivesTheSameBytesEveryTime) {
  auto first =
      compiler().compile({scale, clear}, "sm_90a", {"FACTOR=3.0f"}, true);
  ASSERT_TRUE(first);
  ASSERT_EQ(chdir("/"), 0);
  auto second =
      compiler().compile({scale, clear}, "sm_90a", {"FACTOR=3.0f"}, true);
  ASSERT_TRUE(second);
  EXPECT_EQ(first->ptx, second->ptx);
  EXPECT_EQ(first->cubin, second->cubin);
}

TEST(Nvrtc, AnErrorNamesFileAndLine) {
  auto images = compiler().compile({{"Wrong.cu", "\n\nint x = y;\n"}}, "sm_90a",
                                   {}, false);
  ASSERT_FALSE(images);
  EXPECT_TRUE(contains(images.error().message(), "Wrong.cu(3)"))
      << images.error().message();
}

TEST(CudaPieces, SaysWhereItLookedAndWhatBringsIt) {
  setenv("CUDA_HOME", "/no/such/toolkit", 1);
  auto path = findCudaPiece("/own/place", "libnosuch.so.13",
                            "the package nvidia-nosuch");
  ASSERT_FALSE(path);
  for (const char *part : {"libnosuch.so.13", "/own/place", "/no/such/toolkit",
                           "/usr/local/cuda", "nvidia-nosuch", "CUDA_HOME"})
    EXPECT_TRUE(contains(path.error().message(), part))
        << path.error().message();
}

TEST(CudaPieces, AnOwnPieceComesFirst) {
  std::string own = testing::TempDir() + "/pieces";
  ASSERT_EQ(
      std::system(
          ("mkdir -p " + own + " && touch " + own + "/libnvrtc.so.13").c_str()),
      0);
  auto path = findCudaPiece(own, "libnvrtc.so.13", "a package");
  ASSERT_TRUE(path);
  EXPECT_EQ(*path, own + "/libnvrtc.so.13");
  // It is no library: that is said, with its place.
  auto opened = Nvrtc::open(own);
  ASSERT_FALSE(opened);
  EXPECT_TRUE(contains(opened.error().message(), own + "/libnvrtc.so.13"))
      << opened.error().message();
}

} // namespace
