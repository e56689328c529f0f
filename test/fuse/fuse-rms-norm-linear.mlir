// llama-fuse-rms-norm-linear: the example of Passes.td, each user that takes a
// norm, then where it must not fire.
// RUN: llama-opt %s --llama-fuse-rms-norm-linear --split-input-file | FileCheck %s

// CHECK-LABEL: @example
// CHECK-SAME: %[[X:.*]]: tensor<1x2x8xf32>, %[[G:.*]]: tensor<8xbf16>, %[[W:.*]]: tensor<4x8xbf16>
// CHECK-NEXT: %[[Y:.*]] = llama.fused_linear %[[X]], %[[W]] gamma %[[G]] eps 9.99999974E-6 : (
// CHECK-NEXT: return %[[Y]]
func.func @example(%x: tensor<1x2x8xf32>, %gamma: tensor<8xbf16>, %w: tensor<4x8xbf16>) -> tensor<1x2x4xf32> {
  %n = llama.rms_norm %x, %gamma eps 1.0e-05 : tensor<1x2x8xf32>, tensor<8xbf16>
  %y = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<4x8xbf16>) -> tensor<1x2x4xf32>
  return %y : tensor<1x2x4xf32>
}

// -----

// CHECK-LABEL: @into_fused_linear
// CHECK-NEXT: llama.fused_linear %{{.*}}, %{{.*}} gamma %{{.*}} eps 1.000000e+00 residual %{{.*}} : (
func.func @into_fused_linear(%x: tensor<1x2x8xf32>, %gamma: tensor<8xbf16>, %w: tensor<8x8xbf16>) -> tensor<1x2x8xf32> {
  %n = llama.rms_norm %x, %gamma eps 1.0 : tensor<1x2x8xf32>, tensor<8xbf16>
  %y = llama.fused_linear %n, %w residual %x
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<1x2x8xf32>) -> tensor<1x2x8xf32>
  return %y : tensor<1x2x8xf32>
}

// -----

// CHECK-LABEL: @into_fused_qkv
// CHECK-NEXT: llama.fused_qkv %{{.*}} gamma %{{.*}} eps 1.000000e+00 : (
func.func @into_fused_qkv(%x: tensor<1x2x8xf32>, %gamma: tensor<8xbf16>, %w: tensor<8x8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x8xf32>, tensor<1x2x8xf32>) {
  %n = llama.rms_norm %x, %gamma eps 1.0 : tensor<1x2x8xf32>, tensor<8xbf16>
  %q, %k, %v = llama.fused_qkv %n, %w, %w, %w
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<8x8xbf16>, tensor<8x8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x8xf32>, tensor<1x2x8xf32>)
  return %q, %k, %v : tensor<1x2x8xf32>, tensor<1x2x8xf32>, tensor<1x2x8xf32>
}

// -----

// CHECK-LABEL: @into_fused_gate_up
// CHECK-NEXT: llama.fused_gate_up %{{.*}} gamma %{{.*}} eps 1.000000e+00 : (
func.func @into_fused_gate_up(%x: tensor<1x2x8xf32>, %gamma: tensor<8xbf16>, %w: tensor<12x8xbf16>) -> tensor<1x2x12xf32> {
  %n = llama.rms_norm %x, %gamma eps 1.0 : tensor<1x2x8xf32>, tensor<8xbf16>
  %m = llama.fused_gate_up %n, %w, %w
     : (tensor<1x2x8xf32>, tensor<12x8xbf16>, tensor<12x8xbf16>) -> tensor<1x2x12xf32>
  return %m : tensor<1x2x12xf32>
}

// -----

