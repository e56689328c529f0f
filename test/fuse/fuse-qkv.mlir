// llama-fuse-qkv: the example of Passes.td, then where it must not fire.
// RUN: llama-opt %s --llama-fuse-qkv --split-input-file | FileCheck %s

// CHECK-LABEL: @example
// CHECK-SAME: %[[N:[a-z0-9]*]]: tensor<1x2x8xf32>, %[[WQ:.*]]: tensor<8x8xbf16>, %[[WK:[a-z0-9]*]]: tensor<4x8xbf16>, %[[WV:[a-z0-9]*]]: tensor<4x8xbf16>
// CHECK: %[[Q:.*]], %[[K:.*]], %[[V:.*]] = llama.fused_qkv %[[N]], %[[WQ]], %[[WK]], %[[WV]]
// CHECK-SAME: -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
// CHECK-NOT: llama.linear
// CHECK: llama.kv_append %{{.*}}, %{{.*}}, %[[K]], %[[V]]
// CHECK: return %[[Q]]
func.func @example(%n: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>,
                   %wv: tensor<4x8xbf16>, %c: tensor<1x16x1x4xbf16>, %p: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>) {
  %q = llama.linear %n, %wq : (tensor<1x2x8xf32>, tensor<8x8xbf16>) -> tensor<1x2x8xf32>
  %k = llama.linear %n, %wk : (tensor<1x2x8xf32>, tensor<4x8xbf16>) -> tensor<1x2x4xf32>
  %v = llama.linear %n, %wv : (tensor<1x2x8xf32>, tensor<4x8xbf16>) -> tensor<1x2x4xf32>
  %kc, %vc = llama.kv_append %c, %c, %k, %v at %p
     : tensor<1x16x1x4xbf16>, tensor<1x2x4xf32>, tensor<1xi32>
  return %q, %kc, %vc : tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>
}

// -----

// The roles come from the uses: here value stands first and key is turned.
// CHECK-LABEL: @roles_by_use
// CHECK-SAME: %[[WQ:[a-z0-9]*]]: tensor<8x8xf32>, %[[WK:[a-z0-9]*]]: tensor<8x8xf32>, %[[WV:[a-z0-9]*]]: tensor<8x8xf32>
// CHECK: llama.fused_qkv %{{.*}}, %[[WQ]], %[[WK]], %[[WV]]
func.func @roles_by_use(%n: tensor<1x2x8xf32>, %wq: tensor<8x8xf32>, %wk: tensor<8x8xf32>,
                        %wv: tensor<8x8xf32>, %c: tensor<1x16x2x4xf32>, %p: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x2x4xf32>, tensor<1x16x2x4xf32>) {
  %v = llama.linear %n, %wv : (tensor<1x2x8xf32>, tensor<8x8xf32>) -> tensor<1x2x8xf32>
  %k = llama.linear %n, %wk : (tensor<1x2x8xf32>, tensor<8x8xf32>) -> tensor<1x2x8xf32>
  %kr = llama.rope %k at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
     : tensor<1x2x8xf32>, tensor<1xi32>
  %q = llama.linear %n, %wq : (tensor<1x2x8xf32>, tensor<8x8xf32>) -> tensor<1x2x8xf32>
  %kc, %vc = llama.kv_append %c, %c, %kr, %v at %p
     : tensor<1x16x2x4xf32>, tensor<1x2x8xf32>, tensor<1xi32>
  return %q, %kc, %vc : tensor<1x2x8xf32>, tensor<1x16x2x4xf32>, tensor<1x16x2x4xf32>
}

// -----

// CHECK-LABEL: @different_inputs
// CHECK-NOT: llama.fused_qkv
func.func @different_inputs(%n: tensor<1x2x8xf32>, %other: tensor<1x2x8xf32>, %w: tensor<8x8xf32>,
                            %c: tensor<1x16x2x4xf32>, %p: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x2x4xf32>, tensor<1x16x2x4xf32>) {
  %q = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<8x8xf32>) -> tensor<1x2x8xf32>
  %k = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<8x8xf32>) -> tensor<1x2x8xf32>
  %v = llama.linear %other, %w : (tensor<1x2x8xf32>, tensor<8x8xf32>) -> tensor<1x2x8xf32>
  %kc, %vc = llama.kv_append %c, %c, %k, %v at %p
     : tensor<1x16x2x4xf32>, tensor<1x2x8xf32>, tensor<1xi32>
  return %q, %kc, %vc : tensor<1x2x8xf32>, tensor<1x16x2x4xf32>, tensor<1x16x2x4xf32>
}

