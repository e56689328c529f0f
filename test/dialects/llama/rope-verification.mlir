// The constraints of llama.rope, #llama.rope and #llama.rope_scaling.
// RUN: llama-opt %s --verify-diagnostics --split-input-file

// (C1)
func.func @whole_heads(%q: tensor<1x8x60xf32>, %p: tensor<1xi32>) {
  // expected-error @below {{expects whole heads of 16 features, found 60 features}}
  %r = llama.rope %q at %p {head_dim = 16 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>} : tensor<1x8x60xf32>, tensor<1xi32>
  return
}

// -----

// (C2)
func.func @odd_head(%q: tensor<1x8x60xf32>, %p: tensor<1xi32>) {
  // expected-error @below {{expects head_dim to be positive and even, found 15}}
  %r = llama.rope %q at %p {head_dim = 15 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>} : tensor<1x8x60xf32>, tensor<1xi32>
  return
}

// -----

// (C3)
func.func @positions(%q: tensor<1x8x64xf32>, %p: tensor<2xi32>) {
  // expected-error @below {{expects positions to be [1], found 'tensor<2xi32>'}}
  %r = llama.rope %q at %p {head_dim = 16 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>} : tensor<1x8x64xf32>, tensor<2xi32>
  return
}

// -----

// #llama.rope (C1)
// expected-error @below {{expects theta to be finite and positive}}
func.func private @theta() attributes {test = #llama.rope<theta = 0.0 : f64>}

// -----

// #llama.rope_scaling (C1)
// expected-error @below {{expects factor to be finite and at least 1}}
func.func private @factor() attributes {test = #llama.rope_scaling<linear, factor = 0.5 : f64>}

// -----

// #llama.rope_scaling (C2)
// expected-error @below {{expects original for every kind but linear}}
func.func private @original_of_linear() attributes {test = #llama.rope_scaling<linear, factor = 2.0 : f64, original = 8>}

// -----

// #llama.rope_scaling (C2)
// expected-error @below {{expects low_freq_factor and high_freq_factor for llama3, and for it alone}}
func.func private @llama3() attributes {test = #llama.rope_scaling<llama3, factor = 2.0 : f64, low_freq_factor = 1.0 : f64, original = 8>}

// -----

// #llama.rope_scaling (C3)
// expected-error @below {{expects low_freq_factor to be finite, positive and below high_freq_factor}}
func.func private @order() attributes {test = #llama.rope_scaling<llama3, factor = 2.0 : f64, low_freq_factor = 4.0 : f64, high_freq_factor = 4.0 : f64, original = 8>}

// -----

// #llama.rope_scaling (C4)
// expected-error @below {{expects original not to be negative, found -8}}
func.func private @original() attributes {test = #llama.rope_scaling<llama3, factor = 2.0 : f64, low_freq_factor = 1.0 : f64, high_freq_factor = 4.0 : f64, original = -8>}

// -----

// #llama.rope_scaling (C2)
// expected-error @below {{expects original for every kind but linear}}
func.func private @dynamic() attributes {test = #llama.rope_scaling<dynamic, factor = 2.0 : f64>}

// -----

// #llama.rope_scaling (C2)
// expected-error @below {{expects beta_fast, beta_slow, attention_factor and truncate for yarn, and for it alone}}
func.func private @yarn() attributes {test = #llama.rope_scaling<yarn, factor = 2.0 : f64, original = 8, beta_fast = 32.0 : f64, beta_slow = 1.0 : f64>}

// -----

// #llama.rope_scaling (C2)
// expected-error @below {{expects beta_fast, beta_slow, attention_factor and truncate for yarn, and for it alone}}
func.func private @truncate() attributes {test = #llama.rope_scaling<dynamic, factor = 2.0 : f64, original = 8, truncate = false>}

// -----

// #llama.rope_scaling (C5)
// expected-error @below {{and beta_fast to be finite and at least beta_slow, found 4.000000e+00 : f64, 1.000000e+00 : f64 and 2.000000e+00 : f64}}
func.func private @betas() attributes {test = #llama.rope_scaling<yarn, factor = 2.0 : f64, original = 8, beta_fast = 2.0 : f64, beta_slow = 4.0 : f64, attention_factor = 1.0 : f64>}

// -----

// #llama.rope (C1)
// expected-error @below {{expects theta to be over 1 for yarn, found 1.000000e+00 : f64}}
func.func private @theta() attributes {test = #llama.rope<theta = 1.0 : f64, scaling = <yarn, factor = 2.0 : f64, original = 8, beta_fast = 4.0 : f64, beta_slow = 1.0 : f64, attention_factor = 1.0 : f64>>}

// -----

// (C4)
func.func @no_lengths(%q: tensor<1x8x64xf32>, %p: tensor<1xi32>) {
  // expected-error @below {{expects lengths exactly where rope has the scaling dynamic}}
  %r = llama.rope %q at %p
       {head_dim = 16 : i64, rope = #llama.rope<theta = 1.0e+04 : f64, scaling = <dynamic, factor = 2.0 : f64, original = 64>>}
     : tensor<1x8x64xf32>, tensor<1xi32>
  return
}

// -----

// (C4)
func.func @lengths(%q: tensor<1x8x64xf32>, %p: tensor<1xi32>, %l: tensor<2xi32>) {
  // expected-error @below {{expects lengths to be [1], found 'tensor<2xi32>'}}
  %r = llama.rope %q at %p of %l
       {head_dim = 16 : i64, rope = #llama.rope<theta = 1.0e+04 : f64, scaling = <dynamic, factor = 2.0 : f64, original = 64>>}
     : tensor<1x8x64xf32>, tensor<1xi32>, tensor<2xi32>
  return
}
