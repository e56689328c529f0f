// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The emulator behind the Device interface. Streams are in order and done on
// return; events count executed instructions.
#include "runtime/device/emulator/ModuleLoader.h"
#include "runtime/device/emulator/Processor.h"
#include "runtime/device/emulator/ProfileObserver.h"
#include "runtime/device/emulator/Scheduler.h"
#include "runtime/device/emulator/check/Checker.h"

#include <algorithm>
#include <deque>

using namespace llrt;
using namespace llrt::emu;

namespace {

struct EmulatorKernel {
  const Program *program;
};

struct EmulatorModule {
  LoadedModule loaded;
  std::deque<EmulatorKernel> kernels;
};

struct EmulatorEvent {
  uint64_t executed = 0;
  bool recorded = false;
};

class EmulatorDevice final : public Device {
public:
  EmulatorDevice(const EmulatedGpu &gpu, const EmulatorOptions &options,
                 unsigned threads)
      : gpu(gpu), options(options), memory(gpu.memoryBytes),
        scheduler(threads) {
    if (!options.profile)
      return;
    auto made = std::make_unique<ProfileObserver>();
    profiler = made.get();
    totals.countsBytes = true;
    observe(std::move(made));
  }

  /// Before anything else happens on the device.
  void observe(std::unique_ptr<Observer> added) {
    owned.push_back(std::move(added));
    observers.all.push_back(owned.back().get());
    observer = observers.all.size() == 1 ? owned.back().get() : &observers;
  }

  std::string description() const override {
    return "emulator (" + gpu.name + ", sm_" + std::to_string(gpu.smVersion) +
           ", " + std::to_string(gpu.multiprocessors) + " SMs)";
  }
  bool isEmulator() const override { return true; }
  const EmulatorCounters *counters() const override {
    if (profiler) {
      totals.global = totals.shared = totals.local = MemoryTraffic();
      auto add = [](MemoryTraffic &sum, const MemoryTraffic &each) {
        sum.read += each.read;
        sum.written += each.written;
      };
      for (const KernelProfile &kernel : profiler->kernels()) {
        add(totals.global, kernel.global);
        add(totals.shared, kernel.shared);
        add(totals.local, kernel.local);
      }
    }
    return &totals;
  }
  std::vector<KernelProfile> profile() const override {
    return profiler ? profiler->kernels() : std::vector<KernelProfile>();
  }
  Result<uint64_t> freeMemory() override { return memory.freeBytes(); }

  Result<DeviceAddress> allocate(uint64_t bytes,
                                 std::string_view name) override {
    Result<uint64_t> address = memory.allocate(bytes, name);
    if (address && observer)
      observer->allocated(*memory.find(*address), false);
    return address;
  }
  Result<DeviceAddress> allocateConstant(const void *host, uint64_t bytes,
                                         std::string_view name) override {
    Result<uint64_t> address = memory.adopt(host, bytes, name);
    if (address && observer)
      observer->allocated(*memory.find(*address), true);
    return address;
  }
  Result<DeviceAddress> allocateShared(uint64_t bytes,
                                       std::string_view name) override {
    Result<DeviceAddress> address = allocate(bytes, name);
    if (address)
      if (Error error = fill(*address, 0, bytes, nullptr))
        return error;
    return address;
  }
  Error release(DeviceAddress address) override {
    const Allocation *allocation = memory.find(address);
    if (observer && allocation && allocation->begin == address)
      observer->released(*allocation);
    return memory.release(address);
  }

  Error copyToDevice(DeviceAddress to, const void *from, uint64_t bytes,
                     Stream *) override {
    if (Error error = memory.check(to, bytes, true, "copy to the device"))
      return error;
    std::memcpy(reinterpret_cast<void *>(to), from, bytes);
    if (observer)
      observer->hostWrote(to, bytes);
    return Error::success();
  }
  Error copyToHost(void *to, DeviceAddress from, uint64_t bytes,
                   Stream *) override {
    if (Error error = memory.check(from, bytes, false, "copy to the host"))
      return error;
    std::memcpy(to, reinterpret_cast<const void *>(from), bytes);
    return Error::success();
  }
  Error copyOnDevice(DeviceAddress to, DeviceAddress from, uint64_t bytes,
                     Stream *) override {
    if (Error error = memory.check(from, bytes, false, "copy on the device"))
      return error;
    if (Error error = memory.check(to, bytes, true, "copy on the device"))
      return error;
    std::memmove(reinterpret_cast<void *>(to),
                 reinterpret_cast<const void *>(from), bytes);
    if (observer)
      observer->copiedOnDevice(to, from, bytes);
    return Error::success();
  }
  Error fill(DeviceAddress to, uint8_t byte, uint64_t bytes,
             Stream *) override {
    if (Error error = memory.check(to, bytes, true, "fill"))
      return error;
    std::memset(reinterpret_cast<void *>(to), byte, bytes);
    if (observer)
      observer->hostWrote(to, bytes);
    return Error::success();
  }

