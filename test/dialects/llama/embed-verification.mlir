// The constraints of llama.embed.
// RUN: llama-opt %s --verify-diagnostics --split-input-file

// (C1)
func.func @result_shape(%tokens: tensor<1x8xi32>, %table: tensor<512x64xbf16>) {
  // expected-error @below {{expects the result to be [1, 8, 64], found 'tensor<1x8x32xf32>'}}
  %x = llama.embed %tokens, %table : (tensor<1x8xi32>, tensor<512x64xbf16>) -> tensor<1x8x32xf32>
  return
}
