// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Replays one fuzzer's corpus, whole and cut short at every 97th byte (of a
// large input: at 200 places).
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/// On a copy of exactly that size, so that a sanitizer sees reads past it.
static void replay(const std::string &text, size_t size) {
  std::unique_ptr<uint8_t[]> copy(new uint8_t[size]);
  std::copy_n(text.begin(), size, copy.get());
  LLVMFuzzerTestOneInput(copy.get(), size);
}

TEST(Corpus, IsReadOrRefused) {
  namespace fs = std::filesystem;
  unsigned files = 0;
  for (const fs::directory_entry &each :
       fs::directory_iterator(LLAMAC_FUZZ_CORPUS)) {
    SCOPED_TRACE(each.path().string());
    std::ifstream in(each.path(), std::ios::binary);
    std::stringstream all;
    all << in.rdbuf();
    std::string text = all.str();
    replay(text, text.size());
    const size_t step = std::max<size_t>(97, text.size() / 200);
    for (size_t cut = 0; cut < text.size(); cut += step)
      replay(text, cut);
    ++files;
  }
  EXPECT_GE(files, 5u);
}
