// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Decode steps. The launches of one depend on its number of rows and of splits
// alone; tokens, positions and pages lie in the workspace. So a step is
//
//   the host   brings tokens, positions, slots and the block table, as far as
//              the device has others
//   a graph    @decode, @head, the sampler, and `advance`, which writes the
//              next step's tokens and positions
//
// and of the step that follows only the graph is left, mostly. The graph is
// recorded when a step like the one before comes.
#include "runtime/Engine.h"

#include <algorithm>

using namespace llrt;

/// Graphs kept at once: numbers of rows and splits that alternate.
static constexpr size_t mostGraphs = 64;

Error Engine::decode(const std::vector<DecodeInput> &inputs, StepOutput &out,
                     bool logits) {
  if (Error error = begin(inputs, logits))
    return error;
  return finish(out);
}

Error Engine::begin(const std::vector<DecodeInput> &inputs, bool logits) {
  if (!steps.empty())
    return Error("a step is underway: finish it before another begins");
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (Error error = checkSequence(inputs[i].sequence))
      return error;
    if (Error error = checkToken(inputs[i].token))
      return error;
    for (size_t j = 0; j < i; ++j)
      if (inputs[j].sequence == inputs[i].sequence)
        return Error("sequence " + std::to_string(inputs[i].sequence) +
                     " is twice in one batch");
  }
  Step step;
  step.logits = logits;
  std::vector<int32_t> tokens, slots;
  for (const DecodeInput &input : inputs) {
    if (Error error = cache.check(input.sequence, 1)) {
      step.out.refused.push_back(error.message());
      continue;
    }
    step.out.refused.emplace_back();
    tokens.push_back(input.token);
    step.positions.push_back(
        static_cast<int32_t>(cache.length(input.sequence)));
    slots.push_back(static_cast<int32_t>(input.sequence));
    step.choices.push_back(input.choice);
    step.sequences.push_back(input.sequence);
    if (Error error = growAndCopy(input.sequence, 1))
      return error;
  }
  if (!tokens.empty())
    if (Error error = writeControl(tokens, step.positions, slots))
      return error;
  steps.push_back(std::move(step));
  Error error = give(steps.back());
  if (error)
    steps.pop_back();
  return error;
}

Result<bool> Engine::follow() {
  if (steps.empty() || steps.size() == 2 || !followable)
    return false;
  const Step &last = steps.back();
  if (last.logits || last.out.refused.size() != last.sequences.size())
    return false;
  uint32_t pages = 0;
  for (size_t row = 0; row < last.sequences.size(); ++row) {
    const Choice &choice = last.choices[row];
    const KvCache::Sequence sequence = last.sequences[row];
    if (choice.logProbabilities ||
        (choice.sampling && choice.sampling->penalises()))
      return false;
    if (!cache.live(sequence) || cache.check(sequence, 1))
      return false;
    pages += cache.pagesNeeded(sequence, 1);
  }
  if (pages > cache.freePages())
    return false;
  Step step;
  step.out.refused.resize(last.sequences.size());
  step.sequences = last.sequences;
  step.choices = last.choices;
  for (Choice &choice : step.choices)
    ++choice.step;
  for (KvCache::Sequence sequence : step.sequences) {
    step.positions.push_back(static_cast<int32_t>(cache.length(sequence)));
    if (Error error = growAndCopy(sequence, 1))
      return error;
  }
  if (Error error = writeTable())
    return error;
  steps.push_back(std::move(step));
  if (Error error = give(steps.back())) {
    steps.pop_back();
    return error;
  }
  return true;
}

