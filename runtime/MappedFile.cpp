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

Result<std::unique_ptr<const MappedFile>>
MappedFile::open(const std::string &path) {
  auto failed = [&](const std::string &what) {
    return Error(path + ": " + what + ": " + std::strerror(errno));
  };
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0)
    return failed("cannot be opened");
  struct stat status;
  if (fstat(file, &status) != 0) {
    Error error = failed("cannot be examined");
    close(file);
    return error;
  }
  if (!S_ISREG(status.st_mode)) {
    close(file);
    return Error(path + ": is no regular file");
  }
  auto count = static_cast<size_t>(status.st_size);
  void *address = nullptr;
  if (count) { // an empty file cannot be mapped
    address = mmap(nullptr, count, PROT_READ, MAP_PRIVATE, file, 0);
    if (address == MAP_FAILED) {
      Error error =
          failed("cannot be mapped (" + std::to_string(count) + " bytes)");
      close(file);
      return error;
    }
  }
  close(file);
  return std::unique_ptr<const MappedFile>(
      new MappedFile(static_cast<const uint8_t *>(address), count));
}

MappedFile::~MappedFile() {
  if (count)
    munmap(const_cast<uint8_t *>(start), count);
}

/// `data` down and its end up to whole pages.
static void advise(const void *data, uint64_t bytes, int advice) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  auto begin = reinterpret_cast<uintptr_t>(data) / page * page;
  auto end =
      (reinterpret_cast<uintptr_t>(data) + bytes + page - 1) / page * page;
  madvise(reinterpret_cast<void *>(begin), end - begin, advice);
}

void llrt::forgetPages(const void *data, uint64_t bytes) {
  advise(data, bytes, MADV_DONTNEED);
}

void llrt::wantPages(const void *data, uint64_t bytes) {
  advise(data, bytes, MADV_WILLNEED);
}