  Result<Module *> loadModule(std::string_view image,
                              std::string_view name) override {
    Result<LoadedModule> loaded =
        emu::loadModule(image, name, memory, observer);
    if (!loaded)
      return loaded.error();
    modules.emplace_back();
    modules.back().loaded = std::move(*loaded);
    for (const std::unique_ptr<Program> &program :
         modules.back().loaded.kernels)
      modules.back().kernels.push_back({program.get()});
    return reinterpret_cast<Module *>(&modules.back());
  }

  Result<Kernel *> findKernel(Module *handle, std::string_view name) override {
    auto *module = reinterpret_cast<EmulatorModule *>(handle);
    for (EmulatorKernel &kernel : module->kernels)
      if (kernel.program->name == name)
        return reinterpret_cast<Kernel *>(&kernel);
    return Error("emulator: the module '" + module->loaded.name +
                 "' has no kernel '" + std::string(name) + "'");
  }

  Result<KernelResources> resources(Kernel *handle) override {
    const Program &program =
        *reinterpret_cast<EmulatorKernel *>(handle)->program;
    KernelResources result;
    result.staticSharedBytes = program.staticSharedBytes;
    result.localBytes = program.localBytes;
    for (const Parameter &parameter : program.parameters)
      result.parameterBytes.push_back(parameter.bytes);
    return result;
  }

  std::vector<std::string> kernelNames(Module *handle) const override {
    std::vector<std::string> names;
    for (const EmulatorKernel &kernel :
         reinterpret_cast<EmulatorModule *>(handle)->kernels)
      names.push_back(kernel.program->name);
    return names;
  }

  Error launch(Kernel *handle, const LaunchShape &shape,
               const void *const *arguments, size_t argumentCount,
               Stream *) override {
    const Program &program =
        *reinterpret_cast<EmulatorKernel *>(handle)->program;
    Launch launch;
    if (Error error = admit(program, shape, argumentCount, launch))
      return error;
    for (size_t i = 0; i < argumentCount; ++i)
      std::memcpy(launch.parameters.data() + program.parameters[i].offset,
                  arguments[i], program.parameters[i].bytes);
    std::optional<Schedule> schedule;
    if (options.schedule) {
      schedule.emplace(*options.schedule, launches);
      launch.schedule = &*schedule;
      launch.permutation.emplace(launch.blocks / launch.clusterBlocks,
                                 *schedule);
    }
    ++launches;
    launch.observer = observer;
    if (observer)
      observer->kernelStarts(launch);
    Error error = scheduler.run(launch, executed);
    totals.launches += 1;
    totals.warpInstructions = executed;
    if (observer)
      observer->kernelEnds(launch);
    return error;
  }

  Result<Stream *> createStream() override {
    streams.push_back(0);
    return reinterpret_cast<Stream *>(&streams.back());
  }
  Error synchronize(Stream *) override { return Error::success(); }
  Result<Event *> createEvent() override {
    events.emplace_back();
    return reinterpret_cast<Event *>(&events.back());
  }
  Error record(Event *handle, Stream *) override {
    auto *event = reinterpret_cast<EmulatorEvent *>(handle);
    event->executed = executed;
    event->recorded = true;
    return Error::success();
  }
  Error wait(Event *) override { return Error::success(); }
  Result<double> elapsedMilliseconds(Event *start, Event *end) override {
    auto *first = reinterpret_cast<EmulatorEvent *>(start),
         *last = reinterpret_cast<EmulatorEvent *>(end);
    if (!first->recorded || !last->recorded)
      return Error("emulator: elapsed time of an event that was not recorded");
    return (static_cast<double>(last->executed) -
            static_cast<double>(first->executed)) /
           emulatedInstructionsPerMillisecond;
  }

private:
  EmulatedGpu gpu;
  EmulatorOptions options;
  Memory memory;
  Scheduler scheduler;
  std::vector<std::unique_ptr<Observer>> owned;
  ObserverList observers;
  Observer *observer = nullptr; ///< the list, or what it holds, or null
  std::deque<EmulatorModule> modules;
  std::deque<char> streams;
  std::deque<EmulatorEvent> events;
  uint64_t executed = 0;
  uint64_t workspace = 0; ///< of cooperative grids
  uint64_t launches = 0;
  mutable EmulatorCounters totals;
  ProfileObserver *profiler = nullptr; ///< among those observed

