// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The section .llamac.selftest: read whole, and refused where a number in it
// does not fit. What a self-test finds is test/numerics/SelftestTest's.
#include "ToyExecutable.h"

#include "runtime/Selftest.h"

#include <cstring>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace llrt;

namespace {

/// Of the toy's one layer, hidden size 8 and vocabulary of 500.
toy::Bytes makeSection() {
  LlamacSelftestHeader header{};
  header.magic = LLAMAC_SELFTEST_MAGIC;
  header.token_count = 8;
  header.stages = 2;
  header.hidden_size = 8;
  header.vocab_size = 500;
  uint64_t at = sizeof header;
  auto take = [&](uint64_t words) {
    const uint64_t offset = (at + 7) / 8 * 8;
    at = offset + 4 * words;
    return offset;
  };
  header.tokens_offset = take(8);
  header.residual_offset = take(2 * 8 * 8);
  header.bounds_offset = take(2 * 8);
  header.logits_offset = take(500);
  toy::Bytes bytes(at);
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

/// The message of reading `section`; "" if it can be read.
std::string read(const toy::Bytes &section, const toy::Options &options = {}) {
  const std::string path =
      testing::TempDir() + "toy-selftest-" + std::to_string(getpid());
  toy::Sections sections = toy::makeSections(options);
  sections.selftest = section;
  sections.seal();
  toy::writeFile(path, toy::append(toy::emptyElf(), sections));
  Result<std::unique_ptr<Executable>> executable = Executable::open(path);
  std::remove(path.c_str());
  if (!executable)
    return executable.error().message();
  Result<Selftest> test = Selftest::read(**executable);
  return test ? "" : test.error().message();
}

std::string readAltered(void (*alter)(LlamacSelftestHeader &)) {
  toy::Bytes section = makeSection();
  alter(*reinterpret_cast<LlamacSelftestHeader *>(section.data()));
  return read(section);
}

#define EXPECT_SAYS(message, part)                                             \
  do {                                                                         \
    const std::string text = message;                                          \
    EXPECT_NE(text.find(part), std::string::npos)                              \
        << "the message was: " << text;                                        \
  } while (false)

} // namespace

TEST(SelftestSection, IsReadWhole) { EXPECT_EQ(read(makeSection()), ""); }

TEST(SelftestSection, IsMissedByName) {
  EXPECT_SAYS(read({}), "was compiled with --no-selftest");
  toy::Options shapes;
  shapes.weights = false;
  EXPECT_SAYS(read({}, shapes), "was compiled with --no-weights");
}

TEST(SelftestSection, HasToFitThePlan) {
  EXPECT_SAYS(read(toy::Bytes(40)), "found 40 bytes, expected at least");
  EXPECT_SAYS(readAltered([](auto &header) { header.magic = 1; }),
              "another magic number");
  for (auto alter : {+[](LlamacSelftestHeader &h) { h.token_count = 0; },
                     +[](LlamacSelftestHeader &h) { h.token_count = 9; },
                     +[](LlamacSelftestHeader &h) { h.stages = 3; },
                     +[](LlamacSelftestHeader &h) { h.hidden_size = 16; },
                     +[](LlamacSelftestHeader &h) { h.vocab_size = 501; }})
    EXPECT_SAYS(readAltered(alter), "is of another model than the plan");
  for (auto alter :
       {+[](LlamacSelftestHeader &h) { h.tokens_offset = ~7ull; },
        +[](LlamacSelftestHeader &h) { h.residual_offset += 1; },
        +[](LlamacSelftestHeader &h) { h.bounds_offset = 1ull << 40; },
        +[](LlamacSelftestHeader &h) { h.logits_offset += 8; }})
    EXPECT_SAYS(readAltered(alter), "an array reaches past its end");
}

TEST(SelftestSection, IsFoundWhereItIsCut) {
  const toy::Bytes whole = makeSection();
  for (size_t size = 1; size < whole.size(); size += 7)
    ASSERT_NE(read({whole.begin(), whole.begin() + size}), "") << size;
}
