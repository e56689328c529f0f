// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// compile-cuda CHIP OUT FILE...: the files as one module, by NVRTC: OUT.ptx and
// OUT.cubin. Run at build time; no GPU, no CUDA toolkit.
#include "compiler/emit/Nvrtc.h"

#include <cstdio>
#include <fstream>
#include <iterator>

static bool write(const std::string &path, const std::string &text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  return static_cast<bool>(file.flush());
}

int main(int count, char **arguments) {
  if (count < 4) {
    std::fprintf(stderr, "usage: compile-cuda CHIP OUT FILE...\n");
    return 2;
  }
  std::string own = arguments[0];
  own.erase(own.rfind('/') + 1);
  std::vector<mlir::llama::CudaSource> sources;
  for (int i = 3; i < count; ++i) {
    std::string path = arguments[i];
    std::ifstream file(path, std::ios::binary);
    sources.push_back({path.substr(path.rfind('/') + 1),
                       std::string(std::istreambuf_iterator<char>(file), {})});
    if (!file) {
      std::fprintf(stderr, "compile-cuda: %s cannot be read\n", path.c_str());
      return 1;
    }
  }
  auto nvrtc = mlir::llama::Nvrtc::open(own + "../libexec/llamac");
  if (!nvrtc) {
    std::fprintf(stderr, "compile-cuda: %s\n", nvrtc.error().message().c_str());
    return 1;
  }
  auto images = (*nvrtc)->compile(sources, arguments[1], {}, true);
  if (!images) {
    std::fprintf(stderr, "compile-cuda: %s\n",
                 images.error().message().c_str());
    return 1;
  }
  const std::string out = arguments[2];
  if (!write(out + ".ptx", images->ptx) ||
      !write(out + ".cubin", images->cubin)) {
    std::fprintf(stderr, "compile-cuda: %s cannot be written\n", out.c_str());
    return 1;
  }
  std::fputs(images->log.c_str(), stdout);
  return 0;
}
