// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The CUDA device against a fake driver: which calls it makes, in which order,
// and what it says when the driver is old, the GPU another one, memory short.
// No hardware is run here.
#include "FakeCuda.h"
#include "ToyExecutable.h"

#include "runtime/DeviceChoice.h"
#include "runtime/Engine.h"
#include "runtime/device/cuda/GpuHere.h"

#include <cstdlib>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <numeric>
#include <unistd.h>

using namespace llrt;

namespace {

class CudaDeviceTest : public testing::Test {
protected:
  void SetUp() override {
    // Once loaded by its path, it is what libcuda.so.1 means.
    void *library = dlopen(FAKE_CUDA_LIBRARY, RTLD_NOW | RTLD_GLOBAL);
    ASSERT_NE(library, nullptr) << dlerror();
    auto *state =
        reinterpret_cast<FakeCudaState *>(dlsym(library, FAKE_CUDA_STATE));
    ASSERT_NE(state, nullptr);
    fake = state();
    *fake = FakeCuda();
  }
  std::unique_ptr<Device> create(const char *row = "h200") {
    auto device = createCudaDevice(0, findGpuRow(row));
    EXPECT_TRUE(device) << device.error().message();
    return std::move(*device);
  }
  std::vector<std::string> logSince(size_t start) {
    return std::vector<std::string>(
        fake->log.begin() + static_cast<ptrdiff_t>(start), fake->log.end());
  }
  const GpuRow &row() { return *findGpuRow("emulator"); }
  FakeCuda *fake = nullptr;
};

const char *const ptx = ".version 8.8\n.target sm_90a\n";

} // namespace

TEST_F(CudaDeviceTest, SaysWhatItIs) {
  EXPECT_EQ(probeCuda().absence, CudaAbsence::Present);
  auto device = create();
  EXPECT_EQ(device->description(), "Fake H200 (sm_90, driver 13.0)");
  EXPECT_FALSE(device->isEmulator());
  EXPECT_EQ(*device->freeMemory(), 1ull << 32);
}

TEST_F(CudaDeviceTest, AnOldDriverIsNamed) {
  fake->version = 12080;
  EXPECT_EQ(probeCuda().absence, CudaAbsence::Unusable);
  EXPECT_EQ(createCudaDevice().error().message(),
            "the NVIDIA driver is too old: it runs CUDA 12.8, this executable "
            "needs CUDA 13.0; install driver 580 or later");
  std::string note;
  auto chosen = createDevice(DeviceChoice{DeviceChoice::Auto, 0}, row(), note);
  ASSERT_FALSE(chosen) << "auto does not hide a broken GPU";
  EXPECT_NE(chosen.error().message().find("--device emulator"),
            std::string::npos);
}

TEST_F(CudaDeviceTest, NoGpuIsNoError) {
  fake->initStatus = 100; // CUDA_ERROR_NO_DEVICE
  EXPECT_EQ(probeCuda().absence, CudaAbsence::NoDevice);
  fake->initStatus = 34; // CUDA_ERROR_STUB_LIBRARY
  EXPECT_EQ(probeCuda().absence, CudaAbsence::NoDriver);
  fake->initStatus = 0;
  fake->count = 0;
  EXPECT_EQ(probeCuda().absence, CudaAbsence::NoDevice);
  std::string note;
  auto chosen = createDevice(DeviceChoice{DeviceChoice::Auto, 0}, row(), note);
  ASSERT_TRUE(chosen) << chosen.error().message();
  EXPECT_TRUE((*chosen)->isEmulator());
  EXPECT_EQ(note, "the NVIDIA driver finds no GPU: running on the emulator");
  EXPECT_FALSE(createDevice(DeviceChoice{DeviceChoice::Cuda, 0}, row(), note))
      << "asked for, it must be there";
}

TEST_F(CudaDeviceTest, AFailingDriverIsNamed) {
  fake->initStatus = 999;
  CudaProbe probe = probeCuda();
  EXPECT_EQ(probe.absence, CudaAbsence::Unusable);
  EXPECT_NE(probe.detail.find("cuInit: CUDA_ERROR_FAKE"), std::string::npos);
}