// CHECK-LABEL: @into_lm_head
// CHECK-NEXT: llama.lm_head %{{.*}} gamma %{{.*}} eps 1.000000e+00 : (
func.func @into_lm_head(%x: tensor<1x2x8xf32>, %gamma: tensor<8xbf16>, %w: tensor<32x8xbf16>) -> tensor<1x2x32xf32> {
  %n = llama.rms_norm %x, %gamma eps 1.0 : tensor<1x2x8xf32>, tensor<8xbf16>
  %l = llama.lm_head %n, %w : (tensor<1x2x8xf32>, tensor<32x8xbf16>) -> tensor<1x2x32xf32>
  return %l : tensor<1x2x32xf32>
}

// -----

// CHECK-LABEL: @norm_used_twice
// CHECK: llama.rms_norm
// CHECK: llama.linear
func.func @norm_used_twice(%x: tensor<1x2x8xf32>, %gamma: tensor<8xbf16>, %w: tensor<8x8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x8xf32>) {
  %n = llama.rms_norm %x, %gamma eps 1.0 : tensor<1x2x8xf32>, tensor<8xbf16>
  %y = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<8x8xbf16>) -> tensor<1x2x8xf32>
  return %y, %n : tensor<1x2x8xf32>, tensor<1x2x8xf32>
}

// -----

// CHECK-LABEL: @norm_is_the_residual
// CHECK: llama.rms_norm
// CHECK: llama.fused_linear %{{.*}}, %{{.*}} residual
func.func @norm_is_the_residual(%x: tensor<1x2x8xf32>, %gamma: tensor<8xbf16>, %w: tensor<8x8xbf16>) -> tensor<1x2x8xf32> {
  %n = llama.rms_norm %x, %gamma eps 1.0 : tensor<1x2x8xf32>, tensor<8xbf16>
  %y = llama.fused_linear %x, %w residual %n
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<1x2x8xf32>) -> tensor<1x2x8xf32>
  return %y : tensor<1x2x8xf32>
}

// -----

// CHECK-LABEL: @norm_of_a_norm
// CHECK: %[[N:.*]] = llama.rms_norm
// CHECK: llama.lm_head %[[N]], %{{.*}} gamma
func.func @norm_of_a_norm(%x: tensor<1x2x8xf32>, %gamma: tensor<8xbf16>, %w: tensor<32x8xbf16>) -> tensor<1x2x32xf32> {
  %n = llama.rms_norm %x, %gamma eps 1.0 : tensor<1x2x8xf32>, tensor<8xbf16>
  %l = llama.lm_head %n, %w gamma %gamma eps 1.0
     : (tensor<1x2x8xf32>, tensor<32x8xbf16>, tensor<8xbf16>) -> tensor<1x2x32xf32>
  return %l : tensor<1x2x32xf32>
}

// -----

// CHECK-LABEL: @used_by_no_product
// CHECK: llama.rms_norm
func.func @used_by_no_product(%x: tensor<1x2x8xf32>, %gamma: tensor<8xbf16>) -> tensor<1x2x8xf32> {
  %n = llama.rms_norm %x, %gamma eps 1.0 : tensor<1x2x8xf32>, tensor<8xbf16>
  %s = llama.silu %n : tensor<1x2x8xf32>
  return %s : tensor<1x2x8xf32>
}

// -----

// The bias stays: it is added behind the norm's scale.
// CHECK-LABEL: @bias
// CHECK-SAME: %[[B:[a-z0-9]*]]: tensor<4xbf16>
// CHECK-NEXT: llama.fused_linear %{{.*}} gamma %{{.*}} eps {{.*}} bias %[[B]] : (
// CHECK-NEXT: return
func.func @bias(%x: tensor<1x2x8xf32>, %g: tensor<8xbf16>, %w: tensor<4x8xbf16>, %b: tensor<4xbf16>) -> tensor<1x2x4xf32> {
  %n = llama.rms_norm %x, %g eps 1.0e-05 : tensor<1x2x8xf32>, tensor<8xbf16>
  %y = llama.linear %n, %w bias %b : (tensor<1x2x8xf32>, tensor<4x8xbf16>, tensor<4xbf16>) -> tensor<1x2x4xf32>
  return %y : tensor<1x2x4xf32>
}
