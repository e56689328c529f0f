// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The part of the CUDA driver API that the runtime calls: declarations of our
// own, so that it builds where no CUDA is installed, and a table of functions
// that dlopen fills. Names, values and layouts are those of cuda.h (13.0),
// which keeps them stable; test/runtime/CudaApiTest.cpp compares them where it
// is present.
#ifndef LLAMAC_RUNTIME_DEVICE_CUDA_CUDAAPI_H
#define LLAMAC_RUNTIME_DEVICE_CUDA_CUDAAPI_H

#include "runtime/Result.h"

#include <cstddef>
#include <cstdint>

namespace llrt::cuda {

using Status = int;
using DevicePointer = unsigned long long;
using DeviceHandle = int;
using ContextHandle = struct CUctx_st *;
using ModuleHandle = struct CUmod_st *;
using FunctionHandle = struct CUfunc_st *;
using StreamHandle = struct CUstream_st *;
using EventHandle = struct CUevent_st *;
using GraphHandle = struct CUgraph_st *;
using GraphExecHandle = struct CUgraphExec_st *;

enum : Status {
  success = 0,
  outOfMemory = 2,
  stubLibrary = 34,
  noDevice = 100
};

enum DeviceAttribute : int {
  multiprocessorCount = 16,
  computeCapabilityMajor = 75,
  computeCapabilityMinor = 76,
};

enum FunctionAttribute : int {
  sharedSizeBytes = 1,
  localSizeBytes = 3,
  numRegs = 4,
  maxDynamicSharedSizeBytes = 8,
  nonPortableClusterSizeAllowed = 14,
};

enum JitOption : int {
  infoLogBuffer = 3,
  infoLogBufferBytes = 4,
  errorLogBuffer = 5,
  errorLogBufferBytes = 6
};

enum LaunchAttributeId : int {
  cooperative = 2,
  clusterDimension = 4,
  programmaticStreamSerialization = 6
};

enum CaptureMode : int { captureRelaxed = 2 };

enum HostAllocFlag : unsigned { hostAllocPortable = 1, hostAllocMapped = 2 };

struct LaunchAttribute {
  LaunchAttributeId id;
  char pad[8 - sizeof(LaunchAttributeId)];
  union {
    char bytes[64];
    int flag; ///< cooperative, programmaticStreamSerialization
    struct {
      unsigned x, y, z;
    } cluster;
  } value;
};

struct LaunchConfig {
  unsigned gridX, gridY, gridZ;
  unsigned blockX, blockY, blockZ;
  unsigned sharedBytes;
  StreamHandle stream;
  LaunchAttribute *attributes;
  unsigned attributeCount;
};

// X(name in the table, exported symbol, parameters)
#define LLAMAC_CUDA_FUNCTIONS(X)                                               \
  X(init, "cuInit", (unsigned flags))                                          \
  X(driverGetVersion, "cuDriverGetVersion", (int *version))                    \
  X(getErrorName, "cuGetErrorName", (Status status, const char **text))        \
  X(getErrorString, "cuGetErrorString", (Status status, const char **text))    \
  X(deviceGetCount, "cuDeviceGetCount", (int *count))                          \
  X(deviceGet, "cuDeviceGet", (DeviceHandle * device, int ordinal))            \
  X(deviceGetName, "cuDeviceGetName",                                          \
    (char *name, int length, DeviceHandle device))                             \
  X(deviceGetAttribute, "cuDeviceGetAttribute",                                \
    (int *value, DeviceAttribute attribute, DeviceHandle device))              \
  X(deviceTotalMem, "cuDeviceTotalMem_v2",                                     \
    (size_t *bytes, DeviceHandle device))                                      \
  X(primaryCtxRetain, "cuDevicePrimaryCtxRetain",                              \
    (ContextHandle * context, DeviceHandle device))                            \
  X(primaryCtxRelease, "cuDevicePrimaryCtxRelease_v2", (DeviceHandle device))  \
  X(ctxSetCurrent, "cuCtxSetCurrent", (ContextHandle context))                 \
  X(ctxSynchronize, "cuCtxSynchronize", ())                                    \
  X(memGetInfo, "cuMemGetInfo_v2", (size_t *available, size_t *total))         \
  X(memAlloc, "cuMemAlloc_v2", (DevicePointer * pointer, size_t bytes))        \
  X(memFree, "cuMemFree_v2", (DevicePointer pointer))                          \
  X(memHostAlloc, "cuMemHostAlloc",                                            \
    (void **pointer, size_t bytes, unsigned flags))                            \
  X(memFreeHost, "cuMemFreeHost", (void *pointer))                             \
  X(memcpyHtoD, "cuMemcpyHtoD_v2",                                             \
    (DevicePointer to, const void *from, size_t bytes))                        \
  X(memcpyDtoH, "cuMemcpyDtoH_v2",                                             \
    (void *to, DevicePointer from, size_t bytes))                              \
  X(memcpyDtoD, "cuMemcpyDtoD_v2",                                             \
    (DevicePointer to, DevicePointer from, size_t bytes))                      \
  X(memcpyHtoDAsync, "cuMemcpyHtoDAsync_v2",                                   \
    (DevicePointer to, const void *from, size_t bytes, StreamHandle stream))   \
  X(memcpyDtoHAsync, "cuMemcpyDtoHAsync_v2",                                   \
    (void *to, DevicePointer from, size_t bytes, StreamHandle stream))         \
  X(memcpyDtoDAsync, "cuMemcpyDtoDAsync_v2",                                   \
    (DevicePointer to, DevicePointer from, size_t bytes, StreamHandle stream)) \
  X(memsetD8, "cuMemsetD8_v2",                                                 \
    (DevicePointer to, unsigned char byte, size_t bytes))                      \
  X(memsetD8Async, "cuMemsetD8Async",                                          \
    (DevicePointer to, unsigned char byte, size_t bytes, StreamHandle stream)) \
  X(moduleLoadDataEx, "cuModuleLoadDataEx",                                    \
    (ModuleHandle * module, const void *image, unsigned optionCount,           \
     JitOption *options, void **values))                                       \
  X(moduleUnload, "cuModuleUnload", (ModuleHandle module))                     \
  X(moduleGetFunction, "cuModuleGetFunction",                                  \
    (FunctionHandle * function, ModuleHandle module, const char *name))        \
  X(funcGetAttribute, "cuFuncGetAttribute",                                    \
    (int *value, FunctionAttribute attribute, FunctionHandle function))        \
  X(funcSetAttribute, "cuFuncSetAttribute",                                    \
    (FunctionHandle function, FunctionAttribute attribute, int value))         \
  X(launchKernelEx, "cuLaunchKernelEx",                                        \
    (const LaunchConfig *config, FunctionHandle function, void **parameters,   \
     void **extra))                                                            \
  X(streamCreate, "cuStreamCreate", (StreamHandle * stream, unsigned flags))   \
  X(streamDestroy, "cuStreamDestroy_v2", (StreamHandle stream))                \
  X(streamSynchronize, "cuStreamSynchronize", (StreamHandle stream))           \
  X(streamBeginCapture, "cuStreamBeginCapture_v2",                             \
    (StreamHandle stream, CaptureMode mode))                                   \
  X(streamEndCapture, "cuStreamEndCapture",                                    \
    (StreamHandle stream, GraphHandle * graph))                                \
  X(graphInstantiate, "cuGraphInstantiateWithFlags",                           \
    (GraphExecHandle * exec, GraphHandle graph, unsigned long long flags))     \
  X(graphDestroy, "cuGraphDestroy", (GraphHandle graph))                       \
  X(graphLaunch, "cuGraphLaunch", (GraphExecHandle exec, StreamHandle stream)) \
  X(graphExecDestroy, "cuGraphExecDestroy", (GraphExecHandle exec))            \
  X(eventCreate, "cuEventCreate", (EventHandle * event, unsigned flags))       \
  X(eventDestroy, "cuEventDestroy_v2", (EventHandle event))                    \
  X(eventRecord, "cuEventRecord", (EventHandle event, StreamHandle stream))    \
  X(eventSynchronize, "cuEventSynchronize", (EventHandle event))               \
  X(eventElapsedTime, "cuEventElapsedTime",                                    \
    (float *milliseconds, EventHandle start, EventHandle end))

struct Api {
#define LLAMAC_CUDA_MEMBER(member, symbol, parameters)                         \
  Status(*member) parameters = nullptr;
  LLAMAC_CUDA_FUNCTIONS(LLAMAC_CUDA_MEMBER)
#undef LLAMAC_CUDA_MEMBER

  /// Success, or "CUDA: <what>: CUDA_ERROR_... (its description)".
  Error check(Status status, const std::string &what) const;
};

/// libcuda.so.1, opened once and kept open; an Error if it or a function of it
/// is not there.
Result<const Api *> loadApi();

/// The oldest driver that runs CUDA 13 code: version 580.
inline constexpr int oldestDriver = 13000;

} // namespace llrt::cuda

#endif
