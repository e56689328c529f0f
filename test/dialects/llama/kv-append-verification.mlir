// The constraints of llama.kv_append.
// RUN: llama-opt %s --verify-diagnostics --split-input-file

// (C1)
func.func @features(%kc: tensor<1x128x2x16xbf16>, %k: tensor<1x8x64xf32>, %p: tensor<1xi32>) {
  // expected-error @below {{expects key to be [1, 8, 32], found 'tensor<1x8x64xf32>'}}
  %kc1, %vc1 = llama.kv_append %kc, %kc, %k, %k at %p
     : tensor<1x128x2x16xbf16>, tensor<1x8x64xf32>, tensor<1xi32>
  return
}

// -----

// (C2)
func.func @positions(%kc: tensor<1x128x2x16xbf16>, %k: tensor<1x8x32xf32>, %p: tensor<2xi32>) {
  // expected-error @below {{expects positions to be [1], found 'tensor<2xi32>'}}
  %kc1, %vc1 = llama.kv_append %kc, %kc, %k, %k at %p
     : tensor<1x128x2x16xbf16>, tensor<1x8x32xf32>, tensor<2xi32>
  return
}
