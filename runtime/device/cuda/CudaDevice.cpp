// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Device on the CUDA driver: one primary context, everything else by handle.
#include "runtime/GpuTable.h"
#include "runtime/device/Device.h"
#include "runtime/device/cuda/CudaApi.h"
#include "runtime/device/cuda/StagedUpload.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <thread>

using namespace llrt;
using namespace llrt::cuda;

namespace {

constexpr uint64_t alignment = 1024;
constexpr uint64_t constantPieceBytes = 32 << 20;
/// Threads that read what is uploaded, and pinned buffers for them.
constexpr unsigned mostReaders = 8;
/// More shared memory than this, static and dynamic, has to be asked for.
constexpr uint32_t sharedBytesByDefault = 48 * 1024;
constexpr unsigned portableClusterSize = 8;

struct CudaKernel {
  FunctionHandle function;
  std::string name;
  uint32_t dynamicSharedBytes = 0; ///< granted so far
  bool largeClusters = false;
};

StreamHandle handle(Stream *stream) {
  return reinterpret_cast<StreamHandle>(stream);
}

class CudaDevice final : public Device {
public:
  explicit CudaDevice(const Api &api) : api(api) {}
  ~CudaDevice() override;
  Error open(int ordinal, const GpuRow *row);

  std::string description() const override { return text; }
  bool isEmulator() const override { return false; }
  Result<uint64_t> freeMemory() override;
  Result<DeviceAddress> allocate(uint64_t bytes,
                                 std::string_view name) override;
  Result<DeviceAddress> allocateConstant(const void *host, uint64_t bytes,
                                         std::string_view name) override;
  Error upload(DeviceAddress to, uint64_t bytes, uint64_t pieceBytes,
               const PieceReader &read,
               const UploadProgress &progress) override;
  Result<DeviceAddress> allocateShared(uint64_t bytes,
                                       std::string_view name) override;
  Error release(DeviceAddress address) override;
  Error copyToDevice(DeviceAddress to, const void *from, uint64_t bytes,
                     Stream *stream) override;
  Error copyToHost(void *to, DeviceAddress from, uint64_t bytes,
                   Stream *stream) override;
  Error copyOnDevice(DeviceAddress to, DeviceAddress from, uint64_t bytes,
                     Stream *stream) override;
  Error fill(DeviceAddress to, uint8_t byte, uint64_t bytes,
             Stream *stream) override;
  Result<Module *> loadModule(std::string_view image,
                              std::string_view name) override;
  Result<Kernel *> findKernel(Module *module, std::string_view name) override;
  Result<KernelResources> resources(Kernel *kernel) override;
  Error launch(Kernel *kernel, const LaunchShape &shape,
               const void *const *arguments, size_t argumentCount,
               Stream *stream) override;
  bool records() const override { return true; }
  Error beginRecording(Stream *stream) override;
  Result<Graph *> endRecording(Stream *stream) override;
  Error launch(Graph *graph, Stream *stream) override;
  void release(Graph *graph) override;
  Result<Stream *> createStream() override;
  Error synchronize(Stream *stream) override;
  Result<Event *> createEvent() override;
  Error record(Event *event, Stream *stream) override;
  Error wait(Event *event) override;
  Result<double> elapsedMilliseconds(Event *start, Event *end) override;

private:
  Error prepare(CudaKernel &kernel, const LaunchShape &shape);

  const Api &api;
  DeviceHandle device = 0;
  ContextHandle context = nullptr;
  std::string text;
  std::map<DeviceAddress, DevicePointer>
      allocations; ///< aligned address to what the driver gave
  std::vector<void *> sharedMemory;
  std::vector<GraphExecHandle> graphs;
  std::vector<ModuleHandle> modules;
  std::vector<std::unique_ptr<CudaKernel>> kernels;
  std::vector<StreamHandle> streams;
  std::vector<EventHandle> events;
};

} // namespace

