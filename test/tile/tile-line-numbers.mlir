// An op of a kernel gets the line and column at which the module is printed, and keeps its file; the host functions, and
// what has no file, are left alone.
// RUN: llama-opt %s --tile-line-numbers --mlir-print-debuginfo --mlir-print-local-scope | FileCheck %s
// RUN: llama-opt %s --tile-line-numbers | FileCheck %s --check-prefix=TEXT

// TEXT: {{^}}module {
// TEXT-NEXT: {{^}}  gpu.module @kernels {
// TEXT-NEXT: {{^}}    gpu.func @known(
// TEXT-NEXT: {{^}}      %0 = nvvm.read.ptx.sreg.ctaid.x : i32{{$}}

gpu.module @kernels {
  // CHECK: gpu.func @known
  gpu.func @known() kernel {
    // CHECK: ctaid.x : i32 loc("model.embed_tokens.weight":4:7)
    %0 = nvvm.read.ptx.sreg.ctaid.x : i32 loc("model.embed_tokens.weight":0:0)
    // A fused location counts by its first file.
    // CHECK: arith.addi %{{.*}} loc("lm_head.weight":5:7)
    %1 = arith.addi %0, %0 : i32 loc(fused["lm_head.weight":7:7, "other":8:8])
    // CHECK: arith.muli %{{.*}} loc(unknown)
    %2 = arith.muli %0, %1 : i32 loc(unknown)
    // CHECK: gpu.return loc("model.norm.weight":7:7)
    gpu.return loc("model.norm.weight":0:0)
    // CHECK: } loc("model.norm.weight":3:5)
  } loc("model.norm.weight":0:0)
} loc("kernels":0:0)
// CHECK: func.func private @host() loc("host":9:9)
func.func private @host() loc("host":9:9)
