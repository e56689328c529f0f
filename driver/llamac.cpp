// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// llamac: compiles a Llama model into one executable. Exit status: 0 done, 1
// the compile failed, 2 the command line is wrong, 130 interrupted.
#include "compiler/emit/OutputFile.h"
#include "driver/llamacOptions.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <csignal>
#include <cstring>
#include <unistd.h>

using namespace mlir::llama;

namespace {

void say(const char *text) {
  if (::write(STDERR_FILENO, text, std::strlen(text)) < 0)
    return;
}

/// An interrupted compile leaves nothing behind.
void onInterrupt(int signal) {
  OutputFile::removeUnfinished();
  if (signal == SIGINT)
    ::_exit(130);
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

/// A mapped file became shorter, or llamac is at fault.
void onFault(int signal) {
  OutputFile::removeUnfinished();
  if (signal == SIGBUS) {
    say("llamac: error: a file of the model became shorter while it was "
        "read\n");
    ::_exit(1);
  }
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

/// LLVM's back end ends the process where it meets an instruction that the GPU
/// lacks.
void onFatalError(void *, const char *reason, bool) {
  OutputFile::removeUnfinished();
  say("llamac: error: the back end failed; this is a fault of llamac: ");
  say(reason);
  say("\n");
  ::_exit(1);
}

void installHandlers() {
  for (int signal : {SIGINT, SIGTERM, SIGHUP})
    ::signal(signal, onInterrupt);
  for (int signal : {SIGBUS, SIGSEGV, SIGABRT, SIGFPE, SIGILL})
    ::signal(signal, onFault);
  // A file-size limit shall be an error of write().
  ::signal(SIGXFSZ, SIG_IGN);
  llvm::install_fatal_error_handler(onFatalError);
}

/// Finds what belongs to this llamac. The folder libexec/llamac beside bin has
/// the fetched parts of CUDA; the prebuilt runtime is beside llamac in a build
/// folder, in libexec/llamac where it is installed. An executable needs it.
bool findParts(const char *argv0, CompileRequest &request) {
  namespace fs = llvm::sys::fs;
  llvm::SmallString<256> self;
  fs::real_path(
      fs::getMainExecutable(argv0, reinterpret_cast<void *>(&findParts)), self);
  llvm::sys::path::remove_filename(self);
  llvm::SmallString<256> beside(self), installed(self);
  llvm::sys::path::append(beside, "llama-runtime");
  llvm::sys::path::remove_filename(installed);
  llvm::sys::path::append(installed, "libexec", "llamac");
  request.pieces = installed.str().str();
  llvm::sys::path::append(installed, "llama-runtime");
  for (const auto &path : {beside, installed})
    if (fs::exists(path)) {
      request.runtime = path.str().str();
      return true;
    }
  if (request.stage != Stage::Exe)
    return true;
  llvm::errs() << "llamac: error: the prebuilt runtime is neither at " << beside
               << " nor at " << installed << "; install llamac again\n";
  return false;
}

} // namespace

int main(int argc, char **argv) {
  CompileRequest request;
  if (std::optional<int> status = parseLlamacOptions(argc, argv, request))
    return *status;
  installHandlers();
  if (!findParts(argv[0], request))
    return 1;
  if (llrt::Error error = compile(request)) {
    llvm::errs() << "llamac: error: " << error.message() << "\n";
    return 1;
  }
  return 0;
}
