// llama.silu, llama.mul and llama.add.
// RUN: llama-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @elementwise
func.func @elementwise(%x: tensor<1x8x64xf32>) -> tensor<1x8x64xf32> {
  // CHECK: %[[S:.*]] = llama.silu %{{.*}} : tensor<1x8x64xf32>
  %s = llama.silu %x : tensor<1x8x64xf32>
  // CHECK: %[[M:.*]] = llama.mul %[[S]], %{{.*}} : tensor<1x8x64xf32>
  %m = llama.mul %s, %x : tensor<1x8x64xf32>
  // CHECK: llama.add %[[M]], %{{.*}} : tensor<1x8x64xf32>
  %a = llama.add %m, %x : tensor<1x8x64xf32>
  return %a : tensor<1x8x64xf32>
}