Error CudaDevice::open(int ordinal, const GpuRow *row) {
  int count = 0, version = 0, major = 0, minor = 0;
  if (Error error = api.check(api.deviceGetCount(&count), "cuDeviceGetCount"))
    return error;
  if (ordinal < 0 || ordinal >= count)
    return Error("--device cuda:" + std::to_string(ordinal) +
                 ": there is no such GPU; the driver finds " +
                 std::to_string(count) + ", numbered from 0");
  if (Error error = api.check(api.deviceGet(&device, ordinal), "cuDeviceGet"))
    return error;
  char name[128] = "";
  if (Error error = api.check(api.deviceGetName(name, sizeof name, device),
                              "cuDeviceGetName"))
    return error;
  if (Error error = api.check(
          api.deviceGetAttribute(&major, computeCapabilityMajor, device),
          "cuDeviceGetAttribute"))
    return error;
  if (Error error = api.check(
          api.deviceGetAttribute(&minor, computeCapabilityMinor, device),
          "cuDeviceGetAttribute"))
    return error;
  if (Error error =
          api.check(api.driverGetVersion(&version), "cuDriverGetVersion"))
    return error;
  uint32_t sm = static_cast<uint32_t>(major * 10 + minor);
  text = std::string(name) + " (sm_" + std::to_string(sm) + ", driver " +
         std::to_string(version / 1000) + "." +
         std::to_string(version % 1000 / 10) + ")";
  if (row && sm != row->smVersion)
    return Error(std::string("this executable was compiled for ") + row->name +
                 " (" + row->chip + "), but GPU " + std::to_string(ordinal) +
                 " is " + text +
                 ": compile the model for it (llamac --gpu), or run here with "
                 "--device emulator");
  if (Error error = api.check(api.primaryCtxRetain(&context, device),
                              "cuDevicePrimaryCtxRetain on " + text))
    return error;
  return api.check(api.ctxSetCurrent(context), "cuCtxSetCurrent");
}

CudaDevice::~CudaDevice() {
  if (!context)
    return;
  api.ctxSynchronize();
  for (GraphExecHandle graph : graphs)
    api.graphExecDestroy(graph);
  for (void *memory : sharedMemory)
    api.memFreeHost(memory);
  for (EventHandle event : events)
    api.eventDestroy(event);
  for (StreamHandle stream : streams)
    api.streamDestroy(stream);
  for (ModuleHandle module : modules)
    api.moduleUnload(module);
  for (const auto &entry : allocations)
    api.memFree(entry.second);
  api.primaryCtxRelease(device);
}

Result<uint64_t> CudaDevice::freeMemory() {
  size_t available = 0, total = 0;
  if (Error error =
          api.check(api.memGetInfo(&available, &total), "cuMemGetInfo"))
    return error;
  return static_cast<uint64_t>(available);
}

Result<DeviceAddress> CudaDevice::allocate(uint64_t bytes,
                                           std::string_view name) {
  DevicePointer pointer = 0;
  Status status = api.memAlloc(&pointer, bytes + alignment);
  if (status == outOfMemory) {
    Result<uint64_t> available = freeMemory();
    return Error("CUDA: not enough memory on " + text + " for " +
                 std::string(name) + ": " + std::to_string(bytes) +
                 " bytes needed, " +
                 (available ? std::to_string(*available) : "fewer") +
                 " free; lower --ctx-size or --max-batch");
  }
  if (Error error = api.check(status, "cuMemAlloc of " + std::to_string(bytes) +
                                          " bytes for " + std::string(name)))
    return error;
  DeviceAddress address = (pointer + alignment - 1) / alignment * alignment;
  allocations[address] = pointer;
  return address;
}

Result<DeviceAddress> CudaDevice::allocateConstant(const void *host,
                                                   uint64_t bytes,
                                                   std::string_view name) {
  Result<DeviceAddress> address = allocate(bytes, name);
  if (!address)
    return address;
  auto read = [host](uint64_t offset, uint64_t size, uint8_t *into) {
    std::memcpy(into, static_cast<const uint8_t *>(host) + offset, size);
  };
  if (Error error = upload(*address, bytes, constantPieceBytes, read, {}))
    return error;
  return address;
}

