// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nvvm -> PTX, by LLVM's own back end and nothing else: no libdevice, no CUDA
// installation, the same bytes every time.
#ifndef LLAMAC_COMPILER_EMIT_EMITPTX_H
#define LLAMAC_COMPILER_EMIT_EMITPTX_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "runtime/GpuTable.h"

#include <string>

namespace mlir {

/// The PTX text of `kernels`, which holds only llvm and nvvm ops: what
/// buildLowerPipeline() leaves. The one gpu.module of `module` in the second
/// form. Errors are emitted at their op.
FailureOr<std::string> emitPTX(gpu::GPUModuleOp kernels,
                               const llrt::GpuRow &gpu);
FailureOr<std::string> emitPTX(ModuleOp module, const llrt::GpuRow &gpu);

/// The translations from MLIR that emitPTX needs.
void registerEmitPTXTranslations(DialectRegistry &registry);

} // namespace mlir

#endif
