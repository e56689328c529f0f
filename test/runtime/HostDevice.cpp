// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernels of Inputs/toy.c on host memory.
#include "HostDevice.h"

#include "runtime/Sampler.h"

#include <cstring>

using namespace toy;
using namespace llrt;

static uint8_t *host(DeviceAddress address) {
  return reinterpret_cast<uint8_t *>(address);
}

Result<DeviceAddress> HostDevice::allocate(uint64_t bytes, std::string_view) {
  std::vector<uint8_t> block(bytes, 0xCD); // nobody may count on zeros
  auto address = reinterpret_cast<DeviceAddress>(block.data());
  blocks.emplace(address, std::move(block));
  return address;
}

Result<DeviceAddress> HostDevice::allocateConstant(const void *from,
                                                   uint64_t bytes,
                                                   std::string_view name) {
  Result<DeviceAddress> address = allocate(bytes, name);
  std::memcpy(host(*address), from, bytes);
  return address;
}

Error HostDevice::release(DeviceAddress address) {
  return blocks.erase(address) ? Error::success()
                               : Error("release of what was not allocated");
}

Error HostDevice::copyToDevice(DeviceAddress to, const void *from,
                               uint64_t bytes, Stream *) {
  std::memcpy(host(to), from, bytes);
  return Error::success();
}

Error HostDevice::copyToHost(void *to, DeviceAddress from, uint64_t bytes,
                             Stream *) {
  std::memcpy(to, host(from), bytes);
  return Error::success();
}

Error HostDevice::copyOnDevice(DeviceAddress to, DeviceAddress from,
                               uint64_t bytes, Stream *) {
  ++pageCopies;
  std::memcpy(host(to), host(from), bytes);
  return Error::success();
}

Error HostDevice::fill(DeviceAddress to, uint8_t byte, uint64_t bytes,
                       Stream *) {
  std::memset(host(to), byte, bytes);
  return Error::success();
}

Result<Module *> HostDevice::loadModule(std::string_view, std::string_view) {
  return reinterpret_cast<Module *>(this);
}

static const struct {
  const char *name;
  size_t arguments, pointers; ///< the first are pointers, the rest 4 bytes
} kernelTable[] = {{"toy_store", 7, 5},
                   {"toy_head", 11, 7},
                   {"sample", 5, 5},
                   {"log_probabilities", 4, 4},
                   {"advance", 6, 4}};

Result<Kernel *> HostDevice::findKernel(Module *, std::string_view name) {
  for (uintptr_t i = 0; i < 5; ++i)
    if (name == kernelTable[i].name)
      return reinterpret_cast<Kernel *>(i + 1);
  return Error("no kernel " + std::string(name));
}

size_t HostDevice::argumentsOf(Kernel *kernel) {
  return kernelTable[reinterpret_cast<uintptr_t>(kernel) - 1].arguments;
}

size_t HostDevice::argumentBytes(Kernel *kernel, size_t argument) {
  return argument <
                 kernelTable[reinterpret_cast<uintptr_t>(kernel) - 1].pointers
             ? 8
             : 4;
}

