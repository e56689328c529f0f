// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A whole file mapped read-only.
#ifndef LLAMAC_RUNTIME_MAPPEDFILE_H
#define LLAMAC_RUNTIME_MAPPEDFILE_H

#include "runtime/Result.h"
#include "runtime/View.h"

#include <cstdint>
#include <memory>
#include <string>

namespace llrt {

class MappedFile {
public:
  static Result<std::unique_ptr<MappedFile>> open(const std::string &path);
  ~MappedFile();
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;
  View<uint8_t> bytes() const { return View<uint8_t>(data, size); }

private:
  MappedFile(const uint8_t *data, size_t size) : data(data), size(size) {}
  const uint8_t *data;
  size_t size;
};

} // namespace llrt

#endif
