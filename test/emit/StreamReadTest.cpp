// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernels that measure the memory's speed, on the emulator: every word is
// read once, and a wrong one is found.
#include "runtime/StreamRead.h"
#include "compiler/emit/EmitKernels.h"

#include <gtest/gtest.h>

using namespace llrt;

namespace {

constexpr uint64_t tileBytes = 64 * 1024;

class StreamReadTest : public testing::Test {
protected:
  void SetUp() override {
    auto images = mlir::llama::emitKernels(LLAMAC_BINARY_DIR "/libexec/llamac",
                                           {500, 420}, "sm_90a", false);
    ASSERT_TRUE(images) << images.error().message();
    ptx = images->ptx;
    auto created = createEmulatorDevice();
    ASSERT_TRUE(created) << created.error().message();
    device = std::move(*created);
  }
  Module *load(const std::string &text) {
    auto module = device->loadModule(text, "kernels");
    EXPECT_TRUE(module) << module.error().message();
    return module ? *module : nullptr;
  }
  std::string ptx;
  std::unique_ptr<Device> device;
};

} // namespace

TEST_F(StreamReadTest, ReadsWhatWasWritten) {
  // Fewer tiles than blocks, as many, and an uneven number more.
  for (uint64_t tiles : {1, 8, 19}) {
    Result<double> rate =
        measureStreamRead(*device, load(ptx), tiles * tileBytes, 2);
    EXPECT_TRUE(rate) << rate.error().message();
  }
}

TEST_F(StreamReadTest, FillsWithTheWordsItIsSaidTo) {
  auto kernel = device->findKernel(load(ptx), "stream_fill");
  auto read = device->findKernel(load(ptx), "stream_read");
  ASSERT_TRUE(kernel && read);
  DeviceAddress data = *device->allocate(2 * tileBytes, "data"),
                sum = *device->allocate(8, "sums"), second = sum + 4;
  ASSERT_FALSE(device->fill(sum, 0, 8));
  uint64_t tiles = 2;
  LaunchShape shape;
  shape.grid.x = 3;
  shape.block.x = 512;
  const void *arguments[] = {&data, &tiles, &sum};
  Error error = device->launch(*kernel, shape, arguments, 3);
  ASSERT_FALSE(error) << error.message();
  // One word is changed behind its back: the sums differ by as much.
  std::vector<uint32_t> words(2 * tileBytes / 4);
  ASSERT_FALSE(device->copyToHost(words.data(), data, 2 * tileBytes));
  uint32_t expected = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    uint64_t z = (i + 1) * 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 32)) * 0xd6e8feb86659fd93ull;
    ASSERT_EQ(words[i], static_cast<uint32_t>(z >> 32)) << i;
    expected += words[i];
  }
  words[30000] += 5;
  ASSERT_FALSE(device->copyToDevice(data, words.data(), 2 * tileBytes));
  const void *again[] = {&data, &tiles, &second};
  error = device->launch(*read, shape, again, 3);
  ASSERT_FALSE(error) << error.message();
  uint32_t sums[2];
  ASSERT_FALSE(device->copyToHost(sums, sum, 8));
  EXPECT_EQ(sums[0], expected);
  EXPECT_EQ(sums[1], expected + 5);
}

TEST_F(StreamReadTest, AReaderThatSkipsWordsIsFound) {
  // The reader loads 16 bytes too high: the last words are left out and the
  // first ones of nobody's are read.
  std::string wrong = ptx;
  size_t at = wrong.find(".entry stream_read(");
  ASSERT_NE(at, std::string::npos);
  at = wrong.find("ld.global.nc.L1::no_allocate.v4.u32", at);
  ASSERT_NE(at, std::string::npos);
  size_t close = wrong.find(']', at);
  wrong.insert(close, "+16");
  Result<double> rate =
      measureStreamRead(*device, load(wrong), 2 * tileBytes, 1);
  ASSERT_FALSE(rate);
}

TEST_F(StreamReadTest, AnH200HasToReachItsRate) {
  EXPECT_EQ(leastStreamRate("NVIDIA H200 (sm_90, driver 13.0)"), 4.2e12);
  EXPECT_EQ(leastStreamRate("NVIDIA L4 (sm_89, driver 13.0)"), 0);
}
