// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What each GPU that llamac compiles for has: the one place that knows.
#ifndef LLAMAC_COMPILER_LOWER_GPUTABLE_H
#define LLAMAC_COMPILER_LOWER_GPUTABLE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>

namespace mlir {

/// One row of the GPU table (`llamac --gpu ROW`).
struct GpuFacts {
  llvm::StringLiteral name;        ///< as --gpu takes it
  llvm::StringLiteral description; ///< for --gpu help
  llvm::StringLiteral chip;        ///< as LLVM and ptxas take it
  llvm::StringLiteral
      features; ///< LLVM's: the lowest PTX that its kernels need
  uint32_t smVersion;
  uint32_t multiprocessors;
  uint64_t memoryBytes;
  uint32_t sharedBytesPerBlock; ///< dynamic and static together
  uint32_t threadsPerBlock;
  bool bulkCopy;    ///< cp.async.bulk and mbarrier
  bool bf16Product; ///< mma.sync of bf16
};

llvm::ArrayRef<GpuFacts> getGpuTable();

/// The row called `name`, or null.
const GpuFacts *findGpu(llvm::StringRef name);

} // namespace mlir

#endif
