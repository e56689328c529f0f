// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Means of heads, against numbers worked out by hand, and where they are exact.
#include "compiler/emit/PooledTensors.h"
#include "compiler/import/TensorValues.h"

#include <gtest/gtest.h>
#include <list>

using namespace mlir::llama;

namespace {

class PooledTensorsTest : public testing::Test {
protected:
  Tensor make(std::vector<int64_t> shape, DType dtype,
              const std::vector<float> &values) {
    auto &bytes = storage.emplace_back(values.size() * getBytes(dtype));
    convertValues(reinterpret_cast<const uint8_t *>(values.data()), DType::F32,
                  values.size(), dtype, bytes.data());
    return {dtype, std::move(shape), bytes.data(), bytes.size()};
  }
  static std::vector<float> read(const Tensor &tensor) {
    std::vector<float> values;
    for (uint64_t i = 0; i < tensor.size / getBytes(tensor.dtype); ++i)
      values.push_back(loadValue(tensor, i));
    return values;
  }
  std::list<std::vector<uint8_t>> storage;
};

// Four heads of two rows to two: numpy's w.reshape(2, 2, 2, 2).mean(axis=1).
TEST_F(PooledTensorsTest, NeighbouringHeadsAreAveraged) {
  std::vector<float> values;
  for (int i = 0; i < 16; ++i)
    values.push_back(float(i * i));
  for (DType dtype : {DType::F32, DType::BF16, DType::F16}) {
    Tensor mean = averageHeads(make({8, 2}, dtype, values), 2, 2);
    EXPECT_EQ(mean.shape, (std::vector<int64_t>{4, 2}));
    EXPECT_EQ(mean.dtype, DType::F32);
    EXPECT_EQ(mean.size, 32u);
    if (dtype == DType::BF16) // 225 and others are no bf16: of what is stored
      continue;
    EXPECT_EQ(read(mean),
              (std::vector<float>{8, 13, 20, 29, 104, 125, 148, 173}));
  }
  Tensor vector =
      averageHeads(make({8}, DType::F16, {1, 2, 3, 4, 5, 6, 8, 9}), 4, 2);
  EXPECT_EQ(vector.shape, (std::vector<int64_t>{2}));
  EXPECT_EQ(read(vector), (std::vector<float>{17.0f / 4, 21.0f / 4}));
}

// A sum in float32 would lose the small terms, and a mean of three of them
// would not come back to the value.
TEST_F(PooledTensorsTest, SumsAreFloat64) {
  EXPECT_EQ(read(averageHeads(
                make({4, 1}, DType::F32, {0x1p30f, 1, 1, -0x1p30f}), 4, 1)),
            std::vector<float>{0.5f});
  for (float value : {0.1f, 1.0f / 3, 3e-39f, 3.4e38f}) {
    for (int64_t heads : {3, 7}) {
      std::vector<float> same(heads, value);
      EXPECT_EQ(
          read(averageHeads(make({heads, 1}, DType::F32, same), heads, 1)),
          std::vector<float>{value});
    }
  }
}

TEST_F(PooledTensorsTest, TheConfigFollows) {
  Checkpoint checkpoint;
  checkpoint.config.heads = checkpoint.config.kvHeads = 4;
  poolTensors(checkpoint, {{"k", 2, 1}}, 2); // shapes only
  EXPECT_EQ(checkpoint.config.kvHeads, 2);
  EXPECT_TRUE(checkpoint.tensors.empty());
  checkpoint.hasWeights = true;
  checkpoint.tensors["k"] = make({4, 1}, DType::F32, {1, 3, 5, 7});
  checkpoint.tensors["q"] = make({4, 1}, DType::F32, {1, 3, 5, 7});
  poolTensors(checkpoint, {{"k", 2, 1}}, 2);
  EXPECT_EQ(read(checkpoint.tensors["k"]), (std::vector<float>{2, 6}));
  EXPECT_EQ(checkpoint.tensors["q"].shape[0], 4);
}

} // namespace
