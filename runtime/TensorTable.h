// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Section .llamac.tensors: which tensor lies where in the packed weights.
#ifndef LLAMAC_RUNTIME_TENSORTABLE_H
#define LLAMAC_RUNTIME_TENSORTABLE_H

#include "runtime/ExecutableFormat.h"
#include "runtime/Result.h"
#include "runtime/View.h"

#include <string>

namespace llrt {

class TensorTable {
public:
  /// Checks every number; `where` starts messages. The bytes, which are
  /// aligned, must outlive the table.
  static Result<TensorTable> read(View<uint8_t> bytes, uint32_t dtype,
                                  uint64_t weightsBytes,
                                  const std::string &where);

  View<LlamacStream> streams() const { return allStreams; }
  View<LlamacStreamSource> sources(const LlamacStream &stream) const {
    return allSources.slice(stream.first_source, stream.source_count);
  }
  const char *name(const LlamacStreamSource &source) const {
    return strings + source.name_offset;
  }
  uint32_t dtype() const { return storage; }
  uint64_t weightsBytes() const { return bytes; }

private:
  View<LlamacStream> allStreams;
  View<LlamacStreamSource> allSources;
  const char *strings = nullptr;
  uint32_t storage = 0;
  uint64_t bytes = 0;
};

} // namespace llrt

#endif