  /// Refuses what the chip would refuse, and fills in the launch.
  Error admit(const Program &program, const LaunchShape &shape,
              size_t argumentCount, Launch &launch) {
    auto refuse = [&](const std::string &why) {
      return Error("emulator: kernel '" + program.name +
                   "' cannot be launched: " + why);
    };
    const Dim3 &grid = shape.grid, &block = shape.block;
    uint64_t threads = uint64_t(block.x) * block.y * block.z;
    if (!grid.x || !grid.y || !grid.z || !threads)
      return refuse("an extent of the grid or the block is 0");
    if (grid.x > 0x7fffffffu || grid.y > 65535 || grid.z > 65535)
      return refuse("the grid is larger than 2147483647 x 65535 x 65535");
    if (block.x > 1024 || block.y > 1024 || block.z > 64 || threads > 1024)
      return refuse("blocks of " + std::to_string(threads) +
                    " threads (limits: 1024 x 1024 x 64, 1024 in all)");
    const uint32_t extents[3] = {block.x, block.y, block.z};
    if (program.requiredThreads[0])
      for (int i = 0; i < 3; ++i)
        if (extents[i] != program.requiredThreads[i])
          return refuse("its .reqntid is not the block's shape");
    if (program.maxThreads[0] && threads > uint64_t(program.maxThreads[0]) *
                                               program.maxThreads[1] *
                                               program.maxThreads[2])
      return refuse("blocks of " + std::to_string(threads) +
                    " threads exceed its .maxntid");
    launch.shape = shape;
    Dim3 &cluster = launch.shape.cluster;
    const uint32_t *required = program.requiredCluster;
    if (required[0]) {
      if (cluster.x == 1 && cluster.y == 1 && cluster.z == 1)
        cluster = {required[0], required[1], required[2]};
      if (cluster.x != required[0] || cluster.y != required[1] ||
          cluster.z != required[2])
        return refuse("its .reqnctapercluster is not the cluster's shape");
    }
    launch.clusterBlocks = uint64_t(cluster.x) * cluster.y * cluster.z;
    // 16 is what sm_90 takes when asked for more than the portable 8.
    uint32_t most =
        program.maxClusterRank ? std::min(16u, program.maxClusterRank) : 16u;
    if (launch.clusterBlocks == 0 || launch.clusterBlocks > most)
      return refuse("clusters of " + std::to_string(launch.clusterBlocks) +
                    " blocks; 1 to " + std::to_string(most) + " are possible");
    if (launch.clusterBlocks > 1 && gpu.smVersion < 90)
      return refuse("sm_" + std::to_string(gpu.smVersion) +
                    " has no clusters of blocks");
    if (grid.x % cluster.x || grid.y % cluster.y || grid.z % cluster.z)
      return refuse("the grid's extents are no multiples of the cluster's");
    if (argumentCount != program.parameters.size())
      return refuse(std::to_string(argumentCount) + " arguments for " +
                    std::to_string(program.parameters.size()) + " parameters");
    uint64_t shared =
        uint64_t(program.staticSharedBytes) + shape.dynamicSharedBytes;
    if (shared > gpu.sharedBytesPerBlock)
      return refuse(std::to_string(shared) +
                    " bytes of shared memory; a block has " +
                    std::to_string(gpu.sharedBytesPerBlock));
    // The chip keeps 1 KB of shared memory a block for itself.
    uint64_t perMultiprocessor = gpu.blocksPerMultiprocessor;
    perMultiprocessor =
        std::min<uint64_t>(perMultiprocessor, gpu.threadsPerMultiprocessor /
                                                  ((threads + 31) / 32 * 32));
    perMultiprocessor = std::min<uint64_t>(
        perMultiprocessor, gpu.sharedBytesPerMultiprocessor / (shared + 1024));
    launch.residentLimit = perMultiprocessor * gpu.multiprocessors;
    launch.blocks = uint64_t(grid.x) * grid.y * grid.z;
    if (!launch.residentLimit)
      return refuse("no block fits a multiprocessor");
    if (launch.residentLimit < launch.clusterBlocks)
      return refuse("a cluster of " + std::to_string(launch.clusterBlocks) +
                    " blocks; " + std::to_string(launch.residentLimit) +
                    " can be resident");
    if (shape.cooperative && launch.blocks > launch.residentLimit)
      return refuse("a cooperative grid of " + std::to_string(launch.blocks) +
                    " blocks; " + std::to_string(launch.residentLimit) +
                    " can be resident");
    launch.program = &program;
    launch.memory = &memory;
    if (shape.cooperative && !workspace) {
      // What cooperative_groups' grid sync keeps its barrier in.
      Result<uint64_t> made =
          memory.allocate(256, "cooperative grid's barrier");
      if (!made)
        return made.error();
      workspace = *made;
    }
    launch.workspace = shape.cooperative ? workspace : 0;
    launch.parameters.resize(program.parameterBytes);
    launch.sharedBytes = static_cast<uint32_t>(shared);
    launch.multiprocessors = gpu.multiprocessors;
    return Error::success();
  }
};

} // namespace

Result<std::unique_ptr<Device>>
llrt::createEmulatorDevice(const EmulatedGpu &gpu,
                           const EmulatorOptions &options) {
  if (const char *missing = missingProcessorFeature())
    return Error(
        std::string("emulator: needs an x86-64-v3 processor; this one lacks ") +
        missing);
  unsigned threads = options.threads;
  if (threads == 0)
    threads = std::max(1u, std::thread::hardware_concurrency());
  if (options.check || options.schedule || options.profile)
    threads = 1;
  auto device =
      std::make_unique<EmulatorDevice>(gpu, options, std::min(threads, 256u));
  if (options.check)
    device->observe(std::make_unique<Checker>());
  return std::unique_ptr<Device>(std::move(device));
}
