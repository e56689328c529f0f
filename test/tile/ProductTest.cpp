// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The product kernels and the embedding by value: built, lowered, emitted, run
// on the emulator and compared with float64.
#include "compiler/tile/Attention.h"
#include "compiler/tile/Products.h"
#include "test/tile/KernelFixture.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace llamactest;
using tile::AttentionShape;
using tile::Epilogue;
using tile::ProductShape;

namespace {

constexpr float eps = 1e-5f;

struct Case {
  const char *type;
  int64_t rowsPerBlock, tokensPerBlock;
  int64_t k, outputs; ///< features in and out; 86 is half a group of pairs
  int32_t tokens;
  int64_t headDim;
  const char *row = "h200";
  int64_t blocks = 0; ///< side by side over the rows; 0: all
  int64_t warps = 4;
};

class ProductTest : public KernelFixture, public testing::TestWithParam<Case> {
protected:
  ProductTest() : storage(GetParam().type) { row = GetParam().row; }

  static int64_t roundUp(int64_t value, int64_t to) {
    return (value + to - 1) / to * to;
  }

  std::vector<float> stored(int64_t count, float deviation) {
    std::vector<float> values(count);
    for (float &value : values)
      value = storage.round(gauss(deviation));
    return values;
  }

  /// A matrix as a packed stream: tiles of 64 rows x 128 bytes, chunk c of row
  /// r at c ^ (r % 8); packed row p is row order[p], nothing where that is -1.
  std::vector<uint8_t> packTiles(const std::vector<float> &matrix, int64_t k,
                                 const std::vector<int64_t> &order) {
    int64_t tileK = 128 / storage.bytes, kTiles = (k + tileK - 1) / tileK;
    int64_t rowTiles = (order.size() + 63) / 64;
    std::vector<uint8_t> packed(rowTiles * kTiles * 8192, 0);
    for (size_t p = 0; p < order.size(); ++p)
      for (int64_t i = 0; order[p] >= 0 && i < k; ++i) {
        int64_t tile = p / 64 * kTiles + i / tileK;
        int64_t byte = i % tileK * storage.bytes;
        int64_t place = tile * 8192 + p % 64 * 128 +
                        (((byte / 16) ^ (p % 8)) * 16) + byte % 16;
        storage.put(packed, place / storage.bytes,
                    storage.bits(matrix[order[p] * k + i]));
      }
    return packed;
  }

  static std::vector<int64_t> asStored(int64_t rows) {
    std::vector<int64_t> order(rows);
    for (int64_t i = 0; i < rows; ++i)
      order[i] = i;
    return order;
  }
  /// Pairs in groups of 16 rows: first elements, then second ones.
  static std::vector<int64_t>
  inPairs(const std::vector<std::pair<int64_t, int64_t>> &pairs) {
    std::vector<int64_t> order(roundUp(pairs.size(), 8) * 2, -1);
    for (size_t i = 0; i < pairs.size(); ++i) {
      order[i / 8 * 16 + i % 8] = pairs[i].first;
      order[i / 8 * 16 + i % 8 + 8] = pairs[i].second;
    }
    return order;
  }

  void makeInput(int64_t tokens, int64_t k) {
    // x, zeros in the padding, and rows of no numbers behind the last token.
    // Every third row is far beyond f16, every third far below.
    const float sizes[] = {3, 3e4f, 1e-3f};
    stride = roundUp(k, 64);
    int64_t capacity = roundUp(tokens, 64) + 64; // whole blocks are read
    x.assign(capacity * stride, 0);
    for (int64_t token = 0; token < capacity; ++token)
      for (int64_t i = 0; i < k; ++i)
        x[token * stride + i] = token < tokens ? gauss(sizes[token % 3]) : NAN;
    gamma.assign(roundUp(k, 64), 0);
    for (int64_t i = 0; i < k; ++i)
      gamma[i] = storage.round(1 + gauss(0.2f));
  }

