// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// libnvJitLink.so.13 by dlopen: the assembler where there is no ptxas.
#include "compiler/emit/Assemble.h"

#include <dlfcn.h>

namespace mlir::llama {
namespace {

// What nvJitLink.h declares, as far as it is used here.
using Link = struct nvJitLink *;
using Status = int;
constexpr Status success = 0;
constexpr int inputPtx = 2;

struct Api {
  Status (*create)(Link *, uint32_t, const char **);
  Status (*destroy)(Link *);
  Status (*add)(Link, int, const void *, size_t, const char *);
  Status (*complete)(Link);
  Status (*cubinSize)(Link, size_t *);
  Status (*cubin)(Link, void *);
  Status (*errorLogSize)(Link, size_t *);
  Status (*errorLog)(Link, char *);
  Status (*infoLogSize)(Link, size_t *);
  Status (*infoLog)(Link, char *);

  /// The name of the first function that `library` lacks, or null.
  const char *resolve(void *library) {
    struct {
      const char *name;
      void **function;
    } const wanted[] = {
        {"__nvJitLinkCreate_13_0", reinterpret_cast<void **>(&create)},
        {"__nvJitLinkDestroy_13_0", reinterpret_cast<void **>(&destroy)},
        {"__nvJitLinkAddData_13_0", reinterpret_cast<void **>(&add)},
        {"__nvJitLinkComplete_13_0", reinterpret_cast<void **>(&complete)},
        {"__nvJitLinkGetLinkedCubinSize_13_0",
         reinterpret_cast<void **>(&cubinSize)},
        {"__nvJitLinkGetLinkedCubin_13_0", reinterpret_cast<void **>(&cubin)},
        {"__nvJitLinkGetErrorLogSize_13_0",
         reinterpret_cast<void **>(&errorLogSize)},
        {"__nvJitLinkGetErrorLog_13_0", reinterpret_cast<void **>(&errorLog)},
        {"__nvJitLinkGetInfoLogSize_13_0",
         reinterpret_cast<void **>(&infoLogSize)},
        {"__nvJitLinkGetInfoLog_13_0", reinterpret_cast<void **>(&infoLog)},
    };
    for (const auto &entry : wanted)
      if (!(*entry.function = dlsym(library, entry.name)))
        return entry.name;
    return nullptr;
  }
};

std::string textOf(Link link, Status (*size)(Link, size_t *),
                   Status (*get)(Link, char *)) {
  size_t bytes = 0;
  if (size(link, &bytes) != success || bytes == 0)
    return "";
  std::string text(bytes, '\0');
  if (get(link, text.data()) != success)
    return "";
  return text.c_str();
}

} // namespace

llrt::Result<Assembly> assembleByNvJitLink(const std::string &path,
                                           const std::string &ptx,
                                           const std::string &chip) {
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return llrt::Error(path + ": " + dlerror());
  Api api;
  if (const char *missing = api.resolve(library))
    return llrt::Error(path + ": has no function " + missing +
                       "; install nvJitLink 13.0");
  const std::string architecture = "-arch=" + chip;
  const char *options[] = {architecture.c_str(), "-verbose"};
  Link link = nullptr;
  if (Status status = api.create(&link, 2, options))
    return llrt::Error(path + ": nvJitLinkCreate: error " +
                       std::to_string(status));
  Status status =
      api.add(link, inputPtx, ptx.c_str(), ptx.size() + 1, "kernels.ptx");
  if (status == success)
    status = api.complete(link);
  Assembly result;
  size_t bytes = 0;
  if (status == success)
    status = api.cubinSize(link, &bytes);
  if (status == success) {
    result.cubin.resize(bytes);
    status = api.cubin(link, result.cubin.data());
  }
  std::string errors = textOf(link, api.errorLogSize, api.errorLog);
  result.kernels = readAssemblerLog(textOf(link, api.infoLogSize, api.infoLog));
  api.destroy(&link);
  if (status != success)
    return llrt::Error(path + ": error " + std::to_string(status) + " for " +
                       chip + ":\n" + errors);
  return result;
}

} // namespace mlir::llama
