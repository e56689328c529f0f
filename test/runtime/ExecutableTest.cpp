// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Opens executables: whole, cut, altered, overlapping. A fault is a message.
#include "ToyExecutable.h"

#include "runtime/Executable.h"

#include <cmath>
#include <cstring>
#include <elf.h>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace llrt;

namespace {

class ExecutableTest : public testing::Test {
protected:
  void SetUp() override {
    path = testing::TempDir() + "toy-" + std::to_string(getpid());
  }
  void TearDown() override { std::remove(path.c_str()); }

  /// The message of opening `file`; "" if it opens.
  std::string open(const toy::Bytes &file) {
    toy::writeFile(path, file);
    Result<std::unique_ptr<Executable>> result = Executable::open(path);
    return result ? "" : result.error().message();
  }
  std::string openAltered(void (*alter)(toy::Sections &)) {
    toy::Sections sections = toy::makeSections();
    alter(sections);
    sections.seal();
    return open(toy::append(toy::emptyElf(), sections));
  }
  /// Alters the section header of `name`.
  std::string openMoved(const std::string &name,
                        void (*alter)(Elf64_Shdr &, const toy::Bytes &file)) {
    toy::Bytes file = toy::append(toy::emptyElf(), toy::makeSections());
    Elf64_Ehdr header;
    std::memcpy(&header, file.data(), sizeof header);
    auto *table = reinterpret_cast<Elf64_Shdr *>(file.data() + header.e_shoff);
    const char *names = reinterpret_cast<char *>(
        file.data() + table[header.e_shstrndx].sh_offset);
    for (int i = 0; i < header.e_shnum; ++i)
      if (names + table[i].sh_name == name)
        alter(table[i], file);
    return open(file);
  }
  std::string path;
};

#define EXPECT_SAYS(message, part)                                             \
  do {                                                                         \
    std::string text = message;                                                \
    EXPECT_NE(text.find(part), std::string::npos)                              \
        << "the message was: " << text;                                        \
    EXPECT_EQ(text.compare(0, path.size(), path), 0)                           \
        << "no file name first: " << text;                                     \
  } while (false)

} // namespace

TEST_F(ExecutableTest, GivesBackWhatWasWritten) {
  toy::Sections sections = toy::makeSections();
  toy::writeFile(path, toy::append(toy::emptyElf(), sections));
  Result<std::unique_ptr<Executable>> opened = Executable::open(path);
  ASSERT_TRUE(opened) << opened.error().message();
  const Executable &executable = **opened;
  EXPECT_EQ(executable.plan().vocab_size, 500u);
  EXPECT_EQ(executable.launches(LLAMAC_FUNCTION_HEAD).size(), 1u);
  EXPECT_STREQ(executable.kernelName(1), "toy_head");
  EXPECT_EQ(executable.eosIds()[0], 2);
  EXPECT_EQ(executable.invFreq()[1], 0.1);
  EXPECT_EQ(executable.ptx().size(), sections.ptx.size() - 1);
  EXPECT_EQ(executable.tokenizer().size(), sections.tokenizer.size());
  EXPECT_TRUE(executable.weightsChecked());
  EXPECT_EQ(0, std::memcmp(executable.weights().data(), sections.weights.data(),
                           sections.weights.size()));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(executable.weights().data()) % 4096,
            0u);
}

TEST_F(ExecutableTest, TakesAnExecutableWithoutWeightsAndTokenizer) {
  toy::Options options;
  options.weights = options.tokenizer = false;
  toy::writeFile(path,
                 toy::append(toy::emptyElf(), toy::makeSections(options)));
  Result<std::unique_ptr<Executable>> opened = Executable::open(path);
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_TRUE((*opened)->weights().empty());
  EXPECT_FALSE((*opened)->hasTokenizer());
}

TEST_F(ExecutableTest, NamesWhatIsNoExecutableOfOurs) {
  EXPECT_SAYS(open({}), "found 0 bytes");
  EXPECT_SAYS(open(toy::Bytes(100, 'x')), "is no ELF file");
  EXPECT_SAYS(open(toy::emptyElf()), "section .llamac.plan: found none");
  toy::Bytes small = toy::emptyElf();
  small[EI_CLASS] = ELFCLASS32;
  EXPECT_SAYS(open(small), "is no 64-bit");
  Result<std::unique_ptr<Executable>> missing =
      Executable::open("/no/such/file");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message().find(
                "/no/such/file: cannot be opened: No such file"),
            std::string::npos);
  Result<std::unique_ptr<Executable>> folder = Executable::open("/tmp");
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().message(), "/tmp: is no regular file");
}

TEST_F(ExecutableTest, FindsEveryCut) {
  toy::Bytes file = toy::append(toy::emptyElf(), toy::makeSections());
  for (size_t size = 0; size < file.size();
       size += size < 256 || size + 600 > file.size() ? 1 : 509)
    ASSERT_NE(open(toy::Bytes(file.begin(), file.begin() + size)), "")
        << "cut at byte " << size;
}

