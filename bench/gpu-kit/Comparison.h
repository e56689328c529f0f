// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A compiled model on the device beside the same one on the emulator.
#ifndef LLAMAC_BENCH_GPUKIT_COMPARISON_H
#define LLAMAC_BENCH_GPUKIT_COMPARISON_H

#include "bench/gpu-kit/Kit.h"
#include "test/numerics/Oracle.h"

#include <optional>

namespace llrt::kit {

/// Bits of two runs, and how far the worst row is off.
struct Difference {
  uint64_t values = 0, different = 0;
  double worstRow = 0;

  void add(const test::FloatLogits &found, const test::FloatLogits &wanted);
  void tell(Json &row) const;
};

/// Opens the executable `path` on the device of `options` and, where that is a
/// GPU, on the emulator as well. With `seed` on random weights.
Error openBoth(const Options &options, const std::string &path,
               std::optional<uint64_t> seed,
               std::unique_ptr<test::CompiledModel> &model,
               std::unique_ptr<test::CompiledModel> &emulated);

} // namespace llrt::kit

#endif
