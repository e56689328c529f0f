// The constraints of llama.linear.
// RUN: llama-opt %s --verify-diagnostics --split-input-file

// (C1)
func.func @columns(%x: tensor<1x8x64xf32>, %w: tensor<32x48xf16>) {
  // expected-error @below {{expects weight to have 64 columns, one per feature of the input, found 'tensor<32x48xf16>'}}
  %y = llama.linear %x, %w : (tensor<1x8x64xf32>, tensor<32x48xf16>) -> tensor<1x8x32xf32>
  return
}

// -----

// (C2)
func.func @result_shape(%x: tensor<1x8x64xf32>, %w: tensor<32x64xf16>) {
  // expected-error @below {{expects the result to be [1, 8, 32], found 'tensor<1x8x64xf32>'}}
  %y = llama.linear %x, %w : (tensor<1x8x64xf32>, tensor<32x64xf16>) -> tensor<1x8x64xf32>
  return
}

// -----

// (C3)
func.func @bias_length(%x: tensor<1x8x64xf32>, %w: tensor<32x64xf16>, %b: tensor<64xf16>) {
  // expected-error @below {{expects bias to have type 'tensor<32xf16>', found 'tensor<64xf16>'}}
  %y = llama.linear %x, %w bias %b
     : (tensor<1x8x64xf32>, tensor<32x64xf16>, tensor<64xf16>) -> tensor<1x8x32xf32>
  return
}

// -----

// (C3)
func.func @bias_storage(%x: tensor<1x8x64xf32>, %w: tensor<32x64xf16>, %b: tensor<32xf32>) {
  // expected-error @below {{expects bias to have type 'tensor<32xf16>', found 'tensor<32xf32>'}}
  %y = llama.linear %x, %w bias %b
     : (tensor<1x8x64xf32>, tensor<32x64xf16>, tensor<32xf32>) -> tensor<1x8x32xf32>
  return
}