// -----

// CHECK-LABEL: @two_products
// CHECK-NOT: llama.fused_qkv
func.func @two_products(%n: tensor<1x2x8xf32>, %w: tensor<8x8xf32>,
                        %c: tensor<1x16x2x4xf32>, %p: tensor<1xi32>)
    -> (tensor<1x16x2x4xf32>, tensor<1x16x2x4xf32>) {
  %k = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<8x8xf32>) -> tensor<1x2x8xf32>
  %v = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<8x8xf32>) -> tensor<1x2x8xf32>
  %kc, %vc = llama.kv_append %c, %c, %k, %v at %p
     : tensor<1x16x2x4xf32>, tensor<1x2x8xf32>, tensor<1xi32>
  return %kc, %vc : tensor<1x16x2x4xf32>, tensor<1x16x2x4xf32>
}

// -----

// Which of the other two is the query is not known.
// CHECK-LABEL: @four_products
// CHECK-NOT: llama.fused_qkv
func.func @four_products(%n: tensor<1x2x8xf32>, %w: tensor<8x8xf32>,
                         %c: tensor<1x16x2x4xf32>, %p: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x2x8xf32>, tensor<1x16x2x4xf32>, tensor<1x16x2x4xf32>) {
  %q = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<8x8xf32>) -> tensor<1x2x8xf32>
  %r = llama.linear %n, %w {another} : (tensor<1x2x8xf32>, tensor<8x8xf32>) -> tensor<1x2x8xf32>
  %k = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<8x8xf32>) -> tensor<1x2x8xf32>
  %v = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<8x8xf32>) -> tensor<1x2x8xf32>
  %kc, %vc = llama.kv_append %c, %c, %k, %v at %p
     : tensor<1x16x2x4xf32>, tensor<1x2x8xf32>, tensor<1xi32>
  return %q, %r, %kc, %vc
    : tensor<1x2x8xf32>, tensor<1x2x8xf32>, tensor<1x16x2x4xf32>, tensor<1x16x2x4xf32>
}

// -----

// CHECK-LABEL: @different_storage
// CHECK-NOT: llama.fused_qkv
func.func @different_storage(%n: tensor<1x2x8xf32>, %w: tensor<8x8xf32>, %h: tensor<8x8xf16>,
                             %c: tensor<1x16x2x4xf32>, %p: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x2x4xf32>, tensor<1x16x2x4xf32>) {
  %q = llama.linear %n, %h : (tensor<1x2x8xf32>, tensor<8x8xf16>) -> tensor<1x2x8xf32>
  %k = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<8x8xf32>) -> tensor<1x2x8xf32>
  %v = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<8x8xf32>) -> tensor<1x2x8xf32>
  %kc, %vc = llama.kv_append %c, %c, %k, %v at %p
     : tensor<1x16x2x4xf32>, tensor<1x2x8xf32>, tensor<1xi32>
  return %q, %kc, %vc : tensor<1x2x8xf32>, tensor<1x16x2x4xf32>, tensor<1x16x2x4xf32>
}

// -----

// CHECK-LABEL: @weight_defined_too_late
// CHECK-NOT: llama.fused_qkv
llama.weight @w : tensor<8x8xf32>
func.func @weight_defined_too_late(%n: tensor<1x2x8xf32>, %w: tensor<8x8xf32>,
                                   %c: tensor<1x16x2x4xf32>, %p: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x2x4xf32>, tensor<1x16x2x4xf32>) {
  %q = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<8x8xf32>) -> tensor<1x2x8xf32>
  %k = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<8x8xf32>) -> tensor<1x2x8xf32>
  %late = llama.get_weight @w : tensor<8x8xf32>
  %v = llama.linear %n, %late : (tensor<1x2x8xf32>, tensor<8x8xf32>) -> tensor<1x2x8xf32>
  %kc, %vc = llama.kv_append %c, %c, %k, %v at %p
     : tensor<1x16x2x4xf32>, tensor<1x2x8xf32>, tensor<1xi32>
  return %q, %kc, %vc : tensor<1x2x8xf32>, tensor<1x16x2x4xf32>, tensor<1x16x2x4xf32>
}

