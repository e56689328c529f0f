// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One model in every format gives one Checkpoint: the same config and, row by
// row, the same values. The files are those that PyTorch's and gguf's own code
// wrote (Inputs/formats/make_formats.py).
#include "compiler/import/TensorNames.h"
#include "compiler/import/TensorValues.h"
#include "compiler/import/TorchFile.h"

#include <cstdlib>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace mlir::llama;

namespace {

const std::string inputs = LLAMAC_SOURCE_DIR "/test/import/Inputs/formats/";

Checkpoint openOrDie(const std::string &name, OpenOptions options = {}) {
  llrt::Result<Checkpoint> opened = openCheckpoint(inputs + name, options);
  if (!opened) {
    ADD_FAILURE() << opened.error().message();
    return {};
  }
  return std::move(*opened);
}

/// The rows of `tensor` one after the other, as the packer reads them.
std::vector<uint8_t> readAll(const Tensor &tensor) {
  std::vector<uint8_t> all, scratch;
  for (int64_t row = 0; row < getRowCount(tensor); ++row) {
    const uint8_t *bytes = getRow(tensor, row, scratch);
    all.insert(all.end(), bytes, bytes + getRowBytes(tensor));
  }
  return all;
}

void expectEqualTensors(const std::map<std::string, Tensor> &found,
                        const std::map<std::string, Tensor> &expected) {
  for (auto &[name, tensor] : expected) {
    SCOPED_TRACE(name);
    auto at = found.find(name);
    ASSERT_NE(at, found.end());
    EXPECT_EQ(at->second.dtype, tensor.dtype);
    EXPECT_EQ(at->second.shape, tensor.shape);
    EXPECT_EQ(at->second.size, tensor.size);
    EXPECT_TRUE(readAll(at->second) == readAll(tensor));
  }
}

void expectEqualShapes(const Config &found, const Config &expected) {
  EXPECT_EQ(found.hiddenSize, expected.hiddenSize);
  EXPECT_EQ(found.intermediateSize, expected.intermediateSize);
  EXPECT_EQ(found.layers, expected.layers);
  EXPECT_EQ(found.heads, expected.heads);
  EXPECT_EQ(found.kvHeads, expected.kvHeads);
  EXPECT_EQ(found.headDim, expected.headDim);
  EXPECT_EQ(found.vocabSize, expected.vocabSize);
  EXPECT_FLOAT_EQ(float(found.rmsNormEps), float(expected.rmsNormEps));
  EXPECT_EQ(found.ropeTheta, expected.ropeTheta);
  EXPECT_TRUE(found.ropeScaling == expected.ropeScaling);
  EXPECT_EQ(found.tiedEmbeddings, expected.tiedEmbeddings);
}

TEST(FormatsTest, TorchSave) {
  Checkpoint expected = openOrDie("hf"), found = openOrDie("bin");
  expectEqualShapes(found.config, expected.config);
  // And the head that is the embedding, which torch.save stores once.
  EXPECT_EQ(found.tensors.size(), expected.tensors.size() + 1);
  EXPECT_EQ(found.tensors.at("lm_head.weight").bytes,
            found.tensors.at("model.embed_tokens.weight").bytes);
  expectEqualTensors(found.tensors, expected.tensors);
  EXPECT_EQ(found.weightsPath, inputs + "bin/pytorch_model.bin");
}

TEST(FormatsTest, TorchSaveFromBeforeItsZipFiles) {
  Checkpoint expected = openOrDie("hf");
  std::string path = inputs + "legacy.bin";
  auto file = llrt::MappedFile::open(path);
  ASSERT_TRUE(file);
  auto found = parseTorchFile((*file)->data(), (*file)->size(), path);
  ASSERT_TRUE(found) << found.error().message();
  expectEqualTensors(*found, expected.tensors);
}

TEST(FormatsTest, MetaInTwoShards) {
  OpenOptions options;
  options.ropeFactor = 8;
  Checkpoint expected = openOrDie("hf"), found = openOrDie("meta", options);
  expectEqualShapes(found.config, expected.config);
  EXPECT_EQ(found.config.maxPositionEmbeddings, 131072);
  EXPECT_EQ(found.tensors.size(), expected.tensors.size());
  expectEqualTensors(found.tensors, expected.tensors);
  EXPECT_EQ(found.sources.size(), 3u);
}

TEST(FormatsTest, MetaWithoutWeightsHasTheirVocabulary) {
  OpenOptions options;
  options.ropeFactor = 32;
  options.needWeights = false;
  Checkpoint found = openOrDie("meta", options);
  EXPECT_EQ(found.config.vocabSize, 40);
  EXPECT_EQ(found.config.ropeScaling.factor, 32);
  EXPECT_TRUE(found.config.tiedEmbeddings);
  EXPECT_FALSE(found.hasWeights);
  EXPECT_TRUE(found.tensors.empty());
  EXPECT_EQ(found.sources.size(), 1u);
}

TEST(FormatsTest, ScaledRopeNeedsItsFactor) {
  auto opened = openCheckpoint(inputs + "meta", {});
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message().find("--rope-factor"), std::string::npos)
      << opened.error().message();
  OpenOptions options;
  options.ropeFactor = 8;
  EXPECT_FALSE(openCheckpoint(inputs + "hf", options));
}

