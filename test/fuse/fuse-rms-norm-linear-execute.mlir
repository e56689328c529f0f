// llama-fuse-rms-norm-linear by value. Rounding changes, so to 1e-5 in f32.
// RUN: %add-main %s f32 > %t.mlir
// RUN: llama-opt %t.mlir --llama-fuse-rms-norm-linear -o %t.fused.mlir
// RUN: FileCheck %s --input-file=%t.fused.mlir
// RUN: cat %t.mlir | %execute > %t.before
// RUN: cat %t.fused.mlir | %execute > %t.after
// RUN: %compare %t.before %t.after

// CHECK-LABEL: @test
// CHECK: llama.fused_linear {{.*}} gamma
// CHECK: llama.fused_gate_up {{.*}} gamma
// CHECK: llama.fused_qkv {{.*}} gamma
// CHECK: llama.lm_head {{.*}} gamma
// CHECK-NOT: llama.rms_norm
func.func private @test(%x: tensor<2x3x8xf32>, %g: tensor<8xSTORAGE>, %w: tensor<12x8xSTORAGE>,
                        %u: tensor<12x8xSTORAGE>, %wq: tensor<8x8xSTORAGE>, %wk: tensor<4x8xSTORAGE>)
    -> (tensor<2x3x12xf32>, tensor<2x3x12xf32>, tensor<2x3x8xf32>, tensor<2x3x4xf32>,
        tensor<2x3x4xf32>, tensor<2x3x12xf32>) {
  // The eps is as large as the mean square, so that it shows.
  %n0 = llama.rms_norm %x, %g eps 1.0 : tensor<2x3x8xf32>, tensor<8xSTORAGE>
  %y = llama.linear %n0, %w : (tensor<2x3x8xf32>, tensor<12x8xSTORAGE>) -> tensor<2x3x12xf32>
  %n1 = llama.rms_norm %x, %g eps 1.0 : tensor<2x3x8xf32>, tensor<8xSTORAGE>
  %m = llama.fused_gate_up %n1, %w, %u
     : (tensor<2x3x8xf32>, tensor<12x8xSTORAGE>, tensor<12x8xSTORAGE>) -> tensor<2x3x12xf32>
  %n2 = llama.rms_norm %x, %g eps 1.0 : tensor<2x3x8xf32>, tensor<8xSTORAGE>
  %q, %k, %v = llama.fused_qkv %n2, %wq, %wk, %wk
     : (tensor<2x3x8xf32>, tensor<8x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<4x8xSTORAGE>)
    -> (tensor<2x3x8xf32>, tensor<2x3x4xf32>, tensor<2x3x4xf32>)
  %n3 = llama.rms_norm %x, %g eps 1.0 : tensor<2x3x8xf32>, tensor<8xSTORAGE>
  %l = llama.lm_head %n3, %w : (tensor<2x3x8xf32>, tensor<12x8xSTORAGE>) -> tensor<2x3x12xf32>
  return %y, %m, %q, %k, %v, %l
    : tensor<2x3x12xf32>, tensor<2x3x12xf32>, tensor<2x3x8xf32>, tensor<2x3x4xf32>,
      tensor<2x3x4xf32>, tensor<2x3x12xf32>
}
