// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The files inside a zip archive that compresses nothing, as torch.save writes
// it.
#ifndef LLAMAC_COMPILER_IMPORT_ZIPARCHIVE_H
#define LLAMAC_COMPILER_IMPORT_ZIPARCHIVE_H

#include "runtime/Result.h"

#include <cstdint>
#include <map>
#include <string>

namespace mlir::llama {

/// Where the bytes of one file lie in the archive.
struct ZipEntry {
  uint64_t offset = 0, size = 0;
};

inline bool isZip(const uint8_t *bytes, uint64_t size) {
  return size >= 4 && bytes[0] == 'P' && bytes[1] == 'K' && bytes[2] == 3 &&
         bytes[3] == 4;
}

/// Reads the directory of the archive; `name` opens messages. No two entries
/// have one name or share a byte. A compressed or encrypted one is refused.
llrt::Result<std::map<std::string, ZipEntry>>
parseZip(const uint8_t *bytes, uint64_t size, const std::string &name);

} // namespace mlir::llama

#endif
