// The constraints of llama.lm_head.
// RUN: llama-opt %s --verify-diagnostics --split-input-file

// (C1)
func.func @columns(%x: tensor<1x8x64xf32>, %w: tensor<512x32xbf16>) {
  // expected-error @below {{expects weight to have 64 columns, one per feature of the input, found 'tensor<512x32xbf16>'}}
  %l = llama.lm_head %x, %w : (tensor<1x8x64xf32>, tensor<512x32xbf16>) -> tensor<1x8x512xf32>
  return
}

// -----

// (C2)
func.func @result_shape(%x: tensor<1x8x64xf32>, %w: tensor<512x64xbf16>) {
  // expected-error @below {{expects the result to be [1, 8, 512], found 'tensor<1x1x512xf32>'}}
  %l = llama.lm_head %x, %w : (tensor<1x8x64xf32>, tensor<512x64xbf16>) -> tensor<1x1x512xf32>
  return
}

// -----

// (C3)
func.func @gamma_length(%x: tensor<1x8x64xf32>, %w: tensor<512x64xbf16>, %g: tensor<32xbf16>) {
  // expected-error @below {{expects gamma to be [64], found 'tensor<32xbf16>'}}
  %l = llama.lm_head %x, %w gamma %g eps 1.0
     : (tensor<1x8x64xf32>, tensor<512x64xbf16>, tensor<32xbf16>) -> tensor<1x8x512xf32>
  return
}

// -----

// (C4)
func.func @gamma_without_eps(%x: tensor<1x8x64xf32>, %w: tensor<512x64xbf16>, %g: tensor<64xbf16>) {
  // expected-error @below {{expects gamma and eps together}}
  %l = llama.lm_head %x, %w gamma %g
     : (tensor<1x8x64xf32>, tensor<512x64xbf16>, tensor<64xbf16>) -> tensor<1x8x512xf32>
  return
}
