// Residuals of 1e5 lie outside f16, those of 1e-9 below it. The fused op scales
// each row by a power of two: what comes out is what f32 gives, to f16's rounding.
// RUN: %add-main %s f16 > %t.mlir
// RUN: %add-main %s f32 > %t.f32.mlir
// RUN: llama-opt %t.mlir --llama-fuse-rms-norm-linear -o %t.fused.mlir
// RUN: FileCheck %s --input-file=%t.fused.mlir
// RUN: cat %t.f32.mlir | %execute > %t.f32
// RUN: cat %t.fused.mlir | %execute > %t.after
// RUN: %compare --bound 1e-3 %t.f32 %t.after

// CHECK: llama.fused_linear {{.*}} gamma
func.func private @test(%x: tensor<2x3x8xf32>, %g: tensor<8xSTORAGE>, %w: tensor<12x8xSTORAGE>)
    -> (tensor<2x3x12xf32>, tensor<2x3x12xf32>) {
  %huge = arith.constant dense<1.0e+05> : tensor<2x3x8xf32>
  %tiny = arith.constant dense<1.0e-09> : tensor<2x3x8xf32>
  %xh = llama.mul %x, %huge : tensor<2x3x8xf32>
  %nh = llama.rms_norm %xh, %g eps 1.0e-05 : tensor<2x3x8xf32>, tensor<8xSTORAGE>
  %yh = llama.linear %nh, %w : (tensor<2x3x8xf32>, tensor<12x8xSTORAGE>) -> tensor<2x3x12xf32>
  %xt = llama.mul %x, %tiny : tensor<2x3x8xf32>
  %nt = llama.rms_norm %xt, %g eps 1.0e-18 : tensor<2x3x8xf32>, tensor<8xSTORAGE>
  %yt = llama.linear %nt, %w : (tensor<2x3x8xf32>, tensor<12x8xSTORAGE>) -> tensor<2x3x12xf32>
  return %yh, %yt : tensor<2x3x12xf32>, tensor<2x3x12xf32>
}
