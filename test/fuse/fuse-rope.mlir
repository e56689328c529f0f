// llama-fuse-rope: the example of Passes.td, then where it must not fire.
// RUN: llama-opt %s --llama-fuse-rope --split-input-file | FileCheck %s

// CHECK-LABEL: @example
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<1x2x8xf32>, %[[WQ:.*]]: tensor<8x8xbf16>, %[[WK:[a-z0-9]*]]: tensor<4x8xbf16>, %[[WV:[a-z0-9]*]]: tensor<4x8xbf16>
// CHECK-SAME: %[[KC:[a-z0-9]*]]: tensor<1x16x1x4xbf16>, %[[VC:[a-z0-9]*]]: tensor<1x16x1x4xbf16>, %[[P:.*]]: tensor<1xi32>
// CHECK-NEXT: %[[Q:.*]], %[[K:.*]], %[[V:.*]] = llama.fused_qkv %[[X]], %[[WQ]], %[[WK]], %[[WV]] cache %[[KC]], %[[VC]] at %[[P]] {rope = #llama.rope<theta = 1.000000e+04 : f64>}
// CHECK-NEXT: return %[[Q]], %[[K]], %[[V]]
func.func @example(
    %x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %kc: tensor<1x16x1x4xbf16>, %vc: tensor<1x16x1x4xbf16>, %p: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>) {
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  %qr = llama.rope %q at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
     : tensor<1x2x8xf32>, tensor<1xi32>
  %kr = llama.rope %k at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
     : tensor<1x2x4xf32>, tensor<1xi32>
  %kc1, %vc1 = llama.kv_append %kc, %vc, %kr, %v at %p
     : tensor<1x16x1x4xbf16>, tensor<1x2x4xf32>, tensor<1xi32>
  return %qr, %kc1, %vc1
    : tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>
}

// -----

// CHECK-LABEL: @key_used_elsewhere
// CHECK: llama.kv_append
func.func @key_used_elsewhere(
    %x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %kc: tensor<1x16x1x4xbf16>, %vc: tensor<1x16x1x4xbf16>, %p: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>, tensor<1x2x4xf32>) {
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  %qr = llama.rope %q at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
     : tensor<1x2x8xf32>, tensor<1xi32>
  %kr = llama.rope %k at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
     : tensor<1x2x4xf32>, tensor<1xi32>
  %kc1, %vc1 = llama.kv_append %kc, %vc, %kr, %v at %p
     : tensor<1x16x1x4xbf16>, tensor<1x2x4xf32>, tensor<1xi32>
  return %qr, %kc1, %vc1, %k
    : tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>, tensor<1x2x4xf32>
}

// -----

// CHECK-LABEL: @turned_key_used_elsewhere
// CHECK: llama.kv_append
func.func @turned_key_used_elsewhere(
    %x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %kc: tensor<1x16x1x4xbf16>, %vc: tensor<1x16x1x4xbf16>, %p: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>, tensor<1x2x4xf32>) {
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  %qr = llama.rope %q at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
     : tensor<1x2x8xf32>, tensor<1xi32>
  %kr = llama.rope %k at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
     : tensor<1x2x4xf32>, tensor<1xi32>
  %kc1, %vc1 = llama.kv_append %kc, %vc, %kr, %v at %p
     : tensor<1x16x1x4xbf16>, tensor<1x2x4xf32>, tensor<1xi32>
  return %qr, %kc1, %vc1, %kr
    : tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>, tensor<1x2x4xf32>
}

// -----

// CHECK-LABEL: @different_thetas
// CHECK: llama.kv_append
func.func @different_thetas(
    %x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %kc: tensor<1x16x1x4xbf16>, %vc: tensor<1x16x1x4xbf16>, %p: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>) {
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  %qr = llama.rope %q at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 5.0e+05 : f64>}
     : tensor<1x2x8xf32>, tensor<1xi32>
  %kr = llama.rope %k at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
     : tensor<1x2x4xf32>, tensor<1xi32>
  %kc1, %vc1 = llama.kv_append %kc, %vc, %kr, %v at %p
     : tensor<1x16x1x4xbf16>, tensor<1x2x4xf32>, tensor<1xi32>
  return %qr, %kc1, %vc1
    : tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>
}

