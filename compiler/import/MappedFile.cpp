// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Opens and maps a file.
#include "compiler/import/MappedFile.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mlir::llama {

llrt::Result<std::shared_ptr<const MappedFile>>
MappedFile::open(const std::string &path) {
  auto failed = [&](const char *what) {
    return llrt::Error(path + ": " + what + ": " + std::strerror(errno));
  };
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0)
    return failed("cannot be opened");
  struct stat status;
  if (::fstat(file, &status) != 0) {
    llrt::Error error = failed("cannot be examined");
    ::close(file);
    return error;
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(file);
    return llrt::Error(path + ": is no regular file");
  }
  size_t size = static_cast<size_t>(status.st_size);
  void *address = nullptr;
  if (size != 0) {
    address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (address == MAP_FAILED) {
      llrt::Error error = failed("cannot be mapped");
      ::close(file);
      return error;
    }
  }
  ::close(file);
  return std::shared_ptr<const MappedFile>(
      new MappedFile(static_cast<const uint8_t *>(address), size));
}

MappedFile::~MappedFile() {
  if (count != 0)
    ::munmap(const_cast<uint8_t *>(bytes), count);
}

} // namespace mlir::llama
