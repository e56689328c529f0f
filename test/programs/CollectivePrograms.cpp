// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs whose threads meet at barriers, shuffles and atomics.
#include "test/programs/Session.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace llrt::test {
namespace {

using Ints = std::vector<int>;
using Words = std::vector<uint32_t>;

Ints ints(size_t count, uint32_t limit) {
  Words words = randomNumbers(count, limit);
  return Ints(words.begin(), words.end());
}
LaunchShape shape(uint32_t grid, uint32_t block) {
  LaunchShape result;
  result.grid.x = grid;
  result.block.x = block;
  return result;
}
std::vector<float> floats(size_t count) {
  std::vector<float> values;
  for (uint32_t word : randomNumbers(count, 2001))
    values.push_back((static_cast<float>(word) - 1000.0f) / 128.0f);
  return values;
}

void reduceSum(Session &s) {
  Ints in = ints(5000, 1000);
  DeviceAddress from = s.upload(in), to = s.room<int>(6);
  s.launch("reduce_sum", shape(6, 256), {from, to, 5000});
  Ints partial = s.download<int>(to, 6);
  if (s.ok()) {
    EXPECT_EQ(std::accumulate(partial.begin(), partial.end(), 0),
              std::accumulate(in.begin(), in.end(), 0));
  }
}

void lastBlock(Session &s) {
  Ints in = ints(9 * 256, 1000);
  DeviceAddress from = s.upload(in), partial = s.room<int>(9),
                count = s.zeros<uint32_t>(1), total = s.room<int>(1);
  s.launch("last_block", shape(9, 256), {from, partial, count, total});
  Ints sum = s.download<int>(total, 1);
  if (s.ok()) {
    EXPECT_EQ(sum[0], std::accumulate(in.begin(), in.end(), 0));
  }
}

void scanLookback(Session &s) {
  constexpr int tiles = 12;
  Ints in = ints(tiles * 256, 1000), expected(in.size());
  std::partial_sum(in.begin(), in.end(), expected.begin());
  DeviceAddress from = s.upload(in), to = s.room<int>(in.size()),
                next = s.zeros<uint32_t>(1), state = s.zeros<uint32_t>(tiles),
                own = s.room<int>(tiles), whole = s.room<int>(tiles);
  s.launch("scan_lookback", shape(tiles, 256),
           {from, to, next, state, own, whole});
  Ints out = s.download<int>(to, in.size());
  if (s.ok()) {
    EXPECT_EQ(out, expected);
  }
}

void transpose(Session &s) {
  constexpr int rows = 70, columns = 45;
  std::vector<float> in = floats(rows * columns), expected(in.size());
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c)
      expected[c * rows + r] = in[r * columns + c];
  DeviceAddress from = s.upload(in), to = s.room<float>(in.size());
  LaunchShape grid;
  grid.grid = {2, 3, 1};
  grid.block = {32, 8, 1};
  s.launch("transpose", grid, {from, to, rows, columns});
  std::vector<float> out = s.download<float>(to, in.size());
  if (s.ok()) {
    EXPECT_EQ(out, expected);
  }
}

void softmax(Session &s) {
  constexpr int rows = 8, columns = 77;
  std::vector<float> in = floats(rows * columns);
  DeviceAddress from = s.upload(in), to = s.room<float>(in.size());
  s.launch("softmax", shape(2, 128), {from, to, columns});
  std::vector<float> out = s.download<float>(to, in.size());
  for (int r = 0; s.ok() && r < rows; ++r) {
    const float *x = &in[static_cast<size_t>(r) * columns];
    double high = *std::max_element(x, x + columns), sum = 0;
    for (int c = 0; c < columns; ++c)
      sum += std::exp(x[c] - high);
    for (int c = 0; c < columns; ++c)
      ASSERT_NEAR(out[static_cast<size_t>(r) * columns + c],
                  std::exp(x[c] - high) / sum, 2e-6);
  }
}

