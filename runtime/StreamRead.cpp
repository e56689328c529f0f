// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fill once, read several times, compare the sums.
#include "runtime/StreamRead.h"

#include <algorithm>

using namespace llrt;

namespace {

constexpr uint64_t tileBytes = 64 * 1024;
constexpr uint32_t threads = 512, blocksPerMultiprocessor = 4;
constexpr int reads = 10;

class StreamRead {
public:
  StreamRead(Device &device, uint64_t tiles, uint32_t blocks)
      : device(device), tiles(tiles) {
    shape.grid.x = blocks;
    shape.block.x = threads;
  }
  ~StreamRead() {
    for (DeviceAddress address : {data, sums})
      if (address)
        (void)static_cast<bool>(device.release(address));
  }

  Result<double> measure(Module *module) {
    if (Error error = prepare(module))
      return error;
    if (Error error = device.fill(sums, 0, 8, stream))
      return error;
    if (Error error = run(fill, sums))
      return error;
    double best = 0;
    // The first read warms up.
    for (int i = 0; i <= reads; ++i) {
      if (Error error = device.fill(sums + 4, 0, 4, stream))
        return error;
      if (Error error = device.record(start, stream))
        return error;
      if (Error error = run(read, sums + 4))
        return error;
      if (Error error = device.record(end, stream))
        return error;
      if (Error error = check())
        return error;
      Result<double> milliseconds = device.elapsedMilliseconds(start, end);
      if (!milliseconds)
        return milliseconds;
      if (i > 0 && *milliseconds > 0)
        best = std::max(best, static_cast<double>(tiles * tileBytes) /
                                  (*milliseconds / 1000));
    }
    return best;
  }

private:
  Error prepare(Module *module) {
    for (auto [kernel, name] :
         {std::pair{&fill, "stream_fill"}, std::pair{&read, "stream_read"}}) {
      Result<Kernel *> found = device.findKernel(module, name);
      if (!found)
        return found.error();
      *kernel = *found;
    }
    for (Event **event : {&start, &end}) {
      Result<Event *> made = device.createEvent();
      if (!made)
        return made.error();
      *event = *made;
    }
    Result<Stream *> made = device.createStream();
    if (!made)
      return made.error();
    stream = *made;
    for (auto [address, bytes] :
         {std::pair{&data, tiles * tileBytes}, std::pair{&sums, uint64_t(8)}}) {
      Result<DeviceAddress> given =
          device.allocate(bytes, "the measurement of the memory's speed");
      if (!given)
        return given.error();
      *address = *given;
    }
    return Error::success();
  }

  Error run(Kernel *kernel, DeviceAddress sum) {
    const void *arguments[] = {&data, &tiles, &sum};
    return device.launch(kernel, shape, arguments, 3, stream);
  }

  Error check() {
    uint32_t found[2];
    if (Error error = device.copyToHost(found, sums, sizeof found, stream))
      return error;
    if (Error error = device.synchronize(stream))
      return error;
    return found[0] == found[1]
               ? Error::success()
               : Error("the streaming kernel read words that were never "
                       "written: the device's memory or this driver is at "
                       "fault");
  }

  Device &device;
  uint64_t tiles;
  LaunchShape shape;
  Kernel *fill = nullptr, *read = nullptr;
  Event *start = nullptr, *end = nullptr;
  Stream *stream = nullptr;
  DeviceAddress data = 0, sums = 0;
};

} // namespace

double llrt::leastStreamRate(const std::string &deviceDescription) {
  return deviceDescription.find("H200") != std::string::npos ? 4.2e12 : 0;
}

Result<double> llrt::measureStreamRead(Device &device, Module *module,
                                       uint64_t bytes,
                                       uint32_t multiprocessors) {
  const uint64_t tiles = std::max<uint64_t>(bytes / tileBytes, 1);
  return StreamRead(device, tiles, multiprocessors * blocksPerMultiprocessor)
      .measure(module);
}
