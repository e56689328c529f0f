// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the reference and its twins say about one sequence of a model.
#include "test/numerics/Oracle.h"

namespace llrt::test {

/// Twins drawn where the first does not suffice, itself included.
static constexpr size_t mostDraws = 8;

Result<std::unique_ptr<Oracle>>
Oracle::create(const reference::Config &config, reference::Tensors tensors,
               const std::vector<int32_t> &prompt, size_t length) {
  std::unique_ptr<Oracle> oracle(new Oracle);
  oracle->config = config;
  oracle->tensors = std::move(tensors);
  Result<reference::Model> model =
      reference::Model::create(config, oracle->tensors);
  if (!model)
    return model.error();
  oracle->sequence = prompt;
  oracle->sequence.resize(std::min(prompt.size(), length));
  reference::Sequence state = model->sequence();
  oracle->logits = model->run(state, oracle->sequence);
  while (oracle->sequence.size() < length) {
    oracle->sequence.push_back(argmax(oracle->logits.back()));
    oracle->logits.push_back(model->run(state, {oracle->sequence.back()})[0]);
  }
  return oracle;
}

ForcedRun Oracle::run(size_t prompt, size_t forced) const {
  const auto begin = sequence.begin();
  return {{begin, begin + prompt}, {begin + prompt, begin + prompt + forced}};
}

Expectation Oracle::expect(LlamacDtype dtype, size_t rows, size_t draws) {
  Logits part(logits.begin(), logits.begin() + rows);
  if (dtype == LLAMAC_F32)
    return Expectation(std::move(part));
  std::vector<Logits> &drawn = twins[dtype];
  const auto rounding = dtype == LLAMAC_BF16 ? reference::Rounding::BF16
                                             : reference::Rounding::F16;
  while (drawn.size() < draws) {
    Result<reference::Model> twin = reference::Model::create(
        config, tensors, rounding, reference::Mutant::None, drawn.size());
    reference::Sequence state = twin->sequence();
    drawn.push_back(twin->run(state, sequence));
  }
  auto cut = [&](const Logits &logits) {
    return Logits(logits.begin(), logits.begin() + rows);
  };
  Expectation expectation(std::move(part), cut(drawn[0]));
  for (size_t i = 1; i < draws; ++i)
    expectation.addJittered(cut(drawn[i]));
  return expectation;
}

Verdict Oracle::judge(LlamacDtype dtype, const FloatLogits &logits) {
  const Logits wide = widen(logits);
  Verdict verdict = test::judge(expect(dtype, wide.size(), 1), wide);
  if (verdict.overOwnTwin)
    verdict = test::judge(expect(dtype, wide.size(), mostDraws), wide);
  return verdict;
}

Logits widen(const FloatLogits &logits) {
  Logits wide;
  for (const std::vector<float> &row : logits)
    wide.emplace_back(row.begin(), row.end());
  return wide;
}

} // namespace llrt::test
