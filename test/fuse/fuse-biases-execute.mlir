// Biases by value, through every fusion at once: a block with biases on all
// seven products, unfused and fused, in f32. And one product against plain arithmetic.
// RUN: %add-main %s f32 > %t.mlir
// RUN: llama-opt %t.mlir --llama-fuse-qkv --llama-fuse-swiglu --llama-fuse-rms-norm-linear --llama-fuse-rope --llama-fuse-residual -o %t.fused.mlir
// RUN: FileCheck %s --input-file=%t.fused.mlir
// RUN: cat %t.mlir | %execute > %t.before
// RUN: cat %t.fused.mlir | %execute > %t.after
// RUN: %compare %t.before %t.after
// Each fusion that rounds nothing otherwise, in bf16: the bits are equal.
// RUN: %add-main %s bf16 > %t.bf16.mlir
// RUN: cat %t.bf16.mlir | %execute > %t.bf16.before
// RUN: llama-opt %t.bf16.mlir --llama-fuse-qkv --llama-fuse-swiglu --llama-fuse-rope --llama-fuse-residual | %execute > %t.bf16.after
// RUN: %compare --exact %t.bf16.before %t.bf16.after
// RUN: cat %t.mlir | %execute | FileCheck %s --check-prefix=PLAIN

// CHECK-LABEL: @test
// CHECK: llama.fused_qkv {{.*}} gamma {{.*}} bias {{.*}} cache
// CHECK: llama.fused_linear {{.*}} bias {{.*}} residual
// CHECK: llama.fused_gate_up {{.*}} gamma {{.*}} bias
// CHECK: llama.fused_linear {{.*}} bias {{.*}} residual
#rope = #llama.rope<theta = 1.0e+02 : f64>

func.func private @test(%x: tensor<2x3x8xf32>, %kc: tensor<2x16x1x4xSTORAGE>, %vc: tensor<2x16x1x4xSTORAGE>,
    %g1: tensor<8xSTORAGE>, %wq: tensor<8x8xSTORAGE>, %bq: tensor<8xSTORAGE>, %wk: tensor<4x8xSTORAGE>,
    %bk: tensor<4xSTORAGE>, %wv: tensor<4x8xSTORAGE>, %bv: tensor<4xSTORAGE>, %wo: tensor<8x8xSTORAGE>,
    %bo: tensor<8xSTORAGE>, %g2: tensor<8xSTORAGE>, %wg: tensor<12x8xSTORAGE>, %bg: tensor<12xSTORAGE>,
    %wu: tensor<12x8xSTORAGE>, %bu: tensor<12xSTORAGE>, %wd: tensor<8x12xSTORAGE>, %bd: tensor<8xSTORAGE>)
    -> (tensor<2x3x8xf32>, tensor<2x16x1x4xSTORAGE>, tensor<2x16x1x4xSTORAGE>, tensor<1x1x2xf32>) {
  %p = arith.constant dense<[0, 5]> : tensor<2xi32>
  %n1 = llama.rms_norm %x, %g1 eps 1.0e-05 : tensor<2x3x8xf32>, tensor<8xSTORAGE>
  %q = llama.linear %n1, %wq bias %bq : (tensor<2x3x8xf32>, tensor<8x8xSTORAGE>, tensor<8xSTORAGE>) -> tensor<2x3x8xf32>
  %k = llama.linear %n1, %wk bias %bk : (tensor<2x3x8xf32>, tensor<4x8xSTORAGE>, tensor<4xSTORAGE>) -> tensor<2x3x4xf32>
  %v = llama.linear %n1, %wv bias %bv : (tensor<2x3x8xf32>, tensor<4x8xSTORAGE>, tensor<4xSTORAGE>) -> tensor<2x3x4xf32>
  %qr = llama.rope %q at %p {head_dim = 4 : i64, rope = #rope} : tensor<2x3x8xf32>, tensor<2xi32>
  %kr = llama.rope %k at %p {head_dim = 4 : i64, rope = #rope} : tensor<2x3x4xf32>, tensor<2xi32>
  %kc1, %vc1 = llama.kv_append %kc, %vc, %kr, %v at %p : tensor<2x16x1x4xSTORAGE>, tensor<2x3x4xf32>, tensor<2xi32>
  %a = llama.attention %qr, %kc1, %vc1 at %p : tensor<2x3x8xf32>, tensor<2x16x1x4xSTORAGE>, tensor<2xi32>
  %o = llama.linear %a, %wo bias %bo : (tensor<2x3x8xf32>, tensor<8x8xSTORAGE>, tensor<8xSTORAGE>) -> tensor<2x3x8xf32>
  %x1 = llama.add %x, %o : tensor<2x3x8xf32>
  %n2 = llama.rms_norm %x1, %g2 eps 1.0e-05 : tensor<2x3x8xf32>, tensor<8xSTORAGE>
  %g = llama.linear %n2, %wg bias %bg : (tensor<2x3x8xf32>, tensor<12x8xSTORAGE>, tensor<12xSTORAGE>) -> tensor<2x3x12xf32>
  %u = llama.linear %n2, %wu bias %bu : (tensor<2x3x8xf32>, tensor<12x8xSTORAGE>, tensor<12xSTORAGE>) -> tensor<2x3x12xf32>
  %s = llama.silu %g : tensor<2x3x12xf32>
  %m = llama.mul %s, %u : tensor<2x3x12xf32>
  %d = llama.linear %m, %wd bias %bd : (tensor<2x3x12xf32>, tensor<8x12xSTORAGE>, tensor<8xSTORAGE>) -> tensor<2x3x8xf32>
  %x2 = llama.add %x1, %d : tensor<2x3x8xf32>

  // 2 * 3 + 0.5 and 2 * 4 - 0.25.
  // PLAIN: sizes = [1, 1, 2]
  // PLAIN-NEXT: {{\[\[\[}}6.5, 7.75]]]
  %two = arith.constant dense<2.0> : tensor<1x1x1xf32>
  %w = arith.constant dense<[[3.0], [4.0]]> : tensor<2x1xf32>
  %b = arith.constant dense<[0.5, -0.25]> : tensor<2xf32>
  %plain = llama.linear %two, %w bias %b : (tensor<1x1x1xf32>, tensor<2x1xf32>, tensor<2xf32>) -> tensor<1x1x2xf32>
  return %x2, %kc1, %vc1, %plain
    : tensor<2x3x8xf32>, tensor<2x16x1x4xSTORAGE>, tensor<2x16x1x4xSTORAGE>, tensor<1x1x2xf32>
}
