// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Buffers once, then launches.
#include "runtime/Engine.h"

#include "runtime/PositionScheme.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

using namespace llrt;

namespace {

template <typename T> T ceilDivide(T value, T divisor) {
  return (value + divisor - 1) / divisor;
}

/// Zeros replaced by the compiled maxima.
EngineOptions resolve(const LlamacPlanHeader &plan, EngineOptions options) {
  if (!options.contextSize)
    options.contextSize = plan.max_seq_len;
  if (!options.maxBatch)
    options.maxBatch = plan.max_batch;
  if (!options.chunk)
    options.chunk = plan.max_chunk;
  if (!options.pages)
    options.pages =
        ceilDivide(options.contextSize, LLAMAC_PAGE_TOKENS) * options.maxBatch;
  return options;
}

Error checkOption(const char *name, uint32_t value, uint32_t most) {
  if (value <= most)
    return Error::success();
  return Error(std::string(name) + ": " + std::to_string(value) +
               " is more than this executable was compiled for: " +
               std::to_string(most));
}

/// Seconds from lap to lap.
class Stopwatch {
public:
  double lap() {
    auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(last, now))
        .count();
  }

private:
  std::chrono::steady_clock::time_point last = std::chrono::steady_clock::now();
};

} // namespace

uint64_t
llrt::evaluate(const LlamacExpression &expression,
               const std::array<uint64_t, LLAMAC_VARIABLE_COUNT> &variables) {
  return ceilDivide<uint64_t>(variables[expression.variable] *
                                  expression.multiplier,
                              expression.divisor);
}

SamplerKernels::Sizes Engine::samplerSizes(const LlamacPlanHeader &plan,
                                           const EngineOptions &settings) {
  // The output's last token is not in the context.
  return {plan.vocab_size, plan.head_rows_max, settings.maxBatch,
          std::min(settings.contextSize + 1, plan.vocab_size)};
}

EngineMemory Engine::memoryNeeded(const LlamacPlanHeader &plan,
                                  const EngineOptions &options) {
  EngineMemory memory;
  EngineOptions settings = resolve(plan, options);
  memory.pages = settings.pages;
  memory.weights = plan.weights_bytes;
  memory.workspace = plan.workspace_bytes;
  memory.kvPool = plan.page_bytes * memory.pages;
  memory.rope = rotationTableBytes(plan, settings.contextSize);
  memory.sampler = SamplerKernels::memoryNeeded(samplerSizes(plan, settings));
  return memory;
}

EngineMemory Engine::memory() const { return memoryNeeded(plan(), settings); }

Engine::Engine(const Executable &executable, Device &device,
               const EngineOptions &settings)
    : executable(executable), device(device), settings(settings),
      cache(settings.pages, settings.maxBatch, settings.contextSize,
            ceilDivide(executable.plan().max_seq_len, LLAMAC_PAGE_TOKENS)) {}

Engine::~Engine() {
  if (stream) // what is underway uses all that follows
    (void)static_cast<bool>(device.synchronize(stream));
  for (const auto &graph : graphs)
    device.release(graph.second);
  for (DeviceAddress buffer : buffers)
    if (buffer)
      (void)static_cast<bool>(device.release(buffer));
}

Result<std::unique_ptr<Engine>> Engine::create(const Executable &executable,
                                               Device &device,
                                               const EngineOptions &options) {
  const LlamacPlanHeader &plan = executable.plan();
  EngineOptions settings = resolve(plan, options);
  if (Error error =
          checkOption("context size", settings.contextSize, plan.max_seq_len))
    return error;
  if (Error error = checkOption("batch", settings.maxBatch, plan.max_batch))
    return error;
  if (Error error = checkOption("chunk", settings.chunk, plan.max_chunk))
    return error;
  if (!settings.weights) {
    Result<std::shared_ptr<const WeightSource>> weights =
        WeightSource::open(executable);
    if (!weights)
      return weights.error();
    settings.weights = std::move(*weights);
  }
  std::unique_ptr<Engine> engine(new Engine(executable, device, settings));
  if (Error error = engine->start())
    return error;
  return engine;
}

