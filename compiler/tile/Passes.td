// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of `tile`: fused -> tiled.
#ifndef LLAMAC_COMPILER_TILE_PASSES_TD
#define LLAMAC_COMPILER_TILE_PASSES_TD

include "mlir/Pass/PassBase.td"

def TileLlamaPass : Pass<"tile-llama", "::mlir::ModuleOp"> {
  let summary = "fused llama ops become streams, kernels and launches";
  let description = [{
    Each weight that an op reads becomes a `tile.stream`, placed in the order of
    use; each op one or two launches of a kernel; ops of one shape share the
    kernel. Activations get fixed places in the workspace: the residual stream
    is updated in place.

    Before:

    ```mlir
    %x1 = llama.fused_linear %a, %w residual %x
       : (tensor<1x128x64xf32>, tensor<64x64xbf16>, tensor<1x128x64xf32>) -> tensor<1x128x64xf32>
    ```

    After, beside the kernel and in the host function:

    ```mlir
    tile.stream @layers.0.out_projection rows(@o) rows 64 k 64 of bf16 at 82944

    %in = tile.place %workspace[65536] : !llvm.ptr<1>
    %stream = tile.place %weights[82944] : !llvm.ptr<1>
    %columns = tile.extent %tokens * 1 per 32
    %blocks = tile.extent * 1 per 1
    gpu.launch_func @kernels::@out_projection_32 blocks in (%columns, %blocks, %one)
      threads in (%c128, %c1, %c1) dynamic_shared_memory_size %shared
      args(%in : !llvm.ptr<1>, %stream : !llvm.ptr<1>, %workspace : !llvm.ptr<1>, %tokens : i32)
    ```

    The host functions are @prefill and @decode, up to the last layer, and @head.
    All take (weights, workspace, kv_pool, rope : !llvm.ptr<1>, tokens,
    head_start, head_rows, splits, several_splits : i32): the buffers and the
    variables of runtime/ExecutableFormat.h in its order. A launch whose grid
    comes out as 0 (the merge of attention, where several_splits is 0) is not
    made. The module gets two dictionaries of
    i64: `tile.workspace` (bytes, and the offsets of tokens, positions, slots,
    block_table, next_token, logits) and `tile.limits` (max_chunk,
    head_rows_max, weights_bytes, page_bytes).

    Changes rounding: none beyond what the fused ops say.
  }];
  let options = [Option<"gpu", "gpu", "std::string", "\"h200\"", "row of the GPU table">,
    Option<"blocks", "blocks", "int64_t", "0",
           "most blocks of a product side by side over its rows; 0: what the GPU holds at once">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect",
    "::mlir::tile::TileDialect"];
}

def TileLineNumbersPass : Pass<"tile-line-numbers", "::mlir::ModuleOp"> {
  let summary = "each op of a kernel gets the line at which the tiled module prints it";
  let description = [{
    The file of an op's location is the tensor that the op is of; its line and
    column become those at which `--emit=tiled` prints it. They go on as `.loc`
    into the PTX (`lower-debug-scopes`). Printed with --mlir-print-debuginfo:

    Before:

    ```mlir
    %0 = nvvm.read.ptx.sreg.ctaid.x : i32 loc("model.embed_tokens.weight":0:0)
    ```

    After:

    ```mlir
    %0 = nvvm.read.ptx.sreg.ctaid.x : i32 loc("model.embed_tokens.weight":4:7)
    ```

    An op without a file is left as it is. Changes no op.
  }];
}

#endif