Result<DeviceAddress> CudaDevice::allocateShared(uint64_t bytes,
                                                 std::string_view name) {
  void *memory = nullptr;
  if (Error error = api.check(
          api.memHostAlloc(&memory, bytes, hostAllocPortable | hostAllocMapped),
          "cuMemHostAlloc of " + std::to_string(bytes) + " bytes for " +
              std::string(name)))
    return error;
  sharedMemory.push_back(memory);
  std::memset(memory, 0, bytes);
  // Where addresses are unified, as on every 64-bit system, it is one address.
  return static_cast<DeviceAddress>(reinterpret_cast<uintptr_t>(memory));
}

Error CudaDevice::upload(DeviceAddress to, uint64_t bytes, uint64_t pieceBytes,
                         const PieceReader &read,
                         const UploadProgress &progress) {
  UploadRequest request;
  request.to = to;
  request.bytes = bytes;
  request.pieceBytes = pieceBytes;
  request.readers = std::min(mostReaders, std::thread::hardware_concurrency());
  return stagedUpload(api, request, read, progress);
}

Error CudaDevice::release(DeviceAddress address) {
  auto shared = std::find(sharedMemory.begin(), sharedMemory.end(),
                          reinterpret_cast<void *>(address));
  if (shared != sharedMemory.end()) {
    void *memory = *shared;
    sharedMemory.erase(shared);
    return api.check(api.memFreeHost(memory), "cuMemFreeHost");
  }
  auto found = allocations.find(address);
  if (found == allocations.end())
    return Error("CUDA: release of an address that was never allocated");
  Status status = api.memFree(found->second);
  allocations.erase(found);
  return api.check(status, "cuMemFree");
}

Error CudaDevice::copyToDevice(DeviceAddress to, const void *from,
                               uint64_t bytes, Stream *stream) {
  if (bytes == 0)
    return Error::success();
  if (!stream) {
    if (Error error =
            api.check(api.memcpyHtoD(to, from, bytes), "cuMemcpyHtoD"))
      return error;
    // From pageable memory the driver may return when the bytes are staged;
    // streams of ours do not wait for the rest.
    return synchronize(nullptr);
  }
  return api.check(api.memcpyHtoDAsync(to, from, bytes, handle(stream)),
                   "cuMemcpyHtoDAsync");
}

Error CudaDevice::copyToHost(void *to, DeviceAddress from, uint64_t bytes,
                             Stream *stream) {
  if (bytes == 0)
    return Error::success();
  if (!stream)
    return api.check(api.memcpyDtoH(to, from, bytes), "cuMemcpyDtoH");
  return api.check(api.memcpyDtoHAsync(to, from, bytes, handle(stream)),
                   "cuMemcpyDtoHAsync");
}

Error CudaDevice::copyOnDevice(DeviceAddress to, DeviceAddress from,
                               uint64_t bytes, Stream *stream) {
  if (bytes == 0)
    return Error::success();
  if (stream)
    return api.check(api.memcpyDtoDAsync(to, from, bytes, handle(stream)),
                     "cuMemcpyDtoDAsync");
  if (Error error = api.check(api.memcpyDtoD(to, from, bytes), "cuMemcpyDtoD"))
    return error;
  return synchronize(
      nullptr); // between device addresses the driver returns at once
}

Error CudaDevice::fill(DeviceAddress to, uint8_t byte, uint64_t bytes,
                       Stream *stream) {
  if (bytes == 0)
    return Error::success();
  if (stream)
    return api.check(api.memsetD8Async(to, byte, bytes, handle(stream)),
                     "cuMemsetD8Async");
  if (Error error = api.check(api.memsetD8(to, byte, bytes), "cuMemsetD8"))
    return error;
  return synchronize(nullptr);
}

Result<Module *> CudaDevice::loadModule(std::string_view image,
                                        std::string_view name) {
  std::string terminated(image); // PTX ends with a NUL
  std::vector<char> info(8192), errors(8192);
  JitOption options[] = {infoLogBuffer, infoLogBufferBytes, errorLogBuffer,
                         errorLogBufferBytes};
  void *values[] = {info.data(), reinterpret_cast<void *>(info.size()),
                    errors.data(), reinterpret_cast<void *>(errors.size())};
  ModuleHandle module = nullptr;
  Status status =
      api.moduleLoadDataEx(&module, terminated.c_str(), 4, options, values);
  if (Error error = api.check(status, "cuModuleLoadDataEx of " +
                                          std::string(name) + " on " + text)) {
    errors.back() = 0;
    std::string log(errors.data());
    return Error(error.message() +
                 (log.empty() ? "" : "\nthe driver's assembler says:\n" + log));
  }
  modules.push_back(module);
  return reinterpret_cast<Module *>(module);
}