  /// Row `token` of x after the norm's prologue, and the factor that the
  /// finished sums take.
  std::vector<float> normalized(int64_t token, int64_t k, double &factor) {
    double square = 0;
    float largest = 0;
    std::vector<float> result(k);
    for (int64_t i = 0; i < k; ++i) {
      float value = x[token * stride + i];
      square += double(value) * value;
      result[i] = value * gamma[i];
      largest = std::max(largest, std::fabs(result[i]));
    }
    factor = 1 / std::sqrt(square / k + eps);
    float scale = 1;
    if (storage.name == "f16")
      scale = std::exp2(-std::floor(std::log2(largest)));
    for (float &value : result)
      value = storage.round(value * scale);
    factor /= scale;
    return result;
  }

  static double dot(const float *a, const float *b, int64_t k,
                    double &magnitude) {
    double sum = 0;
    magnitude = 0;
    for (int64_t i = 0; i < k; ++i) {
      sum += double(a[i]) * b[i];
      magnitude += std::fabs(double(a[i]) * b[i]);
    }
    return sum;
  }

  /// How far rounding to storage may move a value.
  double roundingOf(double value) {
    if (storage.bytes == 4)
      return 0;
    double unit = storage.name == "bf16" ? 1.0 / 256 : 1.0 / 2048;
    return std::fabs(value) * unit + 1e-7;
  }

  ProductShape shapeOf(Epilogue epilogue, int64_t rows, int64_t k) {
    ProductShape shape;
    shape.epilogue = epilogue;
    shape.rows = rows;
    shape.k = k;
    shape.inputStride = roundUp(k, 64);
    shape.eps = eps;
    shape.rowsPerBlock = GetParam().rowsPerBlock;
    shape.tokensPerBlock = GetParam().tokensPerBlock;
    if (row != "h200")
      shape.bytesInFlight = std::max<int64_t>(8192, 2 * shape.stageBytes());
    shape.warps = GetParam().warps;
    shape.bytesInFlight = std::max<int64_t>(
        shape.bytesInFlight * 4 / shape.warps, 2 * shape.stageBytes());
    shape.blocksLimit = GetParam().blocks;
    return shape;
  }

  /// Builds and launches the product for `tokens`.
  void run(ProductShape shape, int64_t tokens,
           std::vector<const void *> arguments) {
    ASSERT_NO_FATAL_FAILURE(build([&](OpBuilder &builder) {
      shape.storage = storage.type(builder);
      sharedBytes = shape.sharedBytes();
      rowBlocks = shape.gridRows();
      buildProduct(builder, shape, "product");
    }));
    for (const auto &[to, data] : uploads)
      *to = upload(data->data(), data->size());
    uint32_t columns =
        (tokens + shape.tokensPerBlock - 1) / shape.tokensPerBlock;
    launch(find("product"), {columns, rowBlocks, 1}, shape.threads(),
           sharedBytes, std::move(arguments));
  }

