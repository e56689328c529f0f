// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An executable without weights, filled by --random-weights: it has byte for
// byte what the packer makes of a checkpoint with these values, and it keeps
// the numerics contract against the reference on them.
#include "runtime/RandomFillKernel.h"
#include "test/models/TestModels.h"
#include "test/numerics/Oracle.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace llrt;
using namespace llrt::test;

namespace {
constexpr uint64_t seed = 1234567;

struct Case {
  const char *model;
  uint32_t dtype;
};
const char *dtypeName(uint32_t dtype) {
  return dtype == LLAMAC_BF16 ? "bf16" : dtype == LLAMAC_F16 ? "f16" : "f32";
}
class RandomWeightsContract : public testing::TestWithParam<Case> {};

/// The tensors of `model` with random values, as a checkpoint of that type has
/// them.
reference::Tensors randomTensors(const TestModel &model, uint32_t dtype) {
  reference::Tensors tensors = makeTensors(model);
  for (auto &[name, tensor] : tensors) {
    RandomTensor random =
        tensor.shape.size() == 2
            ? RandomTensor::matrix(seed, name,
                                   static_cast<uint64_t>(tensor.shape[1]))
            : RandomTensor::vector(seed, name);
    tensor.values = randomValues(random, tensor.values.size(), dtype);
  }
  return tensors;
}
} // namespace

TEST_P(RandomWeightsContract, Holds) {
  const uint32_t dtype = GetParam().dtype;
  TestModel model = *findTestModel(GetParam().model);
  model.stored = dtype == LLAMAC_BF16  ? Stored::BF16
                 : dtype == LLAMAC_F16 ? Stored::F16
                                       : Stored::F32;
  const reference::Tensors tensors = randomTensors(model, dtype);
  const std::string folder =
      testing::TempDir() + "random-weights-" + std::to_string(getpid());
  Error error = writeFolder(model, folder, tensors);
  ASSERT_FALSE(error) << error.message();
  auto compile = [&](const std::string &options) {
    const std::string command =
        std::string(LLAMAC_BINARY_DIR) + "/bin/llamac " + folder +
        " -q --max-batch 2 --dtype " + dtypeName(dtype) + " " + options;
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
  };
  compile("-o " + folder + "/with");
  compile("--no-weights -o " + folder + "/without");
  Result<std::unique_ptr<Executable>> with = Executable::open(folder + "/with"),
                                      without =
                                          Executable::open(folder + "/without");
  ASSERT_TRUE(with) << with.error().message();
  ASSERT_TRUE(without) << without.error().message();
  std::filesystem::remove_all(folder);
  EXPECT_EQ((*with)->plan().weights_id, (*without)->plan().weights_id);

  Result<std::shared_ptr<const WeightSource>> source =
      WeightSource::open(**without, {"", seed});
  ASSERT_TRUE(source) << source.error().message();
  std::vector<uint8_t> filled((*source)->bytes());
  (*source)->random()->fillAll(filled.data(), 2);
  View<uint8_t> packed = (*with)->weights();
  EXPECT_TRUE(filled == std::vector<uint8_t>(packed.begin(), packed.end()));

  // A GPU's kernel, run by the emulator.
  Result<std::unique_ptr<Device>> device = createEmulatorDevice();
  ASSERT_TRUE(device) << device.error().message();
  Result<Module *> module =
      (*device)->loadModule((*without)->kernelsPtx(), "kernels");
  ASSERT_TRUE(module) << module.error().message();
  DeviceAddress address = *(*device)->allocate(filled.size(), "weights");
  error = fillRandomOnDevice(**device, *module, *(*source)->random(), address);
  ASSERT_FALSE(error) << error.message();
  std::vector<uint8_t> made(filled.size());
  ASSERT_FALSE((*device)->copyToHost(made.data(), address, made.size()));
  EXPECT_TRUE(made == filled);

  EngineOptions options;
  options.weights = *source;
  Result<std::unique_ptr<CompiledModel>> compiled =
      CompiledModel::open(std::move(*without), options);
  ASSERT_TRUE(compiled) << compiled.error().message();
  const size_t length = 90;
  Result<std::unique_ptr<Oracle>> oracle = Oracle::create(
      model.config, tensors, promptIds(model.config, 70), length);
  ASSERT_TRUE(oracle) << oracle.error().message();
  Result<FloatLogits> logits =
      (*compiled)->run((*oracle)->run(70, length - 70));
  ASSERT_TRUE(logits) << logits.error().message();
  const Verdict verdict =
      (*oracle)->judge(static_cast<LlamacDtype>(dtype), 70, *logits);
  EXPECT_TRUE(verdict.holds()) << verdict.text();
  EXPECT_GE(2 * verdict.covered, verdict.steps);
  std::printf("  %s\n", verdict.text().c_str());
}

INSTANTIATE_TEST_SUITE_P(Models, RandomWeightsContract,
                         testing::Values(Case{"gqa-tied", LLAMAC_BF16},
                                         Case{"llama3-mha", LLAMAC_F16},
                                         Case{"bias-gqa", LLAMAC_F32}),
                         [](const testing::TestParamInfo<Case> &info) {
                           std::string name = info.param.model;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name + "_" + dtypeName(info.param.dtype);
                         });
