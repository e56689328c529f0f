// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of `lower` and their order.
#ifndef LLAMAC_COMPILER_LOWER_PASSES_H
#define LLAMAC_COMPILER_LOWER_PASSES_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "runtime/GpuTable.h"

namespace mlir::lower {

#define GEN_PASS_DECL
#include "compiler/lower/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "compiler/lower/Passes.h.inc"

/// tiled -> nvvm, for a module: afterwards each gpu.module holds only llvm and
/// nvvm ops; the host functions are untouched.
void buildLowerPipeline(OpPassManager &manager, StringRef gpu);

/// The passes above by flag, and the pipeline as `--lower`.
void registerLowerPipeline();

} // namespace mlir::lower

#endif
