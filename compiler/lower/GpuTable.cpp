// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The rows of the GPU table.
#include "compiler/lower/GpuTable.h"

using namespace mlir;

static const GpuFacts table[] = {
    {"h200", "NVIDIA H200: 132 multiprocessors, 141 GB", "sm_90a", "+ptx80", 90,
     132, 141'000'000'000, 227 * 1024, 1024, true, true},
    {"emulator",
     "an sm_90a of 4 multiprocessors and 16 GB, as the built-in emulator runs "
     "it",
     "sm_90a", "+ptx80", 90, 4, 16'000'000'000, 227 * 1024, 1024, true, true},
};

llvm::ArrayRef<GpuFacts> mlir::getGpuTable() { return table; }

const GpuFacts *mlir::findGpu(llvm::StringRef name) {
  for (const GpuFacts &facts : table)
    if (facts.name == name)
      return &facts;
  return nullptr;
}
