// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Replays the fuzzer's corpus, whole and cut short at every 97th byte.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

TEST(PtxCorpus, IsAModuleOrAnErrorWithALine) {
  namespace fs = std::filesystem;
  unsigned files = 0;
  for (const fs::directory_entry &each :
       fs::directory_iterator(LLAMAC_SOURCE_DIR "/test/fuzz/corpus")) {
    SCOPED_TRACE(each.path().string());
    std::ifstream in(each.path(), std::ios::binary);
    std::stringstream all;
    all << in.rdbuf();
    std::string text = all.str();
    auto data = reinterpret_cast<const uint8_t *>(text.data());
    LLVMFuzzerTestOneInput(data, text.size());
    for (size_t cut = 0; cut < text.size(); cut += 97)
      LLVMFuzzerTestOneInput(data, cut);
    ++files;
  }
  EXPECT_GE(files, 10u);
}
