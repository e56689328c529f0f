// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Looks at the places one after the other.
#include "compiler/emit/CudaPieces.h"

#include <cstdlib>
#include <unistd.h>
#include <vector>

namespace mlir::llama {

llrt::Result<std::string> findCudaPiece(const std::string &own,
                                        const std::string &name,
                                        const std::string &package) {
  std::vector<std::string> roots;
  const char *home = std::getenv("CUDA_HOME");
  if (home && *home)
    roots.emplace_back(home);
  roots.emplace_back("/usr/local/cuda");
  std::vector<std::string> folders;
  if (!own.empty())
    folders.push_back(own);
  for (const std::string &root : roots)
    for (const char *folder : {"/lib64", "/lib", "/bin"})
      folders.push_back(root + folder);
  for (const std::string &folder : folders)
    if (std::string path = folder + "/" + name; access(path.c_str(), R_OK) == 0)
      return path;
  std::string looked = own;
  for (const std::string &root : roots)
    looked += (looked.empty() ? "" : ", ") + root;
  return llrt::Error(name + ": found none in " + looked + "; it comes with " +
                     package +
                     ": install that and, where it lies elsewhere, set "
                     "CUDA_HOME");
}

} // namespace mlir::llama