namespace {

template <typename T> T *pointer(const void *argument) {
  DeviceAddress address;
  std::memcpy(&address, argument, sizeof address);
  return reinterpret_cast<T *>(address);
}

uint32_t word(const void *argument) {
  uint32_t value;
  std::memcpy(&value, argument, sizeof value);
  return value;
}

void sample(const LaunchShape &shape, const void *const *arguments) {
  const Options options;
  auto *logits = pointer<const float>(arguments[0]);
  auto *rows = pointer<const SamplerRow>(arguments[1]);
  auto *seen = pointer<const SamplerSeen>(arguments[2]);
  auto *next = pointer<int32_t>(arguments[4]);
  for (uint32_t row = 0; row < shape.grid.x; ++row)
    if (rows[row].choose)
      next[row] =
          sampleOnHost(logits + static_cast<size_t>(row) * options.vocabulary,
                       options.pieces, rows[row], seen);
}

void logProbabilities(const LaunchShape &shape, const void *const *arguments) {
  const Options options;
  auto *logits = pointer<const float>(arguments[0]);
  auto *next = pointer<const int32_t>(arguments[1]);
  auto *queries = pointer<const LogProbabilityQuery>(arguments[2]);
  auto *out = pointer<LogProbabilityRow>(arguments[3]);
  for (uint32_t row = 0; row < shape.grid.x; ++row)
    if (queries[row].target >= -1)
      out[row] = logProbabilitiesOnHost(
          logits + static_cast<size_t>(row) * options.vocabulary,
          options.vocabulary,
          queries[row].target < 0 ? next[row] : queries[row].target,
          queries[row].count);
}

void advance(const void *const *arguments) {
  auto *next = pointer<const int32_t>(arguments[0]);
  auto *tokens = pointer<int32_t>(arguments[1]);
  auto *positions = pointer<int32_t>(arguments[2]);
  auto *chosen = pointer<int32_t>(arguments[3]);
  const uint32_t rows = word(arguments[4]), stride = word(arguments[5]);
  for (uint32_t row = 0; row < rows; ++row) {
    chosen[(positions[row]++ % 2) * stride + row] = next[row];
    tokens[row] = next[row];
  }
}

} // namespace

Error HostDevice::launch(Kernel *kernel, const LaunchShape &shape,
                         const void *const *arguments, size_t argumentCount,
                         Stream *) {
  ++launches;
  lastShape = shape;
  if (argumentCount != argumentsOf(kernel))
    return Error("another number of arguments than the kernel takes");
  auto which = reinterpret_cast<uintptr_t>(kernel);
  if (which == 5) {
    advance(arguments);
    return Error::success();
  }
  if (which == 3) {
    sample(shape, arguments);
    return Error::success();
  }
  if (which == 4) {
    logProbabilities(shape, arguments);
    return Error::success();
  }
  if (which == 1) {
    auto *tokens = pointer<const int32_t>(arguments[0]),
         *positions = pointer<const int32_t>(arguments[1]);
    auto *slots = pointer<const int32_t>(arguments[2]),
         *table = pointer<const int32_t>(arguments[3]);
    auto *pool = pointer<int32_t>(arguments[4]);
    uint32_t count = word(arguments[5]), width = word(arguments[6]);
    if (shape.grid.x != (count + 31) / 32)
      return Error("toy_store: wrong grid");
    for (uint32_t i = 0; i < count; ++i)
      pool[table[slots[i] * width + positions[i] / 64] * 64 +
           positions[i] % 64] = tokens[i];
    return Error::success();
  }
  auto *positions = pointer<const int32_t>(arguments[0]),
       *slots = pointer<const int32_t>(arguments[1]);
  auto *table = pointer<const int32_t>(arguments[2]),
       *pool = pointer<const int32_t>(arguments[3]);
  Options options;
  options.salt = *pointer<const uint32_t>(arguments[4]);
  auto *logitRows = pointer<float>(arguments[5]);
  auto *next = pointer<int32_t>(arguments[6]);
  uint32_t start = word(arguments[7]), width = word(arguments[8]);
  options.vocabulary = word(arguments[9]);
  options.pieces = word(arguments[10]);
  for (uint32_t row = 0; row < shape.grid.x; ++row) {
    std::vector<int32_t> ids;
    for (int32_t p = 0; p <= positions[start + row]; ++p)
      ids.push_back(
          pool[table[slots[start + row] * width + p / 64] * 64 + p % 64]);
    std::vector<float> values = logits(ids, options);
    std::memcpy(logitRows + static_cast<size_t>(row) * options.vocabulary,
                values.data(), values.size() * 4);
    next[row] = choice(ids, options);
  }
  return Error::success();
}