Result<Kernel *> CudaDevice::findKernel(Module *module, std::string_view name) {
  auto kernel = std::make_unique<CudaKernel>();
  kernel->name = std::string(name);
  Status status = api.moduleGetFunction(&kernel->function,
                                        reinterpret_cast<ModuleHandle>(module),
                                        kernel->name.c_str());
  if (Error error =
          api.check(status, "cuModuleGetFunction of kernel " + kernel->name))
    return error;
  int fixed = 0;
  if (Error error = api.check(
          api.funcGetAttribute(&fixed, sharedSizeBytes, kernel->function),
          "cuFuncGetAttribute of kernel " + kernel->name))
    return error;
  kernel->dynamicSharedBytes =
      sharedBytesByDefault -
      std::min(sharedBytesByDefault, static_cast<uint32_t>(fixed));
  kernels.push_back(std::move(kernel));
  return reinterpret_cast<Kernel *>(kernels.back().get());
}

Result<KernelResources> CudaDevice::resources(Kernel *kernel) {
  FunctionHandle function = reinterpret_cast<CudaKernel *>(kernel)->function;
  int registers = 0, shared = 0, local = 0;
  for (auto [value, attribute] :
       {std::pair{&registers, numRegs}, std::pair{&shared, sharedSizeBytes},
        std::pair{&local, localSizeBytes}})
    if (Error error =
            api.check(api.funcGetAttribute(value, attribute, function),
                      "cuFuncGetAttribute"))
      return error;
  KernelResources result;
  result.registers = static_cast<uint32_t>(registers);
  result.staticSharedBytes = static_cast<uint32_t>(shared);
  result.localBytes = static_cast<uint32_t>(local);
  return result;
}

/// Asks once for what a launch takes beyond the defaults.
Error CudaDevice::prepare(CudaKernel &kernel, const LaunchShape &shape) {
  if (shape.dynamicSharedBytes > kernel.dynamicSharedBytes) {
    Status status =
        api.funcSetAttribute(kernel.function, maxDynamicSharedSizeBytes,
                             static_cast<int>(shape.dynamicSharedBytes));
    if (Error error =
            api.check(status, "kernel " + kernel.name + " needs " +
                                  std::to_string(shape.dynamicSharedBytes) +
                                  " bytes of shared memory"))
      return error;
    kernel.dynamicSharedBytes = shape.dynamicSharedBytes;
  }
  if (shape.cluster.x * shape.cluster.y * shape.cluster.z >
          portableClusterSize &&
      !kernel.largeClusters) {
    Status status =
        api.funcSetAttribute(kernel.function, nonPortableClusterSizeAllowed, 1);
    if (Error error = api.check(status, "kernel " + kernel.name +
                                            " needs large clusters"))
      return error;
    kernel.largeClusters = true;
  }
  return Error::success();
}

Error CudaDevice::launch(Kernel *opaque, const LaunchShape &shape,
                         const void *const *arguments, size_t, Stream *stream) {
  auto &kernel = *reinterpret_cast<CudaKernel *>(opaque);
  if (Error error = prepare(kernel, shape))
    return error;
  std::array<LaunchAttribute, 3> attributes{};
  LaunchConfig config{shape.grid.x,
                      shape.grid.y,
                      shape.grid.z,
                      shape.block.x,
                      shape.block.y,
                      shape.block.z,
                      shape.dynamicSharedBytes,
                      handle(stream),
                      attributes.data(),
                      0};
  if (shape.cooperative) {
    LaunchAttribute &attribute = attributes[config.attributeCount++];
    attribute.id = cooperative;
    attribute.value.flag = 1;
  }
  if (shape.cluster.x * shape.cluster.y * shape.cluster.z > 1) {
    LaunchAttribute &attribute = attributes[config.attributeCount++];
    attribute.id = clusterDimension;
    attribute.value.cluster = {shape.cluster.x, shape.cluster.y,
                               shape.cluster.z};
  }
  if (shape.programmatic) {
    LaunchAttribute &attribute = attributes[config.attributeCount++];
    attribute.id = programmaticStreamSerialization;
    attribute.value.flag = 1;
  }
  Status status = api.launchKernelEx(&config, kernel.function,
                                     const_cast<void **>(arguments), nullptr);
  if (Error error =
          api.check(status, "cuLaunchKernelEx of kernel " + kernel.name))
    return error;
  return stream ? Error::success() : synchronize(nullptr);
}

