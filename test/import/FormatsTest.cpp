// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One model in every format gives one Checkpoint: the same config and, row by
// row, the same values. The files are those that PyTorch's and gguf's own code
// wrote (Inputs/formats/make_formats.py).
#include "compiler/import/TensorNames.h"
#include "compiler/import/TensorValues.h"
#include "compiler/import/TorchFile.h"

#include <gtest/gtest.h>

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

} // namespace
