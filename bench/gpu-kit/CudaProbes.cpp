// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Launches by the driver's own functions, in the context that a Device opened.
#include "bench/gpu-kit/CudaProbes.h"

#include "runtime/device/cuda/CudaApi.h"

#include <dlfcn.h>
#include <fstream>
#include <iterator>

using namespace llrt;
using namespace llrt::kit;
using namespace llrt::cuda;

namespace {

using GraphHandle = struct CUgraph_st *;
using GraphExecHandle = struct CUgraphExec_st *;

constexpr uint32_t links = 100, blocks = 128;
constexpr int captureThreadLocal = 1;

/// What of the driver the runtime itself does not call.
struct GraphApi {
  Status (*beginCapture)(StreamHandle, int) = nullptr;
  Status (*endCapture)(StreamHandle, GraphHandle *) = nullptr;
  Status (*instantiate)(GraphExecHandle *, GraphHandle,
                        unsigned long long) = nullptr;
  Status (*launch)(GraphExecHandle, StreamHandle) = nullptr;
  Status (*destroy)(GraphHandle) = nullptr;
  Status (*destroyExec)(GraphExecHandle) = nullptr;
  Status (*maxActiveClusters)(int *, FunctionHandle,
                              const LaunchConfig *) = nullptr;

  Error load() {
    void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    const struct {
      const char *name;
      void **function;
    } wanted[] = {
        {"cuStreamBeginCapture_v2", reinterpret_cast<void **>(&beginCapture)},
        {"cuStreamEndCapture", reinterpret_cast<void **>(&endCapture)},
        {"cuGraphInstantiateWithFlags",
         reinterpret_cast<void **>(&instantiate)},
        {"cuGraphLaunch", reinterpret_cast<void **>(&launch)},
        {"cuGraphDestroy", reinterpret_cast<void **>(&destroy)},
        {"cuGraphExecDestroy", reinterpret_cast<void **>(&destroyExec)},
        {"cuOccupancyMaxActiveClusters",
         reinterpret_cast<void **>(&maxActiveClusters)}};
    for (const auto &entry : wanted)
      if (!library || !(*entry.function = dlsym(library, entry.name)))
        return Error(std::string("libcuda.so.1 has no ") + entry.name);
    return Error::success();
  }
};

/// How one chain is launched.
struct Way {
  bool graph, cooperative, programmatic;
};

class LaunchProbe {
public:
  LaunchProbe(const Api &api, const Options &options)
      : api(api), options(options) {}
  ~LaunchProbe() {
    if (value)
      api.memFree(value);
    for (EventHandle event : {begin, end})
      if (event)
        api.eventDestroy(event);
    if (stream)
      api.streamDestroy(stream);
    if (module)
      api.moduleUnload(module);
  }

  Error start();
  void chain(const Way &way);
  void occupancy(unsigned size, unsigned shared);
  int failures = 0;

private:
  Error launchLinks(const Way &way);
  Error once(const Way &way, GraphExecHandle exec, double &seconds,
             uint32_t &reached);
  Error capture(const Way &way, GraphExecHandle &exec);
  void emit(Json row, const Error &error) {
    if (error) {
      row["error"] = error.message();
      ++failures;
    }
    note(row.dump());
    emitRow(row);
  }

  const Api &api;
  const Options &options;
  GraphApi graphs;
  ModuleHandle module = nullptr;
  FunctionHandle link = nullptr, gridLink = nullptr, resident = nullptr;
  StreamHandle stream = nullptr;
  EventHandle begin = nullptr, end = nullptr;
  DevicePointer value = 0; ///< the chain's value; the counter is 256 bytes on
};

} // namespace

