// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Small copies down, one or two launches a step.
#include "runtime/SamplerKernels.h"

using namespace llrt;

SamplerKernels::Places SamplerKernels::placesOf(const Sizes &sizes) {
  uint64_t at = 0;
  auto take = [&](uint64_t count, uint64_t bytes) {
    uint64_t place = at;
    at += (count * bytes + 255) / 256 * 256;
    return place;
  };
  uint64_t seen = static_cast<uint64_t>(sizes.sequences) * sizes.seen;
  Places places;
  places.rows = take(sizes.rows, sizeof(SamplerRow));
  places.queries = take(sizes.rows, sizeof(LogProbabilityQuery));
  places.results = take(sizes.rows, sizeof(LogProbabilityRow));
  places.seen = take(seen, sizeof(SamplerSeen));
  places.saved = take(seen, sizeof(float));
  places.bytes = at;
  return places;
}

uint64_t SamplerKernels::memoryNeeded(const Sizes &sizes) {
  return placesOf(sizes).bytes;
}

SamplerKernels::SamplerKernels(Device &device, Stream *stream,
                               const Sizes &sizes)
    : device(device), stream(stream), sizes(sizes) {}

SamplerKernels::~SamplerKernels() {
  if (buffer)
    (void)device.release(buffer);
}

Result<std::unique_ptr<SamplerKernels>>
SamplerKernels::create(Device &device, Stream *stream, Module *module,
                       const Sizes &sizes) {
  std::unique_ptr<SamplerKernels> result(
      new SamplerKernels(device, stream, sizes));
  struct {
    const char *name;
    Kernel *&kernel;
  } const kernels[] = {{"sample", result->sampleKernel},
                       {"log_probabilities", result->logProbabilityKernel}};
  for (const auto &entry : kernels) {
    Result<Kernel *> kernel = device.findKernel(module, entry.name);
    if (!kernel)
      return kernel.error();
    entry.kernel = *kernel;
  }
  uint64_t bytes = memoryNeeded(sizes);
  Result<DeviceAddress> buffer = device.allocate(bytes, "sampler");
  if (!buffer)
    return buffer.error();
  result->buffer = *buffer;
  if (Error error = device.fill(*buffer, 0, bytes, stream))
    return error;
  return result;
}

/// The sequence's list, as far as the device has it otherwise.
Error SamplerKernels::upload(SeenTokens &seen, uint32_t sequence) {
  const std::vector<SamplerSeen> &entries = seen.entries();
  if (entries.size() > sizes.seen)
    return Error("the sampler was given more tokens than the context holds");
  DeviceAddress list =
      buffer + placesOf(sizes).seen +
      static_cast<uint64_t>(sequence) * sizes.seen * sizeof(SamplerSeen);
  std::vector<uint32_t> changed = seen.takeChanged();
  if (changed.size() > 4)
    return device.copyToDevice(list, entries.data(),
                               entries.size() * sizeof(SamplerSeen), stream);
  for (uint32_t entry : changed)
    if (Error error =
            device.copyToDevice(list + entry * sizeof(SamplerSeen),
                                &entries[entry], sizeof(SamplerSeen), stream))
      return error;
  return Error::success();
}

Error SamplerKernels::launch(Kernel *kernel, uint32_t rows,
                             const void *const *arguments, size_t count) {
  LaunchShape shape;
  shape.grid.x = rows;
  shape.block.x = samplerThreads(sizes.vocabulary);
  return device.launch(kernel, shape, arguments, count, stream);
}

Result<bool> SamplerKernels::prepare(const Choice *choices,
                                     const uint32_t *sequences, uint32_t rows) {
  bool draws = false;
  hostRows.assign(rows, SamplerRow());
  for (uint32_t i = 0; i < rows; ++i) {
    const Choice &choice = choices[i];
    if (!choice.sampling || choice.sampling->isPlainGreedy())
      continue;
    draws = true;
    hostRows[i] = makeSamplerRow(*choice.sampling, choice.seed, choice.step);
    if (!choice.sampling->penalises())
      continue;
    if (Error error = upload(*choice.seen, sequences[i]))
      return error;
    hostRows[i].seen = sequences[i] * sizes.seen;
    hostRows[i].seenCount =
        static_cast<unsigned>(choice.seen->entries().size());
  }
  if (draws)
    if (Error error =
            device.copyToDevice(buffer + placesOf(sizes).rows, hostRows.data(),
                                rows * sizeof(SamplerRow), stream))
      return error;
  return draws;
}

Error SamplerKernels::sample(DeviceAddress logits, DeviceAddress next,
                             uint32_t rows) {
  Places places = placesOf(sizes);
  DeviceAddress rowPlace = buffer + places.rows, seen = buffer + places.seen,
                saved = buffer + places.saved;
  const void *arguments[] = {&logits, &rowPlace, &seen, &saved, &next};
  return launch(sampleKernel, rows, arguments, 5);
}

Error SamplerKernels::logProbabilities(DeviceAddress logits, DeviceAddress next,
                                       const Choice *choices, uint32_t rows,
                                       std::vector<LogProbabilityRow> &out) {
  out.clear();
  bool asks = false;
  hostQueries.assign(rows, {-2, 0});
  for (uint32_t i = 0; i < rows; ++i)
    if (choices[i].logProbabilities) {
      hostQueries[i] = {choices[i].target, *choices[i].logProbabilities};
      asks = true;
    }
  if (!asks)
    return Error::success();
  Places places = placesOf(sizes);
  DeviceAddress queries = buffer + places.queries,
                results = buffer + places.results;
  if (Error error =
          device.copyToDevice(queries, hostQueries.data(),
                              rows * sizeof(LogProbabilityQuery), stream))
    return error;
  const void *arguments[] = {&logits, &next, &queries, &results};
  if (Error error = launch(logProbabilityKernel, rows, arguments, 4))
    return error;
  out.resize(rows);
  return device.copyToHost(out.data(), results,
                           rows * sizeof(LogProbabilityRow), stream);
}
