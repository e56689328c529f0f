// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Zeros between the streams, then the launches.
#include "runtime/RandomFillKernel.h"

#include "runtime/PackedLayout.h"

using namespace llrt;

static Error launchFill(Device &device, Kernel *kernel,
                        const RandomFiller &filler, const LlamacStream &stream,
                        DeviceAddress to, Stream *queue) {
  constexpr uint32_t threads = 256, mostSources = 3;
  const TensorTable &table = filler.table();
  if (stream.source_count > mostSources)
    return Error("random weights: a stream of " +
                 std::to_string(stream.source_count) +
                 " tensors; fill_random takes 3");
  DeviceAddress out = to + stream.offset;
  uint64_t chunks = packedBytes(stream, table.dtype()) / 16;
  uint32_t dtype = table.dtype();
  uint64_t rows[mostSources] = {}, keys[mostSources] = {};
  for (uint32_t i = 0; i < stream.source_count; ++i) {
    rows[i] = table.sources(stream)[i].rows;
    keys[i] = filler.tensor(stream.first_source + i).key;
  }
  // A stream's sources have one number of columns, and so one scale.
  RandomTensor first = filler.tensor(stream.first_source);
  const void *arguments[] = {
      &out,          &chunks,          &stream.rows, &stream.k,
      &stream.order, &stream.head_dim, &dtype,       &stream.source_count,
      &rows[0],      &rows[1],         &rows[2],     &keys[0],
      &keys[1],      &keys[2],         &first.mean,  &first.scale};
  LaunchShape shape;
  shape.grid.x = static_cast<uint32_t>((chunks + threads - 1) / threads);
  shape.block.x = threads;
  return device.launch(kernel, shape, arguments,
                       sizeof arguments / sizeof *arguments, queue);
}

Error llrt::fillRandomOnDevice(Device &device, Module *kernels,
                               const RandomFiller &filler, DeviceAddress to) {
  Result<Kernel *> kernel = device.findKernel(kernels, "fill_random");
  if (!kernel)
    return kernel.error();
  Result<Stream *> queue = device.createStream();
  if (!queue)
    return queue.error();
  if (Error error = device.fill(to, 0, filler.table().weightsBytes(), *queue))
    return error;
  for (const LlamacStream &stream : filler.table().streams())
    if (Error error = launchFill(device, *kernel, filler, stream, to, *queue))
      return error;
  return device.synchronize(*queue);
}
