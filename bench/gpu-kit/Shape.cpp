// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A model without weights on random ones, against the float64 reference on the
// same values, by all cores. Llama-3.2-1B takes the reference 5 GB.
#include "bench/gpu-kit/Comparison.h"

#include "runtime/RandomWeights.h"
#include "test/models/HuggingFaceFolder.h"
#include "test/models/TestModels.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

using namespace llrt;
using namespace llrt::kit;
using namespace llrt::test;

namespace {

constexpr uint64_t seed = 1;

struct Shape {
  std::string name;
  std::vector<int64_t> extents;
};

/// The tensors of a checkpoint, by their Hugging Face names.
std::vector<Shape> tensorShapes(const reference::Config &c) {
  const int64_t queries = c.heads * c.headDim, keys = c.kvHeads * c.headDim;
  std::vector<Shape> shapes = {
      {"model.embed_tokens.weight", {c.vocabSize, c.hiddenSize}},
      {"model.norm.weight", {c.hiddenSize}}};
  if (!c.tiedHead)
    shapes.push_back({"lm_head.weight", {c.vocabSize, c.hiddenSize}});
  for (int64_t l = 0; l < c.layers; ++l) {
    const std::string layer = "model.layers." + std::to_string(l) + ".";
    const struct {
      const char *name;
      int64_t out, in;
    } matrices[] = {{"self_attn.q_proj", queries, c.hiddenSize},
                    {"self_attn.k_proj", keys, c.hiddenSize},
                    {"self_attn.v_proj", keys, c.hiddenSize},
                    {"self_attn.o_proj", c.hiddenSize, queries},
                    {"mlp.gate_proj", c.intermediateSize, c.hiddenSize},
                    {"mlp.up_proj", c.intermediateSize, c.hiddenSize},
                    {"mlp.down_proj", c.hiddenSize, c.intermediateSize}};
    for (const auto &matrix : matrices)
      shapes.push_back(
          {layer + matrix.name + ".weight", {matrix.out, matrix.in}});
    for (const char *norm : {"input_layernorm", "post_attention_layernorm"})
      shapes.push_back({layer + norm + ".weight", {c.hiddenSize}});
  }
  return shapes;
}

/// Their random values, by all cores.
reference::Tensors randomTensors(const reference::Config &config,
                                 uint32_t dtype) {
  reference::Tensors tensors;
  std::vector<std::pair<Shape, reference::Tensor *>> work;
  for (Shape &shape : tensorShapes(config)) {
    reference::Tensor *tensor = &tensors[shape.name];
    tensor->shape = shape.extents;
    work.emplace_back(std::move(shape), tensor);
  }
  std::atomic<size_t> next{0};
  auto fill = [&] {
    for (size_t i; (i = next++) < work.size();) {
      const auto &[shape, tensor] = work[i];
      uint64_t count = 1;
      for (int64_t extent : shape.extents)
        count *= static_cast<uint64_t>(extent);
      const RandomTensor random =
          shape.extents.size() == 2
              ? RandomTensor::matrix(seed, shape.name,
                                     static_cast<uint64_t>(shape.extents[1]))
              : RandomTensor::vector(seed, shape.name);
      tensor->values = randomValues(random, count, dtype);
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i)
    threads.emplace_back(fill);
  fill();
  for (std::thread &thread : threads)
    thread.join();
  return tensors;
}

} // namespace

Result<int> llrt::kit::runShape(const Options &options) {
  if (options.arguments.size() != 2)
    return Error("shape takes an executable and its config.json");
  const std::string &path = options.arguments[0];
  const auto start = std::chrono::steady_clock::now();
  auto since = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() -
                                         start)
        .count();
  };
  Result<reference::Config> config = readConfigFile(options.arguments[1]);
  if (!config)
    return config.error();
  std::unique_ptr<CompiledModel> model, emulated;
  if (Error error = openBoth(options, path, seed, model, emulated))
    return error;
  const auto dtype = static_cast<LlamacDtype>(model->plan().dtype);
  // A prompt, and tokens one by one.
  const size_t prompt = 12, forced = options.quick ? 2 : 4;
  const std::vector<int32_t> ids = promptIds(*config, prompt + forced);
  const ForcedRun run = {{ids.begin(), ids.begin() + prompt},
                         {ids.begin() + prompt, ids.end()}};
  Json row = {{"part", "correctness"},
              {"model", path.substr(path.rfind('/') + 1)},
              {"weights", "random, seed " + std::to_string(seed)}};
  Result<FloatLogits> logits = model->run(run);
  if (!logits)
    return logits.error();
  Result<FloatLogits> again = model->run(run);
  if (!again)
    return again.error();
  row["repeats"] = *again == *logits;
  note("the device is done, " + std::to_string(since()) + " s");
  if (emulated) {
    Result<FloatLogits> there = emulated->run(run);
    if (!there)
      return there.error();
    Difference difference;
    difference.add(*logits, *there);
    difference.tell(row);
    note("the emulator is done, " + std::to_string(since()) + " s");
  }
  model = nullptr;
  emulated = nullptr;

  // All positions at once: causal attention gives each what it has one by one.
  const reference::Tensors tensors = randomTensors(*config, dtype);
  note("the reference's weights are there, " + std::to_string(since()) + " s");
  const reference::TensorsInMemory source(tensors);
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  auto reference = [&](reference::Rounding rounding) -> Result<Logits> {
    Result<reference::Model> exact =
        reference::Model::stream(*config, source, rounding, cores);
    if (!exact)
      return exact.error();
    reference::Sequence sequence = exact->sequence();
    Logits rows = exact->run(sequence, ids);
    note("the reference is done, " + std::to_string(since()) + " s");
    return rows;
  };
  Result<Logits> exact = reference(reference::Rounding::None);
  if (!exact)
    return exact.error();
  Expectation expectation(*exact);
  if (dtype != LLAMAC_F32) {
    Result<Logits> twin =
        reference(dtype == LLAMAC_BF16 ? reference::Rounding::BF16
                                       : reference::Rounding::F16);
    if (!twin)
      return twin.error();
    expectation = Expectation(std::move(*exact), *twin);
  }
  const Verdict verdict = judge(expectation, widen(*logits));
  row["steps"] = verdict.steps;
  row["worst_of_bound"] = verdict.worstRatio;
  row["mean_of_bound"] = verdict.meanRatio;
  row["argmax_covered"] = verdict.covered;
  row["holds"] = verdict.holds();
  row["seconds"] = since();
  note(row.dump() + "\n" + verdict.text());
  emitRow(row);
  return verdict.holds() && row["repeats"].get<bool>() ? 0 : 1;
}
