// llama-fuse-residual by value. Nothing is rounded otherwise: the bits are equal.
// RUN: %add-main %s bf16 > %t.mlir
// RUN: llama-opt %t.mlir --llama-fuse-residual -o %t.fused.mlir
// RUN: FileCheck %s --input-file=%t.fused.mlir
// RUN: cat %t.mlir | %execute > %t.before
// RUN: cat %t.fused.mlir | %execute > %t.after
// RUN: %compare --exact %t.before %t.after

// CHECK: llama.fused_linear {{.*}} residual
// CHECK-NOT: llama.add
func.func private @test(%x: tensor<2x3x8xf32>, %a: tensor<2x3x12xf32>, %w: tensor<8x12xSTORAGE>)
    -> tensor<2x3x8xf32> {
  %o = llama.linear %a, %w : (tensor<2x3x12xf32>, tensor<8x12xSTORAGE>) -> tensor<2x3x8xf32>
  %y = llama.add %x, %o : tensor<2x3x8xf32>
  return %y : tensor<2x3x8xf32>
}
