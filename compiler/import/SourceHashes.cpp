// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The hashes by which --info names the files that an executable was made from.
#include "compiler/import/Checkpoint.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace mlir::llama {

void hashSources(Checkpoint &checkpoint) {
  for (size_t i = 0; i < checkpoint.sources.size(); ++i)
    checkpoint.sources[i].xxh3 =
        XXH3_64bits(checkpoint.files[i]->data(), checkpoint.files[i]->size());
}

} // namespace mlir::llama
