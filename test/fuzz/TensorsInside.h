// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the fuzz targets of plain tensor files ask: every tensor lies in the
// file.
#ifndef LLAMAC_TEST_FUZZ_TENSORSINSIDE_H
#define LLAMAC_TEST_FUZZ_TENSORSINSIDE_H

#include "compiler/import/Checkpoint.h"

#include <cstdlib>

/// Aborts unless the bytes of every tensor are among the `size` from `data` on.
inline void
requireInside(const std::map<std::string, mlir::llama::Tensor> &tensors,
              const uint8_t *data, size_t size) {
  for (const auto &[name, tensor] : tensors)
    if (tensor.bytes < data || tensor.size > size ||
        uint64_t(tensor.bytes - data) > size - tensor.size)
      std::abort();
}

#endif
