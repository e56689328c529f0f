// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What an executable takes of a GPU's memory, to the byte.
#ifndef LLAMAC_RUNTIME_BYTETABLE_H
#define LLAMAC_RUNTIME_BYTETABLE_H

#include "runtime/ExecutableFormat.h"

#include <cstdint>
#include <string>

namespace llrt {

struct ByteTable {
  uint64_t weights = 0, workspace = 0, kvPool = 0, rope = 0;

  /// For `batch` sequences of `context` tokens.
  static ByteTable of(const LlamacPlanHeader &plan, uint64_t context,
                      uint64_t batch);
  uint64_t total() const { return weights + workspace + kvPool + rope; }
  /// "2.30 GiB weights + 97.01 MiB workspace + 4.00 GiB KV cache + ..."
  std::string text() const;
};

/// The longest context, a multiple of 64 or the compiled maximum, at which
/// `batch` sequences fit `bytes`; 0 where not even 64 tokens do.
uint64_t largestContext(const LlamacPlanHeader &plan, uint64_t batch,
                        uint64_t bytes);

/// What a GPU of `bytes` leaves after the driver's share.
uint64_t usableMemory(uint64_t bytes);

/// "1.23 GiB"
std::string readableBytes(uint64_t bytes);

} // namespace llrt

#endif
