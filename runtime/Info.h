// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What --info prints.
#ifndef LLAMAC_RUNTIME_INFO_H
#define LLAMAC_RUNTIME_INFO_H

#include "runtime/Engine.h"

#include <string>

namespace llrt {

/// The passport, the facts of the plan, the byte table for `options`, and the
/// kernels with their launches.
std::string describe(const Executable &executable,
                     const EngineOptions &options);

} // namespace llrt

#endif