Error Engine::start() {
  EngineMemory need = memory();
  if (Error error = checkMemory(need))
    return error;
  Stopwatch watch;
  Result<Stream *> created = device.createStream();
  if (!created)
    return created.error();
  stream = *created;
  Result<Module *> own =
      device.loadModule(executable.kernelsImage(device.isEmulator()),
                        executable.path() + ": runtime kernels");
  if (!own)
    return own.error();
  kernelsModule = *own;
  times.kernels = watch.lap();
  Result<LoadedWeights> loaded =
      loadWeights(device, kernelsModule, *settings.weights, settings.progress);
  if (!loaded)
    return loaded.error();
  weights = std::move(*loaded);
  buffers[LLAMAC_BUFFER_WEIGHTS] = weights.address;
  times.weights = watch.lap();
  struct {
    LlamacBuffer buffer;
    uint64_t bytes;
    const char *name;
  } const taken[] = {{LLAMAC_BUFFER_WORKSPACE, need.workspace, "workspace"},
                     {LLAMAC_BUFFER_KV_POOL, need.kvPool, "KV pool"},
                     {LLAMAC_BUFFER_ROPE, need.rope, "rope table"}};
  for (const auto &entry : taken) {
    if (entry.bytes == 0) // no rotation, no table
      continue;
    Result<DeviceAddress> address = device.allocate(entry.bytes, entry.name);
    if (!address)
      return address.error();
    buffers[entry.buffer] = *address;
    if (Error error = device.fill(*address, 0, entry.bytes, stream))
      return error;
  }
  if (Error error = fillRope())
    return error;
  times.buffers = watch.lap();
  Result<Module *> module = device.loadModule(
      executable.image(device.isEmulator()), executable.path() + ": kernels");
  if (!module)
    return module.error();
  for (uint32_t i = 0; i < executable.kernels().size(); ++i) {
    Result<Kernel *> kernel =
        device.findKernel(*module, executable.kernelName(i));
    if (!kernel)
      return kernel.error();
    kernels.push_back(*kernel);
  }
  Result<std::unique_ptr<SamplerKernels>> made = SamplerKernels::create(
      device, stream, kernelsModule, samplerSizes(plan(), settings));
  if (!made)
    return made.error();
  sampler = std::move(*made);
  Result<std::unique_ptr<StepEnd>> end =
      StepEnd::create(device, stream, kernelsModule, settings.maxBatch,
                      executable.gpu().has(GpuProgrammaticLaunch));
  if (!end)
    return end.error();
  stepEnd = std::move(*end);
  if (Error error = device.synchronize(stream))
    return error;
  times.kernels += watch.lap();
  return Error::success();
}

/// Before anything is taken: what is missing, and what would fit.
Error Engine::checkMemory(const EngineMemory &need) {
  if (device.isEmulator()) // maps the weights, and takes pages as it needs them
    return Error::success();
  Result<uint64_t> available = device.freeMemory();
  if (!available)
    return available.error();
  uint64_t total =
      need.weights + need.workspace + need.kvPool + need.rope + need.sampler;
  if (total <= *available)
    return Error::success();
  std::string text =
      "not enough memory on " + device.description() + ": " +
      readableBytes(total) + " needed (" + readableBytes(need.weights) +
      " weights, " + readableBytes(need.workspace) + " workspace, " +
      readableBytes(need.kvPool) + " KV cache, " + readableBytes(need.rope) +
      " rope table, " + readableBytes(need.sampler) + " sampler), " +
      readableBytes(*available) + " free, " +
      readableBytes(total - *available) + " missing; ";
  for (uint32_t batch : {settings.maxBatch, 1u}) {
    uint64_t fits = largestContext(
        plan(), batch, *available - std::min(need.sampler, *available));
    if (fits != 0)
      return Error(text + "a context of " + std::to_string(fits) +
                   " tokens would fit: --ctx-size " + std::to_string(fits) +
                   " --max-batch " + std::to_string(batch));
  }
  return Error(text + "not even 64 tokens of context would fit");
}

/// The table that has a row for each position.
Error Engine::fillRope() {
  if (memory().rope == 0 || rotatesByLength(plan()))
    return Error::success();
  std::vector<float> table;
  table.reserve(memory().rope / sizeof(float));
  for (uint32_t position = 0; position < settings.contextSize; ++position)
    appendRotation(plan(), executable.invFreq(), position, table);
  // On the stream: a plain copy is not ordered after the fill before it.
  if (Error error =
          device.copyToDevice(buffers[LLAMAC_BUFFER_ROPE], table.data(),
                              table.size() * sizeof(float), stream))
    return error;
  return device.synchronize(stream);
}

Error Engine::checkToken(int32_t token) const {
  if (token >= 0 && static_cast<uint32_t>(token) < plan().vocab_size)
    return Error::success();
  return Error("token id " + std::to_string(token) +
               " is out of range: the vocabulary has ids 0 to " +
               std::to_string(plan().vocab_size - 1));
}

Error Engine::checkSequence(KvCache::Sequence sequence) const {
  if (sequence < settings.maxBatch && cache.live(sequence))
    return Error::success();
  return Error("sequence " + std::to_string(sequence) +
               " does not exist: add one first");
}

