// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Joins and orders of rows. Test: test/import/RowSourcesTest.cpp.
#include "compiler/import/RowSources.h"
#include "compiler/import/TensorValues.h"

#include <algorithm>

namespace mlir::llama {
namespace {

/// Copies a row of `tensor`, wherever it comes from.
void copyRow(const Tensor &tensor, int64_t row, uint8_t *out) {
  if (tensor.rows)
    return tensor.rows->read(row, out);
  uint64_t bytes = getRowBytes(tensor);
  std::memcpy(out, tensor.bytes + uint64_t(row) * bytes, bytes);
}

class JoinedRows : public RowSource {
public:
  explicit JoinedRows(std::vector<Tensor> parts)
      : parts(std::move(parts)), rowsOfPart(getRowCount(this->parts[0])) {}
  void read(int64_t row, uint8_t *out) const override {
    copyRow(parts[row / rowsOfPart], row % rowsOfPart, out);
  }
  void want(int64_t begin, int64_t end) const override {
    eachPart(begin, end, wantRows);
  }
  void forget(int64_t begin, int64_t end) const override {
    eachPart(begin, end, forgetRows);
  }

private:
  void eachPart(int64_t begin, int64_t end,
                void (*act)(const Tensor &, int64_t, int64_t)) const {
    for (size_t i = 0; i < parts.size(); ++i) {
      int64_t first = int64_t(i) * rowsOfPart;
      int64_t from = std::max(begin - first, int64_t(0));
      int64_t to = std::min(end - first, rowsOfPart);
      if (from < to)
        act(parts[i], from, to);
    }
  }

  std::vector<Tensor> parts;
  int64_t rowsOfPart;
};

class JoinedColumns : public RowSource {
public:
  explicit JoinedColumns(std::vector<Tensor> parts) : parts(std::move(parts)) {}
  void read(int64_t row, uint8_t *out) const override {
    for (const Tensor &part : parts) {
      copyRow(part, row, out);
      out += getRowBytes(part);
    }
  }
  void want(int64_t begin, int64_t end) const override {
    for (const Tensor &part : parts)
      wantRows(part, begin, end);
  }
  void forget(int64_t begin, int64_t end) const override {
    for (const Tensor &part : parts)
      forgetRows(part, begin, end);
  }

private:
  std::vector<Tensor> parts;
};

/// Where element `i` of a head, as Hugging Face orders them, is stored.
int64_t getPaired(int64_t i, int64_t headDim) {
  int64_t half = headDim / 2;
  return i / headDim * headDim + 2 * (i % half) + i % headDim / half;
}

class SeparatedPairs : public RowSource {
public:
  SeparatedPairs(Tensor stored, int64_t headDim)
      : stored(std::move(stored)), headDim(headDim) {}
  void read(int64_t row, uint8_t *out) const override {
    if (stored.shape.size() > 1)
      return copyRow(stored, getPaired(row, headDim), out);
    std::vector<uint8_t> scratch;
    const uint8_t *values = getRow(stored, 0, scratch);
    unsigned bytes = getBytes(stored.dtype);
    for (int64_t i = 0; i < stored.shape[0]; ++i)
      std::memcpy(out + i * bytes, values + getPaired(i, headDim) * bytes,
                  bytes);
  }
  // Whole heads: the rows of one are read in another order.
  void want(int64_t begin, int64_t end) const override {
    wantRows(stored, getFirst(begin), getLast(end));
  }
  void forget(int64_t begin, int64_t end) const override {
    forgetRows(stored, getFirst(begin), getLast(end));
  }

private:
  int64_t getFirst(int64_t row) const { return row / headDim * headDim; }
  int64_t getLast(int64_t row) const {
    return std::min((row + headDim - 1) / headDim * headDim,
                    getRowCount(stored));
  }

  Tensor stored;
  int64_t headDim;
};

} // namespace

Tensor joinRows(std::vector<Tensor> parts) {
  if (parts.size() == 1)
    return parts[0];
  Tensor joined{parts[0].dtype, parts[0].shape};
  joined.storedAs = parts[0].storedAs;
  joined.shape[0] *= int64_t(parts.size());
  joined.size = parts[0].size * parts.size();
  joined.rows = std::make_shared<JoinedRows>(std::move(parts));
  return joined;
}

Tensor joinColumns(std::vector<Tensor> parts) {
  if (parts.size() == 1)
    return parts[0];
  Tensor joined{parts[0].dtype, parts[0].shape};
  joined.storedAs = parts[0].storedAs;
  joined.shape.back() *= int64_t(parts.size());
  joined.size = parts[0].size * parts.size();
  joined.rows = std::make_shared<JoinedColumns>(std::move(parts));
  return joined;
}

Tensor separatePairs(Tensor stored, int64_t headDim) {
  Tensor separated{stored.dtype, stored.shape, nullptr, stored.size};
  separated.storedAs = stored.storedAs;
  separated.rows = std::make_shared<SeparatedPairs>(std::move(stored), headDim);
  return separated;
}

} // namespace mlir::llama
