// llama-fuse-residual: the example of Passes.td, then where it must not fire.
// RUN: llama-opt %s --llama-fuse-residual --split-input-file | FileCheck %s

// CHECK-LABEL: @example
// CHECK-SAME: %[[X:.*]]: tensor<1x2x8xf32>, %[[A:.*]]: tensor<1x2x8xf32>, %[[W:.*]]: tensor<8x8xbf16>
// CHECK-NEXT: %[[Y:.*]] = llama.fused_linear %[[A]], %[[W]] residual %[[X]] : (
// CHECK-NEXT: return %[[Y]]
func.func @example(%x: tensor<1x2x8xf32>, %a: tensor<1x2x8xf32>, %w: tensor<8x8xbf16>) -> tensor<1x2x8xf32> {
  %o = llama.linear %a, %w : (tensor<1x2x8xf32>, tensor<8x8xbf16>) -> tensor<1x2x8xf32>
  %y = llama.add %x, %o : tensor<1x2x8xf32>
  return %y : tensor<1x2x8xf32>
}

// -----

// CHECK-LABEL: @product_first
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<1x2x8xf32>, %[[A:[a-z0-9]*]]: tensor<1x2x8xf32>
// CHECK-NEXT: llama.fused_linear %[[A]], %{{.*}} residual %[[X]] : (
func.func @product_first(%x: tensor<1x2x8xf32>, %a: tensor<1x2x8xf32>, %w: tensor<8x8xbf16>) -> tensor<1x2x8xf32> {
  %o = llama.linear %a, %w : (tensor<1x2x8xf32>, tensor<8x8xbf16>) -> tensor<1x2x8xf32>
  %y = llama.add %o, %x : tensor<1x2x8xf32>
  return %y : tensor<1x2x8xf32>
}

// -----

// CHECK-LABEL: @product_with_norm
// CHECK-NEXT: llama.fused_linear %{{.*}}, %{{.*}} gamma %{{.*}} eps 1.000000e+00 residual %{{.*}} : (
func.func @product_with_norm(%x: tensor<1x2x8xf32>, %g: tensor<8xbf16>, %w: tensor<8x8xbf16>) -> tensor<1x2x8xf32> {
  %o = llama.fused_linear %x, %w gamma %g eps 1.0
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<8xbf16>) -> tensor<1x2x8xf32>
  %y = llama.add %x, %o : tensor<1x2x8xf32>
  return %y : tensor<1x2x8xf32>
}

// -----

// CHECK-LABEL: @product_used_elsewhere
// CHECK: llama.add
func.func @product_used_elsewhere(%x: tensor<1x2x8xf32>, %a: tensor<1x2x8xf32>, %w: tensor<8x8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x8xf32>) {
  %o = llama.linear %a, %w : (tensor<1x2x8xf32>, tensor<8x8xbf16>) -> tensor<1x2x8xf32>
  %y = llama.add %x, %o : tensor<1x2x8xf32>
  return %y, %o : tensor<1x2x8xf32>, tensor<1x2x8xf32>
}

// -----

// CHECK-LABEL: @product_added_to_itself
// CHECK: llama.add
func.func @product_added_to_itself(%a: tensor<1x2x8xf32>, %w: tensor<8x8xbf16>) -> tensor<1x2x8xf32> {
  %o = llama.linear %a, %w : (tensor<1x2x8xf32>, tensor<8x8xbf16>) -> tensor<1x2x8xf32>
  %y = llama.add %o, %o : tensor<1x2x8xf32>
  return %y : tensor<1x2x8xf32>
}

// -----

// CHECK-LABEL: @has_a_residual
// CHECK: llama.fused_linear
// CHECK: llama.add
func.func @has_a_residual(%x: tensor<1x2x8xf32>, %a: tensor<1x2x8xf32>, %w: tensor<8x8xbf16>) -> tensor<1x2x8xf32> {
  %o = llama.fused_linear %a, %w residual %x
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<1x2x8xf32>) -> tensor<1x2x8xf32>
  %y = llama.add %x, %o : tensor<1x2x8xf32>
  return %y : tensor<1x2x8xf32>
}

// -----

// CHECK-LABEL: @no_product
// CHECK: llama.add
func.func @no_product(%x: tensor<1x2x8xf32>, %a: tensor<1x2x8xf32>) -> tensor<1x2x8xf32> {
  %y = llama.add %x, %a : tensor<1x2x8xf32>
  return %y : tensor<1x2x8xf32>
}

// -----

// CHECK-LABEL: @bias
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<1x2x8xf32>, %[[A:[a-z0-9]*]]: tensor<1x2x8xf32>, %{{.*}}: tensor<8x8xbf16>, %[[B:[a-z0-9]*]]: tensor<8xbf16>
// CHECK-NEXT: llama.fused_linear %[[A]], %{{.*}} bias %[[B]] residual %[[X]] : (
// CHECK-NEXT: return
func.func @bias(%x: tensor<1x2x8xf32>, %a: tensor<1x2x8xf32>, %w: tensor<8x8xbf16>, %b: tensor<8xbf16>) -> tensor<1x2x8xf32> {
  %o = llama.linear %a, %w bias %b : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<8xbf16>) -> tensor<1x2x8xf32>
  %y = llama.add %x, %o : tensor<1x2x8xf32>
  return %y : tensor<1x2x8xf32>
}

// -----

// CHECK-LABEL: @bias_and_norm
// CHECK: llama.fused_linear %{{.*}} gamma %{{.*}} eps {{.*}} bias %{{.*}} residual %{{.*}} : (
// CHECK-NOT: llama.add
func.func @bias_and_norm(%x: tensor<1x2x8xf32>, %a: tensor<1x2x8xf32>, %w: tensor<8x8xbf16>, %v: tensor<8xbf16>)
    -> tensor<1x2x8xf32> {
  %o = llama.fused_linear %a, %w gamma %v eps 1.0e-05 bias %v
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<8xbf16>, tensor<8xbf16>) -> tensor<1x2x8xf32>
  %y = llama.add %x, %o : tensor<1x2x8xf32>
  return %y : tensor<1x2x8xf32>
}