TEST_F(ExecutableTest, FindsEveryAlteredByteOfASection) {
  toy::Sections sections = toy::makeSections();
  for (toy::Bytes *bytes : {&sections.plan, &sections.ptx, &sections.tokenizer,
                            &sections.passport, &sections.weights})
    for (size_t at = 0; at < bytes->size();
         at += bytes->size() > 3000 ? 211 : 7) {
      (*bytes)[at] ^= 0x10;
      ASSERT_NE(open(toy::append(toy::emptyElf(), sections)), "")
          << "byte " << at << " of " << bytes->size();
      (*bytes)[at] ^= 0x10;
    }
  EXPECT_EQ(open(toy::append(toy::emptyElf(), sections)), "");
}

TEST_F(ExecutableTest, NamesTheSectionAndBothHashes) {
  toy::Sections sections = toy::makeSections();
  sections.weights[100] ^= 1;
  EXPECT_SAYS(open(toy::append(toy::emptyElf(), sections)),
              "section .llamac.weights: XXH3 hash: found 0x");
  sections = toy::makeSections();
  sections.ptx.push_back(0);
  EXPECT_SAYS(open(toy::append(toy::emptyElf(), sections)),
              "section .llamac.ptx: found");
  sections = toy::makeSections();
  sections.tokenizer.clear();
  EXPECT_SAYS(open(toy::append(toy::emptyElf(), sections)),
              "section .llamac.tokenizer: found none, expected");
  sections = toy::makeSections();
  sections.plan[sections.plan.size() - 1] ^= 1;
  EXPECT_SAYS(open(toy::append(toy::emptyElf(), sections)),
              "section .llamac.plan: XXH3 hash");
}

TEST_F(ExecutableTest, ChecksTheSectionTable) {
  EXPECT_SAYS(openMoved(".llamac.weights",
                        [](Elf64_Shdr &s, const toy::Bytes &) {
                          s.sh_offset = ~0ull - 4095;
                        }),
              "section .llamac.weights: lies at byte");
  EXPECT_SAYS(
      openMoved(".llamac.weights",
                [](Elf64_Shdr &s, const toy::Bytes &) { s.sh_size = ~0ull; }),
      "section .llamac.weights: lies at byte");
  EXPECT_SAYS(openMoved(".llamac.weights",
                        [](Elf64_Shdr &s, const toy::Bytes &) {
                          s.sh_offset += 8;
                          s.sh_size -= 8;
                        }),
              "expected a multiple of 4096");
  EXPECT_SAYS(
      openMoved(".llamac.weights",
                [](Elf64_Shdr &s, const toy::Bytes &) { s.sh_offset -= 4096; }),
      "overlap");
  EXPECT_SAYS(openMoved(".llamac.passport",
                        [](Elf64_Shdr &s, const toy::Bytes &) {
                          s.sh_type = SHT_NOBITS;
                        }),
              "section .llamac.passport: holds no bytes");
  EXPECT_SAYS(
      openMoved(".llamac.plan",
                [](Elf64_Shdr &s, const toy::Bytes &) { s.sh_offset = 0; }),
      "overlap");
  toy::Bytes file = toy::append(toy::emptyElf(), toy::makeSections());
  auto *header = reinterpret_cast<Elf64_Ehdr *>(file.data());
  Elf64_Ehdr good = *header;
  header->e_shoff = ~0ull - 10;
  EXPECT_SAYS(open(file), "section table: lies at byte");
  *header = good;
  header->e_shnum = 0;
  EXPECT_SAYS(open(file), "section table: found 0 entries");
  *header = good;
  header->e_shentsize = 3;
  EXPECT_SAYS(open(file), "section table: found");
  *header = good;
  header->e_shstrndx = 999;
  EXPECT_SAYS(open(file), "section names: index 999");
}

