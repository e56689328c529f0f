// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What --profile prints: a table for people, JSON for programs, and from the
// counts an estimate of the time on a GPU.
//
// The estimate is a roofline: the longest of three times that no GPU can beat,
// each at the full rate of its datasheet:
//   memory   distinct global bytes / bandwidth
//   tensor   tensor-core operations / their peak (bf16, float32 accumulators)
//   issue    warp instructions / (4 schedulers x multiprocessors x boost clock)
// with as many multiprocessors as the grid has blocks for. It knows nothing of
// latency, caches that are too small, or launches; a kernel takes longer.
#ifndef LLAMAC_RUNTIME_PROFILEREPORT_H
#define LLAMAC_RUNTIME_PROFILEREPORT_H

#include "runtime/GpuTable.h"
#include "runtime/device/Profile.h"

#include <string>
#include <vector>

namespace llrt {

struct Roofline {
  double memorySeconds = 0, tensorSeconds = 0, issueSeconds = 0;
  double seconds() const;
  /// "memory", "tensor" or "issue": the longest; "" when nothing is known.
  const char *bound() const;
};

/// False: the row has no datasheet (the emulator's own chip).
bool estimate(const KernelProfile &kernel, const GpuRow &row,
              Roofline &roofline);

/// Aligned text, one line a kernel and a line of totals.
std::string profileTable(const std::vector<KernelProfile> &kernels,
                         const GpuRow &row);
/// {"gpu": .., "kernels": [{..}]}; keys are explained in docs/ptx-run.md.
std::string profileJson(const std::vector<KernelProfile> &kernels,
                        const GpuRow &row);

} // namespace llrt

#endif
