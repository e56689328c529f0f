// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// PTX to cubin: the log by its text, ptxas and nvJitLink where they are, and
// what a failing ptxas says.
#include "compiler/emit/Assemble.h"

#include <elf.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace mlir::llama;

namespace {

const char *const ptx = R"(.version 8.0
.target sm_90a
.address_size 64
.visible .entry store(.param .u64 to) .maxntid 64, 1, 1 {
  .reg .b64 %p; .reg .b32 %v;
  .shared .align 4 .b8 scratch[512];
  ld.param.u64 %p, [to];
  mov.u32 %v, %tid.x;
  st.shared.u32 [scratch], %v;
  bar.sync 0;
  ld.shared.u32 %v, [scratch];
  st.global.u32 [%p], %v;
  ret;
}
)";

bool isCubin(const std::string &image) {
  return image.size() > sizeof(Elf64_Ehdr) &&
         image.compare(0, SELFMAG, ELFMAG) == 0 &&
         reinterpret_cast<const Elf64_Ehdr *>(image.data())->e_machine == 190;
}

/// A folder with a program called ptxas, gone at the end.
class FakePtxas {
public:
  explicit FakePtxas(const std::string &script) {
    folder = testing::TempDir() + "fake-ptxas-" + std::to_string(getpid());
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/ptxas") << script;
    std::filesystem::permissions(folder + "/ptxas",
                                 std::filesystem::perms::owner_all);
  }
  ~FakePtxas() { std::filesystem::remove_all(folder); }
  std::string folder;
};

} // namespace

TEST(Assemble, ReadsTheLog) {
  std::vector<KernelResources> kernels = readAssemblerLog(
      "ptxas info    : 0 bytes gmem\n"
      "ptxas info    : Compiling entry function 'argmax' for 'sm_90a'\n"
      "ptxas info    : Function properties for argmax\n"
      "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
      "ptxas info    : Used 26 registers, used 1 barriers\n"
      "ptxas info    : Compile time = 2.241 ms\n"
      "ptxas info    : Compiling entry function 'sample' for 'sm_80'\n"
      "ptxas info    : Function properties for sample\n"
      "    16 bytes stack frame, 20 bytes spill stores, 12 bytes spill loads\n"
      "ptxas info    : Used 168 registers, used 2 barriers, 16 bytes "
      "cumulative stack size, 4608 bytes smem, 388 bytes cmem[0]\n");
  ASSERT_EQ(kernels.size(), 2u);
  EXPECT_EQ(kernels[0].name, "argmax");
  EXPECT_EQ(kernels[0].registers, 26u);
  EXPECT_EQ(kernels[0].spillBytes, 0u);
  EXPECT_EQ(kernels[0].staticSharedBytes, 0u);
  EXPECT_EQ(kernels[1].name, "sample");
  EXPECT_EQ(kernels[1].registers, 168u);
  EXPECT_EQ(kernels[1].stackBytes, 16u);
  EXPECT_EQ(kernels[1].spillBytes, 20u);
  EXPECT_EQ(kernels[1].staticSharedBytes, 4608u);
  EXPECT_TRUE(readAssemblerLog("").empty());
}

TEST(Assemble, ByPtxas) {
  const std::string path = LLAMAC_PTXAS;
  if (path.empty())
    GTEST_SKIP() << "no ptxas here";
  auto first = assembleByPtxas(path, ptx, "sm_90a");
  ASSERT_TRUE(first) << first.error().message();
  EXPECT_TRUE(isCubin(first->cubin));
  ASSERT_EQ(first->kernels.size(), 1u);
  EXPECT_EQ(first->kernels[0].name, "store");
  EXPECT_GT(first->kernels[0].registers, 0u);
  EXPECT_EQ(first->kernels[0].staticSharedBytes, 512u);
  auto again = assembleByPtxas(path, ptx, "sm_90a");
  ASSERT_TRUE(again);
  EXPECT_EQ(first->cubin, again->cubin);
  // What it cannot read: its own words, and the command.
  auto wrong = assembleByPtxas(path, "abacus", "sm_90a");
  ASSERT_FALSE(wrong);
  for (const char *part : {"failed with status", "fatal",
                           "-arch=sm_90a -v kernels.ptx -o kernels.cubin"})
    EXPECT_NE(wrong.error().message().find(part), std::string::npos)
        << wrong.error().message();
}

TEST(Assemble, ByNvJitLink) {
  std::string path;
  for (const char *folder : {"/usr/local/cuda/lib64", "/usr/local/cuda/lib"})
    if (std::string file = std::string(folder) + "/libnvJitLink.so.13";
        access(file.c_str(), R_OK) == 0)
      path = file;
  if (path.empty())
    GTEST_SKIP() << "no nvJitLink here";
  auto made = assembleByNvJitLink(path, ptx, "sm_90a");
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_TRUE(isCubin(made->cubin));
  ASSERT_EQ(made->kernels.size(), 1u);
  EXPECT_EQ(made->kernels[0].name, "store");
  auto wrong = assembleByNvJitLink(path, "abacus", "sm_90a");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message().find("NVJITLINK_INPUT_PTX"),
            std::string::npos)
      << wrong.error().message();
}

TEST(Assemble, TakesTheOwnPtxasFirst) {
  FakePtxas fake(
      "#!/bin/sh\necho \"ptxas fatal   : no $1 today\" >&2\nexit 3\n");
  auto result = assemble(fake.folder, ptx, "sm_90a");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message(),
            fake.folder +
                "/ptxas: failed with status 3:\nptxas fatal   : no "
                "-arch=sm_90a today\nits command was: " +
                fake.folder +
                "/ptxas -arch=sm_90a -v kernels.ptx -o kernels.cubin");
}

TEST(Assemble, SaysThatItCannotBeStarted) {
  FakePtxas fake("\x7f"
                 "ELF no program");
  auto result = assemble(fake.folder, ptx, "sm_90a");
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message().find("cannot be started"),
            std::string::npos);
}