Error LaunchProbe::start() {
  if (Error error = graphs.load())
    return error;
  const std::string path = options.kernels + "/probes.ptx";
  std::ifstream file(path, std::ios::binary);
  const std::string ptx{std::istreambuf_iterator<char>(file), {}};
  if (ptx.empty())
    return Error(path + ": cannot be read");
  if (Error error = api.check(
          api.moduleLoadDataEx(&module, ptx.c_str(), 0, nullptr, nullptr),
          "cuModuleLoadDataEx of " + path))
    return error;
  const std::pair<FunctionHandle *, const char *> wanted[] = {
      {&link, "chain_link"},
      {&gridLink, "chain_link_grid"},
      {&resident, "resident"}};
  for (const auto &[function, name] : wanted)
    if (Error error = api.check(api.moduleGetFunction(function, module, name),
                                std::string("cuModuleGetFunction ") + name))
      return error;
  constexpr unsigned nonBlocking = 1;
  Status status = api.streamCreate(&stream, nonBlocking);
  for (EventHandle *event : {&begin, &end})
    if (status == success)
      status = api.eventCreate(event, 0);
  if (status == success)
    status = api.memAlloc(&value, 512);
  return api.check(status, "a stream, events and memory");
}

Error LaunchProbe::launchLinks(const Way &way) {
  DevicePointer counter = value + 256;
  for (uint32_t i = 0; i < links; ++i) {
    LaunchAttribute attributes[2]{};
    LaunchConfig config{blocks, 1, 1, 128, 1, 1, 0, stream, attributes, 0};
    if (way.cooperative) {
      LaunchAttribute &attribute = attributes[config.attributeCount++];
      attribute.id = cooperative;
      attribute.value.flag = 1;
    }
    if (way.programmatic) {
      LaunchAttribute &attribute = attributes[config.attributeCount++];
      attribute.id = programmaticStreamSerialization;
      attribute.value.flag = 1;
    }
    void *plain[] = {&value, &i};
    void *grid[] = {&value, &counter, &i};
    if (Error error = api.check(
            api.launchKernelEx(&config, way.cooperative ? gridLink : link,
                               way.cooperative ? grid : plain, nullptr),
            "cuLaunchKernelEx of link " + std::to_string(i)))
      return error;
  }
  return Error::success();
}

/// The chain as a graph; leaves no capture open.
Error LaunchProbe::capture(const Way &way, GraphExecHandle &exec) {
  if (Error error = api.check(graphs.beginCapture(stream, captureThreadLocal),
                              "cuStreamBeginCapture"))
    return error;
  Error launched = launchLinks(way);
  GraphHandle graph = nullptr;
  Error ended =
      api.check(graphs.endCapture(stream, &graph), "cuStreamEndCapture");
  if (!launched && !ended)
    ended = api.check(graphs.instantiate(&exec, graph, 0),
                      "cuGraphInstantiateWithFlags");
  if (graph)
    graphs.destroy(graph);
  return launched ? launched : ended;
}

Error LaunchProbe::once(const Way &way, GraphExecHandle exec, double &seconds,
                        uint32_t &reached) {
  if (Error error = api.check(api.memsetD8Async(value, 0, 512, stream),
                              "cuMemsetD8Async"))
    return error;
  if (Error error =
          api.check(api.streamSynchronize(stream), "cuStreamSynchronize"))
    return error;
  if (Error error = api.check(api.eventRecord(begin, stream), "cuEventRecord"))
    return error;
  if (Error error =
          exec ? api.check(graphs.launch(exec, stream), "cuGraphLaunch")
               : launchLinks(way))
    return error;
  if (Error error = api.check(api.eventRecord(end, stream), "cuEventRecord"))
    return error;
  if (Error error = api.check(api.streamSynchronize(stream),
                              "cuStreamSynchronize after the chain"))
    return error;
  float milliseconds = 0;
  if (Error error = api.check(api.eventElapsedTime(&milliseconds, begin, end),
                              "cuEventElapsedTime"))
    return error;
  seconds = static_cast<double>(milliseconds) / 1000;
  return api.check(api.memcpyDtoH(&reached, value, sizeof reached),
                   "cuMemcpyDtoH");
}

