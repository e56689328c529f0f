// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The checkpoint as the reference reads it: piece by piece from the mapped
// files, which may be larger than memory.
#ifndef LLAMAC_COMPILER_EMIT_CHECKPOINTTENSORS_H
#define LLAMAC_COMPILER_EMIT_CHECKPOINTTENSORS_H

#include "compiler/import/Checkpoint.h"
#include "runtime/reference/Reference.h"

namespace mlir::llama {

/// `checkpoint`, which has weights, must outlive it. Mapped pages are let go of
/// as soon as they are read.
class CheckpointTensors : public llrt::reference::TensorSource {
public:
  explicit CheckpointTensors(const Checkpoint &checkpoint)
      : checkpoint(checkpoint) {}
  const std::vector<int64_t> *shape(const std::string &name) const override;
  void read(const std::string &name, int64_t first, int64_t count,
            llrt::reference::Rounding rounding, double *values) const override;

private:
  const Checkpoint &checkpoint;
};

/// The same numbers for the reference.
llrt::reference::Config getReferenceConfig(const Config &config);

} // namespace mlir::llama

#endif
