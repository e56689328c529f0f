// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Little-endian numbers in files. The caller knows that they are there.
#ifndef LLAMAC_COMPILER_IMPORT_LITTLEENDIAN_H
#define LLAMAC_COMPILER_IMPORT_LITTLEENDIAN_H

#include <cstdint>

namespace mlir::llama {

/// `count` bytes, at most 8.
inline uint64_t readLittle(const uint8_t *bytes, unsigned count) {
  uint64_t value = 0;
  for (unsigned i = count; i-- != 0;)
    value = value << 8 | bytes[i];
  return value;
}

} // namespace mlir::llama

#endif