void bitonicSort(Session &s) {
  Words keys = randomNumbers(2048, ~0u), expected = keys;
  std::sort(expected.begin(), expected.begin() + 1024);
  std::sort(expected.begin() + 1024, expected.end());
  DeviceAddress at = s.upload(keys);
  LaunchShape grid = shape(2, 256);
  grid.dynamicSharedBytes = 4096;
  s.launch("bitonic_sort", grid, {at});
  Words out = s.download<uint32_t>(at, 2048);
  if (s.ok()) {
    EXPECT_EQ(out, expected);
  }
}

void histogram(Session &s) {
  constexpr int n = 3000;
  std::vector<uint8_t> in;
  Words expected(256);
  for (uint32_t word : randomNumbers(n, 256)) {
    in.push_back(static_cast<uint8_t>(word * word / 255));
    ++expected[in.back()];
  }
  DeviceAddress from = s.upload(in), to = s.zeros<uint32_t>(256);
  s.launch("histogram", shape(3, 256), {from, to, n});
  Words out = s.download<uint32_t>(to, 256);
  if (s.ok()) {
    EXPECT_EQ(out, expected);
  }
}

void compaction(Session &s) {
  constexpr int n = 1000;
  Words in = randomNumbers(n, 1u << 30), expected;
  for (uint32_t value : in)
    if (value % 2)
      expected.push_back(value);
  DeviceAddress from = s.upload(in), to = s.zeros<uint32_t>(n),
                kept = s.room<uint32_t>(1);
  s.launch("compaction", shape(1, 128), {from, to, kept, n});
  Words out = s.download<uint32_t>(to, n);
  Words count = s.download<uint32_t>(kept, 1);
  if (s.ok()) {
    EXPECT_EQ(count[0], expected.size());
    out.resize(count[0]);
    EXPECT_EQ(out, expected);
  }
}

void spinLanes(Session &s) {
  constexpr uint32_t turns = 3, threads = 2 * 48;
  DeviceAddress lock = s.zeros<uint32_t>(1), at = s.zeros<uint32_t>(1);
  s.launch("spin_lanes", shape(2, 48), {lock, at, turns});
  Words out = s.download<uint32_t>(at, 1);
  uint32_t expected = 0;
  for (uint32_t i = 0; i < turns * threads; ++i)
    expected = expected * 3 + 1;
  if (s.ok()) {
    EXPECT_EQ(out[0], expected);
  }
}

void collatz(Session &s) {
  constexpr uint32_t n = 200;
  DeviceAddress to = s.zeros<uint32_t>(n);
  s.launch("collatz", shape(2, 128), {to, n});
  Words out = s.download<uint32_t>(to, n), expected(n);
  for (uint64_t i = 0; i < n; ++i)
    for (uint64_t value = i + 1; value != 1; ++expected[i])
      value = value % 2 ? 3 * value + 1 : value / 2;
  if (s.ok()) {
    EXPECT_EQ(out, expected);
  }
}

void stencil(Session &s) {
  constexpr int n = 768;
  Ints in = ints(n, 1000), expected(n);
  for (int i = 0; i < n; ++i)
    for (int d = -2; d <= 2; ++d)
      expected[i] += i + d >= 0 && i + d < n ? in[i + d] : 0;
  DeviceAddress from = s.upload(in), to = s.room<int>(n);
  s.launch("stencil", shape(3, 256), {from, to, n});
  Ints out = s.download<int>(to, n);
  if (s.ok()) {
    EXPECT_EQ(out, expected);
  }
}

void matmulTiled(Session &s) {
  constexpr int n = 48;
  std::vector<float> a = floats(n * n), b = floats(n * n);
  DeviceAddress left = s.upload(a), right = s.upload(b),
                to = s.room<float>(n * n);
  LaunchShape grid;
  grid.grid = {3, 3, 1};
  grid.block = {16, 16, 1};
  s.launch("matmul_tiled", grid, {left, right, to, n});
  std::vector<float> out = s.download<float>(to, n * n);
  for (int i = 0; s.ok() && i < n * n; ++i) {
    double sum = 0;
    for (int k = 0; k < n; ++k)
      sum += static_cast<double>(a[i / n * n + k]) * b[k * n + i % n];
    ASSERT_NEAR(out[i], sum, 2e-3);
  }
}

