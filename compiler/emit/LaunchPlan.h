// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The section .llamac.plan while it is being made: its arrays, and its bytes.
#ifndef LLAMAC_COMPILER_EMIT_LAUNCHPLAN_H
#define LLAMAC_COMPILER_EMIT_LAUNCHPLAN_H

#include "runtime/ExecutableFormat.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mlir::llama {

struct LaunchPlan {
  /// What describes the arrays and the hash is filled by serialize.
  LlamacPlanHeader header = {};
  std::vector<LlamacKernel> kernels;
  std::vector<LlamacLaunch> launches;
  std::vector<LlamacArgument> arguments;
  std::vector<int32_t> eosIds;
  std::vector<double> invFreq;
  std::string strings;

  /// Adds a NUL-terminated string; its offset.
  uint32_t addString(const std::string &text);
  /// Adds the kernel's name to the strings.
  void addKernel(const std::string &name);
  std::string getKernelName(size_t index) const {
    return strings.c_str() + kernels[index].name_offset;
  }
  /// The header and, 8-aligned, the arrays; with the hash.
  std::vector<uint8_t> serialize() const;
};

/// XXH3, 64 bits, seed 0: the hash of every section.
uint64_t hashBytes(const void *data, size_t size);

} // namespace mlir::llama

#endif
