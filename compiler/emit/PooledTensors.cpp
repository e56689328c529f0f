// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Means of rows. Test: test/emit/PooledTensorsTest.cpp.
#include "compiler/emit/PooledTensors.h"

#include "compiler/import/TensorValues.h"

namespace mlir::llama {
namespace {

/// Of a matrix.
class MeanOfRows : public RowSource {
public:
  MeanOfRows(Tensor tensor, int64_t heads, int64_t headDim)
      : tensor(std::move(tensor)), heads(heads), headDim(headDim) {}

  void read(int64_t row, uint8_t *out) const override {
    const int64_t columns = tensor.shape.back();
    std::vector<double> sums(columns);
    std::vector<uint8_t> scratch;
    for (int64_t j = 0; j < heads; ++j) {
      const int64_t from =
          (row / headDim * heads + j) * headDim + row % headDim;
      const uint8_t *values = getRow(tensor, from, scratch);
      for (int64_t i = 0; i < columns; ++i)
        sums[i] += loadValue(values, tensor.dtype, i);
    }
    for (int64_t i = 0; i < columns; ++i) {
      const float mean = float(sums[i] / double(heads));
      std::memcpy(out + 4 * i, &mean, 4);
    }
  }
  void want(int64_t begin, int64_t end) const override {
    wantRows(tensor, first(begin), last(end));
  }
  void forget(int64_t begin, int64_t end) const override {
    forgetRows(tensor, first(begin), last(end));
  }

private:
  int64_t first(int64_t row) const { return row / headDim * heads * headDim; }
  int64_t last(int64_t end) const {
    return ((end - 1) / headDim + 1) * heads * headDim;
  }

  const Tensor tensor;
  const int64_t heads, headDim;
};

/// Of a vector: its only row.
class MeanOfElements : public RowSource {
public:
  MeanOfElements(const Tensor &tensor, int64_t heads, int64_t headDim)
      : tensor(tensor), heads(heads), headDim(headDim) {}

  void read(int64_t, uint8_t *out) const override {
    std::vector<uint8_t> scratch;
    const uint8_t *values = getRow(tensor, 0, scratch);
    for (int64_t i = 0; i < tensor.shape[0] / heads; ++i) {
      double sum = 0;
      for (int64_t j = 0; j < heads; ++j)
        sum += loadValue(values, tensor.dtype,
                         (i / headDim * heads + j) * headDim + i % headDim);
      const float mean = float(sum / double(heads));
      std::memcpy(out + 4 * i, &mean, 4);
    }
  }

private:
  const Tensor tensor;
  const int64_t heads, headDim;
};
} // namespace

Tensor averageHeads(const Tensor &tensor, int64_t heads, int64_t headDim) {
  Tensor result;
  result.dtype = DType::F32;
  result.shape = tensor.shape;
  result.shape[0] /= heads;
  result.size = getBytes(DType::F32);
  for (int64_t size : result.shape)
    result.size *= uint64_t(size);
  if (tensor.shape.size() == 1)
    result.rows = std::make_shared<MeanOfElements>(tensor, heads, headDim);
  else
    result.rows = std::make_shared<MeanOfRows>(tensor, heads, headDim);
  return result;
}

void poolTensors(Checkpoint &checkpoint,
                 const std::vector<PooledTensor> &pooled, int64_t kvHeads) {
  checkpoint.config.kvHeads = kvHeads;
  if (!checkpoint.hasWeights)
    return;
  for (const PooledTensor &one : pooled) {
    Tensor &tensor = checkpoint.tensors.at(one.name);
    tensor = averageHeads(tensor, one.heads, one.headDim);
  }
}

} // namespace mlir::llama
