// The constraints of llama.fused_gate_up.
// RUN: llama-opt %s --verify-diagnostics --split-input-file

// (C1)
func.func @columns(%x: tensor<1x8x48xf32>, %w: tensor<172x64xbf16>) {
  // expected-error @below {{expects gate_weight to have 48 columns, one per feature of the input}}
  %m = llama.fused_gate_up %x, %w, %w
     : (tensor<1x8x48xf32>, tensor<172x64xbf16>, tensor<172x64xbf16>) -> tensor<1x8x172xf32>
  return
}

// -----

// (C2)
func.func @result_shape(%x: tensor<1x8x64xf32>, %w: tensor<172x64xbf16>) {
  // expected-error @below {{expects the result to be [1, 8, 172], found 'tensor<1x8x344xf32>'}}
  %m = llama.fused_gate_up %x, %w, %w
     : (tensor<1x8x64xf32>, tensor<172x64xbf16>, tensor<172x64xbf16>) -> tensor<1x8x344xf32>
  return
}

// -----

// (C3)
func.func @gamma_length(%x: tensor<1x8x64xf32>, %w: tensor<172x64xbf16>, %g: tensor<172xbf16>) {
  // expected-error @below {{expects gamma to be [64], found 'tensor<172xbf16>'}}
  %m = llama.fused_gate_up %x, %w, %w gamma %g eps 1.0
     : (tensor<1x8x64xf32>, tensor<172x64xbf16>, tensor<172x64xbf16>, tensor<172xbf16>) -> tensor<1x8x172xf32>
  return
}

// -----

// (C4)
func.func @gamma_without_eps(%x: tensor<1x8x64xf32>, %w: tensor<172x64xbf16>, %g: tensor<64xbf16>) {
  // expected-error @below {{expects gamma and eps together}}
  %m = llama.fused_gate_up %x, %w, %w gamma %g
     : (tensor<1x8x64xf32>, tensor<172x64xbf16>, tensor<172x64xbf16>, tensor<64xbf16>) -> tensor<1x8x172xf32>
  return
}

// -----

// (C5)
func.func @up_bias_storage(%x: tensor<1x8x64xf32>, %w: tensor<172x64xbf16>, %g: tensor<172xbf16>, %u: tensor<172xf32>) {
  // expected-error @below {{expects up_bias to have type 'tensor<172xbf16>', found 'tensor<172xf32>'}}
  %m = llama.fused_gate_up %x, %w, %w bias %g, %u
     : (tensor<1x8x64xf32>, tensor<172x64xbf16>, tensor<172x64xbf16>, tensor<172xbf16>, tensor<172xf32>) -> tensor<1x8x172xf32>
  return
}

// -----

// (C5)
func.func @one_bias(%x: tensor<1x8x64xf32>, %w: tensor<172x64xbf16>, %b: tensor<172xbf16>) {
  // expected-error @below {{expects the two biases together}}
  %m = "llama.fused_gate_up"(%x, %w, %w, %b) <{operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1>}>
     : (tensor<1x8x64xf32>, tensor<172x64xbf16>, tensor<172x64xbf16>, tensor<172xbf16>) -> tensor<1x8x172xf32>
  return
}