TEST_F(CudaDeviceTest, AnotherGpuIsNamed) {
  fake->major = 8;
  fake->minor = 6;
  std::string note;
  auto chosen = createDevice(DeviceChoice{DeviceChoice::Auto, 0}, row(), note);
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().message(),
            "this executable was compiled for emulator (sm_90a), but GPU 0 is "
            "Fake H200 "
            "(sm_86, driver 13.0): compile the model "
            "for it (llamac --gpu), or run here with --device emulator");
  auto missing = createCudaDevice(3);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message(), "--device cuda:3: there is no such GPU; "
                                       "the driver finds 1, numbered from 0");
}

TEST_F(CudaDeviceTest, MemoryIsAlignedCopiedAndGivenBack) {
  {
    auto device = create();
    std::vector<uint8_t> bytes(100000), back(100000);
    std::iota(bytes.begin(), bytes.end(), 0);
    DeviceAddress a = *device->allocate(bytes.size(), "a"),
                  b = *device->allocate(bytes.size(), "b");
    EXPECT_EQ(a % 1024, 0u);
    EXPECT_EQ(b % 1024, 0u);
    Stream *stream = *device->createStream();
    ASSERT_FALSE(device->copyToDevice(a, bytes.data(), bytes.size(), stream));
    ASSERT_FALSE(device->copyOnDevice(b, a, bytes.size(), stream));
    ASSERT_FALSE(device->fill(b, 7, 10, stream));
    ASSERT_FALSE(device->copyToHost(back.data(), b, bytes.size(), stream));
    ASSERT_FALSE(device->synchronize(stream));
    std::fill_n(bytes.begin(), 10, uint8_t(7));
    EXPECT_EQ(back, bytes);
    ASSERT_FALSE(device->release(a));
    EXPECT_TRUE(device->release(a));
    EXPECT_GT(fake->inUse, 0u);
  }
  EXPECT_EQ(fake->inUse, 0u);
  EXPECT_EQ(fake->log.back(), "cuDevicePrimaryCtxRelease");
  EXPECT_EQ(fake->misuse, "");
}

TEST_F(CudaDeviceTest, ACopyWithoutAStreamIsDoneOnReturn) {
  auto device = create();
  std::vector<uint8_t> bytes(1000, 5), back(1000);
  DeviceAddress a = *device->allocate(bytes.size(), "a");
  Stream *stream = *device->createStream();
  ASSERT_FALSE(device->copyToDevice(a, bytes.data(), bytes.size()));
  ASSERT_FALSE(device->copyToHost(back.data(), a, back.size(), stream));
  ASSERT_FALSE(device->synchronize(stream));
  EXPECT_EQ(back, bytes);
  device = nullptr;
  EXPECT_EQ(fake->misuse, "");
}

TEST_F(CudaDeviceTest, WeightsGoThroughPinnedStaging) {
  for (bool pinned : {true, false}) {
    *fake = FakeCuda();
    fake->pinnedMemory = pinned;
    auto device = create();
    std::vector<uint8_t> weights((75 << 20) + 123), back(weights.size());
    for (size_t i = 0; i < weights.size(); ++i)
      weights[i] = static_cast<uint8_t>(i * 2654435761u >> 13);
    size_t before = fake->log.size();
    DeviceAddress address =
        *device->allocateConstant(weights.data(), weights.size(), "weights");
    std::vector<std::string> log = logSince(before);
    size_t copies = 0;
    for (const std::string &call : log)
      copies +=
          call.rfind(pinned ? "cuMemcpyHtoDAsync" : "cuMemcpyHtoD ", 0) == 0;
    EXPECT_EQ(copies, 3u);
    EXPECT_EQ(fake->livePinned, 0);
    ASSERT_FALSE(device->copyToHost(back.data(), address, back.size()));
    EXPECT_TRUE(back == weights);
    device = nullptr;
    EXPECT_EQ(fake->misuse, "");
  }
}

TEST_F(CudaDeviceTest, ShortMemoryIsNamedWithBothNumbers) {
  fake->memory = 1 << 20;
  auto device = create();
  auto address = device->allocate(2 << 20, "KV pool");
  ASSERT_FALSE(address);
  EXPECT_EQ(address.error().message(),
            "CUDA: not enough memory on Fake H200 (sm_90, driver 13.0) for KV "
            "pool: 2097152 "
            "bytes needed, 1048576 free; lower --ctx-size or --max-batch");
}

