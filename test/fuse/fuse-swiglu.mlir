// llama-fuse-swiglu: the example of Passes.td, then where it must not fire.
// RUN: llama-opt %s --llama-fuse-swiglu --split-input-file | FileCheck %s

// CHECK-LABEL: @example
// CHECK-SAME: %[[N:.*]]: tensor<1x2x8xf32>, %[[WG:.*]]: tensor<12x8xbf16>, %[[WU:.*]]: tensor<12x8xbf16>
// CHECK-NEXT: %[[M:.*]] = llama.fused_gate_up %[[N]], %[[WG]], %[[WU]] : (
// CHECK-NEXT: return %[[M]]
func.func @example(%n: tensor<1x2x8xf32>, %wg: tensor<12x8xbf16>, %wu: tensor<12x8xbf16>) -> tensor<1x2x12xf32> {
  %g = llama.linear %n, %wg : (tensor<1x2x8xf32>, tensor<12x8xbf16>) -> tensor<1x2x12xf32>
  %u = llama.linear %n, %wu : (tensor<1x2x8xf32>, tensor<12x8xbf16>) -> tensor<1x2x12xf32>
  %s = llama.silu %g : tensor<1x2x12xf32>
  %m = llama.mul %s, %u : tensor<1x2x12xf32>
  return %m : tensor<1x2x12xf32>
}

// -----

// CHECK-LABEL: @up_first
// CHECK-SAME: %[[WG:[a-z0-9]*]]: tensor<12x8xbf16>, %[[WU:[a-z0-9]*]]: tensor<12x8xbf16>
// CHECK-NEXT: llama.fused_gate_up %{{.*}}, %[[WG]], %[[WU]] : (
func.func @up_first(%n: tensor<1x2x8xf32>, %wg: tensor<12x8xbf16>, %wu: tensor<12x8xbf16>) -> tensor<1x2x12xf32> {
  %u = llama.linear %n, %wu : (tensor<1x2x8xf32>, tensor<12x8xbf16>) -> tensor<1x2x12xf32>
  %g = llama.linear %n, %wg : (tensor<1x2x8xf32>, tensor<12x8xbf16>) -> tensor<1x2x12xf32>
  %s = llama.silu %g : tensor<1x2x12xf32>
  %m = llama.mul %u, %s : tensor<1x2x12xf32>
  return %m : tensor<1x2x12xf32>
}

// -----

// CHECK-LABEL: @gate_used_elsewhere
// CHECK-NOT: llama.fused_gate_up
func.func @gate_used_elsewhere(%n: tensor<1x2x8xf32>, %w: tensor<12x8xbf16>)
    -> (tensor<1x2x12xf32>, tensor<1x2x12xf32>) {
  %g = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<12x8xbf16>) -> tensor<1x2x12xf32>
  %u = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<12x8xbf16>) -> tensor<1x2x12xf32>
  %s = llama.silu %g : tensor<1x2x12xf32>
  %m = llama.mul %s, %u : tensor<1x2x12xf32>
  return %m, %g : tensor<1x2x12xf32>, tensor<1x2x12xf32>
}

// -----

// CHECK-LABEL: @silu_used_elsewhere
// CHECK-NOT: llama.fused_gate_up
func.func @silu_used_elsewhere(%n: tensor<1x2x8xf32>, %w: tensor<12x8xbf16>)
    -> (tensor<1x2x12xf32>, tensor<1x2x12xf32>) {
  %g = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<12x8xbf16>) -> tensor<1x2x12xf32>
  %u = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<12x8xbf16>) -> tensor<1x2x12xf32>
  %s = llama.silu %g : tensor<1x2x12xf32>
  %m = llama.mul %s, %u : tensor<1x2x12xf32>
  return %m, %s : tensor<1x2x12xf32>, tensor<1x2x12xf32>
}

// -----