void LaunchProbe::chain(const Way &way) {
  Json row = {{"part", "probes"},
              {"probe", "launch"},
              {"device", "cuda"},
              {"graph", way.graph},
              {"cooperative", way.cooperative},
              {"programmatic", way.programmatic},
              {"links", links}};
  GraphExecHandle exec = nullptr;
  Error error = way.graph ? capture(way, exec) : Error::success();
  if (way.graph)
    row["captures"] = !error;
  double best = 0;
  bool holds = true;
  for (int run = 0; run < 6 && !error; ++run) {
    double seconds = 0;
    uint32_t reached = 0;
    error = once(way, exec, seconds, reached);
    holds &= reached == links;
    if (run > 0 && (best == 0 || seconds < best))
      best = seconds;
  }
  if (exec)
    graphs.destroyExec(exec);
  row["runs"] = !error;
  if (!error) {
    row["right"] = holds;
    row["microseconds_per_link"] = best / links * 1e6;
    failures += holds ? 0 : 1;
  }
  emit(row, error);
}

void LaunchProbe::occupancy(unsigned size, unsigned shared) {
  Json row = {{"part", "probes"},
              {"probe", "cluster occupancy"},
              {"device", "cuda"},
              {"cluster", size},
              {"shared_bytes", shared}};
  LaunchAttribute attribute{};
  attribute.id = clusterDimension;
  attribute.value.cluster = {size, 1, 1};
  LaunchConfig config{size * 16, 1,      1,      128,        1,
                      1,         shared, stream, &attribute, 1};
  Error error =
      api.check(api.funcSetAttribute(resident, maxDynamicSharedSizeBytes,
                                     static_cast<int>(shared)),
                "cuFuncSetAttribute of shared memory");
  if (!error)
    error = api.check(
        api.funcSetAttribute(resident, nonPortableClusterSizeAllowed, 1),
        "cuFuncSetAttribute of large clusters");
  int clusters = 0;
  if (!error)
    error = api.check(graphs.maxActiveClusters(&clusters, resident, &config),
                      "cuOccupancyMaxActiveClusters");
  if (!error) {
    row["clusters"] = clusters;
    row["blocks"] = clusters * static_cast<int>(size);
  }
  emit(row, error);
}

int llrt::kit::probeLaunches(const Options &options) {
  Result<const Api *> api = loadApi();
  if (!api)
    return 1;
  LaunchProbe probe(**api, options);
  if (Error error = probe.start()) {
    note("launch: " + error.message());
    emitRow(
        {{"part", "probes"}, {"probe", "launch"}, {"error", error.message()}});
    return 1;
  }
  for (unsigned size : {8u, 16u})
    for (unsigned shared : {1024u, 100u << 10, 200u << 10, 226u << 10})
      probe.occupancy(size, shared);
  for (bool cooperative : {false, true})
    for (bool graph : {false, true})
      for (bool programmatic : {false, true})
        probe.chain({graph, cooperative, programmatic});
  return probe.failures;
}

Error llrt::kit::chainOnDevice(Device &device, Module *module) {
  Result<Stream *> stream = device.createStream();
  Result<DeviceAddress> value = device.allocate(512, "chain");
  if (!stream || !value)
    return stream ? value.error() : stream.error();
  for (bool cooperative : {false, true}) {
    if (Error error = device.fill(*value, 0, 512, *stream))
      return error;
    for (uint32_t i = 0; i < 5; ++i) {
      LaunchShape shape = makeShape(4, 128);
      shape.cooperative = cooperative;
      shape.programmatic = true;
      if (Error error = cooperative
                            ? launch(device, module, "chain_link_grid", shape,
                                     *stream, *value, *value + 256, i)
                            : launch(device, module, "chain_link", shape,
                                     *stream, *value, i))
        return error;
    }
    uint32_t reached = 0;
    if (Error error = device.copyToHost(&reached, *value, 4, *stream))
      return error;
    if (Error error = device.synchronize(*stream))
      return error;
    emitRow({{"part", "probes"},
             {"probe", "launch"},
             {"device", device.isEmulator() ? "emulator" : "cuda"},
             {"cooperative", cooperative},
             {"links", 5},
             {"right", reached == 5}});
    if (reached != 5)
      return Error("the chain ends at " + std::to_string(reached) +
                   ", expected 5");
  }
  return Error::success();
}