TEST_F(CudaDeviceTest, ARefusedModuleCarriesTheLog) {
  fake->moduleLog =
      "ptxas application ptx input, line 7; error : Unknown instruction";
  auto device = create();
  auto module = device->loadModule(ptx, "kernels");
  ASSERT_FALSE(module);
  EXPECT_EQ(module.error().message(),
            "CUDA: cuModuleLoadDataEx of kernels on Fake H200 (sm_90, driver "
            "13.0): CUDA_ERROR_INVALID_PTX (said by the "
            "fake driver)\nthe driver's assembler says:\nptxas application ptx "
            "input, line 7; error : Unknown instruction");
}

TEST_F(CudaDeviceTest, LaunchesCarryTheirAttributes) {
  auto device = create();
  Module *module = *device->loadModule(ptx, "kernels");
  EXPECT_FALSE(device->findKernel(module, "missing"));
  Kernel *kernel = *device->findKernel(module, "toy_head");
  Stream *stream = *device->createStream();
  EXPECT_EQ(device->resources(kernel)->registers, 42u);
  size_t start = fake->log.size();
  LaunchShape shape;
  shape.grid = {5, 2, 1};
  shape.block = {128, 1, 1};
  ASSERT_FALSE(device->launch(kernel, shape, nullptr, 0, stream));
  shape.dynamicSharedBytes = 100000;
  shape.cooperative = true;
  ASSERT_FALSE(device->launch(kernel, shape, nullptr, 0, stream));
  shape.dynamicSharedBytes = 60000; // less than was granted: nothing to ask for
  shape.cooperative = false;
  shape.programmatic = true;
  shape.cluster = {16, 1, 1};
  ASSERT_FALSE(device->launch(kernel, shape, nullptr, 0, stream));
  EXPECT_EQ(logSince(start),
            (std::vector<std::string>{
                "cuLaunchKernelEx toy_head 5x2x1 128 shared 0",
                "cuFuncSetAttribute 8 100000",
                "cuLaunchKernelEx toy_head 5x2x1 128 shared 100000 cooperative",
                "cuFuncSetAttribute 14 1",
                "cuLaunchKernelEx toy_head 5x2x1 128 shared 60000 cluster 16 "
                "programmatic",
            }));
  // With 1 KB of static shared memory less is left that need not be asked for.
  Kernel *other = *device->findKernel(module, "toy_head");
  shape.cluster = {};
  start = fake->log.size();
  for (uint32_t bytes : {47 * 1024, 48 * 1024}) {
    shape.dynamicSharedBytes = bytes;
    ASSERT_FALSE(device->launch(other, shape, nullptr, 0, stream));
  }
  EXPECT_EQ(logSince(start)[1], "cuFuncSetAttribute 8 49152");
  shape.dynamicSharedBytes = 300000;
  Error error = device->launch(kernel, shape, nullptr, 0, stream);
  ASSERT_TRUE(error);
  EXPECT_NE(error.message().find(
                "kernel toy_head needs 300000 bytes of shared memory"),
            std::string::npos);
  EXPECT_EQ(fake->misuse, "");
}

TEST_F(CudaDeviceTest, EventsMeasure) {
  auto device = create();
  Event *start = *device->createEvent(), *end = *device->createEvent();
  Stream *stream = *device->createStream();
  ASSERT_FALSE(device->record(start, stream));
  ASSERT_FALSE(device->record(end, stream));
  EXPECT_EQ(*device->elapsedMilliseconds(start, end), 1.5);
}

// Before anything is taken, and with what would fit.
TEST_F(CudaDeviceTest, TheEngineNamesWhatIsMissing) {
  std::string path =
      testing::TempDir() + "cuda-short-" + std::to_string(getpid());
  toy::writeFile(path, toy::append(toy::emptyElf(), toy::makeSections()));
  auto executable = Executable::open(path);
  ASSERT_TRUE(executable);
  std::remove(path.c_str());
  auto needed = [&](uint32_t context, uint32_t batch) {
    EngineOptions options;
    options.contextSize = context;
    options.maxBatch = batch;
    EngineMemory memory = Engine::memoryNeeded((*executable)->plan(), options);
    return memory.weights + memory.workspace + memory.kvPool + memory.rope +
           Engine::memoryNeeded((*executable)->plan(), {}).sampler;
  };
  auto message = [&](uint64_t memory) {
    fake->memory = memory;
    auto device = create();
    size_t before = fake->log.size();
    auto engine = Engine::create(**executable, *device);
    EXPECT_FALSE(engine);
    for (const std::string &call : logSince(before))
      EXPECT_EQ(call.find("cuMemAlloc"), std::string::npos) << call;
    return engine ? std::string() : engine.error().message();
  };
  std::string text = message(needed(128, 4));
  EXPECT_NE(text.find("not enough memory on Fake H200"), std::string::npos);
  EXPECT_NE(text.find(" missing; a context of 128 tokens would fit: --ctx-size "
                      "128 --max-batch 4"),
            std::string::npos)
      << text;
  text = message(needed(64, 4) - 1);
  EXPECT_NE(text.find("--ctx-size 64 --max-batch 1"), std::string::npos)
      << text;
  text = message(needed(64, 1) - 1);
  EXPECT_NE(text.find("not even 64 tokens of context would fit"),
            std::string::npos)
      << text;
}

