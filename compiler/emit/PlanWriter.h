// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads the tiled module: its tile.stream ops become the packing plan, the
// gpu.launch_func ops of its host functions the launch plan. Nothing in the
// executable's plan comes from anywhere else.
#ifndef LLAMAC_COMPILER_EMIT_PLANWRITER_H
#define LLAMAC_COMPILER_EMIT_PLANWRITER_H

#include "compiler/emit/LaunchPlan.h"
#include "compiler/emit/PooledTensors.h"
#include "compiler/emit/WeightPacker.h"
#include "mlir/IR/BuiltinOps.h"
#include "runtime/GpuTable.h"

namespace mlir::llama {

/// In the order of the module.
std::vector<PackedStream> getPackingPlan(ModuleOp tiled);

/// The weights that llama-pool-kv-heads made means.
std::vector<PooledTensor> getPooledTensors(ModuleOp tiled);

/// @prefill, @decode and @head become ranges of launches:
///
///     %a = tile.place %workspace[4096]         -> POINTER workspace + 4096
///     %g = tile.extent %tokens * 3 per 32      -> ceil(tokens * 3 / 32)
///     %c = arith.constant 5 : i32              -> I32 5
///     gpu.launch_func @kernels::@qkv blocks in (%g, ..) threads in (..)
///         dynamic_shared_memory_size .. args(%a : .., %c : i32, %tokens : i32)
///
/// Anything else there is an error at that op. The sections' checks stay 0.
LogicalResult buildLaunchPlan(ModuleOp tiled, const Checkpoint &checkpoint,
                              const llrt::GpuRow &gpu, LaunchPlan &plan);

} // namespace mlir::llama

#endif
