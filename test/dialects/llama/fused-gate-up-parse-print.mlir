// llama.fused_gate_up with and without its norm.
// RUN: llama-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @fused_gate_up
func.func @fused_gate_up(%x: tensor<1x8x64xf32>, %w: tensor<172x64xbf16>, %g: tensor<64xbf16>)
    -> (tensor<1x8x172xf32>, tensor<1x8x172xf32>) {
  // CHECK: llama.fused_gate_up %[[X:.*]], %[[W:.*]], %[[W]] : (tensor<1x8x64xf32>, tensor<172x64xbf16>, tensor<172x64xbf16>) -> tensor<1x8x172xf32>
  %m = llama.fused_gate_up %x, %w, %w
     : (tensor<1x8x64xf32>, tensor<172x64xbf16>, tensor<172x64xbf16>) -> tensor<1x8x172xf32>
  // CHECK: llama.fused_gate_up %[[X]], %[[W]], %[[W]] gamma %{{.*}} eps 1.000000e+00 : (
  %n = llama.fused_gate_up %x, %w, %w gamma %g eps 1.0
     : (tensor<1x8x64xf32>, tensor<172x64xbf16>, tensor<172x64xbf16>, tensor<64xbf16>) -> tensor<1x8x172xf32>
  return %m, %n : tensor<1x8x172xf32>, tensor<1x8x172xf32>
}

// CHECK-LABEL: @with_biases
func.func @with_biases(%x: tensor<1x8x64xf32>, %w: tensor<172x64xbf16>, %g: tensor<64xbf16>, %b: tensor<172xbf16>)
    -> (tensor<1x8x172xf32>, tensor<1x8x172xf32>) {
  // CHECK: llama.fused_gate_up %[[X:.*]], %[[W:.*]], %[[W]] bias %[[B:.*]], %[[B]] : (
  %m = llama.fused_gate_up %x, %w, %w bias %b, %b
     : (tensor<1x8x64xf32>, tensor<172x64xbf16>, tensor<172x64xbf16>, tensor<172xbf16>, tensor<172xbf16>) -> tensor<1x8x172xf32>
  // CHECK: llama.fused_gate_up %[[X]], %[[W]], %[[W]] gamma %{{.*}} eps 1.000000e+00 bias %[[B]], %[[B]] : (
  %n = llama.fused_gate_up %x, %w, %w gamma %g eps 1.0 bias %b, %b
     : (tensor<1x8x64xf32>, tensor<172x64xbf16>, tensor<172x64xbf16>, tensor<64xbf16>, tensor<172xbf16>, tensor<172xbf16>) -> tensor<1x8x172xf32>
  return %m, %n : tensor<1x8x172xf32>, tensor<1x8x172xf32>
}
