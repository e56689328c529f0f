// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files that are looked for, mapped and noted for the passport.
#include "compiler/import/SourceFiles.h"

#include <climits>
#include <cstdlib>
#include <sys/stat.h>

namespace mlir::llama {

bool exists(const std::string &path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0;
}

std::string getLastName(const std::string &path) {
  std::string name = path;
  if (char *absolute = ::realpath(path.c_str(), nullptr)) {
    // A symlink is named as the user spelled it, unless it ends in a dot part.
    while (name.size() > 1 && name.back() == '/')
      name.pop_back();
    std::string last = name.substr(name.rfind('/') + 1);
    name = last.empty() || last == "." || last == ".." ? absolute : last;
    ::free(absolute);
  }
  return name.substr(name.rfind('/') + 1);
}

llrt::Result<std::shared_ptr<const llrt::MappedFile>>
openSource(Checkpoint &checkpoint, const std::string &path,
           const std::string &name) {
  for (size_t i = 0; i < checkpoint.sources.size(); ++i)
    if (checkpoint.sources[i].name == name) // two parts of it are used
      return checkpoint.files[i];
  auto opened = llrt::MappedFile::open(path);
  if (!opened)
    return opened.error();
  std::shared_ptr<const llrt::MappedFile> file = std::move(*opened);
  checkpoint.files.push_back(file);
  checkpoint.sources.push_back({name, file->size(), 0});
  return file;
}

} // namespace mlir::llama
