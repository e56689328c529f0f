// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Exports the driver API functions that the runtime asks for.
#include "FakeCuda.h"

#include "HostDevice.h"

#include "runtime/device/cuda/CudaApi.h"

#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <utility>

using namespace llrt::cuda;

namespace {

struct Function {
  std::string name;
  int dynamicShared = 47 * 1024; // 1 KB is static
};

struct Driver : FakeCuda {
  Driver() {
    auto read = [](const char *name, int &value) {
      if (const char *text = std::getenv(name))
        value = std::atoi(text);
    };
    int sm = 90;
    read("FAKE_CUDA_VERSION", version);
    read("FAKE_CUDA_COUNT", count);
    read("FAKE_CUDA_INIT", initStatus);
    read("FAKE_CUDA_SM", sm);
    read("FAKE_CUDA_MULTIPROCESSORS", multiprocessors);
    if (const char *text = std::getenv("FAKE_CUDA_NAME"))
      name = text;
    if (const char *text = std::getenv("FAKE_CUDA_MEMORY"))
      memory = std::strtoull(text, nullptr, 10);
    major = sm / 10;
    minor = sm % 10;
  }
  /// Work of a stream that nobody has waited for: what runs on no stream is
  /// not ordered after it.
  bool pending = false;
  bool pendingBehindEvent = false; ///< some of it since the last event
  /// The end of a cuMemcpyHtoD from pageable memory, which the driver may leave
  /// to the legacy stream: no other stream is ordered after it.
  bool staged = false;
  bool initialised = false, current = false, retained = false;
  std::map<DevicePointer, std::pair<void *, uint64_t>> blocks;
  std::deque<Function> functions; // addresses stay
  /// A launch as it was when it was recorded.
  struct Launch {
    llrt::Kernel *kernel;
    llrt::LaunchShape shape;
    std::vector<uint64_t> values;
  };
  using Launches = std::vector<Launch>;
  Launches *capture = nullptr; ///< of the stream that is being recorded
  std::map<Launches *, std::unique_ptr<Launches>> graphs;
  toy::HostDevice kernels;
};

Driver &driver() {
  static Driver state;
  return state;
}

Status misuse(const std::string &what) {
  if (driver().misuse.empty())
    driver().misuse = what;
  return 1; // CUDA_ERROR_INVALID_VALUE
}

void note(const std::string &text) { driver().log.push_back(text); }

/// Refuses a call that needs a current context where there is none.
#define NEEDS_CONTEXT(name)                                                    \
  if (!driver().current)                                                       \
  return misuse(name " without a current context")

bool inside(DevicePointer pointer, size_t bytes) {
  auto next = driver().blocks.upper_bound(pointer);
  if (next == driver().blocks.begin())
    return false;
  auto &[start, block] = *std::prev(next);
  return pointer - start <= block.second &&
         bytes <= block.second - (pointer - start);
}

Status copy(const char *name, void *to, const void *from, size_t bytes,
            DevicePointer device) {
  NEEDS_CONTEXT("a copy");
  bool onStream = std::strstr(name, "Async") != nullptr;
  if (driver().pending && !onStream)
    return misuse(std::string(name) + " beside unfinished work of a stream");
  if (driver().staged && onStream)
    return misuse(std::string(name) + " beside an unfinished cuMemcpyHtoD");
  driver().pending |= onStream;
  driver().pendingBehindEvent |= onStream;
  driver().staged |= std::strcmp(name, "cuMemcpyHtoD") == 0;
  if (driver().capture)
    return misuse(std::string(name) + " while launches are recorded");
  note(std::string(name) + " " + std::to_string(bytes));
  if (!inside(device, bytes))
    return misuse(std::string(name) + " outside an allocation");
  std::memcpy(to, from, bytes);
  return success;
}

void *host(DevicePointer pointer) { return reinterpret_cast<void *>(pointer); }

} // namespace

