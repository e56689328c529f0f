// llama-to-linalg: the example of Passes.td; weights; nothing of llama is left.
// RUN: llama-opt %s --llama-to-linalg | FileCheck %s

// CHECK: memref.global constant @given : memref<2xf32> = dense<[1.000000e+00, 2.000000e+00]>
llama.weight @given : tensor<2xf32> = dense<[1.0, 2.0]> : tensor<2xf32>
// CHECK: memref.global {{.*}}@model.norm.weight : memref<2xbf16>{{$}}
llama.weight @"model.norm.weight" : tensor<2xbf16>

// CHECK-LABEL: @example
// CHECK: %[[E:.*]] = tensor.empty() : tensor<1x2x8xf32>
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} outs(%[[E]] : tensor<1x2x8xf32>)
// CHECK: %[[S:.*]] = arith.addf
// CHECK: linalg.yield %[[S]]
// CHECK: return %[[Y]]
func.func @example(%x: tensor<1x2x8xf32>, %o: tensor<1x2x8xf32>) -> tensor<1x2x8xf32> {
  %y = llama.add %x, %o : tensor<1x2x8xf32>
  return %y : tensor<1x2x8xf32>
}

// CHECK-LABEL: @weights
// CHECK: memref.get_global @model.norm.weight : memref<2xbf16>
// CHECK-NOT: llama.
func.func @weights(%x: tensor<1x1x2xf32>) -> tensor<1x1x2xf32> {
  %g = llama.get_weight @"model.norm.weight" : tensor<2xbf16>
  %n = llama.rms_norm %x, %g eps 1.0 : tensor<1x1x2xf32>, tensor<2xbf16>
  return %n : tensor<1x1x2xf32>
}