Error Engine::growAndCopy(KvCache::Sequence sequence, uint32_t tokens) {
  std::vector<PageCopy> copies;
  if (Error error = cache.grow(sequence, tokens, copies))
    return error;
  DeviceAddress pool = buffers[LLAMAC_BUFFER_KV_POOL];
  for (const PageCopy &copy : copies)
    if (Error error = device.copyOnDevice(pool + copy.to * plan().page_bytes,
                                          pool + copy.from * plan().page_bytes,
                                          plan().page_bytes, stream))
      return error;
  return Error::success();
}

/// The table that has a row for each row of the step: `lengths` are those of
/// the rows' sequences.
Error Engine::writeRotation(View<int32_t> positions, View<uint32_t> lengths) {
  if (!rotatesByLength(plan()))
    return Error::success();
  rotation.clear();
  std::vector<double> frequencies;
  for (size_t row = 0; row < positions.size(); ++row) {
    if (row == 0 || lengths[row] != lengths[row - 1])
      followLength(plan(), executable.invFreq(), lengths[row], frequencies);
    appendRotation(plan(), frequencies, positions[row], rotation);
  }
  return device.copyToDevice(buffers[LLAMAC_BUFFER_ROPE], rotation.data(),
                             rotation.size() * sizeof(float), stream);
}

Error Engine::writeControl(View<int32_t> tokens, View<int32_t> positions,
                           View<int32_t> slots) {
  DeviceAddress workspace = buffers[LLAMAC_BUFFER_WORKSPACE];
  struct {
    uint64_t offset;
    View<int32_t> values;
  } const arrays[] = {{plan().tokens_offset, tokens},
                      {plan().positions_offset, positions},
                      {plan().slots_offset, slots}};
  for (const auto &array : arrays)
    if (Error error =
            device.copyToDevice(workspace + array.offset, array.values.data(),
                                array.values.size() * sizeof(int32_t), stream))
      return error;
  return writeTable();
}

/// The block table, where the device has another.
Error Engine::writeTable() {
  const View<int32_t> table = cache.blockTable();
  if (std::equal(table.begin(), table.end(), sentTable.begin(),
                 sentTable.end()))
    return Error::success();
  sentTable.assign(table.begin(), table.end());
  return device.copyToDevice(
      buffers[LLAMAC_BUFFER_WORKSPACE] + plan().block_table_offset,
      sentTable.data(), sentTable.size() * sizeof(int32_t), stream);
}

Error Engine::run(LlamacFunction function, Variables variables) {
  variables[LLAMAC_VARIABLE_SEVERAL_SPLITS] =
      variables[LLAMAC_VARIABLE_SPLITS] > 1;
  // A kernel parameter is at most 8 bytes; arguments point into `values`.
  std::vector<uint64_t> values;
  std::vector<const void *> pointers;
  const View<LlamacLaunch> launches = executable.launches(function);
  for (const LlamacLaunch &launch : launches) {
    View<LlamacArgument> arguments = executable.arguments().slice(
        launch.first_argument, launch.argument_count);
    values.resize(arguments.size());
    pointers.resize(arguments.size());
    for (size_t i = 0; i < arguments.size(); ++i) {
      const LlamacArgument &argument = arguments[i];
      if (argument.kind == LLAMAC_ARGUMENT_POINTER)
        values[i] = buffers[argument.buffer] + argument.value;
      else
        values[i] = evaluate(argument.expression, variables) + argument.value;
      pointers[i] = &values[i];
    }
    LaunchShape shape;
    uint32_t *grid[3] = {&shape.grid.x, &shape.grid.y, &shape.grid.z};
    for (int axis = 0; axis < 3; ++axis)
      *grid[axis] =
          static_cast<uint32_t>(evaluate(launch.grid[axis], variables));
    shape.block = {launch.block[0], launch.block[1], launch.block[2]};
    shape.dynamicSharedBytes = launch.dynamic_shared_bytes;
    shape.cooperative = launch.cooperative != 0;
    shape.programmatic = launch.programmatic != 0;
    bool isEmpty = shape.grid.x == 0 || shape.grid.y == 0 || shape.grid.z == 0;
    if (!isEmpty)
      if (Error error = device.launch(kernels[launch.kernel], shape,
                                      pointers.data(), pointers.size(), stream))
        return error;
    if (!residualHandler || function != LLAMAC_FUNCTION_PREFILL)
      continue;
    if (&launch + 1 == launches.end() || (&launch + 1)->layer != launch.layer)
      if (Error error =
              showResidual(launch.layer, variables[LLAMAC_VARIABLE_TOKENS]))
        return error;
  }
  return Error::success();
}

