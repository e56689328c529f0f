// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A whole file mapped read-only.
#ifndef LLAMAC_RUNTIME_MAPPEDFILE_H
#define LLAMAC_RUNTIME_MAPPEDFILE_H

#include "runtime/Result.h"
#include "runtime/View.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace llrt {

class MappedFile {
public:
  static Result<std::unique_ptr<const MappedFile>>
  open(const std::string &path);
  ~MappedFile();
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;

  const uint8_t *data() const { return start; }
  size_t size() const { return count; }
  View<uint8_t> bytes() const { return View<uint8_t>(start, count); }
  std::string_view text() const {
    return {reinterpret_cast<const char *>(start), count};
  }

private:
  MappedFile(const uint8_t *start, size_t count) : start(start), count(count) {}
  const uint8_t *start;
  size_t count;
};

/// Lets go of the pages of a mapped file that hold [data, data + bytes): they
/// stay in the page cache and can be read again, but no longer count as this
/// process's.
void forgetPages(const void *data, uint64_t bytes);
/// Asks for them ahead of their use.
void wantPages(const void *data, uint64_t bytes);

} // namespace llrt

#endif
