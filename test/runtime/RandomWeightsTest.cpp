// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Random weights: the bits that Inputs/random_weights.py computes in exact
// arithmetic, their distribution, and each element at its packed place.
#include "runtime/PackedLayout.h"
#include "runtime/RandomFiller.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

using namespace llrt;

namespace {

std::vector<uint32_t> bitsOf(const RandomTensor &tensor, uint32_t dtype,
                             const std::vector<uint64_t> &indexes) {
  std::vector<uint32_t> bits;
  for (uint64_t index : indexes)
    bits.push_back(roundToStorage(tensor.value(index), dtype));
  return bits;
}
using Bits = std::vector<uint32_t>;

} // namespace

TEST(RandomWeights, AreTheBitsOfTheirDefinition) {
  RandomTensor up =
      RandomTensor::matrix(7, "model.layers.0.mlp.up_proj.weight", 2048);
  const std::vector<uint64_t> at = {0, 1, 2, 3, 1000, 123456789012};
  EXPECT_EQ(bitsOf(up, LLAMAC_BF16, at),
            (Bits{0xbd42, 0x3d7c, 0x3c49, 0xbb53, 0xbd53, 0xba02}));
  EXPECT_EQ(bitsOf(up, LLAMAC_F16, at),
            (Bits{0xaa13, 0x2bdc, 0x2248, 0x9a98, 0xaa99, 0x900c}));
  EXPECT_EQ(bitsOf(up, LLAMAC_F32, at),
            (Bits{0xbd426d60, 0x3d7b883d, 0x3c490585, 0xbb52fde4, 0xbd53292b,
                  0xba0181af}));
  RandomTensor norm = RandomTensor::vector(~0ull, "model.norm.weight");
  EXPECT_EQ(bitsOf(norm, LLAMAC_BF16, {0, 1, 2, 3}),
            (Bits{0x3fa6, 0x3f28, 0x3f91, 0x3f8e}));
  EXPECT_EQ(bitsOf(norm, LLAMAC_F16, {0, 1, 2, 3}),
            (Bits{0x3d2f, 0x3942, 0x3c88, 0x3c6d}));
  EXPECT_EQ(bitsOf(norm, LLAMAC_F32, {0, 1, 2, 3}),
            (Bits{0x3fa5d900, 0x3f284e67, 0x3f910a33, 0x3f8da8b3}));
  RandomTensor bias =
      RandomTensor::vector(0, "model.layers.3.self_attn.q_proj.bias");
  EXPECT_EQ(bitsOf(bias, LLAMAC_BF16, {0, 1}), (Bits{0xbdbe, 0x3d05}));
  EXPECT_EQ(bitsOf(bias, LLAMAC_F16, {0, 1}), (Bits{0xadf1, 0x2828}));
  EXPECT_EQ(bitsOf(bias, LLAMAC_F32, {0, 1}), (Bits{0xbdbe14cc, 0x3d04f333}));
}

TEST(RandomWeights, RoundsToNearestEven) {
  const int64_t one = int64_t(1) << 40;
  auto bf16 = [](int64_t value) { return roundToStorage(value, LLAMAC_BF16); };
  EXPECT_EQ(bf16(0), 0u);
  EXPECT_EQ(bf16(one), 0x3f80u);
  EXPECT_EQ(bf16(-one), 0xbf80u);
  EXPECT_EQ(bf16(one + (one >> 8)), 0x3f80u);     // a tie, to even
  EXPECT_EQ(bf16(one + 3 * (one >> 8)), 0x3f82u); // a tie, to even
  EXPECT_EQ(bf16(one + (one >> 8) + 1), 0x3f81u);
  EXPECT_EQ(bf16(2 * one - 1), 0x4000u); // carries into the exponent
  EXPECT_EQ(bf16(1), 0x2b80u);           // 2^-40
  auto f16 = [](int64_t value) { return roundToStorage(value, LLAMAC_F16); };
  EXPECT_EQ(f16(one), 0x3c00u);
  EXPECT_EQ(f16(1 << 16), 1u); // 2^-24, the smallest subnormal
  EXPECT_EQ(f16(1 << 15), 0u); // a tie, to even
  EXPECT_EQ(f16((1 << 15) + 1), 1u);
  EXPECT_EQ(f16(-3 * (1 << 15)), 0x8002u);
  EXPECT_EQ(f16(1 << 26), 0x400u);       // 2^-14, the smallest normal
  EXPECT_EQ(f16((1 << 26) - 1), 0x400u); // rounds up to it
  EXPECT_EQ(f16((1 << 26) - (1 << 16)), 0x3ffu);
  auto f32 = [](int64_t value) { return roundToStorage(value, LLAMAC_F32); };
  EXPECT_EQ(f32(one + 1), 0x3f800000u);
  EXPECT_EQ(f32(one + (one >> 24)), 0x3f800000u); // a tie, to even
  EXPECT_EQ(f32(one + 3 * (one >> 24)), 0x3f800002u);
  EXPECT_EQ(f32(-3), 0xac400000u); // -1.5 x 2^-39
}

