// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The section .llamac.selftest: what the float64 reference and its rounding
// twin say of a few fixed tokens, layer by layer.
//
// The reference runs over the mapped checkpoint, a block of rows at a time, so
// that its memory does not grow with the model. docs/numerics.md says what the
// bounds are and why.
#ifndef LLAMAC_COMPILER_EMIT_SELFTESTWRITER_H
#define LLAMAC_COMPILER_EMIT_SELFTESTWRITER_H

#include "compiler/import/Checkpoint.h"
#include "runtime/ExecutableFormat.h"

#include <functional>

namespace mlir::llama {

/// Bytes of the checkpoint that makeSelftest reads, those read again included.
uint64_t getSelftestBytes(const Checkpoint &checkpoint,
                          const LlamacPlanHeader &plan);

/// The section's bytes, which do not depend on `threads`. An Error says why
/// there can be none: values that are not finite. `progress` is told the bytes
/// read so far, by the calling thread.
llrt::Result<std::vector<uint8_t>>
makeSelftest(const Checkpoint &checkpoint, const LlamacPlanHeader &plan,
             unsigned threads, const std::function<void(uint64_t)> &progress);

} // namespace mlir::llama

#endif
