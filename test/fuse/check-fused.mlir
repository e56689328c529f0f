// llama-check-fused: what no fusion took is an error that names it.
// RUN: llama-opt %s --llama-check-fused --verify-diagnostics --split-input-file

func.func @left(%x: tensor<1x2x8xf32>, %g: tensor<8xbf16>, %w: tensor<8x8xbf16>,
                %c: tensor<1x16x2x4xbf16>, %p: tensor<1xi32>) {
  // expected-error @below {{'llama.rms_norm' op is left after the fusions: none of them took it}}
  %n = llama.rms_norm %x, %g eps 1.0 : tensor<1x2x8xf32>, tensor<8xbf16>
  // expected-error @below {{'llama.linear' op is left}}
  %y = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<8x8xbf16>) -> tensor<1x2x8xf32>
  // expected-error @below {{'llama.rope' op is left}}
  %r = llama.rope %y at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
     : tensor<1x2x8xf32>, tensor<1xi32>
  // expected-error @below {{'llama.kv_append' op is left}}
  %kc, %vc = llama.kv_append %c, %c, %r, %y at %p
     : tensor<1x16x2x4xbf16>, tensor<1x2x8xf32>, tensor<1xi32>
  // expected-error @below {{'llama.silu' op is left}}
  %s = llama.silu %y : tensor<1x2x8xf32>
  // expected-error @below {{'llama.mul' op is left}}
  %m = llama.mul %s, %y : tensor<1x2x8xf32>
  // expected-error @below {{'llama.add' op is left}}
  %a = llama.add %m, %y : tensor<1x2x8xf32>
  return
}

// -----

func.func @qkv_without_cache(%x: tensor<1x2x8xf32>, %w: tensor<8x8xbf16>) {
  // expected-error @below {{does not reach the cache}}
  %q, %k, %v = llama.fused_qkv %x, %w, %w, %w
     : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<8x8xbf16>, tensor<8x8xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x2x8xf32>, tensor<1x2x8xf32>)
  return
}