TEST_F(ExecutableTest, ChecksThePlan) {
  EXPECT_SAYS(openAltered([](toy::Sections &s) { s.header().magic = 1; }),
              "magic: found 0x0000000000000001");
  EXPECT_SAYS(openAltered([](toy::Sections &s) { s.header().version = 99; }),
              "format version: found 99, expected " +
                  std::to_string(LLAMAC_FORMAT_VERSION));
  EXPECT_SAYS(openAltered([](toy::Sections &s) {
                s.header().chat_template = LLAMAC_CHAT_COUNT;
              }),
              "chat_template: found 6, expected 0 to 5");
  EXPECT_SAYS(openAltered([](toy::Sections &s) { s.header().sm_version = 80; }),
              "sm_version: found 80, expected 90 (emulator)");
  EXPECT_SAYS(
      openAltered([](toy::Sections &s) { s.header().gpu_name_offset = 0; }),
      "GPU: found `toy_store`, expected a row of the GPU table");
  EXPECT_SAYS(
      openAltered([](toy::Sections &s) { s.header().gpu_name_offset = 999; }),
      "gpu_name_offset: found 999");
  EXPECT_SAYS(
      openAltered([](toy::Sections &s) { s.header().header_bytes = 8; }),
      "header_bytes: found 8");
  EXPECT_SAYS(openAltered([](toy::Sections &s) { s.header().plan_bytes = 8; }),
              "plan_bytes: found 8");
  EXPECT_SAYS(openAltered([](toy::Sections &s) { s.header().vocab_size = 0; }),
              "vocab_size: found 0");
  EXPECT_SAYS(
      openAltered([](toy::Sections &s) { s.header().piece_count = 501; }),
      "piece_count: found 501");
  EXPECT_SAYS(openAltered([](toy::Sections &s) { s.header().max_chunk = 257; }),
              "max_chunk: found 257");
  EXPECT_SAYS(
      openAltered([](toy::Sections &s) { s.header().sampling.top_p = 1.5; }),
      "sampling.top_p: found 1.5");
  EXPECT_SAYS(openAltered([](toy::Sections &s) {
                s.header().sampling.temperature = std::nan("");
              }),
              "sampling.temperature: found");
  EXPECT_SAYS(openAltered([](toy::Sections &s) { s.header().bos_id = 500; }),
              "bos_id: found 500");
  EXPECT_SAYS(
      openAltered([](toy::Sections &s) { s.header().logits_offset = ~3ull; }),
      "logits_offset: found");
  EXPECT_SAYS(
      openAltered([](toy::Sections &s) { s.header().max_batch = 1u << 19; }),
      "offset: found");
  EXPECT_SAYS(
      openAltered([](toy::Sections &s) { s.header().kernels_offset = ~7ull; }),
      "kernels_offset: found");
  EXPECT_SAYS(
      openAltered([](toy::Sections &s) { s.header().launch_count = 1u << 31; }),
      "launches_offset: found");
  EXPECT_SAYS(
      openAltered([](toy::Sections &s) { s.header().inv_freq_count = 3; }),
      "inv_freq_count: found 3");
  EXPECT_SAYS(
      openAltered([](toy::Sections &s) { s.header().functions[2].first = 3; }),
      "launches of function 2");
  EXPECT_SAYS(openAltered([](toy::Sections &s) {
                s.array<int32_t>(s.header().eos_offset)[0] = 500;
              }),
              "eos id 0");
  EXPECT_SAYS(openAltered([](toy::Sections &s) {
                s.array<LlamacKernel>(s.header().kernels_offset)->name_offset =
                    99;
              }),
              "name of kernel 0");
  EXPECT_SAYS(openAltered([](toy::Sections &s) {
                s.array<LlamacLaunch>(s.header().launches_offset)->kernel = 2;
              }),
              "launch 0 kernel: found 2");
  EXPECT_SAYS(openAltered([](toy::Sections &s) {
                s.array<LlamacLaunch>(s.header().launches_offset)->layer = 1;
              }),
              "launch 0 layer: found 1, expected -1 or a layer below 1");
  EXPECT_SAYS(
      openAltered([](toy::Sections &s) { s.header().residual_stride = 7; }),
      "residual_stride: found 7, expected 8 to");
  EXPECT_SAYS(
      openAltered([](toy::Sections &s) { s.header().residual_offset = ~3ull; }),
      "residual_offset: found");
  EXPECT_SAYS(
      openAltered([](toy::Sections &s) {
        s.array<LlamacLaunch>(s.header().launches_offset)->programmatic = 2;
      }),
      "launch 0 programmatic: found 2, expected 0 or 1");
  EXPECT_SAYS(
      openAltered([](toy::Sections &s) {
        s.array<LlamacLaunch>(s.header().launches_offset)->first_argument =
            0xFFFFFFFF;
      }),
      "launch 0 arguments");
  EXPECT_SAYS(openAltered([](toy::Sections &s) {
                s.array<LlamacLaunch>(s.header().launches_offset)->block[0] =
                    2048;
              }),
              "launch 0 block: found 2048");
  EXPECT_SAYS(
      openAltered([](toy::Sections &s) {
        s.array<LlamacLaunch>(s.header().launches_offset)->grid[0].divisor = 0;
      }),
      "launch 0 grid");
  EXPECT_SAYS(openAltered([](toy::Sections &s) {
                s.array<LlamacArgument>(s.header().arguments_offset)->kind = 9;
              }),
              "argument 0 kind: found 9");
  EXPECT_SAYS(openAltered([](toy::Sections &s) {
                s.array<LlamacArgument>(s.header().arguments_offset)->buffer =
                    9;
              }),
              "argument 0 buffer: found 9");
  EXPECT_SAYS(openAltered([](toy::Sections &s) {
                s.array<LlamacArgument>(s.header().arguments_offset)->value =
                    1u << 30;
              }),
              "argument 0 offset: found");
}

// Every word of a plan, set to odd values under a right hash: opened or
// refused, never a crash (run under the asan preset too).
TEST_F(ExecutableTest, SurvivesAnyPlan) {
  toy::Sections good = toy::makeSections();
  for (size_t at = 0; at + 4 <= good.plan.size(); at += 4)
    for (uint32_t value : {0u, 1u, 0x7FFFFFFFu, 0xFFFFFFFFu}) {
      toy::Sections sections = good;
      std::memcpy(sections.plan.data() + at, &value, 4);
      sections.seal();
      Error error = checkPlan(View<uint8_t>(sections.plan), path);
      (void)static_cast<bool>(error);
    }
}
