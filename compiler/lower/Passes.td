// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of `lower`: tiled module -> llvm and nvvm inside the gpu.module.
#ifndef LLAMAC_COMPILER_LOWER_PASSES_TD
#define LLAMAC_COMPILER_LOWER_PASSES_TD

include "mlir/Pass/PassBase.td"

def LowerCheckGpuPass : Pass<"lower-check-gpu", "::mlir::ModuleOp"> {
  let summary = "refuse what the GPU row cannot run";
  let description = [{
    Checks every launch and every NVVM op of the kernels against the row `gpu`
    of runtime/GpuTable.h: threads, dynamic shared memory and clusters of a
    launch; copies, barriers, products and the like of an architecture. The
    back end would abort the process instead. Changes nothing. It runs before
    `lower` and, for what that makes, after it.
  }];
  let options = [Option<"gpu", "gpu", "std::string", "\"h200\"", "row of the GPU table">];
}

def LowerTileToNVVMPass : Pass<"lower-tile-to-nvvm", "::mlir::gpu::GPUModuleOp"> {
  let summary = "tile ops become LLVM and NVVM ops";
  let description = [{
    Rings are filled by bulk copies where the row `gpu` has them, else by the
    asynchronous copies of all threads.

    Shared memory becomes one external array `@smem`, 1024-byte aligned, and
    every offset an address in it.

    Before:

    ```mlir
    %v = tile.shared_load %offset : f32
    ```

    After:

    ```mlir
    %base = llvm.mlir.addressof @smem : !llvm.ptr<3>
    %address = llvm.getelementptr %base[%offset] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
    %v = llvm.load %address {alignment = 4 : i64} : !llvm.ptr<3> -> f32
    ```
  }];
  let options = [Option<"gpu", "gpu", "std::string", "\"h200\"", "row of the GPU table">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect"];
}

def LowerDebugScopesPass : Pass<"lower-debug-scopes", "::mlir::gpu::GPUModuleOp"> {
  let summary = "locations become debug scopes, for the .loc lines of the PTX";
  let description = [{
    LLVM's translation takes the file of a `.loc` from a scope and only its line
    from the op. So each kernel gets a subprogram in the file of its location,
    and each op of another file (a norm's tensor within a product's kernel) a
    scope of that file within it. The compile unit asks for `.loc` and `.file`
    lines and for nothing else: no sections, and no instruction changes.

    Before:

    ```mlir
    llvm.func @down(%p: !llvm.ptr<1>) {
      %0 = llvm.load %p : !llvm.ptr<1> -> i32 loc("model.layers.*.mlp.down_proj.weight":4:7)
      llvm.return
    } loc("model.layers.*.mlp.down_proj.weight":3:5)
    ```

    After:

    ```mlir
    #unit = #llvm.di_compile_unit<..., emissionKind = DebugDirectivesOnly>
    #scope = #llvm.di_subprogram<compileUnit = #unit, name = "down",
                                 file = <"model.layers.*.mlp.down_proj.weight" in "">, ...>
    llvm.func @down(%p: !llvm.ptr<1>) {
      %0 = llvm.load %p : !llvm.ptr<1> -> i32 loc("model.layers.*.mlp.down_proj.weight":4:7)
      llvm.return
    } loc(fused<#scope>["model.layers.*.mlp.down_proj.weight":3:5])
    ```

    In the PTX:

    ```
    .file 1 "model.layers.*.mlp.down_proj.weight"
    .loc  1 4 7
    ```

    Kernels and ops whose location has no file are left as they are. Changes no
    op.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif
