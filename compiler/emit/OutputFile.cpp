// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes beside the output and renames.
#include "compiler/emit/OutputFile.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mlir::llama {
namespace {

/// What removeUnfinished unlinks; `path` is valid while `used` is set.
struct Slot {
  char path[4096];
  volatile sig_atomic_t used = 0;
};
Slot slots[OutputFile::most];

std::string getFolder(const std::string &path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

llrt::Error writeAll(int file, const void *data, size_t size) {
  const char *bytes = static_cast<const char *>(data);
  while (size != 0) {
    ssize_t count = ::write(file, bytes, size < (1u << 30) ? size : 1u << 30);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return llrt::Error(std::strerror(errno));
    bytes += count;
    size -= static_cast<size_t>(count);
  }
  return llrt::Error::success();
}

} // namespace

void OutputFile::removeUnfinished() {
  for (Slot &slot : slots)
    if (slot.used)
      ::unlink(slot.path);
}

llrt::Error OutputFile::failed(const char *what) const {
  return llrt::Error(path + ": " + what + ": " + std::strerror(errno));
}

llrt::Result<std::unique_ptr<OutputFile>>
OutputFile::create(const std::string &path, bool executable) {
  std::string folder = getFolder(path);
  std::string temporary = folder + "." + path.substr(folder.size()) + ".XXXXXX";
  if (temporary.size() >= sizeof slots[0].path)
    return llrt::Error(path + ": the name is too long");
  int index = 0;
  while (index < most && slots[index].used)
    ++index;
  if (index == most)
    return llrt::Error(path + ": too many outputs at a time");
  Slot &slot = slots[index];
  // The handler must know the name before the file exists. A half-made name
  // names no file.
  std::memcpy(slot.path, temporary.c_str(), temporary.size() + 1);
  slot.used = 1;
  int file = ::mkostemp(slot.path, O_CLOEXEC);
  if (file < 0) {
    slot.used = 0;
    return llrt::Error(path + ": cannot be written: " + std::strerror(errno));
  }
  return std::unique_ptr<OutputFile>(
      new OutputFile(path, slot.path, index, file, executable));
}

OutputFile::~OutputFile() {
  if (file >= 0)
    ::close(file);
  if (!temporary.empty()) {
    ::unlink(temporary.c_str());
    slots[slot].used = 0;
  }
}

llrt::Error OutputFile::write(const void *data, size_t size) {
  if (llrt::Error error = writeAll(file, data, size))
    return llrt::Error(path + ": cannot be written: " + error.message());
  written += size;
  return llrt::Error::success();
}

llrt::Error OutputFile::align(uint64_t alignment) {
  static const char zeros[4096] = {};
  uint64_t missing = (alignment - written % alignment) % alignment;
  while (missing != 0) {
    uint64_t count = missing < sizeof zeros ? missing : sizeof zeros;
    if (llrt::Error error = write(zeros, count))
      return error;
    missing -= count;
  }
  return llrt::Error::success();
}

llrt::Error OutputFile::writeAt(uint64_t offset, const void *data,
                                size_t size) {
  if (::lseek(file, static_cast<off_t>(offset), SEEK_SET) < 0)
    return failed("cannot be written");
  if (llrt::Error error = writeAll(file, data, size))
    return llrt::Error(path + ": cannot be written: " + error.message());
  if (::lseek(file, 0, SEEK_END) < 0)
    return failed("cannot be written");
  return llrt::Error::success();
}

llrt::Error OutputFile::finish() {
  mode_t mask = ::umask(0);
  ::umask(mask);
  if (::fchmod(file, (executable ? 0777 : 0666) & ~mask) != 0)
    return failed("its permissions cannot be set");
  int status = ::close(file);
  file = -1;
  if (status != 0)
    return failed("cannot be written");
  return llrt::Error::success();
}

llrt::Error OutputFile::commit() {
  if (llrt::Error error = finish())
    return error;
  if (::rename(temporary.c_str(), path.c_str()) != 0)
    return failed("cannot be put in place");
  temporary.clear();
  slots[slot].used = 0;
  return llrt::Error::success();
}

llrt::Error OutputFile::commitBoth(OutputFile &first, OutputFile &second) {
  sigset_t all, before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, &before);
  llrt::Error error = first.commit();
  if (!error) {
    error = second.commit();
    if (error)
      ::unlink(first.path.c_str());
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  return error;
}

llrt::Error writeText(const std::string &path, const std::string &text) {
  struct stat status;
  bool isStdout = path == "-";
  if (isStdout || (::stat(path.c_str(), &status) == 0 &&
                   !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))) {
    int file =
        isStdout ? STDOUT_FILENO : ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    std::string name = isStdout ? "stdout" : path;
    if (file < 0)
      return llrt::Error(name + ": cannot be opened: " + std::strerror(errno));
    llrt::Error error = writeAll(file, text.data(), text.size());
    if (!isStdout)
      ::close(file);
    if (error)
      return llrt::Error(name + ": cannot be written: " + error.message());
    return llrt::Error::success();
  }
  auto file = OutputFile::create(path, /*executable=*/false);
  if (!file)
    return file.error();
  if (llrt::Error error = (*file)->write(text.data(), text.size()))
    return error;
  return (*file)->commit();
}

llrt::Error checkOutputPath(const std::string &path) {
  struct stat status;
  if (::stat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode))
      return llrt::Error(path +
                         ": is a folder; name the output file with -o FILE");
    if (!S_ISREG(status.st_mode))
      return llrt::Error(path + ": is no regular file; an executable cannot "
                                "be put there");
  }
  std::string folder = getFolder(path);
  if (folder.empty())
    folder = "./";
  if (::stat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
    return llrt::Error(path + ": its folder does not exist");
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return llrt::Error(path + ": cannot be written: " + std::strerror(errno));
  return llrt::Error::success();
}

} // namespace mlir::llama
