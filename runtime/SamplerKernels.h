// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The sampler on the device: its kernels, and the buffer through which the host
// tells them what is asked. All of it is taken in create().
#ifndef LLAMAC_RUNTIME_SAMPLERKERNELS_H
#define LLAMAC_RUNTIME_SAMPLERKERNELS_H

#include "runtime/Sampler.h"
#include "runtime/device/Device.h"

#include <memory>

namespace llrt {

class SamplerKernels {
public:
  struct Sizes {
    uint32_t vocabulary, rows; ///< of the logits
    uint32_t sequences, seen;  ///< sequences at once, ids of each at most
  };
  static uint64_t memoryNeeded(const Sizes &sizes);
  /// `module` holds the entries `sample` and `log_probabilities`.
  static Result<std::unique_ptr<SamplerKernels>>
  create(Device &device, Stream *stream, Module *module, const Sizes &sizes);
  ~SamplerKernels();

  /// Brings to the device how rows are to be chosen: row i, of sequence
  /// sequences[i], by choices[i]. false: all are plainly greedy, so that
  /// sample() is not needed.
  Result<bool> prepare(const Choice *choices, const uint32_t *sequences,
                       uint32_t rows);
  /// next[i] of every row i that is not plainly greedy, as prepare() said. One
  /// launch; it can be recorded.
  Error sample(DeviceAddress logits, DeviceAddress next, uint32_t rows);
  /// The log-probabilities that are asked for, into `out` (a row each, or none
  /// at all). The caller synchronizes.
  Error logProbabilities(DeviceAddress logits, DeviceAddress next,
                         const Choice *choices, uint32_t rows,
                         std::vector<LogProbabilityRow> &out);

private:
  SamplerKernels(Device &device, Stream *stream, const Sizes &sizes);
  Error upload(SeenTokens &seen, uint32_t sequence);
  Error launch(Kernel *kernel, uint32_t rows, const void *const *arguments,
               size_t count);

  Device &device;
  Stream *stream;
  Sizes sizes;
  Kernel *sampleKernel = nullptr, *logProbabilityKernel = nullptr;
  /// SamplerRow [rows], LogProbabilityQuery [rows], LogProbabilityRow [rows],
  /// SamplerSeen [sequences][seen], float [sequences][seen]
  DeviceAddress buffer = 0;
  struct Places {
    uint64_t rows, queries, results, seen, saved, bytes;
  };
  static Places placesOf(const Sizes &sizes);
  // What the device reads while a step runs.
  std::vector<SamplerRow> hostRows;
  std::vector<LogProbabilityQuery> hostQueries;
};

} // namespace llrt

#endif
