// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The section .llamac.tensors: the packing plan, for the runtime.
#ifndef LLAMAC_COMPILER_EMIT_TENSORTABLEWRITER_H
#define LLAMAC_COMPILER_EMIT_TENSORTABLEWRITER_H

#include "compiler/emit/WeightPacker.h"

namespace mlir::llama {

/// `streams` with the shapes that `config` gives their tensors.
std::vector<uint8_t> makeTensorTable(const Config &config,
                                     std::vector<PackedStream> streams);

/// What weights have to have to fit an executable: its weights_id.
uint64_t getWeightsId(const std::vector<uint8_t> &table, uint32_t dtype);

} // namespace mlir::llama

#endif
