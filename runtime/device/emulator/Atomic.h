// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The updates that atom, red and asynchronous reductions make.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_ATOMIC_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_ATOMIC_H

#include "runtime/device/emulator/Decoding.h"

namespace llrt::emu {

struct AtomicOperation {
  /// Replaces the word at a host address by f(word, b, c) in one step. Sets
  /// `changed` and returns the old bits.
  using Scalar = uint64_t (*)(uint64_t at, uint64_t b, uint64_t c,
                              bool &changed);
  Scalar one = nullptr; ///< null: PTX has no such operation
  unsigned bytes = 0;
};

/// "add", "min", .. of a type.
AtomicOperation findAtomic(std::string_view operation, Type type);

} // namespace llrt::emu

#endif
