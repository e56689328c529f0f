// The constraints of llama.rms_norm.
// RUN: llama-opt %s --verify-diagnostics --split-input-file

// (C1)
func.func @gamma_length(%x: tensor<1x8x64xf32>, %g: tensor<32xbf16>) {
  // expected-error @below {{expects gamma to be [64], found 'tensor<32xbf16>'}}
  %n = llama.rms_norm %x, %g eps 2.0 : tensor<1x8x64xf32>, tensor<32xbf16>
  return
}