/// All of a step whose control arrays are on the device, or on their way.
Error Engine::give(Step &step) {
  followable = false;
  const auto rows = static_cast<uint32_t>(step.sequences.size());
  if (rows == 0)
    return stepEnd->mark();
  std::vector<uint32_t> lengths;
  for (int32_t position : step.positions)
    lengths.push_back(static_cast<uint32_t>(position) + 1);
  if (Error error = writeRotation(step.positions, lengths))
    return error;
  Result<bool> draws =
      sampler->prepare(step.choices.data(), step.sequences.data(), rows);
  if (!draws)
    return draws.error();
  const uint32_t longest = *std::max_element(lengths.begin(), lengths.end());
  const StepKey key{
      rows, (longest + LLAMAC_SPLIT_TOKENS - 1) / LLAMAC_SPLIT_TOKENS, *draws};
  if (device.records() && lastKey == key && !graphs.count(key))
    if (Error error = record(key))
      return error;
  lastKey = key;
  auto graph = graphs.find(key);
  if (Error error = graph == graphs.end()
                        ? makeLaunches(key)
                        : device.launch(graph->second, stream))
    return error;
  const DeviceAddress workspace = buffers[LLAMAC_BUFFER_WORKSPACE],
                      logits = workspace + plan().logits_offset;
  if (Error error = sampler->logProbabilities(
          logits, workspace + plan().next_token_offset, step.choices.data(),
          rows, step.out.logProbabilities))
    return error;
  if (step.logits) {
    step.out.logits.resize(static_cast<size_t>(rows) * plan().vocab_size);
    if (Error error =
            device.copyToHost(step.out.logits.data(), logits,
                              step.out.logits.size() * sizeof(float), stream))
      return error;
  }
  followable = true;
  return stepEnd->mark();
}

/// The launches of a step: what its graph holds.
Error Engine::makeLaunches(const StepKey &key) {
  const DeviceAddress workspace = buffers[LLAMAC_BUFFER_WORKSPACE],
                      next = workspace + plan().next_token_offset;
  Variables variables{};
  variables[LLAMAC_VARIABLE_ONE] = 1;
  variables[LLAMAC_VARIABLE_TOKENS] = key.rows;
  variables[LLAMAC_VARIABLE_SPLITS] = key.splits;
  if (Error error = run(LLAMAC_FUNCTION_DECODE, variables))
    return error;
  variables[LLAMAC_VARIABLE_HEAD_ROWS] = key.rows;
  variables[LLAMAC_VARIABLE_SPLITS] = 1;
  if (Error error = run(LLAMAC_FUNCTION_HEAD, variables))
    return error;
  if (key.draws)
    if (Error error =
            sampler->sample(workspace + plan().logits_offset, next, key.rows))
      return error;
  return stepEnd->launch(next, workspace + plan().tokens_offset,
                         workspace + plan().positions_offset, key.rows);
}

Error Engine::record(const StepKey &key) {
  if (graphs.size() == mostGraphs) {
    if (Error error = device.synchronize(stream))
      return error;
    for (const auto &graph : graphs)
      device.release(graph.second);
    graphs.clear();
  }
  if (Error error = device.beginRecording(stream))
    return error;
  Error error = makeLaunches(key);
  Result<Graph *> graph = device.endRecording(stream);
  if (error)
    return error;
  if (!graph)
    return graph.error();
  graphs[key] = *graph;
  return Error::success();
}

/// Rows of the sequences that took part, spread over the rows of all inputs.
static void spread(StepOutput &out, size_t rowLength) {
  StepOutput compact = std::move(out);
  size_t rows = compact.refused.size(), from = 0;
  out.refused = std::move(compact.refused);
  out.next.assign(rows, -1);
  if (!compact.logits.empty())
    out.logits.assign(rows * rowLength, 0);
  if (!compact.logProbabilities.empty())
    out.logProbabilities.assign(rows, LogProbabilityRow());
  for (size_t row = 0; row < rows; ++row) {
    if (!out.refused[row].empty())
      continue;
    out.next[row] = compact.next[from];
    if (!compact.logProbabilities.empty())
      out.logProbabilities[row] = compact.logProbabilities[from];
    if (!compact.logits.empty())
      std::copy_n(&compact.logits[from * rowLength], rowLength,
                  &out.logits[row * rowLength]);
    ++from;
  }
}

Error Engine::finish(StepOutput &out) {
  out = {};
  if (steps.empty())
    return Error("no step is underway");
  Step step = std::move(steps.front());
  steps.pop_front();
  if (Error error = stepEnd->wait())
    return error;
  for (uint32_t row = 0; row < step.sequences.size(); ++row)
    step.out.next.push_back(stepEnd->chosen(row, step.positions[row]));
  out = std::move(step.out);
  if (step.sequences.size() != out.refused.size())
    spread(out, plan().vocab_size);
  return Error::success();
}
