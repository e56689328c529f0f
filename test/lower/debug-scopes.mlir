// Files of locations become debug scopes: of the kernel one, and one within it for each other file.
// RUN: llama-opt %s --pass-pipeline='builtin.module(gpu.module(lower-debug-scopes))' --mlir-print-debuginfo --mlir-print-local-scope | FileCheck %s
// Nothing else changes.
// RUN: llama-opt %s --pass-pipeline='builtin.module(gpu.module(lower-debug-scopes))' >%t.after
// RUN: llama-opt %s | diff - %t.after

gpu.module @kernels {
  // CHECK-LABEL: llvm.func @down
  llvm.func @down(%p: !llvm.ptr<1>) {
    // CHECK: llvm.load %{{.*}} loc("model.layers.*.mlp.down_proj.weight":4:7)
    %0 = llvm.load %p : !llvm.ptr<1> -> i32 loc("model.layers.*.mlp.down_proj.weight":4:7)
    // CHECK: llvm.add %{{.*}} loc(fused<#llvm.di_lexical_block_file<scope = #llvm.di_subprogram<
    // CHECK-SAME: name = "down"
    // CHECK-SAME: file = <"model.norm.weight" in "">, discriminator = 0>>["model.norm.weight":5:7])
    %1 = llvm.add %0, %0 : i32 loc("model.norm.weight":5:7)
    // What has no place of its own has the kernel's file.
    // CHECK: llvm.store %{{.*}} loc("model.layers.*.mlp.down_proj.weight":0:0)
    llvm.store %1, %p : i32, !llvm.ptr<1> loc(unknown)
    llvm.return loc("model.layers.*.mlp.down_proj.weight":6:7)
    // CHECK: } loc(fused<#llvm.di_subprogram<
    // CHECK-SAME: compileUnit = <{{.*}}producer = "llamac", isOptimized = true, emissionKind = DebugDirectivesOnly>
    // CHECK-SAME: name = "down", linkageName = "down", file = <"model.layers.*.mlp.down_proj.weight" in "">, line = 3, scopeLine = 3
    // CHECK-SAME: ["model.layers.*.mlp.down_proj.weight":3:5])
  } loc("model.layers.*.mlp.down_proj.weight":3:5)
  // Without a body or a file there is no scope.
  // CHECK: llvm.func @declared(!llvm.ptr<1>) loc("declared":1:1)
  llvm.func @declared(!llvm.ptr<1>) loc("declared":1:1)
  // CHECK: llvm.func @nowhere() {
  // CHECK-NEXT: llvm.return loc(unknown)
  // CHECK-NEXT: } loc(unknown)
  llvm.func @nowhere() {
    llvm.return loc(unknown)
  } loc(unknown)
}
