// llama.weight and llama.get_weight.
// RUN: llama-opt %s --verify-roundtrip | FileCheck %s

// CHECK: llama.weight @model.layers.0.mlp.gate_proj.weight : tensor<172x64xbf16>
llama.weight @"model.layers.0.mlp.gate_proj.weight" : tensor<172x64xbf16>

// CHECK: llama.weight @with_value : tensor<2xf32> = dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
llama.weight @with_value : tensor<2xf32> = dense<[1.0, 2.0]> : tensor<2xf32>

// CHECK: llama.weight @mean : tensor<32x8xbf16> pool <heads = 2, head_dim = 16>
llama.weight @mean : tensor<32x8xbf16> pool <heads = 2, head_dim = 16>

// CHECK-LABEL: @get_weight
func.func @get_weight() -> (tensor<172x64xbf16>, tensor<2xf32>) {
  // CHECK: llama.get_weight @model.layers.0.mlp.gate_proj.weight : tensor<172x64xbf16>
  %w = llama.get_weight @"model.layers.0.mlp.gate_proj.weight" : tensor<172x64xbf16>
  // CHECK: llama.get_weight @with_value : tensor<2xf32>
  %v = llama.get_weight @with_value : tensor<2xf32>
  return %w, %v : tensor<172x64xbf16>, tensor<2xf32>
}
