// llama-fuse-rope by value. Nothing is rounded otherwise: the bits are equal.
// RUN: %add-main %s bf16 > %t.mlir
// RUN: llama-opt %t.mlir --llama-fuse-rope -o %t.fused.mlir
// RUN: FileCheck %s --input-file=%t.fused.mlir
// RUN: cat %t.mlir | %execute > %t.before
// RUN: cat %t.fused.mlir | %execute > %t.after
// RUN: %compare --exact %t.before %t.after

// CHECK: llama.fused_qkv {{.*}} cache
// CHECK-NOT: llama.rope %
// CHECK-NOT: llama.kv_append
func.func private @test(%x: tensor<2x3x8xf32>, %wq: tensor<8x8xSTORAGE>, %wk: tensor<4x8xSTORAGE>,
                        %wv: tensor<4x8xSTORAGE>, %kc: tensor<2x16x1x4xSTORAGE>,
                        %vc: tensor<2x16x1x4xSTORAGE>)
    -> (tensor<2x3x8xf32>, tensor<2x16x1x4xSTORAGE>, tensor<2x16x1x4xSTORAGE>) {
  %p = arith.constant dense<[5, 14]> : tensor<2xi32>
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv
     : (tensor<2x3x8xf32>, tensor<8x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<4x8xSTORAGE>)
    -> (tensor<2x3x8xf32>, tensor<2x3x4xf32>, tensor<2x3x4xf32>)
  %qr = llama.rope %q at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+02 : f64>}
     : tensor<2x3x8xf32>, tensor<2xi32>
  %kr = llama.rope %k at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+02 : f64>}
     : tensor<2x3x4xf32>, tensor<2xi32>
  %kc1, %vc1 = llama.kv_append %kc, %vc, %kr, %v at %p
     : tensor<2x16x1x4xSTORAGE>, tensor<2x3x4xf32>, tensor<2xi32>
  return %qr, %kc1, %vc1
    : tensor<2x3x8xf32>, tensor<2x16x1x4xSTORAGE>, tensor<2x16x1x4xSTORAGE>
}
