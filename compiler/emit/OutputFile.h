// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An output that is there whole or not at all: written beside its place and
// renamed at the end; removed where that end is not reached.
#ifndef LLAMAC_COMPILER_EMIT_OUTPUTFILE_H
#define LLAMAC_COMPILER_EMIT_OUTPUTFILE_H

#include "runtime/Result.h"

#include <cstdint>
#include <memory>
#include <string>

namespace mlir::llama {

/// Up to `most` at a time, made by one thread: a signal handler must find the
/// temporaries' names without a lock. Two processes that write one output do
/// not meet before the rename.
class OutputFile {
public:
  static constexpr int most = 4;
  /// Creates the temporary `.NAME.XXXXXX` in the folder of `path`.
  static llrt::Result<std::unique_ptr<OutputFile>>
  create(const std::string &path, bool executable);
  /// Removes the temporary unless commit() was reached.
  ~OutputFile();
  OutputFile(const OutputFile &) = delete;
  OutputFile &operator=(const OutputFile &) = delete;

  llrt::Error write(const void *data, size_t size);
  /// Zeros up to the next multiple of `alignment`.
  llrt::Error align(uint64_t alignment);
  /// Overwrites what was written before.
  llrt::Error writeAt(uint64_t offset, const void *data, size_t size);
  uint64_t position() const { return written; }
  /// Closes, sets the permissions that the umask leaves, renames.
  llrt::Error commit();
  /// Both or neither: signals wait meanwhile, and where `second` cannot be put
  /// in place `first` is taken away again.
  static llrt::Error commitBoth(OutputFile &first, OutputFile &second);

  /// Async-signal-safe: for handlers of signals and of fatal errors.
  static void removeUnfinished();

private:
  OutputFile(std::string path, std::string temporary, int slot, int file,
             bool executable)
      : path(std::move(path)), temporary(std::move(temporary)), slot(slot),
        file(file), executable(executable) {}
  llrt::Error failed(const char *what) const;
  /// Closes, and sets the permissions.
  llrt::Error finish();

  std::string path, temporary;
  int slot; // of the signal handler
  int file;
  bool executable;
  uint64_t written = 0;
};

/// Writes `text` to the file `path` in this way, or to stdout where it is `-`.
/// A device (/dev/null, a pipe) is written in place.
llrt::Error writeText(const std::string &path, const std::string &text);

/// An error if no output can be made at `path`, found before the work is done:
/// a folder is there, or its folder is missing or not writable.
llrt::Error checkOutputPath(const std::string &path);

} // namespace mlir::llama

#endif