extern "C" {

FakeCuda *fakeCudaState() { return &driver(); }

Status cuInit(unsigned) {
  driver().initialised = driver().initStatus == 0;
  return driver().initStatus;
}
Status cuDriverGetVersion(int *version) {
  *version = driver().version;
  return success;
}
Status cuGetErrorName(Status status, const char **text) {
  *text = status == outOfMemory ? "CUDA_ERROR_OUT_OF_MEMORY"
          : status == 218       ? "CUDA_ERROR_INVALID_PTX"
                                : "CUDA_ERROR_FAKE";
  return success;
}
Status cuGetErrorString(Status, const char **text) {
  *text = "said by the fake driver";
  return success;
}
Status cuDeviceGetCount(int *count) {
  if (!driver().initialised)
    return misuse("cuDeviceGetCount before cuInit");
  *count = driver().count;
  return success;
}
Status cuDeviceGet(DeviceHandle *device, int ordinal) {
  *device = ordinal + 100;
  return ordinal < driver().count ? success
                                  : misuse("cuDeviceGet of no device");
}
Status cuDeviceGetName(char *name, int length, DeviceHandle) {
  std::strncpy(name, driver().name.c_str(), static_cast<size_t>(length));
  return success;
}
Status cuDeviceGetAttribute(int *value, DeviceAttribute attribute,
                            DeviceHandle) {
  *value = attribute == computeCapabilityMajor   ? driver().major
           : attribute == computeCapabilityMinor ? driver().minor
           : attribute == multiprocessorCount    ? driver().multiprocessors
                                                 : 4;
  return success;
}
Status cuDeviceTotalMem_v2(size_t *bytes, DeviceHandle) {
  *bytes = driver().memory;
  return success;
}
Status cuDevicePrimaryCtxRetain(ContextHandle *context, DeviceHandle) {
  note("cuDevicePrimaryCtxRetain");
  driver().retained = true;
  *context = reinterpret_cast<ContextHandle>(8);
  return success;
}
Status cuDevicePrimaryCtxRelease_v2(DeviceHandle) {
  note("cuDevicePrimaryCtxRelease");
  if (driver().inUse || driver().liveStreams || driver().liveEvents ||
      driver().liveModules || driver().livePinned || driver().liveGraphs)
    misuse("something is still alive at cuDevicePrimaryCtxRelease");
  driver().retained = driver().current = false;
  return success;
}
Status cuCtxSetCurrent(ContextHandle context) {
  driver().current = context && driver().retained;
  return success;
}
Status cuCtxSynchronize() {
  NEEDS_CONTEXT("cuCtxSynchronize");
  note("cuCtxSynchronize");
  driver().pending = driver().staged = false;
  return success;
}
Status cuMemGetInfo_v2(size_t *available, size_t *total) {
  *total = driver().memory;
  *available = driver().memory - driver().inUse;
  return success;
}
Status cuMemAlloc_v2(DevicePointer *pointer, size_t bytes) {
  NEEDS_CONTEXT("cuMemAlloc");
  note("cuMemAlloc " + std::to_string(bytes));
  if (bytes > driver().memory - driver().inUse)
    return outOfMemory;
  // Aligned as little as a driver may.
  void *raw = std::aligned_alloc(256, (bytes + 511) / 256 * 256);
  std::memset(raw, 0xCD, bytes);
  *pointer = reinterpret_cast<DevicePointer>(raw);
  driver().blocks[*pointer] = {raw, bytes};
  driver().inUse += bytes;
  return success;
}
Status cuMemFree_v2(DevicePointer pointer) {
  auto found = driver().blocks.find(pointer);
  if (found == driver().blocks.end())
    return misuse("cuMemFree of what was not allocated");
  driver().inUse -= found->second.second;
  std::free(found->second.first);
  driver().blocks.erase(found);
  return success;
}
Status cuMemHostAlloc(void **pointer, size_t bytes, unsigned) {
  if (!driver().pinnedMemory)
    return outOfMemory;
  note("cuMemHostAlloc " + std::to_string(bytes));
  ++driver().livePinned;
  *pointer = std::malloc(bytes);
  return success;
}
Status cuMemFreeHost(void *pointer) {
  --driver().livePinned;
  std::free(pointer);
  return success;
}
Status cuMemcpyHtoD_v2(DevicePointer to, const void *from, size_t bytes) {
  return copy("cuMemcpyHtoD", host(to), from, bytes, to);
}
Status cuMemcpyDtoH_v2(void *to, DevicePointer from, size_t bytes) {
  return copy("cuMemcpyDtoH", to, host(from), bytes, from);
}
Status cuMemcpyDtoD_v2(DevicePointer to, DevicePointer from, size_t bytes) {
  return copy("cuMemcpyDtoD", host(to), host(from), bytes, to);
}
Status cuMemcpyHtoDAsync_v2(DevicePointer to, const void *from, size_t bytes,
                            StreamHandle stream) {
  return stream ? copy("cuMemcpyHtoDAsync", host(to), from, bytes, to)
                : misuse("asynchronous copy without a stream");
}
Status cuMemcpyDtoHAsync_v2(void *to, DevicePointer from, size_t bytes,
                            StreamHandle stream) {
  return stream ? copy("cuMemcpyDtoHAsync", to, host(from), bytes, from)
                : misuse("asynchronous copy without a stream");
}
Status cuMemcpyDtoDAsync_v2(DevicePointer to, DevicePointer from, size_t bytes,
                            StreamHandle stream) {
  return stream ? copy("cuMemcpyDtoDAsync", host(to), host(from), bytes, to)
                : misuse("asynchronous copy without a stream");
}
Status cuMemsetD8_v2(DevicePointer to, unsigned char byte, size_t bytes) {
  NEEDS_CONTEXT("cuMemsetD8");
  if (!inside(to, bytes))
    return misuse("cuMemsetD8 outside an allocation");
  std::memset(host(to), byte, bytes);
  return success;
}
Status cuMemsetD8Async(DevicePointer to, unsigned char byte, size_t bytes,
                       StreamHandle) {
  note("cuMemsetD8Async " + std::to_string(bytes));
  Status status = cuMemsetD8_v2(to, byte, bytes);
  driver().pending = driver().pendingBehindEvent = true;
  return status;
}
Status cuModuleLoadDataEx(ModuleHandle *module, const void *image,
                          unsigned count, JitOption *options, void **values) {
  NEEDS_CONTEXT("cuModuleLoadDataEx");
  std::string text(static_cast<const char *>(image)); // needs its NUL
  bool cubin = text.compare(0, 4,
                            "\x7f"
                            "ELF") == 0;
  note("cuModuleLoadDataEx " +
       (cubin ? std::string("cubin") : std::to_string(text.size())));
  if (!cubin && text.find(".version") == std::string::npos)
    return misuse("cuModuleLoadDataEx of what is no PTX");
  if (!driver().moduleLog.empty()) {
    for (unsigned i = 0; i < count; ++i)
      if (options[i] == errorLogBuffer)
        std::strcpy(static_cast<char *>(values[i]), driver().moduleLog.c_str());
    return 218; // CUDA_ERROR_INVALID_PTX
  }
  ++driver().liveModules;
  *module = reinterpret_cast<ModuleHandle>(16);
  return success;
}
Status cuModuleUnload(ModuleHandle) {
  --driver().liveModules;
  return success;
}
Status cuModuleGetFunction(FunctionHandle *function, ModuleHandle,
                           const char *name) {
  note(std::string("cuModuleGetFunction ") + name);
  if (!driver().kernels.findKernel(nullptr, name))
    return 500; // CUDA_ERROR_NOT_FOUND
  driver().functions.push_back({name});
  *function = reinterpret_cast<FunctionHandle>(&driver().functions.back());
  return success;
}
Status cuFuncGetAttribute(int *value, FunctionAttribute attribute,
                          FunctionHandle) {
  *value = attribute == numRegs ? 42 : attribute == sharedSizeBytes ? 1024 : 16;
  return success;
}
Status cuFuncSetAttribute(FunctionHandle function, FunctionAttribute attribute,
                          int value) {
  note("cuFuncSetAttribute " + std::to_string(attribute) + " " +
       std::to_string(value));
  if (attribute == maxDynamicSharedSizeBytes) {
    if (value > 227 * 1024)
      return 1;
    reinterpret_cast<Function *>(function)->dynamicShared = value;
  }
  return success;
}
Status cuLaunchKernelEx(const LaunchConfig *config, FunctionHandle handle,
                        void **parameters, void **extra) {
  NEEDS_CONTEXT("cuLaunchKernelEx");
  auto &function = *reinterpret_cast<Function *>(handle);
  std::string text = "cuLaunchKernelEx " + function.name + " " +
                     std::to_string(config->gridX) + "x" +
                     std::to_string(config->gridY) + "x" +
                     std::to_string(config->gridZ) + " " +
                     std::to_string(config->blockX) + " shared " +
                     std::to_string(config->sharedBytes);
  for (unsigned i = 0; i < config->attributeCount; ++i) {
    const LaunchAttribute &attribute = config->attributes[i];
    if (attribute.id == cooperative && attribute.value.flag)
      text += " cooperative";
    if (attribute.id == programmaticStreamSerialization && attribute.value.flag)
      text += " programmatic";
    if (attribute.id == clusterDimension)
      text += " cluster " + std::to_string(attribute.value.cluster.x);
  }
  note(text);
  if (extra || static_cast<int>(config->sharedBytes) > function.dynamicShared)
    return misuse("launch with more shared memory than was asked for");
  if (driver().staged && config->stream)
    return misuse("launch beside an unfinished cuMemcpyHtoD");
  llrt::LaunchShape shape;
  shape.grid = {config->gridX, config->gridY, config->gridZ};
  driver().pending |= config->stream != nullptr;
  driver().pendingBehindEvent |= config->stream != nullptr;
  if (!parameters)
    return success;
  llrt::Kernel *kernel = *driver().kernels.findKernel(nullptr, function.name);
  if (driver().capture && config->stream) {
    Driver::Launch launch{kernel, shape, {}};
    for (size_t i = 0; i < toy::HostDevice::argumentsOf(kernel); ++i)
      std::memcpy(&launch.values.emplace_back(), parameters[i],
                  toy::HostDevice::argumentBytes(kernel, i));
    driver().capture->push_back(std::move(launch));
    return success;
  }
  llrt::Error error = driver().kernels.launch(
      kernel, shape, parameters, toy::HostDevice::argumentsOf(kernel), nullptr);
  return error ? misuse(error.message()) : success;
}
Status cuStreamCreate(StreamHandle *stream, unsigned) {
  NEEDS_CONTEXT("cuStreamCreate");
  *stream = reinterpret_cast<StreamHandle>(
      static_cast<uintptr_t>(32 + ++driver().liveStreams));
  return success;
}
Status cuStreamDestroy_v2(StreamHandle) {
  --driver().liveStreams;
  return success;
}
Status cuStreamSynchronize(StreamHandle stream) {
  note("cuStreamSynchronize");
  driver().pending = false;
  return stream ? success : misuse("cuStreamSynchronize of nothing");
}
Status cuStreamBeginCapture_v2(StreamHandle stream, CaptureMode) {
  note("cuStreamBeginCapture");
  if (!stream || driver().capture)
    return misuse("cuStreamBeginCapture of nothing or within another");
  driver().capture = new Driver::Launches;
  return success;
}
Status cuStreamEndCapture(StreamHandle, GraphHandle *graph) {
  note("cuStreamEndCapture");
  if (!driver().capture)
    return misuse("cuStreamEndCapture without its begin");
  Driver::Launches *made = std::exchange(driver().capture, nullptr);
  driver().graphs.emplace(made, made);
  *graph = reinterpret_cast<GraphHandle>(made);
  return success;
}
Status cuGraphInstantiateWithFlags(GraphExecHandle *exec, GraphHandle graph,
                                   unsigned long long) {
  auto copy = std::make_unique<Driver::Launches>(
      *reinterpret_cast<Driver::Launches *>(graph));
  *exec = reinterpret_cast<GraphExecHandle>(copy.get());
  driver().graphs.emplace(copy.get(), std::move(copy));
  ++driver().liveGraphs;
  return success;
}
Status cuGraphDestroy(GraphHandle graph) {
  return driver().graphs.erase(reinterpret_cast<Driver::Launches *>(graph))
             ? success
             : misuse("cuGraphDestroy of no graph");
}
Status cuGraphExecDestroy(GraphExecHandle exec) {
  --driver().liveGraphs;
  return driver().graphs.erase(reinterpret_cast<Driver::Launches *>(exec))
             ? success
             : misuse("cuGraphExecDestroy of no graph");
}
Status cuGraphLaunch(GraphExecHandle exec, StreamHandle stream) {
  note("cuGraphLaunch");
  if (!stream || driver().staged || driver().capture)
    return misuse("cuGraphLaunch without a stream, beside an unfinished "
                  "cuMemcpyHtoD or while recording");
  driver().pending = driver().pendingBehindEvent = true;
  for (const Driver::Launch &launch :
       *reinterpret_cast<Driver::Launches *>(exec)) {
    std::vector<const void *> arguments;
    for (const uint64_t &value : launch.values)
      arguments.push_back(&value);
    if (llrt::Error error = driver().kernels.launch(launch.kernel, launch.shape,
                                                    arguments.data(),
                                                    arguments.size(), nullptr))
      return misuse(error.message());
  }
  return success;
}
Status cuEventCreate(EventHandle *event, unsigned) {
  *event = reinterpret_cast<EventHandle>(
      static_cast<uintptr_t>(64 + ++driver().liveEvents));
  return success;
}
Status cuEventDestroy_v2(EventHandle) {
  --driver().liveEvents;
  return success;
}
Status cuEventRecord(EventHandle event, StreamHandle) {
  note("cuEventRecord");
  driver().pendingBehindEvent = false;
  return event ? success : misuse("cuEventRecord of nothing");
}
Status cuEventSynchronize(EventHandle event) {
  note("cuEventSynchronize");
  driver().pending &= driver().pendingBehindEvent;
  return event ? success : misuse("cuEventSynchronize of nothing");
}
Status cuEventElapsedTime(float *milliseconds, EventHandle, EventHandle) {
  *milliseconds = 1.5f;
  return success;
}

} // extern "C"