TEST(RandomWeights, AreNormalAndFarFromEachOther) {
  RandomTensor tensor = RandomTensor::matrix(1, "a", 144); // deviation 0.1
  RandomTensor other = RandomTensor::matrix(2, "a", 144);
  double sum = 0, squares = 0, products = 0;
  const int count = 100000;
  int beyond[3] = {};
  for (int i = 0; i < count; ++i) {
    double x = double(tensor.value(i)) * 0x1p-40 / 0.1;
    sum += x;
    squares += x * x;
    products += x * double(other.value(i)) * 0x1p-40 / 0.1;
    for (int s = 0; s < 3; ++s)
      beyond[s] += std::fabs(x) > s + 1;
  }
  EXPECT_NEAR(sum / count, 0, 0.015);
  EXPECT_NEAR(squares / count, 1, 0.02);
  EXPECT_NEAR(products / count, 0, 0.015);
  EXPECT_NEAR(double(beyond[0]) / count, 0.317, 0.01);
  EXPECT_NEAR(double(beyond[1]) / count, 0.0455, 0.005);
  EXPECT_NEAR(double(beyond[2]) / count, 0.0027, 0.0015);
}

namespace {
/// A table of three streams with sizes that fill no tile.
struct Table {
  Table() {
    const char names[] = "a\0b\0gate\0up\0q\0k\0v\0x.norm.weight";
    LlamacStream streams[] = {{0, 70, 100, LLAMAC_ROWS, 0, 0, 2},
                              {65536, 96, 40, LLAMAC_GATE_UP, 0, 2, 2},
                              {131072, 32, 70, LLAMAC_ROPE_PAIRS, 4, 4, 3},
                              {196608, 1, 70, LLAMAC_VECTOR, 0, 7, 1}};
    LlamacStreamSource sources[] = {{60, 0, 0}, {10, 2, 0},  {43, 4, 0},
                                    {43, 9, 0}, {16, 12, 0}, {8, 14, 0},
                                    {8, 16, 0}, {1, 18, 0}};
    LlamacTensorsHeader header = {};
    header.magic = LLAMAC_TENSORS_MAGIC;
    header.streams_offset = sizeof header;
    header.sources_offset = header.streams_offset + sizeof streams;
    header.strings_offset = header.sources_offset + sizeof sources;
    header.stream_count = 4;
    header.source_count = 8;
    header.strings_bytes = sizeof names;
    bytes.resize((header.strings_offset + sizeof names + 7) / 8);
    auto *to = reinterpret_cast<uint8_t *>(bytes.data());
    std::memcpy(to, &header, sizeof header);
    std::memcpy(to + header.streams_offset, streams, sizeof streams);
    std::memcpy(to + header.sources_offset, sources, sizeof sources);
    std::memcpy(to + header.strings_offset, names, sizeof names);
    size = header.strings_offset + sizeof names;
  }
  View<uint8_t> view() const {
    return {reinterpret_cast<const uint8_t *>(bytes.data()), size};
  }
  uint8_t *at(size_t offset) {
    return reinterpret_cast<uint8_t *>(bytes.data()) + offset;
  }
  std::vector<uint64_t> bytes;
  size_t size = 0;
};
constexpr uint64_t total = 200704;
} // namespace

