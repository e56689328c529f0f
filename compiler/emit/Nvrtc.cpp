// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// libnvrtc.so.13 by dlopen. Test: test/emit/NvrtcTest.cpp.
#include "compiler/emit/Nvrtc.h"

#include "compiler/emit/CudaPieces.h"

#include <dlfcn.h>

namespace mlir::llama {

namespace {

// What nvrtc.h declares, as far as it is used here.
using Program = void *;
using Status = int;
constexpr Status success = 0;

constexpr const char *package =
    "the PyPI package nvidia-cuda-nvrtc (13.0) or a CUDA toolkit 13";

} // namespace

struct Nvrtc::Api {
  void *library = nullptr;
  Status (*version)(int *, int *);
  const char *(*errorString)(Status);
  Status (*create)(Program *, const char *, const char *, int,
                   const char *const *, const char *const *);
  Status (*destroy)(Program *);
  Status (*compile)(Program, int, const char *const *);
  Status (*logSize)(Program, size_t *);
  Status (*log)(Program, char *);
  Status (*ptxSize)(Program, size_t *);
  Status (*ptx)(Program, char *);
  Status (*cubinSize)(Program, size_t *);
  Status (*cubin)(Program, char *);

  /// The name of the first function that the library lacks, or null.
  const char *resolve() {
    struct {
      const char *name;
      void **function;
    } const wanted[] = {
        {"nvrtcVersion", reinterpret_cast<void **>(&version)},
        {"nvrtcGetErrorString", reinterpret_cast<void **>(&errorString)},
        {"nvrtcCreateProgram", reinterpret_cast<void **>(&create)},
        {"nvrtcDestroyProgram", reinterpret_cast<void **>(&destroy)},
        {"nvrtcCompileProgram", reinterpret_cast<void **>(&compile)},
        {"nvrtcGetProgramLogSize", reinterpret_cast<void **>(&logSize)},
        {"nvrtcGetProgramLog", reinterpret_cast<void **>(&log)},
        {"nvrtcGetPTXSize", reinterpret_cast<void **>(&ptxSize)},
        {"nvrtcGetPTX", reinterpret_cast<void **>(&ptx)},
        {"nvrtcGetCUBINSize", reinterpret_cast<void **>(&cubinSize)},
        {"nvrtcGetCUBIN", reinterpret_cast<void **>(&cubin)},
    };
    for (const auto &entry : wanted)
      if (!(*entry.function = dlsym(library, entry.name)))
        return entry.name;
    return nullptr;
  }

  /// One of the texts that a program has; "" where there is none.
  std::string text(Program program, Status (*size)(Program, size_t *),
                   Status (*get)(Program, char *)) const {
    size_t bytes = 0;
    if (size(program, &bytes) != success)
      return "";
    std::string result(bytes, '\0');
    if (get(program, result.data()) != success)
      return "";
    return result;
  }
};

Nvrtc::Nvrtc(std::unique_ptr<Api> api) : api(std::move(api)) {}
Nvrtc::~Nvrtc() = default; // never unloaded: it has threads of its own

llrt::Result<std::unique_ptr<Nvrtc>> Nvrtc::open(const std::string &own) {
  llrt::Result<std::string> path =
      findCudaPiece(own, "libnvrtc.so.13", package);
  if (!path)
    return path.error();
  auto unusable = [&](const std::string &why) {
    return llrt::Error(*path + ": " + why + "; install " + package +
                       " again, and set CUDA_HOME to where it lies");
  };
  auto api = std::make_unique<Api>();
  if (!(api->library = dlopen(path->c_str(), RTLD_NOW | RTLD_LOCAL)))
    return unusable(dlerror());
  if (const char *missing = api->resolve())
    return unusable(std::string("has no function ") + missing);
  int major = 0, minor = 0;
  if (api->version(&major, &minor) != success || major != 13)
    return unusable("is version " + std::to_string(major) + "." +
                    std::to_string(minor) + ", expected 13");
  // NVRTC opens its other half by its bare name: it must be there already.
  std::string builtins = path->substr(0, path->rfind('/') + 1) +
                         "libnvrtc-builtins.so." + std::to_string(major) + "." +
                         std::to_string(minor);
  if (!dlopen(builtins.c_str(), RTLD_NOW | RTLD_GLOBAL))
    return unusable(std::string("its other half cannot be opened: ") +
                    dlerror());
  return std::unique_ptr<Nvrtc>(new Nvrtc(std::move(api)));
}

llrt::Result<CudaImages> Nvrtc::compile(const std::vector<CudaSource> &sources,
                                        const std::string &chip,
                                        const std::vector<std::string> &defines,
                                        bool cubin, bool lines) {
  // One program includes the sources, which it is handed as headers, so that
  // messages carry their names.
  std::string main;
  std::vector<const char *> texts, names;
  for (const CudaSource &source : sources) {
    size_t dot = source.name.rfind('.');
    if (dot == std::string::npos || source.name.substr(dot) != ".h")
      main += "#include \"" + source.name + "\"\n";
    texts.push_back(source.text.c_str());
    names.push_back(source.name.c_str());
  }
  // compute_90a makes PTX alone, sm_90a the cubin too.
  std::vector<std::string> options = {
      "--gpu-architecture=" +
          (cubin ? chip : "compute_" + chip.substr(chip.find('_') + 1)),
      "--std=c++17", "--fmad=false", "--no-source-include",
      // Headers that the host reads too need no annotations.
      "--device-as-default-execution-space"};
  if (cubin)
    options.emplace_back("--ptxas-options=-v");
  if (lines)
    options.emplace_back("--generate-line-info");
  for (const std::string &define : defines)
    options.push_back("--define-macro=" + define);
  std::vector<const char *> raw;
  for (const std::string &option : options)
    raw.push_back(option.c_str());

  Program program = nullptr;
  Status status =
      api->create(&program, main.c_str(), "llamac-kernels.cu",
                  static_cast<int>(texts.size()), texts.data(), names.data());
  if (status != success)
    return llrt::Error(std::string("NVRTC: ") + api->errorString(status));
  status = api->compile(program, static_cast<int>(raw.size()), raw.data());
  CudaImages images;
  images.log = api->text(program, api->logSize, api->log).c_str();
  if (status == success) {
    images.ptx = api->text(program, api->ptxSize, api->ptx).c_str();
    if (cubin)
      images.cubin = api->text(program, api->cubinSize, api->cubin);
  }
  api->destroy(&program);
  if (status != success)
    return llrt::Error(std::string("NVRTC: ") + api->errorString(status) +
                       " for " + chip + ":\n" + images.log);
  if (images.ptx.empty() || (cubin && images.cubin.empty()))
    return llrt::Error("NVRTC: gave no image for " + chip + "\n" + images.log);
  return images;
}

} // namespace mlir::llama