// -----

// Biases are stacked like the rows.
// CHECK-LABEL: @biases
// CHECK-SAME: %[[BQ:[a-z0-9]*]]: tensor<8xf32>, %[[BK:[a-z0-9]*]]: tensor<4xf32>, %[[BV:[a-z0-9]*]]: tensor<4xf32>
// CHECK: llama.fused_qkv %{{.*}} bias %[[BQ]], %[[BK]], %[[BV]] : (
// CHECK-NOT: llama.linear
func.func @biases(%n: tensor<1x2x8xf32>, %wq: tensor<8x8xf32>, %wk: tensor<4x8xf32>, %wv: tensor<4x8xf32>,
                  %bq: tensor<8xf32>, %bk: tensor<4xf32>, %bv: tensor<4xf32>,
                  %c: tensor<1x16x1x4xf32>, %p: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xf32>, tensor<1x16x1x4xf32>) {
  %q = llama.linear %n, %wq bias %bq : (tensor<1x2x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<1x2x8xf32>
  %k = llama.linear %n, %wk bias %bk : (tensor<1x2x8xf32>, tensor<4x8xf32>, tensor<4xf32>) -> tensor<1x2x4xf32>
  %v = llama.linear %n, %wv bias %bv : (tensor<1x2x8xf32>, tensor<4x8xf32>, tensor<4xf32>) -> tensor<1x2x4xf32>
  %kc, %vc = llama.kv_append %c, %c, %k, %v at %p
     : tensor<1x16x1x4xf32>, tensor<1x2x4xf32>, tensor<1xi32>
  return %q, %kc, %vc : tensor<1x2x8xf32>, tensor<1x16x1x4xf32>, tensor<1x16x1x4xf32>
}

// -----

// CHECK-LABEL: @key_without_bias
// CHECK-NOT: llama.fused_qkv
func.func @key_without_bias(%n: tensor<1x2x8xf32>, %w: tensor<8x8xf32>, %b: tensor<8xf32>,
                            %c: tensor<1x16x2x4xf32>, %p: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x2x4xf32>, tensor<1x16x2x4xf32>) {
  %q = llama.linear %n, %w bias %b : (tensor<1x2x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<1x2x8xf32>
  %k = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<8x8xf32>) -> tensor<1x2x8xf32>
  %v = llama.linear %n, %w bias %b : (tensor<1x2x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<1x2x8xf32>
  %kc, %vc = llama.kv_append %c, %c, %k, %v at %p
     : tensor<1x16x2x4xf32>, tensor<1x2x8xf32>, tensor<1xi32>
  return %q, %kc, %vc : tensor<1x2x8xf32>, tensor<1x16x2x4xf32>, tensor<1x16x2x4xf32>
}

// -----

// CHECK-LABEL: @bias_defined_too_late
// CHECK-NOT: llama.fused_qkv
llama.weight @b : tensor<8xf32>
func.func @bias_defined_too_late(%n: tensor<1x2x8xf32>, %w: tensor<8x8xf32>, %b: tensor<8xf32>,
                                 %c: tensor<1x16x2x4xf32>, %p: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x2x4xf32>, tensor<1x16x2x4xf32>) {
  %q = llama.linear %n, %w bias %b : (tensor<1x2x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<1x2x8xf32>
  %k = llama.linear %n, %w bias %b : (tensor<1x2x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<1x2x8xf32>
  %late = llama.get_weight @b : tensor<8xf32>
  %v = llama.linear %n, %w bias %late : (tensor<1x2x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<1x2x8xf32>
  %kc, %vc = llama.kv_append %c, %c, %k, %v at %p
     : tensor<1x16x2x4xf32>, tensor<1x2x8xf32>, tensor<1xi32>
  return %q, %kc, %vc : tensor<1x2x8xf32>, tensor<1x16x2x4xf32>, tensor<1x16x2x4xf32>
}
