// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Starts ptxas. Its files are memory of ours, which it opens by number: nothing
// is left on the disk whatever happens, and the names are always the same.
// Where /proc is missing numbers have no names: then they are files in a folder
// for temporary ones, and interrupts wait until that is gone.
#include "compiler/emit/Assemble.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mlir::llama {
namespace {

bool writeAll(int file, const std::string &text) {
  for (size_t at = 0; at < text.size();) {
    ssize_t wrote = ::write(file, text.data() + at, text.size() - at);
    if (wrote < 0 && errno != EINTR)
      return false;
    at += wrote > 0 ? static_cast<size_t>(wrote) : 0;
  }
  return true;
}

/// A file in memory. Not inherited by what is started, but for duplicates.
class MemoryFile {
public:
  explicit MemoryFile(const char *name)
      : file(::memfd_create(name, MFD_CLOEXEC)) {}
  ~MemoryFile() {
    if (file >= 0)
      ::close(file);
  }
  MemoryFile(const MemoryFile &) = delete;
  MemoryFile &operator=(const MemoryFile &) = delete;
  int number() const { return file; }

  bool write(const std::string &text) { return writeAll(file, text); }
  std::string read() const {
    struct stat status{};
    if (::fstat(file, &status) != 0)
      return "";
    std::string text(static_cast<size_t>(status.st_size), '\0');
    size_t at = 0;
    while (at < text.size()) {
      ssize_t got = ::pread(file, text.data() + at, text.size() - at,
                            static_cast<off_t>(at));
      if (got <= 0)
        break;
      at += static_cast<size_t>(got);
    }
    text.resize(at);
    return text;
  }

private:
  int file;
};

// What ptxas finds its files as.
constexpr int inputNumber = 200, outputNumber = 201;

/// Two names in a folder of their own, which goes with this object.
class TemporaryFolder {
public:
  TemporaryFolder() {
    sigset_t held;
    sigemptyset(&held);
    for (int signal : {SIGINT, SIGTERM, SIGHUP})
      sigaddset(&held, signal);
    sigprocmask(SIG_BLOCK, &held, &before);
    for (const char *root :
         {static_cast<const char *>(std::getenv("TMPDIR")), "/tmp"})
      if (root && *root && !made) {
        folder = std::string(root) + "/llamac.XXXXXX";
        made = ::mkdtemp(folder.data()) != nullptr;
      }
  }
  ~TemporaryFolder() {
    if (made) {
      ::unlink((folder + "/kernels.ptx").c_str());
      ::unlink((folder + "/kernels.cubin").c_str());
      ::rmdir(folder.c_str());
    }
    sigprocmask(SIG_SETMASK, &before, nullptr);
  }
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;

  std::string folder;
  bool made = false;
  sigset_t before; ///< what ptxas starts with
};

bool copyFile(const std::string &from, MemoryFile &to) {
  int file = ::open(from.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return false;
  std::string buffer(1 << 16, '\0');
  ssize_t got = 0;
  bool good = true;
  while (good && (got = ::read(file, buffer.data(), buffer.size())) > 0)
    good = to.write(buffer.substr(0, static_cast<size_t>(got)));
  ::close(file);
  return good && got == 0;
}

} // namespace

llrt::Result<Assembly> assembleByPtxas(const std::string &path,
                                       const std::string &ptx,
                                       const std::string &chip) {
  MemoryFile input("kernels.ptx"), output("kernels.cubin"), log("log");
  if (input.number() < 0 || output.number() < 0 || log.number() < 0 ||
      !input.write(ptx))
    return llrt::Error(std::string("memory for ptxas: ") +
                       std::strerror(errno));
  const std::string architecture = "-arch=" + chip;
  std::string from = "/proc/self/fd/" + std::to_string(inputNumber),
              to = "/proc/self/fd/" + std::to_string(outputNumber);
  std::optional<TemporaryFolder> temporary;
  if (::access("/proc/self/fd", X_OK) != 0) {
    temporary.emplace();
    from = temporary->folder + "/kernels.ptx";
    to = temporary->folder + "/kernels.cubin";
    int file = temporary->made
                   ? ::open(from.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)
                   : -1;
    if (file < 0 || !writeAll(file, ptx) || ::close(file) != 0)
      return llrt::Error(from + ": cannot be written: " + std::strerror(errno) +
                         "; set TMPDIR to a folder that can");
  }
  const char *const arguments[] = {
      path.c_str(), architecture.c_str(), "-v",   from.c_str(),
      "-o",         to.c_str(),           nullptr};
  pid_t child = ::fork();
  if (child < 0)
    return llrt::Error(path + ": cannot be started: " + std::strerror(errno));
  if (child == 0) {
    // Only what may be called between fork and exec.
    if (temporary)
      sigprocmask(SIG_SETMASK, &temporary->before, nullptr);
    if (::dup2(input.number(), inputNumber) < 0 ||
        ::dup2(output.number(), outputNumber) < 0 ||
        ::dup2(log.number(), STDERR_FILENO) < 0 ||
        ::dup2(log.number(), STDOUT_FILENO) < 0)
      ::_exit(126);
    ::execv(path.c_str(), const_cast<char *const *>(arguments));
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      return llrt::Error(path + ": " + std::strerror(errno));
  std::string said = log.read();
  if (temporary && !copyFile(to, output) && status == 0)
    return llrt::Error(to + ": cannot be read: " + std::strerror(errno));
  Assembly result;
  result.cubin = output.read();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || result.cubin.empty()) {
    std::string how =
        !WIFEXITED(status)
            ? "was ended by signal " + std::to_string(WTERMSIG(status))
        : WEXITSTATUS(status) == 127
            ? "cannot be started (is it a program for this machine?)"
            : "failed with status " + std::to_string(WEXITSTATUS(status));
    return llrt::Error(path + ": " + how + ":\n" + said +
                       "its command was: " + path + " " + architecture +
                       " -v kernels.ptx -o "
                       "kernels.cubin");
  }
  result.kernels = readAssemblerLog(said);
  return result;
}

} // namespace mlir::llama