// -----

// CHECK-LABEL: @other_head_size
// CHECK: llama.kv_append
func.func @other_head_size(
    %x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %kc: tensor<1x16x1x4xbf16>, %vc: tensor<1x16x1x4xbf16>, %p: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>) {
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  %qr = llama.rope %q at %p {head_dim = 2 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
     : tensor<1x2x8xf32>, tensor<1xi32>
  %kr = llama.rope %k at %p {head_dim = 2 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
     : tensor<1x2x4xf32>, tensor<1xi32>
  %kc1, %vc1 = llama.kv_append %kc, %vc, %kr, %v at %p
     : tensor<1x16x1x4xbf16>, tensor<1x2x4xf32>, tensor<1xi32>
  return %qr, %kc1, %vc1
    : tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>
}

// -----

// CHECK-LABEL: @different_positions
// CHECK: llama.kv_append
func.func @different_positions(
    %x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %kc: tensor<1x16x1x4xbf16>, %vc: tensor<1x16x1x4xbf16>, %p: tensor<1xi32>, %p2: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>) {
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  %qr = llama.rope %q at %p2 {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
     : tensor<1x2x8xf32>, tensor<1xi32>
  %kr = llama.rope %k at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
     : tensor<1x2x4xf32>, tensor<1xi32>
  %kc1, %vc1 = llama.kv_append %kc, %vc, %kr, %v at %p
     : tensor<1x16x1x4xbf16>, tensor<1x2x4xf32>, tensor<1xi32>
  return %qr, %kc1, %vc1
    : tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>
}

// -----

// CHECK-LABEL: @key_and_value_swapped
// CHECK: llama.kv_append
func.func @key_and_value_swapped(
    %x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %kc: tensor<1x16x1x4xbf16>, %vc: tensor<1x16x1x4xbf16>, %p: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>) {
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  %qr = llama.rope %q at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
     : tensor<1x2x8xf32>, tensor<1xi32>
  %kr = llama.rope %k at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
     : tensor<1x2x4xf32>, tensor<1xi32>
  %kc1, %vc1 = llama.kv_append %kc, %vc, %v, %kr at %p
     : tensor<1x16x1x4xbf16>, tensor<1x2x4xf32>, tensor<1xi32>
  return %qr, %kc1, %vc1
    : tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>
}

// -----

// The fused op stands where the product stood, and there is no cache yet.
// CHECK-LABEL: @cache_defined_too_late
// CHECK: llama.kv_append
func.func @cache_defined_too_late(
    %x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %kc: tensor<1x16x1x4xbf16>, %vc: tensor<1x16x1x4xbf16>, %p: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>) {
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  %qr = llama.rope %q at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
     : tensor<1x2x8xf32>, tensor<1xi32>
  %kr = llama.rope %k at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
     : tensor<1x2x4xf32>, tensor<1xi32>
  %late = bufferization.alloc_tensor() : tensor<1x16x1x4xbf16>
  %kc1, %vc1 = llama.kv_append %late, %vc, %kr, %v at %p
     : tensor<1x16x1x4xbf16>, tensor<1x2x4xf32>, tensor<1xi32>
  return %qr, %kc1, %vc1
    : tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>
}

// -----

// Query and key have their biases before they are turned.
// CHECK-LABEL: @biases
// CHECK: llama.fused_qkv %{{.*}} bias %[[BQ:.*]], %[[BK:.*]], %[[BV:.*]] cache %{{.*}}, %{{.*}} at %{{.*}} {rope
// CHECK-NOT: llama.rope %
func.func @biases(%x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %bq: tensor<8xbf16>,
                  %bk: tensor<4xbf16>, %bv: tensor<4xbf16>, %c: tensor<1x16x1x4xbf16>, %p: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>) {
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wk bias %bq, %bk, %bv
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>, tensor<8xbf16>, tensor<4xbf16>, tensor<4xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  %qr = llama.rope %q at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
     : tensor<1x2x8xf32>, tensor<1xi32>
  %kr = llama.rope %k at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
     : tensor<1x2x4xf32>, tensor<1xi32>
  %kc, %vc = llama.kv_append %c, %c, %kr, %v at %p
     : tensor<1x16x1x4xbf16>, tensor<1x2x4xf32>, tensor<1xi32>
  return %qr, %kc, %vc : tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>
}

// -----

// ALiBi: nothing is turned, and the cache write enters alone.
// CHECK-LABEL: @without_rotation
// CHECK: %[[Q:.*]], %[[K:.*]], %[[V:.*]] = llama.fused_qkv %{{.*}} cache %{{.*}}, %{{.*}} at %{{.*}} : (
// CHECK-NEXT: return %[[Q]], %[[K]], %[[V]]
func.func @without_rotation(
    %x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %kc: tensor<1x16x1x4xbf16>, %vc: tensor<1x16x1x4xbf16>, %p: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>) {
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  %kc1, %vc1 = llama.kv_append %kc, %vc, %k, %v at %p
     : tensor<1x16x1x4xbf16>, tensor<1x2x4xf32>, tensor<1xi32>
  return %q, %kc1, %vc1
    : tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>
}

// -----

// CHECK-LABEL: @query_turned_alone
// CHECK: llama.kv_append
func.func @query_turned_alone(
    %x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %kc: tensor<1x16x1x4xbf16>, %vc: tensor<1x16x1x4xbf16>, %p: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>) {
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  %qr = llama.rope %q at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
     : tensor<1x2x8xf32>, tensor<1xi32>
  %kc1, %vc1 = llama.kv_append %kc, %vc, %k, %v at %p
     : tensor<1x16x1x4xbf16>, tensor<1x2x4xf32>, tensor<1xi32>
  return %qr, %kc1, %vc1
    : tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>
}

// -----

// CHECK-LABEL: @of_lengths
// CHECK: llama.fused_qkv %{{.*}} cache %{{.*}}, %{{.*}} at %[[P:.*]] of %[[L:.*]] {rope = #llama.rope<theta = 1.000000e+04 : f64, scaling = <dynamic
// CHECK-NEXT: return
func.func @of_lengths(
    %x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %kc: tensor<1x16x1x4xbf16>, %vc: tensor<1x16x1x4xbf16>, %p: tensor<1xi32>, %l: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>) {
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  %qr = llama.rope %q at %p of %l {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64, scaling = <dynamic, factor = 2.0 : f64, original = 64>>}
     : tensor<1x2x8xf32>, tensor<1xi32>, tensor<1xi32>
  %kr = llama.rope %k at %p of %l {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64, scaling = <dynamic, factor = 2.0 : f64, original = 64>>}
     : tensor<1x2x4xf32>, tensor<1xi32>, tensor<1xi32>
  %kc1, %vc1 = llama.kv_append %kc, %vc, %kr, %v at %p
     : tensor<1x16x1x4xbf16>, tensor<1x2x4xf32>, tensor<1xi32>
  return %qr, %kc1, %vc1
    : tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>
}

// -----

// CHECK-LABEL: @other_lengths
// CHECK: llama.kv_append
func.func @other_lengths(
    %x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %kc: tensor<1x16x1x4xbf16>, %vc: tensor<1x16x1x4xbf16>, %p: tensor<1xi32>, %l: tensor<1xi32>, %m: tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>) {
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  %qr = llama.rope %q at %p of %l {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64, scaling = <dynamic, factor = 2.0 : f64, original = 64>>}
     : tensor<1x2x8xf32>, tensor<1xi32>, tensor<1xi32>
  %kr = llama.rope %k at %p of %m {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64, scaling = <dynamic, factor = 2.0 : f64, original = 64>>}
     : tensor<1x2x4xf32>, tensor<1xi32>, tensor<1xi32>
  %kc1, %vc1 = llama.kv_append %kc, %vc, %kr, %v at %p
     : tensor<1x16x1x4xbf16>, tensor<1x2x4xf32>, tensor<1xi32>
  return %qr, %kc1, %vc1
    : tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>
}
