// llama-pool-kv-heads: the example of Passes.td inside a layer function, then what is refused.
// RUN: llama-opt %s --llama-pool-kv-heads=kv-heads=2 --split-input-file --verify-diagnostics | FileCheck %s

// The weights are found through the calls, the caches wherever they are.
// CHECK: kv_heads = 2
// CHECK: llama.weight @q : tensor<8x8xbf16>{{$}}
// CHECK: llama.weight @k : tensor<4x8xbf16> pool <heads = 2, head_dim = 2>
// CHECK: llama.weight @v : tensor<4x8xbf16> pool <heads = 2, head_dim = 2>
// CHECK: llama.weight @bv : tensor<4xbf16> pool <heads = 2, head_dim = 2>
#rope = #llama.rope<theta = 1.0e+04 : f64>
module attributes {llama.model = #llama.model<hidden_size = 8, intermediate_size = 8, layers = 1, heads = 4,
    kv_heads = 4, head_dim = 2, vocab_size = 8, pieces = 8, max_seq_len = 16, max_batch = 1,
    rope = <theta = 1.0e+04 : f64>, rms_norm_eps = 1.0e-05 : f64, tied = true, storage = bf16>} {
  llama.weight @q : tensor<8x8xbf16>
  llama.weight @k : tensor<8x8xbf16>
  llama.weight @v : tensor<8x8xbf16>
  llama.weight @bv : tensor<8xbf16>

  // CHECK-LABEL: @layer
  // CHECK-SAME: %[[KC:[a-z0-9]*]]: tensor<1x16x2x2xbf16>, %[[VC:[a-z0-9]*]]: tensor<1x16x2x2xbf16>
  // CHECK-SAME: tensor<8x8xbf16>, %{{.*}}: tensor<4x8xbf16>, %{{.*}}: tensor<4x8xbf16>, %{{.*}}: tensor<4xbf16>) -> (tensor<1x2x8xf32>, tensor<1x16x2x2xbf16>, tensor<1x16x2x2xbf16>)
  // CHECK: llama.linear {{.*}} -> tensor<1x2x8xf32>
  // CHECK: llama.linear {{.*}} -> tensor<1x2x4xf32>
  // CHECK: llama.linear {{.*}} bias {{.*}} -> tensor<1x2x4xf32>
  // CHECK: llama.rope {{.*}} : tensor<1x2x8xf32>
  // CHECK: llama.rope {{.*}} : tensor<1x2x4xf32>
  // CHECK: llama.kv_append {{.*}} : tensor<1x16x2x2xbf16>, tensor<1x2x4xf32>
  // CHECK: llama.attention {{.*}} : tensor<1x2x8xf32>, tensor<1x16x2x2xbf16>
  func.func private @layer(%n: tensor<1x2x8xf32>, %p: tensor<1xi32>, %kc: tensor<1x16x4x2xbf16>, %vc: tensor<1x16x4x2xbf16>,
      %wq: tensor<8x8xbf16>, %wk: tensor<8x8xbf16>, %wv: tensor<8x8xbf16>, %bv: tensor<8xbf16>)
      -> (tensor<1x2x8xf32>, tensor<1x16x4x2xbf16>, tensor<1x16x4x2xbf16>) {
    %q = llama.linear %n, %wq : (tensor<1x2x8xf32>, tensor<8x8xbf16>) -> tensor<1x2x8xf32>
    %k = llama.linear %n, %wk : (tensor<1x2x8xf32>, tensor<8x8xbf16>) -> tensor<1x2x8xf32>
    %v = llama.linear %n, %wv bias %bv : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<8xbf16>) -> tensor<1x2x8xf32>
    %qr = llama.rope %q at %p {head_dim = 2 : i64, rope = #rope} : tensor<1x2x8xf32>, tensor<1xi32>
    %kr = llama.rope %k at %p {head_dim = 2 : i64, rope = #rope} : tensor<1x2x8xf32>, tensor<1xi32>
    %kc1, %vc1 = llama.kv_append %kc, %vc, %kr, %v at %p
       : tensor<1x16x4x2xbf16>, tensor<1x2x8xf32>, tensor<1xi32>
    %a = llama.attention %qr, %kc1, %vc1 at %p : tensor<1x2x8xf32>, tensor<1x16x4x2xbf16>, tensor<1xi32>
    return %a, %kc1, %vc1 : tensor<1x2x8xf32>, tensor<1x16x4x2xbf16>, tensor<1x16x4x2xbf16>
  }

  // CHECK-LABEL: @prefill
  // CHECK: llama.get_weight @k : tensor<4x8xbf16>
  // CHECK: call @layer({{.*}}) : (tensor<1x2x8xf32>, tensor<1xi32>, tensor<1x16x2x2xbf16>
  func.func @prefill(%n: tensor<1x2x8xf32>, %p: tensor<1xi32>, %kc: tensor<1x16x4x2xbf16>, %vc: tensor<1x16x4x2xbf16>)
      -> (tensor<1x2x8xf32>, tensor<1x16x4x2xbf16>, tensor<1x16x4x2xbf16>) {
    %wq = llama.get_weight @q : tensor<8x8xbf16>
    %wk = llama.get_weight @k : tensor<8x8xbf16>
    %wv = llama.get_weight @v : tensor<8x8xbf16>
    %bv = llama.get_weight @bv : tensor<8xbf16>
    %r:3 = func.call @layer(%n, %p, %kc, %vc, %wq, %wk, %wv, %bv)
       : (tensor<1x2x8xf32>, tensor<1xi32>, tensor<1x16x4x2xbf16>, tensor<1x16x4x2xbf16>, tensor<8x8xbf16>,
          tensor<8x8xbf16>, tensor<8x8xbf16>, tensor<8xbf16>)
      -> (tensor<1x2x8xf32>, tensor<1x16x4x2xbf16>, tensor<1x16x4x2xbf16>)
    return %r#0, %r#1, %r#2 : tensor<1x2x8xf32>, tensor<1x16x4x2xbf16>, tensor<1x16x4x2xbf16>
  }
}

// -----

// CHECK: llama.weight @k : tensor<4x8xbf16> pool <heads = 2, head_dim = 2>
// CHECK-LABEL: @example
// CHECK: %[[WK:.*]] = llama.get_weight @k : tensor<4x8xbf16>
// CHECK: %[[K:.*]] = llama.linear %{{.*}}, %[[WK]] : (tensor<1x2x8xf32>, tensor<4x8xbf16>) -> tensor<1x2x4xf32>
// CHECK: llama.kv_append %{{.*}}, %{{.*}}, %[[K]], %{{.*}} at %{{.*}} : tensor<1x16x2x2xbf16>, tensor<1x2x4xf32>, tensor<1xi32>
module attributes {llama.model = #llama.model<hidden_size = 8, intermediate_size = 8, layers = 1, heads = 4,
    kv_heads = 4, head_dim = 2, vocab_size = 8, pieces = 8, max_seq_len = 16, max_batch = 1,
    rope = <theta = 1.0e+04 : f64>, rms_norm_eps = 1.0e-05 : f64, tied = true, storage = bf16>} {
  llama.weight @k : tensor<8x8xbf16>
  llama.weight @v : tensor<8x8xbf16>
  func.func @example(%n: tensor<1x2x8xf32>, %p: tensor<1xi32>, %kc: tensor<1x16x4x2xbf16>, %vc: tensor<1x16x4x2xbf16>)
      -> (tensor<1x16x4x2xbf16>, tensor<1x16x4x2xbf16>) {
    %wv = llama.get_weight @v : tensor<8x8xbf16>
    %v = llama.linear %n, %wv : (tensor<1x2x8xf32>, tensor<8x8xbf16>) -> tensor<1x2x8xf32>
    %wk = llama.get_weight @k : tensor<8x8xbf16>
    %k = llama.linear %n, %wk : (tensor<1x2x8xf32>, tensor<8x8xbf16>) -> tensor<1x2x8xf32>
    %kc1, %vc1 = llama.kv_append %kc, %vc, %k, %v at %p
       : tensor<1x16x4x2xbf16>, tensor<1x2x8xf32>, tensor<1xi32>
    return %kc1, %vc1 : tensor<1x16x4x2xbf16>, tensor<1x16x4x2xbf16>
  }
}

// -----

// expected-error @below {{has no attribute llama.model}}
module {
}

// -----

// expected-error @below {{has 3 KV heads, which do not form 2 groups of one size}}
module attributes {llama.model = #llama.model<hidden_size = 8, intermediate_size = 8, layers = 1, heads = 3,
    kv_heads = 3, head_dim = 2, vocab_size = 8, pieces = 8, max_seq_len = 16, max_batch = 1,
    rope = <theta = 1.0e+04 : f64>, rms_norm_eps = 1.0e-05 : f64, tied = true, storage = bf16>} {
}

// -----

// expected-error @below {{has no llama.kv_append, so no heads to pool}}
module attributes {llama.model = #llama.model<hidden_size = 8, intermediate_size = 8, layers = 1, heads = 4,
    kv_heads = 4, head_dim = 2, vocab_size = 8, pieces = 8, max_seq_len = 16, max_batch = 1,
    rope = <theta = 1.0e+04 : f64>, rms_norm_eps = 1.0e-05 : f64, tied = true, storage = bf16>} {
}

// -----

module attributes {llama.model = #llama.model<hidden_size = 8, intermediate_size = 8, layers = 1, heads = 4,
    kv_heads = 4, head_dim = 2, vocab_size = 8, pieces = 8, max_seq_len = 16, max_batch = 1,
    rope = <theta = 1.0e+04 : f64>, rms_norm_eps = 1.0e-05 : f64, tied = true, storage = bf16>} {
  func.func @no_product(%k: tensor<1x2x8xf32>, %p: tensor<1xi32>, %c: tensor<1x16x4x2xbf16>)
      -> (tensor<1x16x4x2xbf16>, tensor<1x16x4x2xbf16>) {
    // expected-error @below {{gets a key or a value that is no llama.linear: heads are pooled before the fusions}}
    %kc, %vc = llama.kv_append %c, %c, %k, %k at %p : tensor<1x16x4x2xbf16>, tensor<1x2x8xf32>, tensor<1xi32>
    return %kc, %vc : tensor<1x16x4x2xbf16>, tensor<1x16x4x2xbf16>
  }
}

// -----

module attributes {llama.model = #llama.model<hidden_size = 8, intermediate_size = 8, layers = 1, heads = 4,
    kv_heads = 4, head_dim = 2, vocab_size = 8, pieces = 8, max_seq_len = 16, max_batch = 1,
    rope = <theta = 1.0e+04 : f64>, rms_norm_eps = 1.0e-05 : f64, tied = true, storage = bf16>} {
  llama.weight @k : tensor<8x8xbf16>
  func.func @used_elsewhere(%n: tensor<1x2x8xf32>, %t: tensor<1x2xi32>, %p: tensor<1xi32>, %c: tensor<1x16x4x2xbf16>)
      -> (tensor<1x16x4x2xbf16>, tensor<1x16x4x2xbf16>, tensor<1x2x8xf32>) {
    %w = llama.get_weight @k : tensor<8x8xbf16>
    %k = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<8x8xbf16>) -> tensor<1x2x8xf32>
    %kc, %vc = llama.kv_append %c, %c, %k, %k at %p : tensor<1x16x4x2xbf16>, tensor<1x2x8xf32>, tensor<1xi32>
    // expected-error @below {{uses a weight whose heads are pooled}}
    %e = llama.embed %t, %w : (tensor<1x2xi32>, tensor<8x8xbf16>) -> tensor<1x2x8xf32>
    return %kc, %vc, %e : tensor<1x16x4x2xbf16>, tensor<1x16x4x2xbf16>, tensor<1x2x8xf32>
  }
}
