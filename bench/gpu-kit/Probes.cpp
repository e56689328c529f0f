// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The first measurements (METHOD.md): what the chip's streams and exchanges
// cost. Every probe also checks what it computed, on the GPU and on the
// emulator, which gives no times.
#include "bench/gpu-kit/CudaProbes.h"
#include "bench/gpu-kit/Kit.h"

#include <algorithm>
#include <cstring>

using namespace llrt;
using namespace llrt::kit;

namespace {

class Probes {
public:
  Probes(Device &device, Module *module, const Options &options)
      : device(device), module(module), options(options) {}

  Error start() {
    Result<Stream *> made = device.createStream();
    Result<Event *> first = device.createEvent(), last = device.createEvent();
    if (!made || !first || !last)
      return Error("no stream or no event");
    stream = *made;
    begin = *first;
    end = *last;
    return Error::success();
  }

  Error streams();
  Error exchanges();
  Error reductions();
  Error clusters();

  int failures = 0;

private:
  bool small() const { return options.quick || device.isEmulator(); }

  Result<DeviceAddress> make(uint64_t bytes) {
    Result<DeviceAddress> address = device.allocate(bytes, "probe");
    if (!address)
      return address;
    if (Error error = device.fill(*address, 0, bytes, stream))
      return error;
    return address;
  }
  Result<std::vector<uint32_t>> read(DeviceAddress from, size_t words) {
    std::vector<uint32_t> values(words);
    if (Error error = device.copyToHost(values.data(), from, words * 4, stream))
      return error;
    if (Error error = device.synchronize(stream))
      return error;
    return values;
  }

  /// Launches once, then `runs` times between events; the shortest time in
  /// seconds. On the emulator once, and 0.
  template <typename... Values>
  Result<double> time(const char *name, const LaunchShape &shape, int runs,
                      const std::function<Error()> &prepare, Values... values) {
    // Found before the first event: nothing of the host's is to be measured.
    Result<Kernel *> kernel = device.findKernel(module, name);
    if (!kernel)
      return kernel.error();
    const void *arguments[] = {&values...};
    double best = 0;
    for (int run = 0; run <= (device.isEmulator() ? 0 : runs); ++run) {
      if (Error error = prepare())
        return error;
      if (Error error = device.record(begin, stream))
        return error;
      if (Error error = device.launch(*kernel, shape, arguments,
                                      sizeof...(values), stream))
        return error;
      if (Error error = device.record(end, stream))
        return error;
      if (Error error = device.synchronize(stream))
        return error;
      Result<double> milliseconds = device.elapsedMilliseconds(begin, end);
      if (!milliseconds)
        return milliseconds;
      if (run > 0 && (best == 0 || *milliseconds < best * 1000))
        best = *milliseconds / 1000;
    }
    return best;
  }

  /// Emits the row; a wrong value makes it a failure.
  void finish(Json row, bool right) {
    row["right"] = right;
    if (!right)
      ++failures;
    note(row.dump());
    emitRow(row);
  }
  /// The probe could not be done; the others go on.
  void failed(Json row, const Error &error) {
    row["error"] = error.message();
    ++failures;
    note(row.dump());
    emitRow(row);
  }
  Json start(const char *probe) const {
    return {{"part", "probes"},
            {"probe", probe},
            {"device", device.isEmulator() ? "emulator" : "cuda"}};
  }

  Device &device;
  Module *module;
  const Options &options;
  Stream *stream = nullptr;
  Event *begin = nullptr, *end = nullptr;
};

Error nothing() { return Error::success(); }

} // namespace

