// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes a float32 matrix as NumPy's .npy.
#ifndef LLAMAC_RUNTIME_NPY_H
#define LLAMAC_RUNTIME_NPY_H

#include "runtime/Result.h"
#include "runtime/View.h"

#include <cstdint>
#include <string>

namespace llrt {

/// `values` is [rows][columns]. The file appears whole, by rename, or not at
/// all; a device such as /dev/stdout is written in place.
Error writeNpy(const std::string &path, View<float> values, uint64_t rows,
               uint64_t columns);

} // namespace llrt

#endif