// The hash of weights is taken while they are brought to the GPU.
TEST_F(CudaDeviceTest, AlteredWeightsAreFoundOnTheWay) {
  toy::Sections sections = toy::makeSections();
  sections.weights[0] ^= 1;
  std::string path =
      testing::TempDir() + "cuda-altered-" + std::to_string(getpid());
  toy::writeFile(path, toy::append(toy::emptyElf(), sections));
  auto executable = Executable::open(path, Executable::Check::AllButWeights);
  ASSERT_TRUE(executable) << executable.error().message();
  std::remove(path.c_str());
  auto device = create();
  auto engine = Engine::create(**executable, *device);
  ASSERT_FALSE(engine);
  EXPECT_NE(engine.error().message().find(
                ": section .llamac.weights: XXH3 hash: found 0x"),
            std::string::npos)
      << engine.error().message();
  device = nullptr;
  EXPECT_EQ(fake->misuse, "");
}

// Pieces are read by several threads, and given to the driver in order.
TEST_F(CudaDeviceTest, AnUploadIsInOrderAndTellsHowFarItIs) {
  auto device = create();
  const uint64_t bytes = 10 * 4096 + 5;
  DeviceAddress address = *device->allocate(bytes, "weights");
  std::vector<uint64_t> told;
  size_t before = fake->log.size();
  Error error = device->upload(
      address, bytes, 4096,
      [](uint64_t offset, uint64_t size, uint8_t *into) {
        for (uint64_t i = 0; i < size; ++i)
          into[i] = static_cast<uint8_t>((offset + i) * 7 >> 3);
      },
      [&](uint64_t done) { told.push_back(done); });
  ASSERT_FALSE(error) << error.message();
  ASSERT_EQ(told.size(), 11u);
  for (size_t i = 0; i < told.size(); ++i)
    EXPECT_EQ(told[i], std::min<uint64_t>(bytes, (i + 1) * 4096));
  size_t buffers = 0, copies = 0;
  for (const std::string &call : logSince(before)) {
    buffers += call.rfind("cuMemHostAlloc", 0) == 0;
    copies += call.rfind("cuMemcpyHtoDAsync", 0) == 0;
  }
  EXPECT_GE(buffers, 2u);
  EXPECT_LE(buffers, 8u);
  EXPECT_EQ(copies, 11u);
  std::vector<uint8_t> back(bytes);
  ASSERT_FALSE(device->copyToHost(back.data(), address, bytes));
  for (uint64_t i = 0; i < bytes; ++i)
    ASSERT_EQ(back[i], static_cast<uint8_t>(i * 7 >> 3)) << i;
  device = nullptr;
  EXPECT_EQ(fake->misuse, "");
  EXPECT_EQ(fake->livePinned, 0);
}

// The cubin where there is one; the emulator's image stays the PTX.
TEST_F(CudaDeviceTest, LoadsTheCubin) {
  std::string path =
      testing::TempDir() + "cuda-cubin-" + std::to_string(getpid());
  toy::Options options;
  options.cubin = true;
  toy::writeFile(path,
                 toy::append(toy::emptyElf(), toy::makeSections(options)));
  auto executable = Executable::open(path);
  unlink(path.c_str());
  ASSERT_TRUE(executable) << executable.error().message();
  EXPECT_EQ((*executable)->image(/*emulator=*/true), (*executable)->ptx());
  auto device = create();
  auto engine = Engine::create(**executable, *device);
  ASSERT_TRUE(engine) << engine.error().message();
  EXPECT_NE(
      std::find(fake->log.begin(), fake->log.end(), "cuModuleLoadDataEx cubin"),
      fake->log.end());
}