Error Probes::streams() {
  const uint32_t blocks = small() ? 4 : 128;
  const uint64_t bytes = small() ? 1 << 20 : uint64_t(4) << 30;
  Result<DeviceAddress> data = make(bytes), sums = make(8);
  if (!data || !sums)
    return data ? sums.error() : data.error();
  if (Error error =
          launch(device, module, "stream_fill", makeShape(blocks * 4, 256),
                 stream, *data, bytes / 4, *sums))
    return error;
  Result<std::vector<uint32_t>> filled = read(*sums, 1);
  if (!filled)
    return filled.error();
  for (uint32_t stageBytes : {4096u, 8192u, 16384u, 32768u, 65536u})
    for (uint32_t inFlight :
         {16u << 10, 32u << 10, 64u << 10, 96u << 10, 128u << 10, 192u << 10})
      for (uint32_t drain : {1u, 0u}) {
        const uint32_t stages = inFlight / stageBytes;
        if (stages < 2 || stages > 32 || inFlight % stageBytes)
          continue;
        if (small() && (inFlight > 64u << 10 || stageBytes == 4096))
          continue;
        Json row = start("stream");
        row["stage_bytes"] = stageBytes;
        row["bytes_in_flight_per_block"] = inFlight;
        row["blocks"] = blocks;
        row["drained"] = drain == 1;
        Result<double> seconds = time(
            "stream_bulk", makeShape(blocks, 160, inFlight), 5,
            [&] { return device.fill(*sums + 4, 0, 4, stream); }, *data,
            bytes / stageBytes / blocks, stageBytes, stages, drain, *sums + 4);
        if (!seconds) {
          failed(row, seconds.error());
          continue;
        }
        Result<std::vector<uint32_t>> sum = read(*sums, 2);
        if (!sum)
          return sum.error();
        if (!device.isEmulator())
          row["bytes_per_second"] = static_cast<double>(bytes) / *seconds;
        finish(row, (*sum)[1] == (drain ? (*sum)[0] : 0));
      }
  if (Error error = device.release(*data))
    return error;
  return device.release(*sums);
}

Error Probes::exchanges() {
  const uint32_t blocks = small() ? 8 : 128, rounds = small() ? 5 : 2000;
  struct {
    const char *name, *kernel;
    uint32_t cluster;
    uint64_t words; ///< of 4 bytes, a block; beside the counter
  } const ways[] = {
      {"counter", "exchange_counter", 0, 2},
      {"data with epoch", "exchange_epoch", 0, 4},
      {"cluster barrier", "exchange_cluster_barrier", 8, 0},
      {"cluster barrier", "exchange_cluster_barrier", 16, 0},
      {"cluster data with epoch", "exchange_cluster_epoch", 8, 0},
      {"cluster data with epoch", "exchange_cluster_epoch", 16, 0}};
  for (const auto &way : ways) {
    const uint32_t among = way.cluster ? way.cluster : blocks,
                   all = way.cluster ? std::max(blocks, way.cluster) : blocks;
    Json row = start("exchange");
    row["way"] = way.name;
    row["blocks"] = among;
    row["grid"] = all;
    row["rounds"] = rounds;
    Result<DeviceAddress> results = make(all * 4), counter = make(4),
                          words = make(way.words * all * 4 + 4);
    if (!results || !counter || !words)
      return Error("no memory for an exchange");
    LaunchShape shape = makeShape(all, 128);
    auto clear = [&] {
      if (Error error = device.fill(*counter, 0, 4, stream))
        return error;
      return device.fill(*words, 0, way.words * all * 4 + 4, stream);
    };
    Result<double> seconds = 0.0;
    if (way.cluster) {
      shape.cluster.x = way.cluster;
      seconds =
          time(way.kernel, shape, 3, nothing, way.cluster, rounds, *results);
    } else {
      shape.cooperative = true;
      seconds = way.words == 2 ? time(way.kernel, shape, 3, clear, *counter,
                                      *words, rounds, *results)
                               : time(way.kernel, shape, 3, clear, *words,
                                      rounds, *results);
    }
    if (!seconds) {
      failed(row, seconds.error());
      continue;
    }
    Result<std::vector<uint32_t>> sums = read(*results, all);
    if (!sums)
      return sums.error();
    // Sum over rounds and over who was heard, of number + round.
    const uint64_t heard = among,
                   expected = rounds * (heard * (heard - 1) / 2) +
                              heard * (uint64_t(rounds) * (rounds - 1) / 2);
    if (!device.isEmulator())
      row["nanoseconds_per_exchange"] = *seconds / rounds * 1e9;
    finish(row, std::all_of(sums->begin(), sums->end(), [&](uint32_t sum) {
             return sum == static_cast<uint32_t>(expected);
           }));
    for (DeviceAddress address : {*results, *counter, *words})
      if (Error error = device.release(address))
        return error;
  }
  return Error::success();
}

