// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The section table of an ELF64 file, read with nothing taken on trust.
#ifndef LLAMAC_RUNTIME_ELFSECTIONS_H
#define LLAMAC_RUNTIME_ELFSECTIONS_H

#include "runtime/Result.h"
#include "runtime/View.h"

#include <cstdint>
#include <string>
#include <vector>

namespace llrt {

struct ElfSection {
  std::string name;
  uint64_t offset = 0; ///< in the file
  uint64_t size = 0;
};

/// The sections whose names start with `prefix`. Each lies inside the file,
/// starts on a page, holds its bytes in the file, has a name of its own and
/// shares no byte with another section or with the section table. `path` is for
/// messages.
Result<std::vector<ElfSection>> readElfSections(View<uint8_t> file,
                                                const std::string &path,
                                                const std::string &prefix);

} // namespace llrt

#endif