TEST_F(CudaDeviceTest, SaysWhatGpuIsHere) {
  fake->name = "NVIDIA L4";
  fake->major = 8;
  fake->minor = 9;
  fake->multiprocessors = 58;
  fake->memory = 23034ull << 20;
  auto found = findGpuHere();
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->name, "NVIDIA L4");
  EXPECT_EQ(found->smVersion, 89u);
  EXPECT_EQ(found->multiprocessors, 58u);
  EXPECT_EQ(found->memoryBytes, 23034ull << 20);
  std::string why;
  EXPECT_STREQ(matchGpuRow(*found, why)->name, "l4");
}

// An executable for a row runs on a GPU of its architecture that has fewer
// multiprocessors, and on none of another.
TEST_F(CudaDeviceTest, FewerMultiprocessorsAreFine) {
  fake->multiprocessors = 78;
  EXPECT_TRUE(createCudaDevice(0, findGpuRow("h200")));
  fake->major = 12;
  auto other = createCudaDevice(0, findGpuRow("h200"));
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message().find("compiled for h200 (sm_90a), but GPU "
                                         "0 is Fake H200 (sm_120"),
            std::string::npos)
      << other.error().message();
}

// The whole engine through the fake driver: the order of a start and of a step.
TEST_F(CudaDeviceTest, RunsTheToyModel) {
  std::string path =
      testing::TempDir() + "cuda-toy-" + std::to_string(getpid());
  toy::writeFile(path, toy::append(toy::emptyElf(), toy::makeSections()));
  auto executable = Executable::open(path);
  ASSERT_TRUE(executable);
  auto device = create();
  {
    auto engine = Engine::create(**executable, *device);
    ASSERT_TRUE(engine) << engine.error().message();
    KvCache::Sequence sequence = *(*engine)->addSequence();
    std::vector<int32_t> ids(100, 9);
    StepOutput out;
    ASSERT_FALSE((*engine)->prefill(sequence, ids, Rows::Last, out));
    EXPECT_EQ(out.next[0], toy::choice(ids));
    size_t start = fake->log.size();
    ASSERT_FALSE((*engine)->decode({{sequence, out.next[0]}}, out));
    ids.push_back(toy::choice(ids));
    EXPECT_EQ(out.next[0], toy::choice(ids));
    EXPECT_EQ(out.logits, toy::logits(ids));
    EXPECT_EQ(logSince(start),
              (std::vector<std::string>{
                  "cuMemcpyHtoDAsync 4",
                  "cuMemcpyHtoDAsync 4",
                  "cuMemcpyHtoDAsync 4",
                  "cuLaunchKernelEx toy_store 1x1x1 32 shared 0",
                  "cuLaunchKernelEx toy_head 1x1x1 64 shared 0",
                  "cuLaunchKernelEx advance 1x1x1 64 shared 0 programmatic",
                  "cuMemcpyDtoHAsync 2000",
                  "cuEventRecord",
                  "cuEventSynchronize",
              }));
    // The second step of a kind is recorded; of those that follow nothing is
    // left but the graph, and the block table at a new page.
    const std::vector<std::string> step = {"cuGraphLaunch", "cuEventRecord"};
    for (int i = 0; i < 30; ++i) {
      start = fake->log.size();
      if (i == 0) {
        ASSERT_FALSE((*engine)->begin({{sequence, out.next[0]}}, false));
        EXPECT_EQ(logSince(start)[3], "cuStreamBeginCapture");
        EXPECT_EQ(fake->log[fake->log.size() - 3], "cuStreamEndCapture");
        continue;
      }
      ASSERT_TRUE(*(*engine)->follow());
      std::vector<std::string> expected = step;
      if (engine->get()->length(sequence) == 129)
        expected.insert(expected.begin(), "cuMemcpyHtoDAsync 64");
      EXPECT_EQ(logSince(start), expected) << i;
      ids.push_back(toy::choice(ids));
      ASSERT_FALSE((*engine)->finish(out));
      EXPECT_EQ(out.next[0], toy::choice(ids)) << i;
    }
    EXPECT_EQ(fake->liveGraphs, 1);
    ASSERT_FALSE((*engine)->finish(out));
  }
  EXPECT_EQ(fake->liveGraphs, 0);
  device = nullptr;
  EXPECT_EQ(fake->misuse, "");
  std::remove(path.c_str());
}
