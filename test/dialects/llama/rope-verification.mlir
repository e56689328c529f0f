// The constraints of llama.rope and #llama.rope.
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