TEST(FormatsTest, Gguf) {
  Checkpoint expected = openOrDie("hf"), found = openOrDie("bf16.gguf");
  expectEqualShapes(found.config, expected.config);
  EXPECT_EQ(found.config.maxPositionEmbeddings, 128);
  EXPECT_EQ(found.config.rmsNormEps, 1e-5); // stored as the nearest float32
  EXPECT_EQ(found.config.eosIds, std::vector<int64_t>{2});
  EXPECT_EQ(found.name, "bf16");
  EXPECT_EQ(chooseDType(found), DType::BF16);
  EXPECT_FALSE(found.tokenizer);
  // llama.cpp's converter makes vectors float32.
  for (auto &[name, tensor] : expected.tensors) {
    SCOPED_TRACE(name);
    const Tensor &other = found.tensors.at(name);
    EXPECT_EQ(other.dtype, tensor.shape.size() == 1 ? DType::F32 : DType::BF16);
    EXPECT_TRUE(haveEqualValues(other, tensor));
  }
  EXPECT_EQ(found.tensors.size(), expected.tensors.size());
}

/// Held to what gguf's own code decodes, rounded to float16 by PyTorch.
TEST(FormatsTest, GgufOfQ8_0) {
  Checkpoint found = openOrDie("q8_0.gguf");
  EXPECT_EQ(chooseDType(found), DType::F16);
  std::string path = inputs + "q8_0.safetensors";
  auto file = llrt::MappedFile::open(path);
  ASSERT_TRUE(file);
  auto expected = parseSafetensors((*file)->data(), (*file)->size(), path);
  ASSERT_TRUE(expected) << expected.error().message();
  ASSERT_EQ(found.tensors.size(), expected->size());
  for (auto &[name, tensor] : *expected) {
    SCOPED_TRACE(name);
    const Tensor &other = found.tensors.at(name);
    ASSERT_EQ(other.shape, tensor.shape);
    if (tensor.shape.size() == 1) {
      EXPECT_TRUE(haveEqualValues(other, tensor));
      continue;
    }
    EXPECT_STREQ(other.storedAs, "q8_0");
    std::vector<uint8_t> scratch, half(getRowBytes(tensor));
    for (int64_t row = 0; row < tensor.shape[0]; ++row) {
      convertValues(getRow(other, row, scratch), other.dtype,
                    uint64_t(tensor.shape[1]), DType::F16, half.data());
      EXPECT_EQ(std::memcmp(half.data(),
                            tensor.bytes + uint64_t(row) * half.size(),
                            half.size()),
                0);
    }
  }
  ASSERT_TRUE(found.tokenizer);
  EXPECT_EQ(found.tokenizer->pieces, 9);
  EXPECT_EQ(found.tokenizer->bosId, 1);
}

/// Small models of every kind of head and type, written by the standard library
/// of Python (Inputs/convert-model.py).
class ConvertedTest : public ::testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    char name[] = "/tmp/llamac-formats-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder = name;
    run("make-model.py " + folder + "/hf " + GetParam());
    auto opened = openCheckpoint(folder + "/hf", {});
    ASSERT_TRUE(opened) << opened.error().message();
    expected = std::move(*opened);
  }
  void TearDown() override {
    ASSERT_EQ(std::system(("rm -rf " + folder).c_str()), 0);
  }
  static void run(const std::string &command) {
    std::string whole =
        "/usr/bin/python3 " LLAMAC_SOURCE_DIR "/test/import/Inputs/" + command;
    ASSERT_EQ(std::system(whole.c_str()), 0) << whole;
  }
  Checkpoint convert(const std::string &name, const std::string &options) {
    run("convert-model.py " + folder + "/hf " + folder + "/" + name + " --to " +
        options);
    auto opened = openCheckpoint(folder + "/" + name, {});
    if (!opened) {
      ADD_FAILURE() << opened.error().message();
      return {};
    }
    return std::move(*opened);
  }
  /// Whether all is as in `expected`; vectors may have another type.
  void expectSame(const Checkpoint &found) {
    expectEqualShapes(found.config, expected.config);
    ASSERT_EQ(found.tensors.size(), expected.tensors.size());
    for (auto &[name, tensor] : expected.tensors) {
      SCOPED_TRACE(name);
      EXPECT_TRUE(haveEqualValues(found.tensors.at(name), tensor));
    }
  }

  std::string folder;
  Checkpoint expected;
};

TEST_P(ConvertedTest, TorchSave) {
  for (const char *options : {"bin", "bin --shards 2", "legacy"}) {
    SCOPED_TRACE(options);
    expectSame(convert(options[0] == 'l' ? "legacy"
                       : options[3]      ? "shards"
                                         : "bin",
                       options));
  }
}

TEST_P(ConvertedTest, Meta) {
  expectSame(convert("one", "meta"));
  int64_t kvHeads = expected.config.kvHeads;
  if (kvHeads % 2 == 0) {
    expectSame(convert("columns", "meta --shards 2"));
    expectSame(convert("rows", "meta --shards 2 --embedding-axis 0"));
  }
  if (kvHeads % 4 == 0)
    expectSame(convert("four", "meta --shards 4"));
}

TEST_P(ConvertedTest, Gguf) {
  expectSame(convert("own.gguf", "gguf"));
  expectSame(convert("f32.gguf", "gguf --type F32"));
}

TEST_P(ConvertedTest, PairsLeftInPlaceAreSeen) {
  for (const char *options : {"meta", "gguf"}) {
    SCOPED_TRACE(options);
    Checkpoint found = convert(std::string("wrong.") + options,
                               std::string(options) + " --keep-pairs");
    for (auto &[name, tensor] : expected.tensors) {
      bool isPaired = name.find("q_proj") != std::string::npos ||
                      name.find("k_proj") != std::string::npos;
      EXPECT_EQ(haveEqualValues(found.tensors.at(name), tensor), !isPaired)
          << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Models, ConvertedTest,
    ::testing::Values("", "--set num_key_value_heads=4",
                      "--set tie_word_embeddings=true --dtype F16",
                      "--set num_key_value_heads=1 --dtype F32"));

} // namespace