/// Runs @head on rows of the last step and appends what it gives to `out`.
Error Engine::head(uint32_t firstRow, const std::vector<Choice> &choices,
                   const std::vector<uint32_t> &sequences, StepOutput &out,
                   bool logits) {
  auto rows = static_cast<uint32_t>(choices.size());
  DeviceAddress workspace = buffers[LLAMAC_BUFFER_WORKSPACE];
  std::vector<LogProbabilityRow> probabilities;
  bool asks =
      std::any_of(choices.begin(), choices.end(), [](const Choice &choice) {
        return choice.logProbabilities.has_value();
      });
  for (uint32_t done = 0; done < rows;) {
    uint32_t group = std::min(plan().head_rows_max, rows - done);
    Variables variables{};
    variables[LLAMAC_VARIABLE_ONE] = 1;
    variables[LLAMAC_VARIABLE_TOKENS] = firstRow + rows;
    variables[LLAMAC_VARIABLE_HEAD_START] = firstRow + done;
    variables[LLAMAC_VARIABLE_HEAD_ROWS] = group;
    variables[LLAMAC_VARIABLE_SPLITS] = 1;
    if (Error error = run(LLAMAC_FUNCTION_HEAD, variables))
      return error;
    const DeviceAddress logitRows = workspace + plan().logits_offset,
                        next = workspace + plan().next_token_offset;
    Result<bool> draws =
        sampler->prepare(&choices[done], &sequences[done], group);
    if (!draws)
      return draws.error();
    if (*draws)
      if (Error error = sampler->sample(logitRows, next, group))
        return error;
    if (Error error = sampler->logProbabilities(logitRows, next, &choices[done],
                                                group, probabilities))
      return error;
    size_t at = out.next.size();
    out.next.resize(at + group);
    if (Error error = device.copyToHost(&out.next[at],
                                        workspace + plan().next_token_offset,
                                        group * sizeof(int32_t), stream))
      return error;
    if (logits) {
      at = out.logits.size();
      size_t count = static_cast<size_t>(group) * plan().vocab_size;
      out.logits.resize(at + count);
      if (Error error = device.copyToHost(&out.logits[at],
                                          workspace + plan().logits_offset,
                                          count * sizeof(float), stream))
        return error;
    }
    if (Error error = device.synchronize(stream))
      return error;
    // Where any row asks, all have their place.
    probabilities.resize(asks ? group : 0);
    out.logProbabilities.insert(out.logProbabilities.end(),
                                probabilities.begin(), probabilities.end());
    done += group;
  }
  return Error::success();
}

Error Engine::prefill(KvCache::Sequence sequence,
                      const std::vector<int32_t> &ids, Rows rows,
                      StepOutput &out, bool logits, const Choice &choice) {
  out = {};
  followable = false; // what a step left on the device is overwritten
  if (Error error = checkSequence(sequence))
    return error;
  for (int32_t id : ids)
    if (Error error = checkToken(id))
      return error;
  if (Error error = cache.check(sequence, static_cast<uint32_t>(ids.size())))
    return error;
  std::vector<int32_t> positions, slots;
  // A prompt counts whole, in whatever chunks it comes.
  const auto whole = static_cast<uint32_t>(cache.length(sequence) + ids.size());
  for (size_t start = 0; start < ids.size();) {
    auto count = static_cast<uint32_t>(
        std::min<size_t>(settings.chunk, ids.size() - start));
    uint32_t position = cache.length(sequence);
    if (Error error = growAndCopy(sequence, count))
      return error;
    positions.resize(count);
    for (uint32_t i = 0; i < count; ++i)
      positions[i] = static_cast<int32_t>(position + i);
    slots.assign(count, static_cast<int32_t>(sequence));
    if (Error error = writeControl({&ids[start], count}, positions, slots))
      return error;
    if (Error error =
            writeRotation(positions, std::vector<uint32_t>(count, whole)))
      return error;
    Variables variables{};
    variables[LLAMAC_VARIABLE_ONE] = 1;
    variables[LLAMAC_VARIABLE_TOKENS] = count;
    variables[LLAMAC_VARIABLE_SPLITS] =
        ceilDivide<uint64_t>(position + count, LLAMAC_SPLIT_TOKENS);
    if (Error error = run(LLAMAC_FUNCTION_PREFILL, variables))
      return error;
    start += count;
    bool last = start == ids.size();
    if (rows == Rows::None || (rows == Rows::Last && !last))
      continue;
    std::vector<Choice> choices(rows == Rows::All ? count : 1);
    uint32_t first = count - static_cast<uint32_t>(choices.size());
    for (size_t i = 0; i < choices.size(); ++i) {
      size_t next = start - choices.size() + i + 1;
      if (next < ids.size()) {
        choices[i].logProbabilities = choice.logProbabilities;
        choices[i].target = ids[next];
      } else {
        choices[i] = choice;
      }
    }
    if (Error error =
            head(first, choices,
                 std::vector<uint32_t>(choices.size(), sequence), out, logits))
      return error;
  }
  // The host arrays above may go only when the device has read them.
  return device.synchronize(stream);
}
