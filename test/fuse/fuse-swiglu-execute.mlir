// llama-fuse-swiglu by value. Nothing is rounded otherwise: the bits are equal.
// RUN: %add-main %s bf16 > %t.mlir
// RUN: llama-opt %t.mlir --llama-fuse-swiglu -o %t.fused.mlir
// RUN: FileCheck %s --input-file=%t.fused.mlir
// RUN: cat %t.mlir | %execute > %t.before
// RUN: cat %t.fused.mlir | %execute > %t.after
// RUN: %compare --exact %t.before %t.after

// CHECK: llama.fused_gate_up
// CHECK-NOT: llama.silu
func.func private @test(%n: tensor<2x3x8xf32>, %wg: tensor<12x8xSTORAGE>, %wu: tensor<12x8xSTORAGE>)
    -> tensor<2x3x12xf32> {
  %g = llama.linear %n, %wg : (tensor<2x3x8xf32>, tensor<12x8xSTORAGE>) -> tensor<2x3x12xf32>
  %u = llama.linear %n, %wu : (tensor<2x3x8xf32>, tensor<12x8xSTORAGE>) -> tensor<2x3x12xf32>
  %s = llama.silu %g : tensor<2x3x12xf32>
  %m = llama.mul %s, %u : tensor<2x3x12xf32>
  return %m : tensor<2x3x12xf32>
}