TEST(RandomWeights, LieWhereThePackingSays) {
  for (uint32_t dtype : {LLAMAC_BF16, LLAMAC_F16, LLAMAC_F32}) {
    Table bytes;
    Result<TensorTable> table =
        TensorTable::read(bytes.view(), dtype, total, "t");
    ASSERT_TRUE(table) << table.error().message();
    RandomFiller filler(*table, 5);
    std::vector<uint8_t> packed(total, 0xcd), parts(total, 0xcd);
    filler.fillAll(packed.data(), 3);
    for (uint64_t at = 0; at < total; at += 12800)
      filler.fill(at, std::min<uint64_t>(12800, total - at), &parts[at]);
    EXPECT_EQ(packed, parts);
    // Element (row, k) of a matrix that starts at `offset`, by the tile's
    // definition.
    const uint64_t size = elementBytes(dtype), along = 128 / size;
    auto matrix = [&](uint64_t offset, uint64_t columns, uint64_t row,
                      uint64_t k) {
      uint64_t tiles = (columns + along - 1) / along;
      uint64_t byte = k % along * size;
      uint64_t place = offset + (row / 64 * tiles + k / along) * 8192 +
                       row % 64 * 128 + ((byte / 16) ^ (row % 8)) * 16 +
                       byte % 16;
      uint32_t bits = 0;
      std::memcpy(&bits, &packed[place], size);
      return bits;
    };
    auto expected = [&](const char *name, uint64_t columns, uint64_t row,
                        uint64_t k) {
      return roundToStorage(
          RandomTensor::matrix(5, name, columns).value(row * columns + k),
          dtype);
    };
    for (uint64_t k = 0; k < 100; ++k) {
      EXPECT_EQ(matrix(0, 100, 3, k), expected("a", 100, 3, k));
      EXPECT_EQ(matrix(0, 100, 64, k), expected("b", 100, 4, k));
      EXPECT_EQ(matrix(0, 100, 70, k), 0u);
    }
    // Group 1 of 16 rows holds pairs 8 to 15.
    for (uint64_t k = 0; k < 40; ++k) {
      EXPECT_EQ(matrix(65536, 40, 16 + 3, k), expected("gate", 40, 11, k));
      EXPECT_EQ(matrix(65536, 40, 16 + 8 + 3, k), expected("up", 40, 11, k));
    }
    // Heads of four: pair 5 of q is elements 1 and 3 of head 2.
    for (uint64_t k = 0; k < 70; ++k) {
      EXPECT_EQ(matrix(131072, 70, 5, k), expected("q", 70, 9, k));
      EXPECT_EQ(matrix(131072, 70, 8 + 5, k), expected("q", 70, 11, k));
      EXPECT_EQ(matrix(131072, 70, 16 + 4, k), expected("v", 70, 0, k));
      EXPECT_EQ(matrix(131072, 70, 24 + 4, k), expected("v", 70, 1, k));
    }
    for (uint64_t k = 0; k < 96; ++k) {
      uint32_t bits = 0;
      std::memcpy(&bits, &packed[196608 + k * size], size);
      EXPECT_EQ(
          bits,
          k < 70 ? roundToStorage(
                       RandomTensor::vector(5, "x.norm.weight").value(k), dtype)
                 : 0u);
    }
    EXPECT_EQ(packed[total - 1], 0);
  }
}

TEST(TensorTableTest, RefusesWhatIsNoTable) {
  auto message = [](const Table &table, uint64_t bytes = total) {
    Result<TensorTable> result =
        TensorTable::read(table.view(), LLAMAC_BF16, bytes, "t");
    return result ? std::string() : result.error().message();
  };
  EXPECT_EQ(message(Table()), "");
  EXPECT_NE(message(Table(), 196608).find("ends past the weights"),
            std::string::npos);
  const size_t header = sizeof(LlamacTensorsHeader);
  struct {
    size_t offset;
    uint8_t byte;
    const char *says;
  } const faults[] = {
      {0, 0, "no table of tensors"},
      {32, 200, "outside"},                   // stream_count
      {header + 1, 1, "no multiple of 1024"}, // offset of stream 0: 256
      {header + 8, 0, "no possible size"},    // rows of stream 0
      {header + 24, 9, "order"},
      {header + 40 + 24, 1, "order"},
      {header + 36, 3, ""}, // b and gate in one stream: its sizes are possible
      {header + 32, 8, "outside of the table"},
      {header + 2 * 40 + 28, 0, "no head_dim"},
      {header + 2 * 40 + 28, 6, "whole heads"},
      {header + 3 * 40 + 2, 2, "overlaps"}, // offset of stream 3: 131072
  };
  for (const auto &fault : faults) {
    Table table;
    *table.at(fault.offset) = fault.byte;
    if (*fault.says)
      EXPECT_NE(message(table).find(fault.says), std::string::npos)
          << fault.says << ": " << message(table);
  }
}
