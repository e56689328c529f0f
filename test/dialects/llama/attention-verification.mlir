// The constraints of llama.attention.
// RUN: llama-opt %s --verify-diagnostics --split-input-file

// (C1)
func.func @heads(%q: tensor<1x8x80xf32>, %c: tensor<1x128x2x16xbf16>, %p: tensor<1xi32>) {
  // expected-error @below {{expects the query to be heads of 16 features, a multiple of 2 of them, found 80 features}}
  %a = llama.attention %q, %c, %c at %p : tensor<1x8x80xf32>, tensor<1x128x2x16xbf16>, tensor<1xi32>
  return
}

// -----

// (C2)
func.func @batch(%q: tensor<1x8x64xf32>, %c: tensor<2x128x2x16xbf16>, %p: tensor<1xi32>) {
  // expected-error @below {{expects query and caches of one batch, found 1 and 2}}
  %a = llama.attention %q, %c, %c at %p : tensor<1x8x64xf32>, tensor<2x128x2x16xbf16>, tensor<1xi32>
  return
}

// -----

// (C3)
func.func @positions(%q: tensor<1x8x64xf32>, %c: tensor<1x128x2x16xbf16>, %p: tensor<3xi32>) {
  // expected-error @below {{expects positions to be [1], found 'tensor<3xi32>'}}
  %a = llama.attention %q, %c, %c at %p : tensor<1x8x64xf32>, tensor<1x128x2x16xbf16>, tensor<3xi32>
  return
}

// -----

// (C4)
func.func @window(%q: tensor<1x8x64xf32>, %c: tensor<1x128x2x16xbf16>, %p: tensor<1xi32>) {
  // expected-error @below {{expects window to be positive, found 0}}
  %a = llama.attention %q, %c, %c at %p {window = 0 : i64} : tensor<1x8x64xf32>, tensor<1x128x2x16xbf16>, tensor<1xi32>
  return
}

// -----

// #llama.alibi (C1)
// expected-error @below {{expects max_bias to be finite and positive, found 0.000000e+00 : f64}}
func.func private @alibi() attributes {test = #llama.alibi<max_bias = 0.0 : f64>}
