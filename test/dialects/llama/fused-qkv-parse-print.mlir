// llama.fused_qkv with each of its parts.
// RUN: llama-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @products
// CHECK: llama.fused_qkv %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>) -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
func.func @products(%x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>) {
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// CHECK-LABEL: @normed
// CHECK: llama.fused_qkv {{.*}} gamma %{{.*}} eps 1.000000e+00 : (
func.func @normed(%x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %g: tensor<8xbf16>) {
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv gamma %g eps 1.0
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>, tensor<8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// CHECK-LABEL: @cached
// CHECK: llama.fused_qkv {{.*}} cache %{{.*}}, %{{.*}} at %{{.*}} {rope = #llama.rope<theta = 1.000000e+04 : f64>} : (
// CHECK-SAME: -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>)
func.func @cached(%x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %kc: tensor<1x16x1x4xbf16>, %vc: tensor<1x16x1x4xbf16>, %p: tensor<1xi32>) {
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv cache %kc, %vc at %p
      {rope = #llama.rope<theta = 1.0e+04 : f64>}
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>, tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>)
  return
}

// CHECK-LABEL: @all
// CHECK: llama.fused_qkv {{.*}} gamma %{{.*}} eps 1.000000e+00 cache %{{.*}}, %{{.*}} at %{{.*}} {rope
func.func @all(%x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %g: tensor<8xbf16>, %kc: tensor<1x16x1x4xbf16>, %vc: tensor<1x16x1x4xbf16>, %p: tensor<1xi32>) {
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv gamma %g eps 1.0 cache %kc, %vc at %p
      {rope = #llama.rope<theta = 1.0e+04 : f64>}
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>, tensor<8xbf16>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>, tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>)
  return
}

// CHECK-LABEL: @with_biases
func.func @with_biases(%x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %g: tensor<8xbf16>,
    %bq: tensor<8xbf16>, %bk: tensor<4xbf16>, %c: tensor<1x16x1x4xbf16>, %p: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>) {
  // CHECK: llama.fused_qkv %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} bias %[[BQ:.*]], %[[BK:.*]], %[[BK]] : (
  %a, %b, %d = llama.fused_qkv %x, %wq, %wk, %wk bias %bq, %bk, %bk
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>, tensor<8xbf16>, tensor<4xbf16>, tensor<4xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  // CHECK: llama.fused_qkv {{.*}} gamma %{{.*}} eps 1.000000e+00 bias %[[BQ]], %[[BK]], %[[BK]] cache %{{.*}}, %{{.*}} at %{{.*}} {rope
  %q, %kc, %vc = llama.fused_qkv %x, %wq, %wk, %wk gamma %g eps 1.0 bias %bq, %bk, %bk cache %c, %c at %p
      {rope = #llama.rope<theta = 1.0e+04 : f64>}
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>, tensor<8xbf16>, tensor<8xbf16>, tensor<4xbf16>, tensor<4xbf16>,
        tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>, tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>)
  return %q, %kc, %vc : tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>
}

// Without rotation, and of lengths.
// CHECK-LABEL: @others
// CHECK: llama.fused_qkv {{.*}} cache %{{.*}}, %{{.*}} at %{{.*}} :
// CHECK: llama.fused_qkv {{.*}} cache %{{.*}}, %{{.*}} at %{{.*}} of %{{.*}} {rope = #llama.rope<theta = 1.000000e+04 : f64, scaling = <dynamic
func.func @others(%x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %kc: tensor<1x16x1x4xbf16>, %vc: tensor<1x16x1x4xbf16>, %p: tensor<1xi32>, %l: tensor<1xi32>) {
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv cache %kc, %vc at %p
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>, tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>)
  %q1, %k1, %v1 = llama.fused_qkv %x, %wq, %wk, %wv cache %k, %v at %p of %l
      {rope = #llama.rope<theta = 1.0e+04 : f64, scaling = <dynamic, factor = 2.0 : f64, original = 8>>}
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>, tensor<1xi32>, tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>)
  return
}