  Storage storage;
  uint32_t rowBlocks = 0, sharedBytes = 0;
  int64_t stride = 0;
  std::vector<float> x, gamma;
  /// Buffers that run() puts on the device, which it makes.
  std::vector<std::pair<llrt::DeviceAddress *, const std::vector<uint8_t> *>>
      uploads;
};

template <typename T> std::vector<uint8_t> bytesOf(const std::vector<T> &data) {
  auto *first = reinterpret_cast<const uint8_t *>(data.data());
  return {first, first + data.size() * sizeof(T)};
}

TEST_P(ProductTest, Residual) {
  int64_t rows = GetParam().outputs, k = GetParam().k, outputStride = 192;
  int32_t tokens = GetParam().tokens;
  stride = roundUp(k, 64);
  std::vector<float> input(64 * stride, 0);
  for (int64_t token = 0; token < tokens; ++token)
    for (int64_t i = 0; i < k; ++i)
      input[token * stride + i] = storage.round(gauss(2));
  std::vector<float> matrix = stored(rows * k, 0.5f);
  std::vector<float> before(64 * outputStride);
  for (float &value : before)
    value = gauss(1);
  std::vector<uint8_t> inputBytes = storage.pack(input),
                       weightBytes = packTiles(matrix, k, asStored(rows)),
                       xBytes = bytesOf(before);
  llrt::DeviceAddress in, weights, out;
  uploads = {{&in, &inputBytes}, {&weights, &weightBytes}, {&out, &xBytes}};
  ProductShape shape = shapeOf(Epilogue::Residual, rows, k);
  shape.outputs = rows;
  shape.outputStride = outputStride;
  ASSERT_NO_FATAL_FAILURE(run(shape, tokens, {&in, &weights, &out, &tokens}));

  std::vector<float> after(before.size());
  download(after, out);
  for (int64_t token = 0; token < 64; ++token)
    for (int64_t row = 0; row < outputStride; ++row) {
      int64_t place = token * outputStride + row;
      if (token >= tokens || row >= rows) {
        ASSERT_EQ(after[place], before[place]) << "touched the padding";
        continue;
      }
      double magnitude;
      double expected =
          before[place] +
          dot(&matrix[row * k], &input[token * stride], k, magnitude);
      ASSERT_NEAR(after[place], expected, 1e-6 * (magnitude + 1))
          << "token " << token << " row " << row;
    }
}

TEST_P(ProductTest, GateUp) {
  int64_t outputs = GetParam().outputs, k = GetParam().k, outputStride = 192;
  int32_t tokens = GetParam().tokens;
  makeInput(tokens, k);
  std::vector<float> matrix = stored(2 * outputs * k, 0.2f); // gate, then up
  std::vector<std::pair<int64_t, int64_t>> pairs;
  for (int64_t i = 0; i < outputs; ++i)
    pairs.push_back({i, outputs + i});
  std::vector<uint8_t> xBytes = bytesOf(x), gammaBytes = storage.pack(gamma),
                       weightBytes = packTiles(matrix, k, inPairs(pairs)),
                       result(64 * outputStride * storage.bytes, 0x55);
  llrt::DeviceAddress in, norm, weights, out;
  uploads = {{&in, &xBytes},
             {&norm, &gammaBytes},
             {&weights, &weightBytes},
             {&out, &result}};
  ProductShape shape =
      shapeOf(Epilogue::GateUp, roundUp(pairs.size(), 8) * 2, k);
  shape.outputs = outputs;
  shape.outputStride = outputStride;
  ASSERT_NO_FATAL_FAILURE(
      run(shape, tokens, {&in, &norm, &weights, &out, &tokens}));

  download(result, out);
  for (int64_t token = 0; token < tokens; ++token) {
    double factor;
    std::vector<float> input = normalized(token, k, factor);
    for (int64_t i = 0; i < outputs; ++i) {
      double m1, m2;
      double gate = factor * dot(&matrix[i * k], input.data(), k, m1);
      double up = factor * dot(&matrix[(outputs + i) * k], input.data(), k, m2);
      double expected = gate / (1 + std::exp(-gate)) * up;
      double slack = 2e-6 * factor * (m1 + 1) * factor * (m2 + 1);
      ASSERT_NEAR(storage.get(result, token * outputStride + i), expected,
                  slack + roundingOf(expected))
          << "token " << token << " output " << i;
    }
  }
  for (int64_t byte = outputs * storage.bytes;
       byte < outputStride * storage.bytes; ++byte)
    ASSERT_EQ(result[byte], 0x55) << "touched the padding";
  for (size_t byte = tokens * outputStride * storage.bytes;
       byte < result.size(); ++byte)
    ASSERT_EQ(result[byte], 0x55) << "wrote past the last token";
}

TEST_P(ProductTest, LogitsOfSomeRows) {
  int64_t vocabulary = GetParam().outputs + 3, k = GetParam().k;
  int32_t first = 5, tokens = GetParam().tokens, all = first + tokens;
  makeInput(all, k);
  std::vector<float> matrix = stored(vocabulary * k, 0.2f);
  std::vector<float> result(64 * vocabulary, -7);
  std::vector<uint8_t> xBytes = bytesOf(x), gammaBytes = storage.pack(gamma),
                       weightBytes = packTiles(matrix, k, asStored(vocabulary)),
                       outBytes = bytesOf(result);
  llrt::DeviceAddress in, norm, weights, out;
  uploads = {{&in, &xBytes},
             {&norm, &gammaBytes},
             {&weights, &weightBytes},
             {&out, &outBytes}};
  ProductShape shape = shapeOf(Epilogue::Logits, vocabulary, k);
  shape.outputs = shape.outputStride = vocabulary;
  ASSERT_NO_FATAL_FAILURE(
      run(shape, tokens, {&in, &norm, &weights, &out, &first, &tokens}));

  download(result, out);
  for (int64_t row = 0; row < 64; ++row) {
    double factor = 0;
    std::vector<float> input;
    if (row < tokens)
      input = normalized(first + row, k, factor);
    for (int64_t id = 0; id < vocabulary; ++id) {
      float got = result[row * vocabulary + id];
      if (row >= tokens) {
        ASSERT_EQ(got, -7) << "wrote past the last row";
        continue;
      }
      double magnitude;
      double expected =
          factor * dot(&matrix[id * k], input.data(), k, magnitude);
      ASSERT_NEAR(got, expected, 1e-6 * factor * (magnitude + 1))
          << "row " << row << " id " << id;
    }
  }

  // One row alone gets the same bits.
  int32_t last = first + tokens - 1, one = 1;
  launch(find("product"), {1, rowBlocks, 1}, shape.threads(), sharedBytes,
         {&in, &norm, &weights, &out, &last, &one});
  std::vector<float> alone(vocabulary);
  download(alone, out);
  EXPECT_EQ(std::memcmp(alone.data(), &result[(tokens - 1) * vocabulary],
                        vocabulary * sizeof(float)),
            0);
}

TEST_P(ProductTest, RopeAndCache) {
  constexpr int64_t heads = 3, kvHeads = 1, layers = 3, layer = 1, maxPages = 4;
  int64_t dim = GetParam().headDim, half = dim / 2, k = GetParam().k;
  int32_t tokens = GetParam().tokens;
  std::vector<int32_t> positions(tokens), slots(tokens);
  for (int32_t i = 0; i < tokens; ++i) {
    positions[i] = i < 2 ? 63 + i : i * 37 % 256;
    slots[i] = i % 5;
  }
  std::vector<int32_t> table(5 * maxPages);
  for (size_t i = 0; i < table.size(); ++i)
    table[i] = (i * 7 + 3) % table.size(); // 7 and 20 have no common divisor
  makeInput(tokens, k);

  // Rows as stored: q heads, k heads, v heads, one after the other.
  std::vector<float> matrix = stored((heads + 2 * kvHeads) * dim * k, 0.2f);
  std::vector<std::pair<int64_t, int64_t>> pairs;
  for (int64_t head = 0; head < heads + 2 * kvHeads; ++head)
    for (int64_t j = 0; j < half; ++j)
      pairs.push_back(
          head < heads + kvHeads
              ? std::pair(head * dim + j, head * dim + j + half)
              : std::pair(head * dim + 2 * j, head * dim + 2 * j + 1));
  std::vector<float> rope(256 * dim);
  for (int64_t position = 0; position < 256; ++position)
    for (int64_t j = 0; j < half; ++j) {
      double angle = position * std::pow(10000.0, -2.0 * j / dim);
      rope[position * dim + 2 * j] = std::cos(angle);
      rope[position * dim + 2 * j + 1] = std::sin(angle);
    }

  int64_t panels = (dim * storage.bytes + 127) / 128;
  int64_t layerBytes = kvHeads * 2 * panels * 8192;
  int64_t pageBytes = layers * layerBytes;
  std::vector<uint8_t> pool(table.size() * pageBytes, 0),
      query(64 * heads * dim * storage.bytes, 0x55),
      xBytes = bytesOf(x), gammaBytes = storage.pack(gamma),
      weightBytes = packTiles(matrix, k, inPairs(pairs)),
      ropeBytes = bytesOf(rope), positionBytes = bytesOf(positions),
      slotBytes = bytesOf(slots), tableBytes = bytesOf(table);
  // Whole blocks of tokens are read from these.
  positionBytes.resize(256, 0);
  slotBytes.resize(256, 0);
  llrt::DeviceAddress in, norm, weights, turns, q, kv, position, slot, pages;
  uploads = {{&in, &xBytes},
             {&norm, &gammaBytes},
             {&weights, &weightBytes},
             {&turns, &ropeBytes},
             {&q, &query},
             {&kv, &pool},
             {&position, &positionBytes},
             {&slot, &slotBytes},
             {&pages, &tableBytes}};
  ProductShape shape = shapeOf(Epilogue::Rope, 2 * pairs.size(), k);
  shape.heads = {heads, kvHeads, dim, layers, maxPages};
  // The kernel gets the pool at its layer; here, by a pool that begins there.
  std::vector<uint8_t> shifted(pool.begin() + layer * layerBytes, pool.end());
  uploads[5].second = &shifted;
  ASSERT_NO_FATAL_FAILURE(run(shape, tokens,
                              {&in, &norm, &weights, &turns, &q, &kv, &position,
                               &slot, &pages, &tokens}));
  download(query, q);
  download(shifted, kv);

  size_t written = 0;
  for (int64_t token = 0; token < tokens; ++token) {
    double factor;
    std::vector<float> input = normalized(token, k, factor);
    for (size_t pair = 0; pair < pairs.size(); ++pair) {
      double m1, m2;
      double a =
          factor * dot(&matrix[pairs[pair].first * k], input.data(), k, m1);
      double b =
          factor * dot(&matrix[pairs[pair].second * k], input.data(), k, m2);
      int64_t head = pair / half, j = pair % half;
      if (head < heads + kvHeads) {
        double c = rope[positions[token] * dim + 2 * j],
               s = rope[positions[token] * dim + 2 * j + 1];
        std::tie(a, b) = std::pair(a * c - b * s, b * c + a * s);
      }
      for (int64_t which = 0; which < 2; ++which) {
        double expected = which ? b : a, got;
        int64_t column = 2 * j + which;
        if (head < heads) {
          got = storage.get(query, (token * heads + head) * dim + column);
        } else {
          int64_t matrixIndex = head < heads + kvHeads
                                    ? (head - heads) * 2
                                    : (head - heads - kvHeads) * 2 + 1;
          int64_t page = table[slots[token] * maxPages + positions[token] / 64];
          int64_t row = positions[token] % 64, byte = column * storage.bytes;
          int64_t place =
              page * pageBytes + (matrixIndex * panels + byte / 128) * 8192 +
              row * 128 + ((byte % 128 / 16) ^ (row % 8)) * 16 + byte % 16;
          got = storage.get(shifted, place / storage.bytes);
          ++written;
        }
        ASSERT_NEAR(got, expected,
                    2e-6 * factor * (m1 + m2 + 1) + roundingOf(expected))
            << "token " << token << " head " << head << " column " << column;
      }
    }
  }
  size_t nonzero = 0;
  for (size_t i = 0; i < shifted.size() / storage.bytes; ++i)
    nonzero += storage.get(shifted, i) != 0;
  EXPECT_LE(nonzero, written) << "wrote elsewhere in the pool";
  for (size_t i = tokens * heads * dim * storage.bytes; i < query.size(); ++i)
    ASSERT_EQ(query[i], 0x55) << "wrote past the last token";
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, ProductTest,
    testing::Values(Case{"bf16", 64, 8, 200, 172, 13, 24},
                    Case{"bf16", 16, 8, 64, 96, 1, 8},
                    Case{"bf16", 64, 32, 172, 86, 33, 48},
                    Case{"bf16", 32, 16, 320, 64, 5, 128},
                    Case{"f16", 64, 8, 72, 172, 9, 48},
                    Case{"f16", 32, 16, 172, 86, 33, 8},
                    Case{"f32", 64, 8, 172, 96, 5, 48},
                    Case{"f32", 16, 32, 136, 172, 33, 128},
                    Case{"f32", 32, 16, 320, 86, 1, 8},
                    // By cp.async, and in fewer stages.
                    Case{"bf16", 64, 8, 200, 172, 13, 24, "rtx3090"},
                    Case{"f32", 16, 32, 136, 172, 33, 128, "rtx4090"},
                    Case{"f16", 32, 16, 172, 86, 33, 8, "rtx5090"},
                    // Persistent blocks.
                    Case{"bf16", 32, 8, 200, 172, 13, 24, "h200", 2},
                    Case{"bf16", 16, 8, 128, 172, 3, 8, "h200", 3},
                    Case{"f16", 16, 16, 1100, 86, 5, 48, "rtx3090", 4},
                    Case{"f32", 16, 8, 172, 96, 5, 48, "h200", 1},
                    // Many warps; of the last, some without a tile of k.
                    Case{"bf16", 16, 8, 1100, 172, 3, 24, "h200", 0, 16},
                    Case{"f16", 16, 8, 900, 86, 5, 48, "h200", 0, 16},
                    Case{"f32", 32, 8, 340, 96, 5, 48, "rtx4090", 0, 8},
                    Case{"bf16", 32, 8, 640, 172, 9, 8, "h200", 2, 8}),
    [](const testing::TestParamInfo<Case> &info) {
      const Case &c = info.param;
      return std::string(c.type) + "_" + std::to_string(c.rowsPerBlock) + "_" +
             std::to_string(c.tokensPerBlock) + "_k" + std::to_string(c.k) +
             (c.row == std::string("h200") ? "" : std::string("_") + c.row) +
             (c.blocks ? "_persistent" : "") +
             (c.warps == 4 ? "" : "_warps" + std::to_string(c.warps));
    });

class EmbeddingTest : public ProductTest {};

TEST_P(EmbeddingTest, RowsAreExact) {
  constexpr int64_t vocabulary = 130, hidden = 172, rowStride = 192;
  std::vector<float> matrix = stored(vocabulary * hidden, 1);
  std::vector<int32_t> ids = {0, 129, 64, 63, 7};
  std::vector<uint8_t> packed = packTiles(matrix, hidden, asStored(vocabulary));
  ASSERT_NO_FATAL_FAILURE(build([&](OpBuilder &builder) {
    tile::buildEmbedding(builder, storage.type(builder), hidden, rowStride,
                         "embed");
  }));
  std::vector<float> result(ids.size() * rowStride, 0);
  auto in = upload(ids), table = upload(packed), out = upload(result);
  launch(find("embed"), {static_cast<uint32_t>(ids.size()), 1, 1}, 128, 0,
         {&in, &table, &out});
  download(result, out);
  for (size_t token = 0; token < ids.size(); ++token)
    for (int64_t i = 0; i < rowStride; ++i)
      ASSERT_EQ(result[token * rowStride + i],
                i < hidden ? matrix[ids[token] * hidden + i] : 0)
          << "token " << token << " element " << i;
}

INSTANTIATE_TEST_SUITE_P(Types, EmbeddingTest,
                         testing::Values(Case{"bf16"}, Case{"f16"},
                                         Case{"f32"}),
                         [](const testing::TestParamInfo<Case> &info) {
                           return std::string(info.param.type);
                         });

} // namespace