// CHECK-LABEL: @different_inputs
// CHECK-NOT: llama.fused_gate_up
func.func @different_inputs(%n: tensor<1x2x8xf32>, %other: tensor<1x2x8xf32>, %w: tensor<12x8xbf16>)
    -> tensor<1x2x12xf32> {
  %g = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<12x8xbf16>) -> tensor<1x2x12xf32>
  %u = llama.linear %other, %w : (tensor<1x2x8xf32>, tensor<12x8xbf16>) -> tensor<1x2x12xf32>
  %s = llama.silu %g : tensor<1x2x12xf32>
  %m = llama.mul %s, %u : tensor<1x2x12xf32>
  return %m : tensor<1x2x12xf32>
}

// -----

// CHECK-LABEL: @different_storage
// CHECK-NOT: llama.fused_gate_up
func.func @different_storage(%n: tensor<1x2x8xf32>, %wg: tensor<12x8xbf16>, %wu: tensor<12x8xf16>)
    -> tensor<1x2x12xf32> {
  %g = llama.linear %n, %wg : (tensor<1x2x8xf32>, tensor<12x8xbf16>) -> tensor<1x2x12xf32>
  %u = llama.linear %n, %wu : (tensor<1x2x8xf32>, tensor<12x8xf16>) -> tensor<1x2x12xf32>
  %s = llama.silu %g : tensor<1x2x12xf32>
  %m = llama.mul %s, %u : tensor<1x2x12xf32>
  return %m : tensor<1x2x12xf32>
}

// -----

// CHECK-LABEL: @no_silu
// CHECK-NOT: llama.fused_gate_up
func.func @no_silu(%n: tensor<1x2x8xf32>, %w: tensor<12x8xbf16>) -> tensor<1x2x12xf32> {
  %g = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<12x8xbf16>) -> tensor<1x2x12xf32>
  %u = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<12x8xbf16>) -> tensor<1x2x12xf32>
  %m = llama.mul %g, %u : tensor<1x2x12xf32>
  return %m : tensor<1x2x12xf32>
}

// -----

// CHECK-LABEL: @biases
// CHECK-SAME: %[[BG:[a-z0-9]*]]: tensor<12xbf16>, %[[BU:[a-z0-9]*]]: tensor<12xbf16>
// CHECK-NEXT: llama.fused_gate_up %{{.*}} bias %[[BG]], %[[BU]] : (
func.func @biases(%n: tensor<1x2x8xf32>, %wg: tensor<12x8xbf16>, %wu: tensor<12x8xbf16>,
                  %bg: tensor<12xbf16>, %bu: tensor<12xbf16>) -> tensor<1x2x12xf32> {
  %u = llama.linear %n, %wu bias %bu : (tensor<1x2x8xf32>, tensor<12x8xbf16>, tensor<12xbf16>) -> tensor<1x2x12xf32>
  %g = llama.linear %n, %wg bias %bg : (tensor<1x2x8xf32>, tensor<12x8xbf16>, tensor<12xbf16>) -> tensor<1x2x12xf32>
  %s = llama.silu %g : tensor<1x2x12xf32>
  %m = llama.mul %s, %u : tensor<1x2x12xf32>
  return %m : tensor<1x2x12xf32>
}

// -----

// CHECK-LABEL: @one_bias
// CHECK-NOT: llama.fused_gate_up
func.func @one_bias(%n: tensor<1x2x8xf32>, %w: tensor<12x8xbf16>, %b: tensor<12xbf16>) -> tensor<1x2x12xf32> {
  %g = llama.linear %n, %w bias %b : (tensor<1x2x8xf32>, tensor<12x8xbf16>, tensor<12xbf16>) -> tensor<1x2x12xf32>
  %u = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<12x8xbf16>) -> tensor<1x2x12xf32>
  %s = llama.silu %g : tensor<1x2x12xf32>
  %m = llama.mul %s, %u : tensor<1x2x12xf32>
  return %m : tensor<1x2x12xf32>
}
