// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sections written here are found again by the runtime's reader, and outputs
// are there whole or not at all. That they survive strip:
// test/setup/survives.sh.
#include "compiler/emit/ElfWriter.h"
#include "compiler/emit/LaunchPlan.h"
#include "runtime/ElfSections.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace mlir::llama;

namespace {

std::string read(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

class ElfWriterTest : public ::testing::Test {
protected:
  void SetUp() override {
    char name[] = "/tmp/llamac-elf-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder = name;
    out = folder + "/out";
  }
  void TearDown() override {
    ASSERT_EQ(std::system(("rm -rf " + folder).c_str()), 0);
  }
  size_t countFiles() {
    size_t count = 0;
    DIR *directory = ::opendir(folder.c_str());
    while (dirent *entry = ::readdir(directory))
      count += entry->d_name != std::string(".") &&
               entry->d_name != std::string("..");
    ::closedir(directory);
    return count;
  }
  /// This program with two sections more.
  llrt::Error write(const std::string &first, const std::string &second) {
    auto file = OutputFile::create(out, true);
    if (!file)
      return file.error();
    auto writer = ElfWriter::create(**file, "/proc/self/exe");
    if (!writer)
      return writer.error();
    LlamacSectionCheck check;
    if (llrt::Error error = (*writer)->addSection(".llamac.one", first.data(),
                                                  first.size(), check))
      return error;
    EXPECT_EQ(check.size, first.size());
    EXPECT_EQ(check.hash, hashBytes(first.data(), first.size()));
    if (llrt::Error error = (*writer)->beginSection(".llamac.two"))
      return error;
    for (size_t at = 0; at < second.size(); at += 1000)
      if (llrt::Error error = (*writer)->append(
              second.data() + at, std::min<size_t>(1000, second.size() - at)))
        return error;
    check = (*writer)->endSection();
    EXPECT_EQ(check.hash, hashBytes(second.data(), second.size()));
    if (llrt::Error error = (*writer)->finish())
      return error;
    return (*file)->commit();
  }
  std::string folder, out;
};

TEST_F(ElfWriterTest, TheRuntimeFindsTheSections) {
  std::string first = "one", second(123457, 'x');
  llrt::Error error = write(first, second);
  ASSERT_FALSE(error) << error.message();
  std::string bytes = read(out);
  llrt::View<uint8_t> view(reinterpret_cast<const uint8_t *>(bytes.data()),
                           bytes.size());
  auto sections = llrt::readElfSections(view, out, ".llamac.");
  ASSERT_TRUE(sections) << sections.error().message();
  ASSERT_EQ(sections->size(), 2u);
  EXPECT_EQ(bytes.substr((*sections)[0].offset, (*sections)[0].size), first);
  EXPECT_EQ(bytes.substr((*sections)[1].offset, (*sections)[1].size), second);
  EXPECT_EQ((*sections)[1].offset % 4096, 0u);
  // It still runs.
  EXPECT_EQ(std::system((out + " --gtest_list_tests > /dev/null").c_str()), 0);
}

TEST_F(ElfWriterTest, TheSameInputGivesTheSameBytes) {
  ASSERT_FALSE(write("one", "two"));
  std::string first = read(out);
  mode_t old = ::umask(077);
  ASSERT_FALSE(write("one", "two"));
  ::umask(old);
  EXPECT_EQ(read(out), first);
}

TEST_F(ElfWriterTest, PermissionsFollowTheUmask) {
  mode_t old = ::umask(027);
  ASSERT_FALSE(write("one", "two"));
  ::umask(old);
  struct stat status;
  ASSERT_EQ(::stat(out.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0750u);
}

TEST_F(ElfWriterTest, NothingIsLeftWithoutCommit) {
  {
    auto file = OutputFile::create(out, true);
    ASSERT_TRUE(file);
    ASSERT_FALSE((*file)->write("x", 1));
    EXPECT_EQ(countFiles(), 1u);
  }
  EXPECT_EQ(countFiles(), 0u);
  auto file = OutputFile::create(out, true);
  ASSERT_TRUE(file);
  OutputFile::removeUnfinished();
  EXPECT_EQ(countFiles(), 0u);
}

TEST_F(ElfWriterTest, ABaseThatIsNoElf) {
  std::ofstream(folder + "/base") << "#!/bin/sh\n";
  auto file = OutputFile::create(out, true);
  ASSERT_TRUE(file);
  auto writer = ElfWriter::create(**file, folder + "/base");
  ASSERT_FALSE(writer);
  EXPECT_NE(writer.error().message().find("is no 64-bit ELF executable"),
            std::string::npos);
}

TEST_F(ElfWriterTest, OutputsThatCannotBe) {
  EXPECT_NE(checkOutputPath(folder).message().find("is a folder"),
            std::string::npos);
  EXPECT_NE(checkOutputPath(folder + "/no/out")
                .message()
                .find("its folder does not exist"),
            std::string::npos);
  EXPECT_NE(checkOutputPath("/dev/null").message().find("no regular file"),
            std::string::npos);
  EXPECT_FALSE(checkOutputPath(out));
  EXPECT_FALSE(writeText("/dev/null", "text"));
  struct stat status;
  ASSERT_EQ(::stat("/dev/null", &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode));
}

TEST(LaunchPlanTest, SerializesWhatTheHeaderSays) {
  LaunchPlan plan;
  plan.addKernel("embed");
  plan.addKernel("qkv");
  EXPECT_EQ(plan.getKernelName(1), "qkv");
  plan.eosIds = {7, 8, 9};
  plan.invFreq = {1.0, 0.5};
  std::vector<uint8_t> bytes = plan.serialize();
  LlamacPlanHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  EXPECT_EQ(header.plan_bytes, bytes.size());
  EXPECT_EQ(header.eos_count, 3u);
  EXPECT_EQ(header.inv_freq_offset % 8, 0u);
  EXPECT_EQ(std::string(reinterpret_cast<char *>(bytes.data()) +
                        header.strings_offset),
            "embed");
  uint64_t hash = header.plan_hash;
  header.plan_hash = 0;
  std::memcpy(bytes.data(), &header, sizeof header);
  EXPECT_EQ(hashBytes(bytes.data(), bytes.size()), hash);
}

} // namespace
