// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The greedy choice by value: built, lowered, emitted, run on the emulator and
// compared with its definition: ties, numbers that compare alike, no numbers,
// rows of several blocks, launches one after the other.
#include "compiler/tile/Products.h"
#include "test/tile/KernelFixture.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace mlir;
using namespace llamactest;

namespace {

/// The choice as it is defined, over double: the highest number, of equal ones
/// the lowest id; NaN as if it were the lowest of all.
int32_t greedyReference(const float *logits, int64_t pieces) {
  auto valueOf = [&](int64_t id) {
    return std::isnan(logits[id]) ? -std::numeric_limits<double>::infinity()
                                  : double(logits[id]);
  };
  int64_t best = 0;
  for (int64_t id = 1; id < pieces; ++id)
    if (valueOf(id) > valueOf(best))
      best = id;
  return int32_t(best);
}

class GreedyTest : public KernelFixture, public testing::Test {
protected:
  void make(int64_t vocabulary, int64_t pieces) {
    this->vocabulary = vocabulary;
    this->pieces = pieces;
    ASSERT_NO_FATAL_FAILURE(build([&](OpBuilder &builder) {
      tile::buildGreedy(builder, vocabulary, pieces, "greedy");
    }));
    state = upload(std::vector<uint8_t>(64 * tile::greedyStateBytes, 0));
  }
  /// A row of noise below 8 in which what stands behind the pieces is higher.
  std::vector<float> noise() {
    std::vector<float> row(vocabulary, 90);
    for (int64_t id = 0; id < pieces; ++id)
      row[id] = std::min(gauss(1), 8.0f);
    return row;
  }
  std::vector<float> filled(float value) {
    std::vector<float> row = noise();
    std::fill_n(row.begin(), pieces, value);
    return row;
  }
  /// What the kernel chooses; the state is that of the launch before.
  std::vector<int32_t> choose(const std::vector<std::vector<float>> &rows) {
    std::vector<float> logits;
    for (const std::vector<float> &row : rows)
      logits.insert(logits.end(), row.begin(), row.end());
    std::vector<int32_t> chosen(rows.size() + 1, -1);
    auto in = upload(logits), out = upload(chosen);
    launch(find("greedy"),
           {uint32_t(rows.size()), uint32_t(tile::greedyBlocks(pieces)), 1},
           tile::greedyThreads, tile::greedySharedBytes, {&in, &out, &state});
    download(chosen, out);
    EXPECT_EQ(chosen.back(), -1) << "wrote past the last row";
    chosen.pop_back();
    return chosen;
  }
  /// Chooses, and compares with the reference.
  void check(const std::vector<std::vector<float>> &rows) {
    std::vector<int32_t> expected;
    for (const std::vector<float> &row : rows)
      expected.push_back(greedyReference(row.data(), pieces));
    EXPECT_EQ(choose(rows), expected);
  }

  int64_t vocabulary = 0, pieces = 0;
  llrt::DeviceAddress state = 0;
};

constexpr float infinity = std::numeric_limits<float>::infinity();

TEST_F(GreedyTest, HighestThenLowestId) {
  make(1003, 1000);
  ASSERT_EQ(tile::greedyBlocks(pieces), 1);
  std::vector<std::vector<float>> rows(5, noise());
  rows[0][777] = 50;
  rows[1][31] = rows[1][900] = 50; // a tie
  rows[2][999] = 50;
  rows[3] = filled(-infinity);
  rows[4][0] = 50;
  EXPECT_EQ(choose(rows), (std::vector<int32_t>{777, 31, 999, 0, 0}));
}

TEST_F(GreedyTest, OneLogit) {
  make(1, 1);
  for (float value : {3.0f, -0.0f, -infinity, infinity, NAN})
    EXPECT_EQ(choose({{value}}), (std::vector<int32_t>{0})) << value;
}

TEST_F(GreedyTest, BlocksOfOneRow) {
  make(128256 + 5, 128256);
  ASSERT_GT(tile::greedyBlocks(pieces), 8);
  std::vector<std::vector<float>> rows(4, noise());
  rows[0][128255] = 50;
  rows[1][4095] = rows[1][4096] = rows[1][100000] = 50; // across blocks
  rows[2] = filled(-2);
  rows[2][127000] = rows[2][90000] = -1;
  EXPECT_EQ(choose(rows)[0], 128255);
  check(rows);
  // The launch before has left nothing: lower logits win, and fewer rows.
  for (std::vector<float> &row : rows)
    for (float &value : row)
      value -= 1000;
  check(rows);
  check({rows[3], rows[0]});
  check({filled(-infinity)});
}

TEST_F(GreedyTest, NumbersThatCompareAlikeAndNoNumbers) {
  make(9001, 9001);
  ASSERT_EQ(tile::greedyBlocks(pieces), 3);
  std::vector<std::vector<float>> rows(9, filled(-3));
  rows[0][100] = -0.0f, rows[0][200] = 0.0f, rows[0][8500] = 0.0f;
  rows[1][100] = 0.0f, rows[1][200] = -0.0f;
  rows[2][5000] = -0.0f, rows[2][8999] = 0.0f; // each in a block of its own
  rows[3] = filled(NAN);
  rows[4] = filled(NAN), rows[4][8800] = -infinity;
  rows[5] = filled(NAN), rows[5][8800] = -3e38f;
  rows[6] = filled(1), rows[6][0] = NAN, rows[6][4096] = NAN;
  rows[7] = filled(-infinity), rows[7][0] = NAN, rows[7][6000] = infinity;
  rows[8][7000] = -1e-45f, rows[8][8000] = -3e-45f; // subnormal
  check(rows);
  EXPECT_EQ(choose(rows),
            (std::vector<int32_t>{100, 100, 5000, 0, 0, 8800, 1, 6000, 7000}));
}

TEST_F(GreedyTest, MoreLogitsThanTheBlocksTakeAtOnce) {
  make(300000, 299999);
  std::vector<std::vector<float>> rows(2, noise());
  rows[0][299998] = 50;
  rows[1][290000] = rows[1][270000] = 50;
  EXPECT_EQ(choose(rows), (std::vector<int32_t>{299998, 270000}));
}

/// Where copies are no bulk copies and launches wait; and the newest.
TEST_F(GreedyTest, OnOtherGpus) {
  for (const char *name : {"a100-40g", "rtx3090", "l4", "rtx5090"}) {
    row = name;
    make(12000, 12000);
    std::vector<std::vector<float>> rows(2, noise());
    rows[0][11999] = rows[0][7] = 50;
    check(rows);
    check(rows);
  }
}

} // namespace
