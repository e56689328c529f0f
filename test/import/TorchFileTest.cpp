// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files of torch.save's, well-formed and not; most are the fuzzer's corpus
// (test/fuzz/corpus/make_torch.py), by PyTorch's own code.
#include "compiler/import/TorchFile.h"
#include "compiler/import/Pickle.h"
#include "compiler/import/TensorValues.h"

#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

using namespace mlir::llama;

namespace {

std::string readCorpus(const std::string &name) {
  std::ifstream in(LLAMAC_SOURCE_DIR "/test/fuzz/corpus/torch/" + name,
                   std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  EXPECT_FALSE(all.str().empty()) << name;
  return all.str();
}

llrt::Result<std::map<std::string, Tensor>> parse(const std::string &text) {
  return parseTorchFile(reinterpret_cast<const uint8_t *>(text.data()),
                        text.size(), "m.bin");
}

TEST(TorchFileTest, ReadsWhatTorchSaveWrites) {
  for (const char *name : {"two", "protocol-4", "zip64"}) {
    SCOPED_TRACE(name);
    std::string text = readCorpus(name);
    auto tensors = parse(text);
    ASSERT_TRUE(tensors) << tensors.error().message();
    ASSERT_EQ(tensors->size(), 2u);
    const Tensor &a = tensors->at("a"), &b = tensors->at("b");
    EXPECT_EQ(a.dtype, DType::BF16);
    EXPECT_EQ(a.shape, (std::vector<int64_t>{2, 3}));
    EXPECT_EQ(b.dtype, DType::F32);
    EXPECT_EQ(b.shape, (std::vector<int64_t>{4}));
    if (std::string(name) != "zip64") // whose bytes are zeros
      for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(loadValue(a, i), 1);
        EXPECT_EQ(loadValue(b, i), i);
      }
  }
}

TEST(TorchFileTest, BothFormsHoldTheSame) {
  std::string now = readCorpus("module"), then = readCorpus("legacy");
  auto tensors = parse(now), old = parse(then);
  ASSERT_TRUE(tensors) << tensors.error().message();
  ASSERT_TRUE(old) << old.error().message();
  ASSERT_EQ(old->size(), tensors->size());
  for (auto &[name, tensor] : *tensors) {
    ASSERT_EQ(old->at(name).size, tensor.size);
    EXPECT_EQ(std::memcmp(old->at(name).bytes, tensor.bytes, tensor.size), 0);
  }
}

TEST(TorchFileTest, APartOfAStorage) {
  std::string text = readCorpus("slice");
  auto tensors = parse(text);
  ASSERT_TRUE(tensors) << tensors.error().message();
  EXPECT_EQ(tensors->at("a").shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(tensors->at("a").size, 24u);
}

TEST(TorchFileTest, RefusesByName) {
  const std::pair<const char *, const char *> cases[] = {
      {"runs", "\"posix.system\""},
      {"compressed", "\"archive/data.pkl\" is compressed"},
      {"no-storage", "\"b\": its storage \"1\" is not in the file"},
      {"short-storage", "\"a\": its storage \"0\" has 4 bytes"},
      {"script", "TorchScript"},
      {"big-endian", "little endian"},
      {"transposed", "\"a\": is a view that is not row major"},
      {"double", "\"a\": its type is float64"},
      {"uint16", "_rebuild_tensor_v3"},
      {"nested", "\"model\" is a dictionary, expected a tensor"},
      {"list", "holds a list, expected a state dict"},
      {"whole-module", "torch.nn.modules.linear.Linear"},
      {"overlap", "overlap"},
      {"cycle-zip", "\"a\" is a list"},
      {"pickle", "no file of torch.save's"},
  };
  for (auto [name, part] : cases) {
    auto tensors = parse(readCorpus(name));
    ASSERT_FALSE(tensors) << name;
    const std::string &message = tensors.error().message();
    EXPECT_EQ(message.rfind("m.bin: ", 0), 0u) << message;
    EXPECT_NE(message.find(part), std::string::npos) << name << ": " << message;
  }
}

/// What would take many times the file's size is refused long before.
TEST(TorchFileTest, BoundsWhatAPickleMakes) {
  const std::string start = "\x80\x02";
  const std::pair<std::string, const char *> cases[] = {
      {start + std::string(2 << 20, ']'), "more than the 1048576 values"},
      {start + "]" + std::string(2 << 20, '\x94'),
       "remembers more than 1048576"},
      {start + std::string(20 << 20, '('), "longer than the 16 MB"},
      {start + std::string("X\xff\xff\xff\xff", 5) + "abc", "is cut"},
      {start + "]q\x01h\x01" + "a0.", "the instruction 0x30"},
      {start + "h\x07.", "is wrong at byte"},
      {start + "t.", "is wrong at byte"},
      {start + "cos\nsystem\nX\x02\x00", "\"os.system\""},
      {start + "(X\x01)tR.", ""},
  };
  for (auto &[text, part] : cases) {
    auto pickle = parsePickle(text, "m.pkl");
    ASSERT_FALSE(pickle) << part;
    EXPECT_NE(pickle.error().message().find(part), std::string::npos)
        << pickle.error().message();
  }
}

/// Anything short of the whole is refused.
TEST(TorchFileTest, CutAnywhere) {
  for (const char *name : {"two", "legacy"}) {
    std::string text = readCorpus(name);
    for (size_t size = 0; size < text.size(); ++size) {
      std::vector<uint8_t> cut(text.begin(), text.begin() + size);
      EXPECT_FALSE(parseTorchFile(cut.data(), cut.size(), "m.bin"))
          << name << " " << size;
    }
  }
}

} // namespace
