// What tile-llama refuses, with the reason.
// RUN: llama-opt %s --tile-llama -split-input-file -verify-diagnostics

// expected-error @+1 {{has no attribute llama.model}}
module {
}

// -----

#model = #llama.model<hidden_size = 8, intermediate_size = 8, layers = 1, heads = 1, kv_heads = 1, head_dim = 8,
    vocab_size = 32, pieces = 32, max_seq_len = 64, max_batch = 1, rope = <theta = 1.0e+04 : f64>,
    rms_norm_eps = 1.0e-05 : f64, tied = true, storage = f32>
// expected-error @+1 {{needs the functions @prefill and @decode}}
module attributes {llama.model = #model} {
}

// -----

#model = #llama.model<hidden_size = 8, intermediate_size = 8, layers = 1, heads = 1, kv_heads = 1, head_dim = 8,
    vocab_size = 32, pieces = 32, max_seq_len = 64, max_batch = 1, rope = <theta = 1.0e+04 : f64>,
    rms_norm_eps = 1.0e-05 : f64, tied = true, storage = f32>
module attributes {llama.model = #model} {
  llama.weight @w : tensor<32x8xf32>
  llama.weight @n : tensor<8xf32>
  func.func @prefill(%t: tensor<1x64xi32>) -> tensor<1x64x8xf32> {
    %w = llama.get_weight @w : tensor<32x8xf32>
    %n = llama.get_weight @n : tensor<8xf32>
    %x = llama.embed %t, %w : (tensor<1x64xi32>, tensor<32x8xf32>) -> tensor<1x64x8xf32>
    // expected-error @+1 {{has no kernel; is the module fused?}}
    %y = llama.rms_norm %x, %n eps 1.0e-05 : tensor<1x64x8xf32>, tensor<8xf32>
    return %y : tensor<1x64x8xf32>
  }
  func.func @decode(%t: tensor<1x1xi32>) {
    return
  }
}

// -----

#model = #llama.model<hidden_size = 8, intermediate_size = 8, layers = 1, heads = 1, kv_heads = 1, head_dim = 8,
    vocab_size = 32, pieces = 32, max_seq_len = 64, max_batch = 1, rope = <theta = 1.0e+04 : f64>,
    rms_norm_eps = 1.0e-05 : f64, tied = true, storage = f32>
module attributes {llama.model = #model} {
  llama.weight @w : tensor<32x8xf32>
  // expected-error @+1 {{has 0 layers; the model has 1}}
  func.func @prefill(%t: tensor<1x64xi32>) {
    %w = llama.get_weight @w : tensor<32x8xf32>
    %x = llama.embed %t, %w : (tensor<1x64xi32>, tensor<32x8xf32>) -> tensor<1x64x8xf32>
    return
  }
  func.func @decode(%t: tensor<1x1xi32>) {
    return
  }
}

// -----

#model = #llama.model<hidden_size = 8, intermediate_size = 8, layers = 1, heads = 1, kv_heads = 1, head_dim = 8,
    vocab_size = 32, pieces = 32, max_seq_len = 64, max_batch = 1, rope = <theta = 1.0e+04 : f64>,
    rms_norm_eps = 1.0e-05 : f64, tied = true, storage = f32>
module attributes {llama.model = #model} {
  llama.weight @w : tensor<32x8xf32>
  llama.weight @q : tensor<8x8xf32>
  func.func @prefill(%t: tensor<1x64xi32>, %p: tensor<1xi32>, %c: tensor<1x64x1x8xf32>) {
    %w = llama.get_weight @w : tensor<32x8xf32>
    %q = llama.get_weight @q : tensor<8x8xf32>
    %x = llama.embed %t, %w : (tensor<1x64xi32>, tensor<32x8xf32>) -> tensor<1x64x8xf32>
    // expected-error @+1 {{has another rope than the model}}
    %a, %k, %v = llama.fused_qkv %x, %q, %q, %q cache %c, %c at %p
       : (tensor<1x64x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<1x64x1x8xf32>, tensor<1x64x1x8xf32>, tensor<1xi32>)
      -> (tensor<1x64x8xf32>, tensor<1x64x1x8xf32>, tensor<1x64x1x8xf32>)
    return
  }
  func.func @decode(%t: tensor<1x1xi32>) {
    return
  }
}