void warpTranspose(Session &s) {
  Words in = randomNumbers(1024, ~0u), expected(1024);
  for (int i = 0; i < 1024; ++i)
    expected[i % 32 * 32 + i / 32] = in[i];
  DeviceAddress from = s.upload(in), to = s.room<uint32_t>(1024);
  s.launch("warp_transpose", shape(1, 32), {from, to});
  Words out = s.download<uint32_t>(to, 1024);
  if (s.ok()) {
    EXPECT_EQ(out, expected);
  }
}

void rmsNorm(Session &s) {
  constexpr int rows = 3, columns = 200;
  std::vector<uint16_t> x, gamma;
  std::vector<double> wide, wideGamma;
  auto add = [](std::vector<uint16_t> &to, std::vector<double> &values,
                uint32_t word) {
    float value = (static_cast<float>(word) - 100.0f) / 64.0f;
    to.push_back(toBf16(value));
    values.push_back(value);
  };
  for (uint32_t word : randomNumbers(rows * columns, 200))
    add(x, wide, word);
  for (uint32_t word : randomNumbers(columns, 200, 2))
    add(gamma, wideGamma, word);
  DeviceAddress from = s.upload(x), scale = s.upload(gamma),
                to = s.room<float>(x.size());
  s.launch("rms_norm", shape(rows, 128), {from, scale, to, columns});
  std::vector<float> out = s.download<float>(to, x.size());
  for (int r = 0; s.ok() && r < rows; ++r) {
    double sum = 0;
    for (int c = 0; c < columns; ++c)
      sum += wide[r * columns + c] * wide[r * columns + c];
    for (int c = 0; c < columns; ++c)
      ASSERT_NEAR(out[r * columns + c],
                  wide[r * columns + c] / std::sqrt(sum / columns + 1e-5) *
                      wideGamma[c],
                  2e-5);
  }
}

void radixPass(Session &s) {
  constexpr int n = 320;
  Words in = randomNumbers(n, ~0u), expected, starts(16);
  for (uint32_t digit = 0; digit < 16; ++digit)
    for (uint32_t key : in)
      if (key % 16 == digit)
        expected.push_back(key);
  for (uint32_t digit = 1; digit < 16; ++digit)
    for (uint32_t key : in)
      starts[digit] += key % 16 < digit;
  DeviceAddress from = s.upload(in), to = s.room<uint32_t>(n),
                first = s.upload(starts);
  s.launch("radix_pass", shape(1, 32), {from, to, first, n});
  Words out = s.download<uint32_t>(to, n);
  if (s.ok()) {
    EXPECT_EQ(out, expected);
  }
}

void localStack(Session &s) {
  const std::string text = "(()(()))x()(((())))(a(b)c)((((";
  const int length = static_cast<int>(text.size());
  std::vector<uint8_t> in;
  Ints expected;
  for (int thread = 0; thread < 32; ++thread) {
    std::string mine =
        text.substr(thread % length) + text.substr(0, thread % length);
    Ints matched(length, -1), open;
    for (int i = 0; i < length; ++i)
      if (mine[i] == '(')
        open.push_back(i);
      else if (mine[i] == ')' && !open.empty()) {
        matched[i] = open.back();
        matched[open.back()] = i;
        open.pop_back();
      }
    in.insert(in.end(), mine.begin(), mine.end());
    expected.insert(expected.end(), matched.begin(), matched.end());
  }
  DeviceAddress from = s.upload(in), to = s.room<int>(expected.size());
  s.launch("local_stack", shape(1, 32), {from, to, length});
  Ints out = s.download<int>(to, expected.size());
  if (s.ok()) {
    EXPECT_EQ(out, expected);
  }
}

} // namespace

std::vector<Program> collectivePrograms() {
  return {{"reduce-sum", reduceSum},
          {"last-block", lastBlock},
          {"scan-lookback", scanLookback},
          {"transpose", transpose},
          {"softmax", softmax},
          {"bitonic-sort", bitonicSort},
          {"histogram", histogram},
          {"compaction", compaction},
          {"spin-lanes", spinLanes},
          {"collatz", collatz},
          {"stencil", stencil},
          {"matmul-tiled", matmulTiled},
          {"warp-transpose", warpTranspose},
          {"rms-norm", rmsNorm},
          {"radix-pass", radixPass},
          {"local-stack", localStack}};
}

} // namespace llrt::test