Error Probes::reductions() {
  const uint32_t blocks = small() ? 8 : 128, rounds = small() ? 2 : 100;
  for (const char *kernel : {"reduce_bulk", "reduce_plain"})
    for (uint32_t count : {2048u, 4096u})
      for (uint32_t stagger : {0u, 1u}) {
        Json row = start("reduce");
        row["way"] = std::string(kernel) == "reduce_bulk"
                         ? "cp.reduce.async.bulk.add.f32"
                         : "red.add.f32";
        row["vector_bytes"] = count * 4;
        row["blocks"] = blocks;
        row["bytes_added"] = uint64_t(count) * 4 * blocks;
        row["staggered"] = stagger == 1;
        Result<DeviceAddress> to = make(count * 4);
        if (!to)
          return to.error();
        Result<double> seconds = time(
            kernel, makeShape(blocks, 128, count * 4), 3,
            [&] { return device.fill(*to, 0, count * 4, stream); }, *to, count,
            stagger, rounds);
        if (!seconds) {
          failed(row, seconds.error());
          continue;
        }
        Result<std::vector<uint32_t>> words = read(*to, count);
        if (!words)
          return words.error();
        const float expected =
            static_cast<float>(rounds * (blocks * (blocks + 1) / 2));
        const bool right =
            std::all_of(words->begin(), words->end(), [&](uint32_t word) {
              float value;
              static_assert(sizeof value == sizeof word);
              std::memcpy(&value, &word, sizeof value);
              return value == expected;
            });
        if (!device.isEmulator())
          row["microseconds_per_reduction"] = *seconds / rounds * 1e6;
        finish(row, right);
        if (Error error = device.release(*to))
          return error;
      }
  return Error::success();
}

/// How many clusters are on the chip at once, by trying.
Error Probes::clusters() {
  // Attempts without hope cost the whole patience.
  const uint32_t patience = small() ? 2000 : 300000;
  for (uint32_t size : {8u, 16u})
    for (uint32_t shared : {1024u, 100u << 10, 200u << 10, 226u << 10}) {
      if (small() && (size == 16 || shared > 100u << 10))
        continue;
      Json row = start("clusters");
      row["cluster"] = size;
      row["shared_bytes"] = shared;
      uint32_t most = 0;
      Error stopped = Error::success();
      for (uint32_t clusters = small() ? 2 : 132 / size; clusters > 0;
           --clusters) {
        const uint32_t blocks = clusters * size;
        Result<DeviceAddress> arrived = make(4), seen = make(blocks * 4);
        if (!arrived || !seen)
          return Error("no memory for clusters");
        LaunchShape shape = makeShape(blocks, 128, shared);
        shape.cluster.x = size;
        Error error = launch(device, module, "resident", shape, stream,
                             *arrived, patience, *seen);
        Result<std::vector<uint32_t>> values =
            error ? Result<std::vector<uint32_t>>(error) : read(*seen, blocks);
        for (DeviceAddress address : {*arrived, *seen})
          if (Error gone = device.release(address))
            return gone;
        if (!values) {
          stopped = values.error();
          continue;
        }
        if (std::all_of(values->begin(), values->end(),
                        [&](uint32_t count) { return count == blocks; })) {
          most = clusters;
          break;
        }
      }
      row["resident_clusters"] = most;
      row["resident_blocks"] = most * size;
      if (most == 0 && stopped)
        failed(row, stopped);
      else
        finish(row, true);
    }
  return Error::success();
}

Result<int> llrt::kit::runProbes(const Options &options) {
  Result<std::unique_ptr<Device>> device =
      openDevice(options, options.quick ? "emulator" : "h200");
  if (!device)
    return device.error();
  note("probes on " + (*device)->description());
  Result<Module *> module = loadKernels(options, **device, "probes");
  if (!module)
    return module.error();
  Probes probes(**device, *module, options);
  if (Error error = probes.start())
    return error;
  auto wanted = [&](const char *name) {
    return options.arguments.empty() ||
           std::count(options.arguments.begin(), options.arguments.end(), name);
  };
  const struct {
    const char *name;
    Error (Probes::*run)();
  } parts[] = {{"stream", &Probes::streams},
               {"exchange", &Probes::exchanges},
               {"reduce", &Probes::reductions},
               {"clusters", &Probes::clusters}};
  for (const auto &part : parts) {
    if (!wanted(part.name))
      continue;
    if (Error error = (probes.*part.run)()) {
      ++probes.failures;
      note(std::string(part.name) + ": " + error.message());
      emitRow({{"part", "probes"},
               {"probe", part.name},
               {"error", error.message()}});
    }
  }
  if (wanted("launch")) {
    if ((*device)->isEmulator()) {
      if (Error error = chainOnDevice(**device, *module)) {
        ++probes.failures;
        emitRow({{"part", "probes"},
                 {"probe", "launch"},
                 {"error", error.message()}});
      }
      note("launch: graphs and occupancy are the driver's; left out on the "
           "emulator");
    } else {
      probes.failures += probeLaunches(options);
    }
  }
  return probes.failures;
}
