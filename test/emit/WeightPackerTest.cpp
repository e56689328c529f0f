// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Packing and back: an unpacker written from the description of tile.stream
// finds every element of every source exactly once.
#include "compiler/emit/WeightPacker.h"
#include "compiler/import/TensorValues.h"

#include <cmath>
#include <gtest/gtest.h>
#include <list>
#include <set>

using namespace mlir::llama;

namespace {

/// Tensors with bytes of their own; f32 element i of tensor t is t*2^16 + i,
/// which f32 holds exactly.
class Sources {
public:
  void add(const std::string &name, std::vector<int64_t> shape, DType dtype) {
    int64_t count = 1;
    for (int64_t size : shape)
      count *= size;
    auto &bytes = storage.emplace_back(count * getBytes(dtype) + 1);
    uint8_t *data = bytes.data() + 1; // unaligned, as in a file
    for (int64_t i = 0; i < count; ++i) {
      float value = dtype == DType::F32
                        ? float(checkpoint.tensors.size() * 65536 + i)
                        : float(i % 251);
      uint16_t half =
          dtype == DType::BF16 ? floatToBf16(value) : floatToF16(value);
      if (dtype == DType::F32)
        std::memcpy(data + 4 * i, &value, 4);
      else
        std::memcpy(data + 2 * i, &half, 2);
    }
    checkpoint.tensors[name] = {dtype, std::move(shape), data,
                                uint64_t(count) * getBytes(dtype)};
  }
  Checkpoint checkpoint;

private:
  std::list<std::vector<uint8_t>> storage;
};

std::vector<uint8_t> pack(const Checkpoint &checkpoint,
                          const std::vector<PackedStream> &streams,
                          uint64_t bytes, unsigned threads = 1,
                          std::vector<std::string> *warnings = nullptr) {
  std::vector<uint8_t> out;
  std::vector<std::string> ignored;
  llrt::Error error = packWeights(
      checkpoint, streams, bytes, threads,
      [&](const void *data, size_t size) {
        auto *begin = static_cast<const uint8_t *>(data);
        out.insert(out.end(), begin, begin + size);
        return llrt::Error::success();
      },
      warnings ? *warnings : ignored);
  EXPECT_FALSE(error) << error.message();
  return out;
}

/// The element at packed row `row`, column `k`, by the tile's definition.
float unpack(const std::vector<uint8_t> &bytes, const PackedStream &stream,
             int64_t row, int64_t k) {
  int64_t tileK = stream.getTileK();
  uint64_t tile = row / 64 * stream.getKTiles() + k / tileK;
  uint64_t byte = k % tileK * getBytes(stream.element);
  uint64_t chunk = byte / 16 ^ (row % 8);
  const uint8_t *at = bytes.data() + stream.offset + tile * 8192 +
                      row % 64 * 128 + chunk * 16 + byte % 16;
  Tensor view{stream.element, {1}, at, getBytes(stream.element)};
  return loadValue(view, 0);
}

PackedStream makeStream(PackedStream::Order order,
                        std::vector<std::string> sources, int64_t rows,
                        int64_t k, DType element = DType::F32) {
  PackedStream stream;
  stream.name = "s";
  stream.order = order;
  stream.sources = std::move(sources);
  stream.rows = rows;
  stream.k = k;
  stream.element = element;
  return stream;
}

TEST(WeightPackerTest, RowsAsStoredWithZeroPadding) {
  for (DType dtype : {DType::F32, DType::BF16, DType::F16}) {
    Sources sources;
    sources.add("a", {70, 100}, dtype);
    PackedStream stream = makeStream(PackedStream::Rows, {"a"}, 70, 100, dtype);
    auto bytes = pack(sources.checkpoint, {stream}, stream.getPackedBytes());
    ASSERT_EQ(bytes.size(), stream.getPackedBytes());
    const Tensor &a = sources.checkpoint.tensors["a"];
    for (int64_t row = 0; row < 128; ++row)
      for (int64_t k = 0; k < stream.getKTiles() * stream.getTileK(); ++k)
        ASSERT_EQ(unpack(bytes, stream, row, k),
                  row < 70 && k < 100 ? loadValue(a, row * 100 + k) : 0)
            << row << " " << k;
  }
}

TEST(WeightPackerTest, RopePairs) {
  // 3 query heads, 1 key and 1 value head of 10: 15 + 5 + 5 pairs, 4 groups.
  Sources sources;
  sources.add("q", {30, 40}, DType::F32);
  sources.add("k", {10, 40}, DType::F32);
  sources.add("v", {10, 40}, DType::F32);
  PackedStream stream =
      makeStream(PackedStream::RopePairs, {"q", "k", "v"}, 64, 40);
  stream.headDim = 10;
  auto bytes = pack(sources.checkpoint, {stream}, stream.getPackedBytes());
  auto at = [&](const char *name, int64_t row, int64_t k) {
    return loadValue(sources.checkpoint.tensors[name], row * 40 + k);
  };
  for (int64_t pair = 0; pair < 32; ++pair)
    for (int64_t k = 0; k < 40; ++k) {
      float first = unpack(bytes, stream, pair / 8 * 16 + pair % 8, k);
      float second = unpack(bytes, stream, pair / 8 * 16 + pair % 8 + 8, k);
      if (pair < 15) {
        int64_t row = pair / 5 * 10 + pair % 5;
        ASSERT_EQ(first, at("q", row, k));
        ASSERT_EQ(second, at("q", row + 5, k));
      } else if (pair < 20) {
        ASSERT_EQ(first, at("k", pair - 15, k));
        ASSERT_EQ(second, at("k", pair - 15 + 5, k));
      } else if (pair < 25) {
        ASSERT_EQ(first, at("v", 2 * (pair - 20), k));
        ASSERT_EQ(second, at("v", 2 * (pair - 20) + 1, k));
      } else {
        ASSERT_EQ(first, 0);
        ASSERT_EQ(second, 0);
      }
    }
}

TEST(WeightPackerTest, GateAndUpInterleave) {
  Sources sources;
  sources.add("gate", {11, 33}, DType::F32);
  sources.add("up", {11, 33}, DType::F32);
  PackedStream stream =
      makeStream(PackedStream::GateUp, {"gate", "up"}, 32, 33);
  auto bytes = pack(sources.checkpoint, {stream}, stream.getPackedBytes());
  for (int64_t pair = 0; pair < 16; ++pair) {
    int64_t row = pair / 8 * 16 + pair % 8;
    for (int i = 0; i < 2; ++i) {
      const Tensor &source = sources.checkpoint.tensors[i ? "up" : "gate"];
      ASSERT_EQ(unpack(bytes, stream, row + 8 * i, 32),
                pair < 11 ? loadValue(source, pair * 33 + 32) : 0);
    }
  }
}

// Element i of a vector of pairs is the bias of row i of such a matrix: packed
// beside a matrix whose only column holds the same values.
TEST(WeightPackerTest, BiasesLieAsTheirRowsDo) {
  for (DType element : {DType::F32, DType::BF16}) {
    Sources sources;
    const std::pair<const char *, int64_t> sizes[] = {
        {"q", 30}, {"k", 10}, {"v", 10}, {"gate", 11}, {"up", 11}};
    for (auto [name, rows] : sizes) {
      sources.add(name, {rows}, DType::F16);
      Tensor column = sources.checkpoint.tensors[name];
      column.shape = {rows, 1};
      sources.checkpoint.tensors[std::string(name) + "_rows"] = column;
    }
    const struct {
      PackedStream::Order matrix, vector;
      std::vector<std::string> names;
      int64_t rows, headDim;
    } cases[] = {{PackedStream::RopePairs,
                  PackedStream::RopePairsVector,
                  {"q", "k", "v"},
                  64,
                  10},
                 {PackedStream::GateUp,
                  PackedStream::GateUpVector,
                  {"gate", "up"},
                  32,
                  0}};
    for (const auto &one : cases) {
      std::vector<std::string> matrices;
      for (const std::string &name : one.names)
        matrices.push_back(name + "_rows");
      PackedStream matrix =
          makeStream(one.matrix, matrices, one.rows, 1, element);
      PackedStream vector =
          makeStream(one.vector, one.names, 1, one.rows, element);
      matrix.headDim = vector.headDim = one.headDim;
      auto rows = pack(sources.checkpoint, {matrix}, matrix.getPackedBytes());
      auto bytes = pack(sources.checkpoint, {vector}, vector.getPackedBytes());
      ASSERT_EQ(bytes.size(), uint64_t(one.rows) * getBytes(element) <= 128
                                  ? 128u
                                  : uint64_t(one.rows) * getBytes(element));
      float sum = 0;
      for (int64_t i = 0; i < one.rows; ++i) {
        float value = loadValue(bytes.data(), element, i);
        EXPECT_EQ(value, unpack(rows, matrix, i, 0)) << i;
        sum += value;
      }
      EXPECT_EQ(sum, one.headDim ? 435 + 45 + 45 : 55 + 55);
    }
  }
}

TEST(WeightPackerTest, EverySourceRowIsPackedOnce) {
  for (int64_t headDim : {8, 48, 128}) {
    PackedStream stream = makeStream(PackedStream::RopePairs, {}, 0, 0);
    stream.headDim = headDim;
    std::vector<int64_t> rows = {4 * headDim, 2 * headDim, 2 * headDim};
    std::set<std::pair<int, int64_t>> seen;
    for (int64_t row = 0; row < (8 * headDim + 15) / 16 * 16; ++row) {
      llrt::SourceRow from = llrt::getSourceRow(stream.order, stream.headDim,
                                                rows.data(), rows.size(), row);
      if (from.source >= 0)
        EXPECT_TRUE(seen.insert({from.source, from.row}).second);
    }
    EXPECT_EQ(seen.size(), size_t(8 * headDim));
  }
}

TEST(WeightPackerTest, VectorsGapsAndConversion) {
  Sources sources;
  sources.add("g", {70}, DType::BF16);
  sources.add("w", {64, 64}, DType::F16);
  PackedStream vector =
      makeStream(PackedStream::Vector, {"g"}, 1, 70, DType::F32);
  vector.offset = 1024;
  PackedStream matrix =
      makeStream(PackedStream::Rows, {"w"}, 64, 64, DType::BF16);
  matrix.offset = 2048;
  auto bytes = pack(sources.checkpoint, {matrix, vector}, 2048 + 8192 + 100);
  ASSERT_EQ(bytes.size(), 2048u + 8192 + 100);
  for (int64_t i = 0; i < 256; ++i) {
    Tensor view{DType::F32, {1}, bytes.data() + 1024 + 4 * i, 4};
    EXPECT_EQ(loadValue(view, 0), i < 70 ? float(i) : 0);
  }
  EXPECT_EQ(unpack(bytes, matrix, 3, 5), float((3 * 64 + 5) % 251));
  for (size_t i = 0; i < 1024; ++i)
    EXPECT_EQ(bytes[i], 0);
  EXPECT_EQ(describeConversions(sources.checkpoint, {matrix, vector}),
            (std::vector<std::string>{"bf16 -> f32: 1 tensor",
                                      "f16 -> bf16: 1 tensor"}));
}

TEST(WeightPackerTest, ThreadsDoNotChangeTheBytes) {
  Sources sources;
  sources.add("a", {1000, 200}, DType::F32);
  PackedStream stream =
      makeStream(PackedStream::Rows, {"a"}, 1000, 200, DType::BF16);
  auto one = pack(sources.checkpoint, {stream}, stream.getPackedBytes(), 1);
  for (unsigned threads : {2u, 3u, 16u})
    EXPECT_EQ(
        pack(sources.checkpoint, {stream}, stream.getPackedBytes(), threads),
        one);
}

TEST(WeightPackerTest, BadValuesWarnAndOverflowStops) {
  float values[] = {1, NAN, INFINITY, 7e4f};
  Checkpoint checkpoint;
  checkpoint.tensors["x"] = {
      DType::F32, {4}, reinterpret_cast<const uint8_t *>(values), 16};
  PackedStream stream = makeStream(PackedStream::Vector, {"x"}, 1, 4);
  std::vector<std::string> warnings;
  pack(checkpoint, {stream}, 128, 1, &warnings);
  EXPECT_EQ(warnings, (std::vector<std::string>{
                          "tensor \"x\" holds 2 values that are NaN or "
                          "infinite"}));
  stream.element = DType::F16;
  llrt::Error error = packWeights(
      checkpoint, {stream}, 128, 1,
      [](const void *, size_t) { return llrt::Error::success(); }, warnings);
  ASSERT_TRUE(error);
  EXPECT_NE(error.message().find("tensor \"x\": 1 of its values overflow f16"),
            std::string::npos);
}

} // namespace
