// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// OUT.weights, and the hash of packed weights wherever they lie.
#ifndef LLAMAC_COMPILER_EMIT_WEIGHTSFILE_H
#define LLAMAC_COMPILER_EMIT_WEIGHTSFILE_H

#include "runtime/ExecutableFormat.h"

#include <memory>
#include <string>

namespace mlir::llama {

/// Where --split-weights puts the weights of `executable`.
std::string getWeightsPath(const std::string &executable);

/// The hash in pieces of bytes that come in order.
class WeightsHasher {
public:
  explicit WeightsHasher(uint64_t bytes);
  ~WeightsHasher();
  void append(const void *data, size_t size);
  uint64_t result();

private:
  struct State;
  std::unique_ptr<State> state;
};

/// What the file starts with; `plan` has the hash of the weights.
LlamacWeightsHeader makeWeightsHeader(const LlamacPlanHeader &plan);

} // namespace mlir::llama

#endif
