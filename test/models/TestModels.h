// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Small random models that cross the features of the compiler.
//
// Every value comes from (seed, tensor name, index) by integer arithmetic and
// one multiplication, so the bits are equal on every machine and only golden
// logits have to be committed. Weights are N(0, 1.2/sqrt(fan_in)), gammas
// 1 +- 0.2 and biases 0 +- 0.3: with the usual deviation of 0.02 attention is uniform and a fault
// in it would not show.
#ifndef LLAMAC_TEST_MODELS_TESTMODELS_H
#define LLAMAC_TEST_MODELS_TESTMODELS_H

#include "runtime/reference/Reference.h"

#include <string>
#include <vector>

namespace llrt::test {

enum class Stored { F32, F16, BF16 };

/// How config.json spells the rope base and its scaling.
enum class RopeKeys {
  Theta,      ///< rope_theta; rope_scaling: null or {rope_type, ...}
  OldType,    ///< rope_theta; rope_scaling: {type, ...}
  Parameters, ///< rope_parameters: {rope_type, rope_theta, ...}
  Absent      ///< neither: 10000
};

struct TestModel {
  std::string name;
  reference::Config config;
  Stored stored = Stored::BF16;
  RopeKeys ropeKeys = RopeKeys::Theta;
  bool writesHeadDim = false; ///< else head_dim is hidden_size / heads
  bool oldInvFreq =
      false; ///< holds rotary_emb.inv_freq tensors, as old checkpoints do
  double embedding = 1.0; ///< factor on the embedding
  double residual = 1.0;  ///< factor on what the layers add to it
  uint64_t seed = 1;
  /// Positions that are tested, over config.maxPositions; 0: those.
  int64_t longest = 0;
  int64_t testedPositions() const {
    return longest ? longest : config.maxPositions;
  }
};

/// All of them; names are the folders' names.
const std::vector<TestModel> &testModels();
const TestModel *findTestModel(const std::string &name);

/// The weights, already rounded to `stored`.
reference::Tensors makeTensors(const TestModel &model);
/// Writes config.json, generation_config.json and model.safetensors.
Error writeFolder(const TestModel &model, const std::string &folder);
/// The same with other values, which `stored` holds exactly.
Error writeFolder(const TestModel &model, const std::string &folder,
                  const reference::Tensors &tensors);

/// `count` token ids for prompts, the same everywhere.
std::vector<int32_t> promptIds(const reference::Config &config, int64_t count,
                               uint64_t seed = 0);

} // namespace llrt::test

#endif
