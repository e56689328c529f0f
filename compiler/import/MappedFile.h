// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A regular file, mapped read-only for as long as the object lives.
#ifndef LLAMAC_COMPILER_IMPORT_MAPPEDFILE_H
#define LLAMAC_COMPILER_IMPORT_MAPPEDFILE_H

#include "runtime/Result.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace mlir::llama {

/// Symlinks are followed; anything that is no regular file in the end (a
/// folder, a FIFO that would block) is an error.
class MappedFile {
public:
  static llrt::Result<std::shared_ptr<const MappedFile>>
  open(const std::string &path);
  ~MappedFile();
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;

  const uint8_t *data() const { return bytes; }
  size_t size() const { return count; }
  std::string_view text() const {
    return {reinterpret_cast<const char *>(bytes), count};
  }

private:
  MappedFile(const uint8_t *bytes, size_t count) : bytes(bytes), count(count) {}
  const uint8_t *bytes;
  size_t count;
};

} // namespace mlir::llama

#endif
