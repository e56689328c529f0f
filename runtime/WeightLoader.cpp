// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One way for the emulator, one for a GPU.
#include "runtime/WeightLoader.h"

#include "runtime/MappedFile.h"
#include "runtime/PieceHash.h"
#include "runtime/RandomFillKernel.h"

#include <algorithm>
#include <cstring>
#include <sys/mman.h>
#include <thread>

using namespace llrt;

Result<std::unique_ptr<HostMemory>> HostMemory::allocate(uint64_t bytes) {
  void *memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return Error("not enough memory on this machine for " +
                 std::to_string(bytes) + " bytes of random weights");
  return std::unique_ptr<HostMemory>(
      new HostMemory(static_cast<uint8_t *>(memory), bytes));
}

HostMemory::~HostMemory() { ::munmap(start, bytes); }

static Result<LoadedWeights> loadInPlace(Device &device,
                                         const WeightSource &source) {
  const unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  LoadedWeights loaded;
  const uint8_t *bytes = source.mapped().data();
  if (const RandomFiller *random = source.random()) {
    Result<std::unique_ptr<HostMemory>> memory =
        HostMemory::allocate(source.bytes());
    if (!memory)
      return memory.error();
    loaded.host = std::move(*memory);
    random->fillAll(loaded.host->data(), threads);
    bytes = loaded.host->data();
  } else if (source.needsCheck()) {
    if (Error error = source.compareHash(hashPieces(source.mapped(), threads)))
      return error;
  }
  Result<DeviceAddress> address =
      device.allocateConstant(bytes, source.bytes(), "weights");
  if (!address)
    return address.error();
  loaded.address = *address;
  return loaded;
}

Result<LoadedWeights> llrt::loadWeights(Device &device, Module *kernels,
                                        const WeightSource &source,
                                        const UploadProgress &progress) {
  if (device.isEmulator())
    return loadInPlace(device, source);
  Result<DeviceAddress> address = device.allocate(source.bytes(), "weights");
  if (!address)
    return address.error();
  LoadedWeights loaded;
  loaded.address = *address;
  if (const RandomFiller *random = source.random()) {
    if (Error error =
            fillRandomOnDevice(device, kernels, *random, loaded.address))
      return error;
    return loaded;
  }
  PieceHash hash(source.bytes());
  View<uint8_t> mapped = source.mapped();
  auto read = [&](uint64_t offset, uint64_t size, uint8_t *into) {
    std::memcpy(into, mapped.data() + offset, size);
    forgetPages(mapped.data() + offset, size);
    if (source.needsCheck())
      hash.add(offset / LLAMAC_WEIGHT_PIECE_BYTES, into);
  };
  if (Error error = device.upload(loaded.address, source.bytes(),
                                  LLAMAC_WEIGHT_PIECE_BYTES, read, progress))
    return error;
  if (source.needsCheck())
    if (Error error = source.compareHash(hash.result()))
      return error;
  return loaded;
}
