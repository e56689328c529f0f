// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Opens libcuda.so.1 and says what is there.
#include "runtime/device/cuda/CudaApi.h"

#include "runtime/device/Device.h"

#include <dlfcn.h>

using namespace llrt;
using namespace llrt::cuda;

static Result<const Api *> openLibrary() {
  void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return Error(std::string("no NVIDIA driver: ") + dlerror());
  static Api api;
#define LLAMAC_CUDA_LOAD(member, symbol, parameters)                           \
  api.member = reinterpret_cast<Status(*) parameters>(dlsym(library, symbol)); \
  if (!api.member)                                                             \
    return Error("the NVIDIA driver is too old: libcuda.so.1 has no " symbol   \
                 "; install driver 580 or later");
  LLAMAC_CUDA_FUNCTIONS(LLAMAC_CUDA_LOAD)
#undef LLAMAC_CUDA_LOAD
  return &api;
}

Result<const Api *> llrt::cuda::loadApi() {
  static const Result<const Api *> api = openLibrary();
  return api;
}

Error Api::check(Status status, const std::string &what) const {
  if (status == success)
    return Error::success();
  const char *name = nullptr, *text = nullptr;
  getErrorName(status, &name);
  getErrorString(status, &text);
  return Error("CUDA: " + what + ": " +
               (name ? name : "error " + std::to_string(status)) +
               (text ? std::string(" (") + text + ")" : std::string()));
}

CudaProbe llrt::probeCuda() {
  // Without the library there is no driver; with an incomplete one there is.
  void *library = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (!library)
    return {CudaAbsence::NoDriver,
            std::string("no NVIDIA driver (") + dlerror() + ")"};
  dlclose(library);
  Result<const Api *> loaded = loadApi();
  if (!loaded)
    return {CudaAbsence::Unusable, loaded.error().message()};
  const Api &api = **loaded;
  Status status = api.init(0);
  if (status == noDevice)
    return {CudaAbsence::NoDevice, "the NVIDIA driver finds no GPU"};
  if (status == stubLibrary)
    return {CudaAbsence::NoDriver,
            "libcuda.so.1 is CUDA's stub library, no driver"};
  if (Error error = api.check(status, "cuInit"))
    return {CudaAbsence::Unusable,
            error.message() + "; `nvidia-smi` says more"};
  int version = 0;
  if (Error error =
          api.check(api.driverGetVersion(&version), "cuDriverGetVersion"))
    return {CudaAbsence::Unusable, error.message()};
  if (version < oldestDriver)
    return {
        CudaAbsence::Unusable,
        "the NVIDIA driver is too old: it runs CUDA " +
            std::to_string(version / 1000) + "." +
            std::to_string(version % 1000 / 10) +
            ", this executable needs CUDA 13.0; install driver 580 or later"};
  int count = 0;
  if (Error error = api.check(api.deviceGetCount(&count), "cuDeviceGetCount"))
    return {CudaAbsence::Unusable, error.message()};
  if (count == 0)
    return {CudaAbsence::NoDevice, "the NVIDIA driver finds no GPU"};
  return {CudaAbsence::Present,
          std::to_string(count) + (count == 1 ? " GPU" : " GPUs")};
}
