// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// mmap and its ways to fail.
#include "runtime/MappedFile.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace llrt;

Result<std::unique_ptr<MappedFile>> MappedFile::open(const std::string &path) {
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return Error(path + ": cannot be opened: " + std::strerror(errno));
  struct stat status;
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(file);
    return Error(path + ": is no regular file");
  }
  auto size = static_cast<size_t>(status.st_size);
  void *data = nullptr;
  if (size) { // an empty file cannot be mapped
    data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (data == MAP_FAILED) {
      Error error(path + ": cannot be mapped (" + std::to_string(size) +
                  " bytes): " + std::strerror(errno));
      close(file);
      return error;
    }
  }
  close(file);
  return std::unique_ptr<MappedFile>(
      new MappedFile(static_cast<const uint8_t *>(data), size));
}

MappedFile::~MappedFile() {
  if (size)
    munmap(const_cast<uint8_t *>(data), size);
}
