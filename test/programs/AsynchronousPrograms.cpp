// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs whose data moves by itself: cp.async, bulk copies, tensor cores.
#include "test/programs/Session.h"

#include <numeric>

namespace llrt::test {
namespace {

using Ints = std::vector<int>;

LaunchShape shape(uint32_t grid, uint32_t block) {
  LaunchShape result;
  result.grid.x = grid;
  result.block.x = block;
  return result;
}
/// Multiples of 1/8 in (-8, 8): bf16 holds them and float32 their products'
/// sums.
std::vector<float> eighths(size_t count, uint32_t seed) {
  std::vector<float> values;
  for (uint32_t word : randomNumbers(count, 127, seed))
    values.push_back((static_cast<float>(word) - 63.0f) / 8.0f);
  return values;
}
std::vector<uint16_t> toBf16(const std::vector<float> &values) {
  std::vector<uint16_t> result;
  for (float value : values)
    result.push_back(test::toBf16(value));
  return result;
}

void copyPipeline(Session &s) {
  constexpr int tiles = 7, count = tiles * 512;
  std::vector<float> x = eighths(count, 1), y = eighths(count, 2), expected;
  for (int i = 0; i < count; ++i)
    expected.push_back(2 * x[i] + y[i]);
  DeviceAddress from = s.upload(x), to = s.upload(y);
  s.launch("copy_pipeline", shape(1, 128), {from, to, tiles});
  std::vector<float> out = s.download<float>(to, count);
  if (s.ok()) {
    EXPECT_EQ(out, expected);
  }
}

void bulkRing(Session &s) {
  constexpr int blocks = 2, tiles = 11, words = 512;
  std::vector<uint32_t> in = randomNumbers(blocks * tiles * words, 1000);
  std::vector<uint32_t> expected(blocks * 128);
  for (size_t i = 0; i < in.size(); ++i)
    expected[i / (tiles * words) * 128 + i % 128] += in[i];
  DeviceAddress from = s.upload(in), to = s.room<uint32_t>(blocks * 128);
  s.launch("bulk_ring", shape(blocks, 160), {from, to, tiles});
  std::vector<uint32_t> out = s.download<uint32_t>(to, blocks * 128);
  if (s.ok()) {
    EXPECT_EQ(out, expected);
  }
}

void bulkTileStore(Session &s) {
  constexpr int blocks = 3, tiles = 5;
  DeviceAddress to = s.room<int>(blocks * tiles * 256);
  s.launch("bulk_tile_store", shape(blocks, 256), {to, tiles});
  Ints out = s.download<int>(to, blocks * tiles * 256), expected;
  for (int i = 0; i < blocks * tiles * 256; ++i)
    expected.push_back(i / 256 * 1000 + i % 256);
  if (s.ok()) {
    EXPECT_EQ(out, expected);
  }
}

void bulkReduce(Session &s) {
  constexpr int blocks = 6;
  std::vector<uint32_t> in = randomNumbers(blocks * 512, 1000), expected(512);
  for (size_t i = 0; i < in.size(); ++i)
    expected[i % 512] += 2 * in[i];
  DeviceAddress from = s.upload(in), to = s.zeros<uint32_t>(512);
  s.launch("bulk_reduce", shape(blocks, 128), {from, to});
  std::vector<uint32_t> out = s.download<uint32_t>(to, 512);
  if (s.ok()) {
    EXPECT_EQ(out, expected);
  }
}

void mmaProduct(Session &s) {
  constexpr int m = 64, n = 128, k = 160;
  std::vector<float> a = eighths(m * k, 1), b = eighths(k * n, 2),
                     expected(m * n);
  for (int r = 0; r < m; ++r)
    for (int c = 0; c < n; ++c)
      for (int i = 0; i < k; ++i)
        expected[r * n + c] += a[r * k + i] * b[i * n + c];
  DeviceAddress left = s.upload(toBf16(a)), right = s.upload(toBf16(b)),
                to = s.room<float>(m * n);
  LaunchShape grid = shape(n / 64, 128);
  grid.grid.y = m / 64;
  s.launch("mma_product", grid, {left, right, to, n, k});
  std::vector<float> out = s.download<float>(to, m * n);
  if (s.ok()) {
    EXPECT_EQ(out, expected); // sums of multiples of 1/64 below 2^17: exact
  }
}

void wgmmaProduct(Session &s) {
  std::vector<float> a = eighths(64 * 64, 1), b = eighths(64 * 64, 2),
                     expected(64 * 64);
  for (int r = 0; r < 64; ++r)
    for (int c = 0; c < 64; ++c)
      for (int i = 0; i < 64; ++i)
        expected[r * 64 + c] += a[r * 64 + i] * b[c * 64 + i];
  DeviceAddress left = s.upload(toBf16(a)), right = s.upload(toBf16(b)),
                to = s.room<float>(64 * 64);
  s.launch("wgmma_product", shape(1, 128), {left, right, to});
  std::vector<float> out = s.download<float>(to, 64 * 64);
  if (s.ok()) {
    EXPECT_EQ(out, expected);
  }
}

} // namespace

std::vector<Program> asynchronousPrograms() {
  return {{"copy-pipeline", copyPipeline},    {"bulk-ring", bulkRing},
          {"bulk-tile-store", bulkTileStore}, {"bulk-reduce", bulkReduce},
          {"mma-product", mmaProduct},        {"wgmma-product", wgmmaProduct}};
}

} // namespace llrt::test
