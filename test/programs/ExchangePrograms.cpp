// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs whose blocks, cluster neighbours or warps wait for each other.
#include "test/programs/Session.h"

namespace llrt::test {
namespace {

using Words = std::vector<uint32_t>;

LaunchShape shape(uint32_t grid, uint32_t block, uint32_t cluster = 1) {
  LaunchShape result;
  result.grid.x = grid;
  result.block.x = block;
  result.cluster.x = cluster;
  return result;
}
LaunchShape cooperative(uint32_t grid, uint32_t block) {
  LaunchShape result = shape(grid, block);
  result.cooperative = true;
  return result;
}

void gridCounter(Session &s) {
  constexpr int blocks = 6, rounds = 4;
  Words first = randomNumbers(blocks * 64, 1000), both = first;
  both.resize(2 * first.size());
  DeviceAddress values = s.upload(both), counter = s.zeros<uint32_t>(1);
  s.launch("grid_counter", cooperative(blocks, 64), {values, counter, rounds});
  Words out = s.download<uint32_t>(values, 2 * first.size());
  Words expected = first;
  for (int round = 0; round < rounds; ++round) {
    Words next(expected.size());
    for (size_t i = 0; i < next.size(); ++i)
      next[i] = expected[(i + 64) % next.size()] + 1;
    expected = next;
  }
  if (s.ok()) {
    out.resize(first.size()); // after an even number of rounds
    EXPECT_EQ(out, expected);
  }
}

void gridEpoch(Session &s) {
  constexpr uint32_t blocks = 5;
  constexpr int rounds = 3;
  DeviceAddress words = s.zeros<uint64_t>(2 * blocks * 64),
                to = s.room<uint32_t>(blocks * 64);
  s.launch("grid_epoch", cooperative(blocks, 64), {words, to, rounds});
  Words out = s.download<uint32_t>(to, blocks * 64), expected(blocks * 64);
  for (uint32_t i = 0; i < expected.size(); ++i)
    expected[i] = i;
  for (int round = 0; round < rounds; ++round) {
    Words sums(64);
    for (uint32_t i = 0; i < expected.size(); ++i)
      sums[i % 64] += expected[i];
    for (uint32_t i = 0; i < expected.size(); ++i)
      expected[i] += sums[i % 64] * 3;
  }
  if (s.ok()) {
    EXPECT_EQ(out, expected);
  }
}

void clusterAllReduce(Session &s) {
  Words in = randomNumbers(8 * 128, 1000), expected(8 * 128);
  for (size_t i = 0; i < in.size(); ++i)
    for (size_t other = 0; other < 4; ++other)
      expected[i] += in[i / 512 * 512 + other * 128 + i % 128];
  DeviceAddress from = s.upload(in), to = s.room<uint32_t>(in.size());
  s.launch("cluster_all_reduce", shape(8, 128, 4), {from, to});
  Words out = s.download<uint32_t>(to, in.size());
  if (s.ok()) {
    EXPECT_EQ(out, expected);
  }
}

void storeAsync(Session &s) {
  Words in = randomNumbers(4 * 128, 1000), expected(4 * 128);
  for (size_t i = 0; i < in.size(); ++i)
    expected[i] = in[i ^ 128] + 7;
  DeviceAddress from = s.upload(in), to = s.room<uint32_t>(in.size());
  s.launch("store_async", shape(4, 128, 2), {from, to});
  Words out = s.download<uint32_t>(to, in.size());
  if (s.ok()) {
    EXPECT_EQ(out, expected);
  }
}

void namedBarriers(Session &s) {
  constexpr int tiles = 9;
  Words in = randomNumbers(tiles * 64, 1000), expected;
  for (size_t i = 0; i < in.size(); ++i)
    expected.push_back(in[i / 64 * 64 + 63 - i % 64] * 5);
  DeviceAddress from = s.upload(in), to = s.room<uint32_t>(in.size());
  s.launch("named_barriers", shape(1, 128), {from, to, tiles});
  Words out = s.download<uint32_t>(to, in.size());
  if (s.ok()) {
    EXPECT_EQ(out, expected);
  }
}

void workQueue(Session &s) {
  constexpr uint32_t nodes = 500;
  Words slots(nodes), ready(nodes), ends = {0, 1};
  ready[0] = 1; // the root, node 0
  DeviceAddress queue = s.upload(slots), flags = s.upload(ready),
                both = s.upload(ends), sum = s.zeros<uint64_t>(1);
  s.launch("work_queue", shape(6, 32), {queue, flags, both, sum, nodes});
  std::vector<uint64_t> out = s.download<uint64_t>(sum, 1);
  if (s.ok()) {
    EXPECT_EQ(out[0], uint64_t{nodes} * (nodes - 1) / 2);
  }
}

} // namespace

std::vector<Program> exchangePrograms() {
  return {{"grid-counter", gridCounter},
          {"grid-epoch", gridEpoch},
          {"cluster-all-reduce", clusterAllReduce},
          {"store-async", storeAsync},
          {"named-barriers", namedBarriers},
          {"work-queue", workQueue}};
}

} // namespace llrt::test