Error CudaDevice::beginRecording(Stream *stream) {
  return api.check(api.streamBeginCapture(handle(stream), captureRelaxed),
                   "cuStreamBeginCapture");
}

Result<Graph *> CudaDevice::endRecording(Stream *stream) {
  GraphHandle graph = nullptr;
  if (Error error = api.check(api.streamEndCapture(handle(stream), &graph),
                              "cuStreamEndCapture"))
    return error;
  GraphExecHandle made = nullptr;
  Error error = api.check(api.graphInstantiate(&made, graph, 0),
                          "cuGraphInstantiateWithFlags");
  api.graphDestroy(graph);
  if (error)
    return error;
  graphs.push_back(made);
  return reinterpret_cast<Graph *>(made);
}

Error CudaDevice::launch(Graph *graph, Stream *stream) {
  return api.check(
      api.graphLaunch(reinterpret_cast<GraphExecHandle>(graph), handle(stream)),
      "cuGraphLaunch");
}

void CudaDevice::release(Graph *graph) {
  auto made = reinterpret_cast<GraphExecHandle>(graph);
  graphs.erase(std::find(graphs.begin(), graphs.end(), made));
  api.graphExecDestroy(made);
}

Result<Stream *> CudaDevice::createStream() {
  constexpr unsigned nonBlocking = 1;
  StreamHandle stream = nullptr;
  if (Error error =
          api.check(api.streamCreate(&stream, nonBlocking), "cuStreamCreate"))
    return error;
  streams.push_back(stream);
  return reinterpret_cast<Stream *>(stream);
}

Error CudaDevice::synchronize(Stream *stream) {
  if (!stream)
    return api.check(api.ctxSynchronize(), "cuCtxSynchronize");
  return api.check(api.streamSynchronize(handle(stream)),
                   "cuStreamSynchronize");
}

Result<Event *> CudaDevice::createEvent() {
  EventHandle event = nullptr;
  if (Error error = api.check(api.eventCreate(&event, 0), "cuEventCreate"))
    return error;
  events.push_back(event);
  return reinterpret_cast<Event *>(event);
}

Error CudaDevice::record(Event *event, Stream *stream) {
  return api.check(
      api.eventRecord(reinterpret_cast<EventHandle>(event), handle(stream)),
      "cuEventRecord");
}

Error CudaDevice::wait(Event *event) {
  return api.check(api.eventSynchronize(reinterpret_cast<EventHandle>(event)),
                   "cuEventSynchronize");
}

Result<double> CudaDevice::elapsedMilliseconds(Event *start, Event *end) {
  float milliseconds = 0;
  auto last = reinterpret_cast<EventHandle>(end);
  if (Error error = api.check(api.eventSynchronize(last), "cuEventSynchronize"))
    return error;
  if (Error error = api.check(
          api.eventElapsedTime(&milliseconds,
                               reinterpret_cast<EventHandle>(start), last),
          "cuEventElapsedTime"))
    return error;
  return static_cast<double>(milliseconds);
}

Result<std::unique_ptr<Device>> llrt::createCudaDevice(int ordinal,
                                                       const GpuRow *row) {
  CudaProbe probe = probeCuda();
  if (probe.absence != CudaAbsence::Present)
    return Error(probe.detail);
  Result<const Api *> api = loadApi();
  if (!api)
    return api.error();
  auto device = std::make_unique<CudaDevice>(**api);
  if (Error error = device->open(ordinal, row))
    return error;
  return std::unique_ptr<Device>(std::move(device));
}
