// The constraints of llama.fused_linear.
// RUN: llama-opt %s --verify-diagnostics --split-input-file

// (C1)
func.func @columns(%a: tensor<1x8x48xf32>, %w: tensor<32x64xbf16>) {
  // expected-error @below {{expects weight to have 48 columns, one per feature of the input, found 'tensor<32x64xbf16>'}}
  %r = llama.fused_linear %a, %w : (tensor<1x8x48xf32>, tensor<32x64xbf16>) -> tensor<1x8x32xf32>
  return
}

// -----

// (C2)
func.func @result_shape(%a: tensor<1x8x64xf32>, %w: tensor<32x64xbf16>) {
  // expected-error @below {{expects the result to be [1, 8, 32], found 'tensor<2x8x32xf32>'}}
  %r = llama.fused_linear %a, %w : (tensor<1x8x64xf32>, tensor<32x64xbf16>) -> tensor<2x8x32xf32>
  return
}

// -----

// (C3)
func.func @gamma_length(%a: tensor<1x8x64xf32>, %w: tensor<32x64xbf16>, %g: tensor<32xbf16>) {
  // expected-error @below {{expects gamma to be [64], found 'tensor<32xbf16>'}}
  %r = llama.fused_linear %a, %w gamma %g eps 1.0
     : (tensor<1x8x64xf32>, tensor<32x64xbf16>, tensor<32xbf16>) -> tensor<1x8x32xf32>
  return
}

// -----

// (C4)
func.func @eps_without_gamma(%a: tensor<1x8x64xf32>, %w: tensor<32x64xbf16>) {
  // expected-error @below {{expects gamma and eps together}}
  %r = llama.fused_linear %a, %w eps 1.0 : (tensor<1x8x64xf32>, tensor<32x64xbf16>) -> tensor<1x8x32xf32>
  return
}

// -----

// (C5)
func.func @residual_shape(%a: tensor<1x8x64xf32>, %w: tensor<32x64xbf16>) {
  // expected-error @below {{expects the residual to have the result's type 'tensor<1x8x32xf32>', found 'tensor<1x8x64xf32>'}}
  %r = llama.fused_linear %a, %w residual %a
     : (tensor<1x8x64xf32>, tensor<32x64xbf16>, tensor<1x8x64xf32>) -> tensor<1x8x32xf32>
  return
}

// -----

// (C6)
func.func @bias_length(%a: tensor<1x8x64xf32>, %w: tensor<32x64xbf16>, %b: tensor<64xbf16>) {
  // expected-error @below {{expects bias to have type 'tensor<32xbf16>', found 'tensor<64xbf16>'}}
  %r = llama.fused_linear %a, %w bias %b
     : (tensor<1x8x64xf32>, tensor<32x64xbf16>, tensor<64xbf16>) -> tensor<1x8x32xf32>
  return
}
