// llama.fused_linear with each of its parts.
// RUN: llama-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @fused_linear
func.func @fused_linear(%a: tensor<1x8x64xf32>, %w: tensor<32x64xbf16>, %g: tensor<64xbf16>, %x: tensor<1x8x32xf32>)
    -> (tensor<1x8x32xf32>, tensor<1x8x32xf32>, tensor<1x8x32xf32>) {
  // CHECK: llama.fused_linear %[[A:.*]], %[[W:.*]] residual %[[X:.*]] : (tensor<1x8x64xf32>, tensor<32x64xbf16>, tensor<1x8x32xf32>) -> tensor<1x8x32xf32>
  %r = llama.fused_linear %a, %w residual %x
     : (tensor<1x8x64xf32>, tensor<32x64xbf16>, tensor<1x8x32xf32>) -> tensor<1x8x32xf32>
  // CHECK: llama.fused_linear %[[A]], %[[W]] gamma %[[G:.*]] eps 1.000000e+00 : (
  %n = llama.fused_linear %a, %w gamma %g eps 1.0
     : (tensor<1x8x64xf32>, tensor<32x64xbf16>, tensor<64xbf16>) -> tensor<1x8x32xf32>
  // CHECK: llama.fused_linear %[[A]], %[[W]] gamma %[[G]] eps 1.000000e+00 residual %[[X]] : (
  %b = llama.fused_linear %a, %w gamma %g eps 1.0 residual %x
     : (tensor<1x8x64xf32>, tensor<32x64xbf16>, tensor<64xbf16>, tensor<1x8x32xf32>) -> tensor<1x8x32xf32>
  return %r, %n, %b : tensor<1x8x32xf32>, tensor<1x8x32xf32>, tensor<1x8x32xf32>
}

// CHECK-LABEL: @with_bias
func.func @with_bias(%a: tensor<1x8x64xf32>, %w: tensor<32x64xbf16>, %g: tensor<64xbf16>, %b: tensor<32xbf16>,
    %x: tensor<1x8x32xf32>) -> (tensor<1x8x32xf32>, tensor<1x8x32xf32>) {
  // CHECK: llama.fused_linear %[[A:.*]], %[[W:.*]] bias %[[B:.*]] residual %[[X:.*]] : (tensor<1x8x64xf32>, tensor<32x64xbf16>, tensor<32xbf16>, tensor<1x8x32xf32>)
  %r = llama.fused_linear %a, %w bias %b residual %x
     : (tensor<1x8x64xf32>, tensor<32x64xbf16>, tensor<32xbf16>, tensor<1x8x32xf32>) -> tensor<1x8x32xf32>
  // CHECK: llama.fused_linear %[[A]], %[[W]] gamma %{{.*}} eps 1.000000e+00 bias %[[B]] : (
  %n = llama.fused_linear %a, %w gamma %g eps 1.0 bias %b
     : (tensor<1x8x64xf32>, tensor<32x64xbf16>, tensor<64xbf16>, tensor<32xbf16>) -> tensor<1x8x32xf32>
  return %r, %n : tensor<1x8x32xf32>, tensor<1x8x32xf32>
}
