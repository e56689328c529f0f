// llama-fuse-qkv by value. Nothing is rounded otherwise: the bits are equal.
// RUN: %add-main %s bf16 > %t.mlir
// RUN: llama-opt %t.mlir --llama-fuse-qkv -o %t.fused.mlir
// RUN: FileCheck %s --input-file=%t.fused.mlir
// RUN: cat %t.mlir | %execute > %t.before
// RUN: cat %t.fused.mlir | %execute > %t.after
// RUN: %compare --exact %t.before %t.after

// CHECK: llama.fused_qkv
// CHECK-NOT: llama.linear
func.func private @test(%n: tensor<2x3x8xf32>, %wq: tensor<8x8xSTORAGE>, %wk: tensor<4x8xSTORAGE>,
                        %wv: tensor<4x8xSTORAGE>, %kc: tensor<2x16x1x4xSTORAGE>,
                        %vc: tensor<2x16x1x4xSTORAGE>)
    -> (tensor<2x3x8xf32>, tensor<2x16x1x4xSTORAGE>, tensor<2x16x1x4xSTORAGE>) {
  %p = arith.constant dense<[0, 14]> : tensor<2xi32>
  %q = llama.linear %n, %wq : (tensor<2x3x8xf32>, tensor<8x8xSTORAGE>) -> tensor<2x3x8xf32>
  %k = llama.linear %n, %wk : (tensor<2x3x8xf32>, tensor<4x8xSTORAGE>) -> tensor<2x3x4xf32>
  %v = llama.linear %n, %wv : (tensor<2x3x8xf32>, tensor<4x8xSTORAGE>) -> tensor<2x3x4xf32>
  %kc1, %vc1 = llama.kv_append %kc, %vc, %k, %v at %p
     : tensor<2x16x1x4xSTORAGE>, tensor<2x3x4xf32>, tensor<2xi32>
  return %q, %kc1, %vc1
    : tensor<2x3x8xf32>, tensor<2x16x1x4xSTORAGE>, tensor<2x16x1x4xSTORAGE>
}
