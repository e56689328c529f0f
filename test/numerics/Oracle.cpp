// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the reference and its twins say about one sequence of a model.
#include "test/numerics/Oracle.h"

namespace llrt::test {

/// Twins drawn where the first does not suffice, itself included.
static constexpr size_t mostDraws = 8;

/// Tokens after a prompt that has a reading of its own.
static constexpr size_t mostForced = 32;

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
  Logits logits = model->run(state, oracle->sequence);
  while (oracle->sequence.size() < length) {
    oracle->sequence.push_back(argmax(logits.back()));
    logits.push_back(model->run(state, {oracle->sequence.back()})[0]);
  }
  // Where no way to feed it matters, that was the reading.
  if (config.ropeScaling != reference::RopeScaling::Dynamic)
    oracle->readings[0].logits = std::move(logits);
  return oracle;
}

ForcedRun Oracle::run(size_t prompt, size_t forced) const {
  const auto begin = sequence.begin();
  return {{begin, begin + prompt}, {begin + prompt, begin + prompt + forced}};
}

Logits Oracle::read(const reference::Model &model, size_t prompt,
                    size_t rows) const {
  reference::Sequence state = model.sequence();
  Logits logits;
  for (size_t at = 0, end; at < rows; at = end) {
    end = std::min(rows, std::max(prompt, at + 1));
    for (std::vector<double> &row :
         model.run(state, {sequence.begin() + at, sequence.begin() + end}))
      logits.push_back(std::move(row));
  }
  return logits;
}

Expectation Oracle::expect(LlamacDtype dtype, size_t prompt, size_t rows,
                           size_t draws) {
  // Without dynamic scaling one pass over the whole sequence serves every
  // prompt. With it, all prompts up to the trained maximum are one case, and
  // any other is read no further than it is asked for.
  size_t first = sequence.size(), last = sequence.size(), key = 0;
  if (config.ropeScaling == reference::RopeScaling::Dynamic) {
    const size_t trained = static_cast<size_t>(config.maxPositions);
    first = std::max(prompt, std::min(trained, last));
    if (prompt > trained) {
      key = prompt;
      last = std::min(last, prompt + mostForced);
    }
  }
  Reading &reading = readings[key];
  if (reading.logits.empty())
    reading.logits =
        read(*reference::Model::create(config, tensors), first, last);
  auto cut = [&](const Logits &logits) {
    return Logits(logits.begin(), logits.begin() + rows);
  };
  if (dtype == LLAMAC_F32)
    return Expectation(cut(reading.logits));
  std::vector<Logits> &drawn = reading.twins[dtype];
  const auto rounding = dtype == LLAMAC_BF16 ? reference::Rounding::BF16
                                             : reference::Rounding::F16;
  while (drawn.size() < draws)
    drawn.push_back(
        read(*reference::Model::create(config, tensors, rounding,
                                       reference::Mutant::None, drawn.size()),
             first, last));
  Expectation expectation(cut(reading.logits), cut(drawn[0]));
  for (size_t i = 1; i < draws; ++i)
    expectation.addJittered(cut(drawn[i]));
  return expectation;
}

Verdict Oracle::judge(LlamacDtype dtype, size_t prompt,
                      const FloatLogits &logits) {
  const Logits wide = widen(logits);
  Verdict verdict = test::judge(expect(dtype, prompt, wide.size(), 1), wide);
  // A draw only widens the bounds of steps: no more than suffice.
  for (size_t draws = 2; verdict.worstRatio > 1 && draws <= mostDraws; ++draws)
    verdict = test::judge(expect(dtype, prompt, wide.size(), draws), wide);
  return verdict;
}

Logits widen(const FloatLogits &logits) {
  Logits wide;
  for (const std::vector<float> &row : logits)
    wide.emplace_back(row.begin(), row.end());
  return wide;
}

} // namespace llrt::test
