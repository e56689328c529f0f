// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The attention kernels by value: built, lowered, emitted, run on the emulator
// and compared with attention in float64, for odd sizes and page edges.
#include "compiler/tile/Attention.h"
#include "runtime/GpuTable.h"
#include "test/tile/KernelFixture.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace llamactest;
using tile::AttentionGrid;
using tile::AttentionLaunch;
using tile::AttentionShape;

namespace {

struct Case {
  const char *type;
  int64_t heads, kvHeads, headDim;
  const char *row = "h200";
  int64_t window = 0;     ///< 0: all tokens are seen
  bool hasBiases = false; ///< ALiBi's
};
void PrintTo(const Case &c, std::ostream *os) {
  *os << c.type << ' ' << c.heads << " heads " << c.kvHeads << " kv heads dim "
      << c.headDim << " on " << c.row;
  if (c.window)
    *os << " window " << c.window;
  if (c.hasBiases)
    *os << " with biases";
}

constexpr int64_t layers = 2, layer = 1, maxSeqLen = 768;
constexpr int64_t poolPages = 50, maxBatch = 12;

/// A sequence: K and V of its tokens as [token][kv head][dim], and its pages.
struct Sequence {
  std::vector<float> keys, values;
  std::vector<int32_t> pages;
};

class AttentionTest : public KernelFixture,
                      public testing::TestWithParam<Case> {
protected:
  AttentionTest() : storage(GetParam().type) { row = GetParam().row; }

  void SetUp() override {
    const Case &c = GetParam();
    AttentionShape shape;
    shape.heads = c.heads;
    shape.kvHeads = c.kvHeads;
    shape.headDim = c.headDim;
    shape.layers = layers;
    shape.maxSeqLen = maxSeqLen;
    shape.window = c.window;
    shape.alibiMaxBias = c.hasBiases ? 8 : 0;
    shape.sharedBytes = llrt::findGpuRow(row)->sharedBytesPerBlock;
    ASSERT_NO_FATAL_FAILURE(build([&](OpBuilder &builder) {
      shape.storageType = storage.type(builder);
      prefillLaunch = getAttentionPrefillLaunch(shape);
      splitLaunch = getAttentionSplitLaunch(shape);
      mergeLaunch = getAttentionMergeLaunch(shape);
      buildAttentionPrefill(builder, shape, "prefill");
      buildAttentionSplit(builder, shape, "split");
      buildAttentionMerge(builder, shape, "merge");
    }));
    prefillKernel = find("prefill");
    splitKernel = find("split");
    mergeKernel = find("merge");

    panels = (c.headDim * storage.bytes + 127) / 128;
    pageBytes = layers * c.kvHeads * 2 * panels * 8192;
    fillPool();
    blockTable.assign(maxBatch * (maxSeqLen / 64), -1);
    free.resize(poolPages);
    for (int64_t i = 0; i < poolPages; ++i)
      free[i] = i;
    std::shuffle(free.begin(), free.end(), random);
  }

  /// What was never written by a sequence is not a number, except the dims
  /// past the head's, which the pool keeps zero.
  void fillPool() {
    pool.assign(poolPages * pageBytes, 0);
    const Case &c = GetParam();
    uint32_t nan = storage.bits(NAN);
    for (int64_t page = 0; page < poolPages; ++page)
      for (int64_t inLayer = 0; inLayer < layers; ++inLayer)
        for (int64_t head = 0; head < c.kvHeads; ++head)
          for (int64_t which = 0; which < 2; ++which)
            for (int64_t token = 0; token < 64; ++token)
              for (int64_t dim = 0; dim < c.headDim; ++dim)
                put(page, inLayer, head, which, token, dim, nan);
  }

  void put(int64_t page, int64_t inLayer, int64_t head, int64_t which,
           int64_t token, int64_t dim, uint32_t word) {
    int64_t perPanel = 128 / storage.bytes;
    int64_t start =
        page * pageBytes +
        (((inLayer * GetParam().kvHeads + head) * 2 + which) * panels +
         dim / perPanel) *
            8192;
    int64_t byte = dim % perPanel * storage.bytes;
    int64_t chunk = byte / 16 ^ token % 8;
    storage.put(pool,
                (start + token * 128 + chunk * 16 + byte % 16) / storage.bytes,
                word);
  }

  float stored(float deviation) { return storage.round(gauss(deviation)); }

  /// A sequence of `length` tokens in row `slot` of the block table.
  Sequence addSequence(int32_t slot, int64_t length) {
    const Case &c = GetParam();
    Sequence sequence;
    for (int64_t token = 0; token < length; ++token) {
      if (token % 64 == 0) {
        sequence.pages.push_back(free.back());
        blockTable[slot * (maxSeqLen / 64) + token / 64] = free.back();
        free.pop_back();
      }
      for (int64_t head = 0; head < c.kvHeads; ++head)
        for (int64_t dim = 0; dim < c.headDim; ++dim) {
          sequence.keys.push_back(stored(1));
          sequence.values.push_back(stored(1));
          put(sequence.pages.back(), layer, head, 0, token % 64, dim,
              storage.bits(sequence.keys.back()));
          put(sequence.pages.back(), layer, head, 1, token % 64, dim,
              storage.bits(sequence.values.back()));
        }
    }
    return sequence;
  }

  /// Query rows [tokens][heads][dim], peaked enough that one key more or less
  /// shows.
  std::vector<float> makeQueries(int64_t tokens) {
    std::vector<float> queries(tokens * GetParam().heads * GetParam().headDim);
    for (float &value : queries)
      value = stored(2.5);
    return queries;
  }

  /// ALiBi's slopes: those of the power of two below, then every other one of
  /// the power above.
  double slope(int64_t head) {
    int64_t heads = GetParam().heads, below = 1;
    while (2 * below <= heads)
      below *= 2;
    if (head < below)
      return std::pow(std::pow(2, -8.0 / double(below)), double(head + 1));
    return std::pow(std::pow(2, -4.0 / double(below)),
                    double(2 * (head - below) + 1));
  }

  /// softmax(q K^T / sqrt(D)) V of one head in float64.
  std::vector<double> reference(const Sequence &sequence, const float *query,
                                int64_t head, int64_t position) {
    const Case &c = GetParam();
    int64_t kvHead = head / (c.heads / c.kvHeads);
    std::vector<double> scores(position + 1), result(c.headDim, 0.0);
    double largest = -INFINITY, sum = 0;
    int64_t first =
        c.window ? std::max<int64_t>(position - c.window + 1, 0) : 0;
    std::fill(scores.begin(), scores.end(), -INFINITY);
    for (int64_t token = first; token <= position; ++token) {
      const float *key =
          &sequence.keys[(token * c.kvHeads + kvHead) * c.headDim];
      double dot = 0;
      for (int64_t dim = 0; dim < c.headDim; ++dim)
        dot += double(query[dim]) * key[dim];
      scores[token] = dot / std::sqrt(double(c.headDim));
      if (c.hasBiases)
        scores[token] -= slope(head) * double(position - token);
      largest = std::max(largest, scores[token]);
    }
    for (double &score : scores)
      sum += score = std::exp(score - largest);
    for (int64_t token = 0; token <= position; ++token)
      for (int64_t dim = 0; dim < c.headDim; ++dim)
        result[dim] +=
            scores[token] / sum *
            sequence.values[(token * c.kvHeads + kvHead) * c.headDim + dim];
    return result;
  }

  void launch(llrt::Kernel *kernel, const AttentionLaunch &how, int64_t tokens,
              int64_t splits, std::vector<const void *> arguments) {
    uint32_t sizes[3];
    for (int64_t i = 0; i < 3; ++i) {
      const AttentionGrid &grid = how.grid[i];
      int64_t variables[] = {1, tokens, splits, splits > 1};
      sizes[i] =
          (variables[grid.variable] * grid.multiplier + grid.divisor - 1) /
          grid.divisor;
      if (sizes[i] == 0)
        return; // not made
    }
    ++launches;
    KernelFixture::launch(kernel, {sizes[0], sizes[1], sizes[2]}, how.threads,
                          how.dynamicSharedBytes, std::move(arguments));
  }

  int64_t paddedWidth() {
    return (GetParam().heads * GetParam().headDim + 63) / 64 * 64;
  }

  /// Runs decode for one token per sequence; the output's bytes.
  std::vector<uint8_t> decode(const std::vector<float> &queries,
                              std::vector<int32_t> positions,
                              std::vector<int32_t> slots) {
    int64_t tokens = positions.size();
    int64_t longest = *std::max_element(positions.begin(), positions.end());
    auto q = upload(storage.pack(queries)), cache = upload(pool),
         table = upload(blockTable), position = upload(positions),
         slot = upload(slots);
    llrt::DeviceAddress kv = cache + layer * pageBytes / layers;
    // Not numbers: what a split has not written would show.
    std::vector<uint8_t> garbage(tokens * GetParam().heads * (maxSeqLen / 256) *
                                     (GetParam().headDim + 2) * 4,
                                 0xff);
    auto partials = upload(garbage);
    std::vector<uint8_t> result(tokens * paddedWidth() * storage.bytes, 0x55);
    auto output = upload(result);
    launch(splitKernel, splitLaunch, tokens, longest / 256 + 1,
           {&q, &kv, &position, &slot, &table, &partials, &output});
    launch(mergeKernel, mergeLaunch, tokens, longest / 256 + 1,
           {&partials, &position, &output});
    download(result, output);
    return result;
  }

  /// Runs prefill for `tokens` tokens from `start`.
  std::vector<uint8_t> prefill(const std::vector<float> &queries, int32_t start,
                               int32_t tokens, int32_t slotNumber) {
    std::vector<int32_t> positions(tokens), slots(tokens, slotNumber);
    for (int32_t i = 0; i < tokens; ++i)
      positions[i] = start + i;
    auto q = upload(storage.pack(queries)), cache = upload(pool),
         table = upload(blockTable), position = upload(positions),
         slot = upload(slots);
    llrt::DeviceAddress kv = cache + layer * pageBytes / layers;
    std::vector<uint8_t> result((tokens + 1) * paddedWidth() * storage.bytes,
                                0x55);
    auto output = upload(result);
    launch(prefillKernel, prefillLaunch, tokens, 1,
           {&q, &kv, &position, &slot, &table, &output, &tokens});
    download(result, output);
    return result;
  }

  /// Compares one token's row of `output` with the reference.
  void compare(const std::vector<uint8_t> &output, int64_t row,
               const Sequence &sequence, const std::vector<float> &queries,
               int64_t position) {
    const Case &c = GetParam();
    // Values are a few units; p and the result are rounded to storage.
    double bound = storage.bytes == 4      ? 1e-5
                   : storage.name == "f16" ? 2.5e-3
                                           : 1.6e-2;
    double worst = 0;
    for (int64_t head = 0; head < c.heads; ++head) {
      auto expected =
          reference(sequence, &queries[(row * c.heads + head) * c.headDim],
                    head, position);
      for (int64_t dim = 0; dim < c.headDim; ++dim) {
        float got =
            storage.get(output, row * paddedWidth() + head * c.headDim + dim);
        ASSERT_TRUE(std::isfinite(got))
            << "position " << position << " head " << head << " dim " << dim;
        worst = std::max(worst, std::abs(got - expected[dim]));
      }
    }
    EXPECT_LT(worst, bound) << "row " << row << ", position " << position;
    largestError = std::max(largestError, worst);
    for (int64_t i = c.heads * c.headDim * storage.bytes;
         i < paddedWidth() * storage.bytes; ++i)
      ASSERT_EQ(output[row * paddedWidth() * storage.bytes + i], 0x55)
          << "wrote into the padding";
  }

  void decodeAtPageAndSplitEdges();
  void prefillFromAnyPosition();

  Storage storage;
  AttentionLaunch prefillLaunch, splitLaunch, mergeLaunch;
  llrt::Kernel *prefillKernel = nullptr, *splitKernel = nullptr,
               *mergeKernel = nullptr;
  int64_t panels = 0, pageBytes = 0;
  std::vector<uint8_t> pool;
  std::vector<int32_t> blockTable, free;
  double largestError = 0;
  int64_t launches = 0;
};

void AttentionTest::decodeAtPageAndSplitEdges() {
  std::vector<int32_t> positions = {0,   1,   62,  63,  64,  65,
                                    254, 255, 256, 257, 400, 512};
  std::vector<int32_t> slots = {3, 0, 9, 8, 1, 7, 10, 2, 11, 4, 6, 5};
  std::vector<Sequence> sequences;
  for (size_t i = 0; i < positions.size(); ++i)
    sequences.push_back(addSequence(slots[i], positions[i] + 1));
  int64_t width = GetParam().heads * GetParam().headDim;
  std::vector<float> queries = makeQueries(positions.size());

  std::vector<uint8_t> batch = decode(queries, positions, slots);
  for (size_t i = 0; i < positions.size(); ++i)
    compare(batch, i, sequences[i], queries, positions[i]);

  // Alone, each sequence gets the same bits; up to 256 tokens of one launch.
  size_t rowBytes = paddedWidth() * storage.bytes;
  for (size_t i : {3, 7, 8, 10, 11}) {
    launches = 0;
    std::vector<float> query(queries.begin() + i * width,
                             queries.begin() + (i + 1) * width);
    std::vector<uint8_t> alone = decode(query, {positions[i]}, {slots[i]});
    EXPECT_EQ(std::memcmp(alone.data(), &batch[i * rowBytes], rowBytes), 0)
        << "position " << positions[i];
    EXPECT_EQ(launches, positions[i] < 256 ? 1 : 2);
  }
}

void AttentionTest::prefillFromAnyPosition() {
  struct Chunk {
    int32_t start, tokens;
  };
  int32_t slot = 5;
  for (Chunk chunk :
       {Chunk{0, 1}, {0, 65}, {60, 7}, {127, 2}, {250, 24}, {0, 200}}) {
    if (chunk.tokens > 100 && !GetParam().window)
      continue;
    fillPool();
    Sequence sequence = addSequence(slot, chunk.start + chunk.tokens);
    std::vector<float> queries = makeQueries(chunk.tokens);
    std::vector<uint8_t> output =
        prefill(queries, chunk.start, chunk.tokens, slot);
    for (int64_t i = 0; i < chunk.tokens; ++i)
      compare(output, i, sequence, queries, chunk.start + i);
    for (size_t i = chunk.tokens * paddedWidth() * storage.bytes;
         i < output.size(); ++i)
      ASSERT_EQ(output[i], 0x55) << "wrote past the last token";
    free.insert(free.end(), sequence.pages.begin(), sequence.pages.end());
    if (chunk.start == 60)
      EXPECT_EQ(output, prefill(queries, chunk.start, chunk.tokens, slot));
  }
}

// The same kernels: they take longer to build than to run.
TEST_P(AttentionTest, DecodesAndPrefills) {
  ASSERT_NO_FATAL_FAILURE(decodeAtPageAndSplitEdges());
  ASSERT_NO_FATAL_FAILURE(prefillFromAnyPosition());
  RecordProperty("largest_error", std::to_string(largestError));
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, AttentionTest,
    testing::Values(
        Case{"bf16", 4, 4, 8}, Case{"bf16", 6, 2, 48}, Case{"bf16", 16, 2, 64},
        Case{"bf16", 20, 1, 128}, Case{"bf16", 2, 1, 256},
        Case{"bf16", 71, 1, 16}, Case{"bf16", 1, 1, 2}, Case{"f16", 3, 1, 22},
        Case{"f16", 20, 1, 64}, Case{"f32", 3, 3, 6}, Case{"f32", 6, 2, 48},
        Case{"f32", 8, 1, 128}, Case{"f32", 20, 1, 64}, Case{"f32", 2, 2, 256},
        // By cp.async, and with less shared memory: K and V of a
        // page apart, in two stages or one, and fewer warps.
        Case{"bf16", 20, 1, 128, "a100-40g"},
        Case{"bf16", 2, 1, 256, "rtx4090"}, Case{"f32", 8, 1, 128, "rtx3090"},
        Case{"f32", 2, 2, 256, "l4"}, Case{"f16", 3, 1, 22, "rtx5090"},
        Case{"f32", 2, 2, 256, "rtx5090"},
        // Windows: within a page, of one token, at a page's edges, over a
        // split.
        Case{"bf16", 6, 2, 48, "h200", 40}, Case{"bf16", 4, 4, 8, "h200", 1},
        Case{"f16", 4, 2, 64, "h200", 64}, Case{"f32", 4, 2, 64, "h200", 65},
        Case{"bf16", 20, 1, 128, "a100-40g", 300},
        Case{"bf16", 2, 1, 256, "rtx4090", 70},
        Case{"f32", 2, 2, 256, "rtx5090", 70},
        // Biases.
        Case{"bf16", 8, 8, 16, "h200", 0, true},
        Case{"f16", 12, 4, 24, "h200", 0, true},
        Case{"bf16", 71, 1, 16, "a100-40g", 0, true},
        Case{"f32", 20, 1, 64, "h200", 0, true},
        Case{"f32", 3, 3, 256, "rtx5090", 0, true},
        Case{"bf16", 5, 1, 128, "h200", 90, true}),
    [](const testing::TestParamInfo<Case> &info) {
      const Case &c = info.param;
      return std::string(c.type) + "_" + std::to_string(c.heads) + "_" +
             std::to_string(c.kvHeads) + "_" + std::to_string(c.headDim) +
             (c.row == std::string("h200")       ? ""
              : c.row == std::string("a100-40g") ? "_a100"
                                                 : std::string("_") + c.row) +
             (c.window ? "_window" + std::to_string(c.window) : "") +
             (c.hasBiases ? "_biases" : "");
    });

} // namespace
