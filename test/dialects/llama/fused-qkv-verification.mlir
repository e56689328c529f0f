// The constraints of llama.fused_qkv.
// RUN: llama-opt %s --verify-diagnostics --split-input-file

// (C1)
func.func @columns(%x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x6xbf16>, %wv: tensor<4x8xbf16>) {
  // expected-error @below {{expects key_weight to have 8 columns, one per feature of the input, found 'tensor<4x6xbf16>'}}
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x6xbf16>, tensor<4x8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

// (C2)
func.func @element_types(%x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xf16>) {
  // expected-error @below {{expects weights of one element type, found 'tensor<8x8xbf16>', 'tensor<4x8xbf16>' and 'tensor<4x8xf16>'}}
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

// (C3)
func.func @gamma_length(%x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %g: tensor<4xbf16>) {
  // expected-error @below {{expects gamma to be [8], found 'tensor<4xbf16>'}}
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv gamma %g eps 1.0
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>, tensor<4xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

// (C4)
func.func @gamma_without_eps(%x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %g: tensor<8xbf16>) {
  // expected-error @below {{expects gamma and eps together}}
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv gamma %g
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>, tensor<8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

// (C5)
func.func @cache_without_positions(%x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %kc: tensor<1x16x1x4xbf16>, %vc: tensor<1x16x1x4xbf16>) {
  // expected-error @below {{expects both caches and positions together}}
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv cache %kc, %vc
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>)
  return
}

// -----

// (C5)
func.func @rope_without_cache(%x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>) {
  // expected-error @below {{expects rope only with caches}}
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv {rope = #llama.rope<theta = 1.0e+04 : f64>}
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

// (C6)
func.func @query_shape(%x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>) {
  // expected-error @below {{expects query to be [1, 2, 8], found 'tensor<1x2x4xf32>'}}
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>)
    -> (tensor<1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

// (C7)
func.func @value_shape(%x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>) {
  // expected-error @below {{expects value to be [1, 2, 4], found 'tensor<1x2x8xf32>'}}
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x8xf32>)
  return
}

// -----

// (C7)
func.func @key_is_no_cache(%x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %kc: tensor<1x16x1x4xbf16>, %vc: tensor<1x16x1x4xbf16>, %p: tensor<1xi32>) {
  // expected-error @below {{expects both caches, before and after, to have type 'tensor<1x16x1x4xbf16>'}}
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv cache %kc, %vc at %p
      {rope = #llama.rope<theta = 1.0e+04 : f64>}
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>, tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x16x1x4xbf16>)
  return
}

// -----

// (C8)
func.func @cache_rows(%x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<6x8xbf16>, %wv: tensor<4x8xbf16>,
    %kc: tensor<1x16x1x4xbf16>, %vc: tensor<1x16x1x4xbf16>, %p: tensor<1xi32>) {
  // expected-error @below {{expects caches of batch 1 whose kv_heads * head_dim is the rows of 'tensor<6x8xbf16>' and 'tensor<4x8xbf16>', found 'tensor<1x16x1x4xbf16>'}}
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv cache %kc, %vc at %p
      {rope = #llama.rope<theta = 1.0e+04 : f64>}
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<6x8xbf16>, tensor<4x8xbf16>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>, tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>)
  return
}

// -----

// (C9)
func.func @query_heads(%x: tensor<1x2x8xf32>, %wq: tensor<6x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %kc: tensor<1x16x1x4xbf16>, %vc: tensor<1x16x1x4xbf16>, %p: tensor<1xi32>) {
  // expected-error @below {{expects the query to be heads of 4 features, a multiple of 1 of them, found 6 features}}
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv cache %kc, %vc at %p
      {rope = #llama.rope<theta = 1.0e+04 : f64>}
     : (tensor<1x2x8xf32>, tensor<6x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>, tensor<1xi32>)
    -> (tensor<1x2x6xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>)
  return
}

// -----

// (C10)
func.func @positions(%x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %kc: tensor<1x16x1x4xbf16>, %vc: tensor<1x16x1x4xbf16>, %p: tensor<2xi32>) {
  // expected-error @below {{expects positions to be [1], found 'tensor<2xi32>'}}
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv cache %kc, %vc at %p
      {rope = #llama.rope<theta = 1.0e+04 : f64>}
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>, tensor<2xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>)
  return
}

// -----

// (C9)
func.func @odd_head(%x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %kc: tensor<1x16x4x1xbf16>, %vc: tensor<1x16x4x1xbf16>, %p: tensor<1xi32>) {
  // expected-error @below {{expects head_dim to be even, found 1}}
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv cache %kc, %vc at %p
      {rope = #llama.rope<theta = 1.0e+04 : f64>}
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>, tensor<1x16x4x1xbf16>, tensor<1x16x4x1xbf16>, tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x4x1xbf16>, tensor<1x16x4x1xbf16>)
  return
}

// -----

// (C11)
func.func @key_bias_length(%x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %bq: tensor<8xbf16>, %bv: tensor<4xbf16>) {
  // expected-error @below {{expects key_bias to have type 'tensor<4xbf16>', found 'tensor<8xbf16>'}}
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv bias %bq, %bq, %bv
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>, tensor<8xbf16>, tensor<8xbf16>, tensor<4xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

// (C11)
func.func @two_biases(%x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %bq: tensor<8xbf16>, %bk: tensor<4xbf16>) {
  // expected-error @below {{expects the three biases together}}
  %q, %k, %v = "llama.fused_qkv"(%x, %wq, %wk, %wv, %bq, %bk)
     <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0>}>
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>, tensor<8xbf16>, tensor<4xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

// (C12)
func.func @lengths(%x: tensor<1x2x8xf32>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>, %wv: tensor<4x8xbf16>,
    %kc: tensor<1x16x1x4xbf16>, %vc: tensor<1x16x1x4xbf16>, %p: tensor<1xi32>) {
  // expected-error @below {{expects lengths exactly where rope has the scaling dynamic}}
  %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv cache %kc, %vc at %p of %p
      {rope = #llama.rope<theta = 1.0e+04 : f64>}
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>, tensor<1xi32>, tensor<1xi32>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>)
  return
}
