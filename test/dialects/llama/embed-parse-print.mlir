// llama.embed.
// RUN: llama-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @embed
// CHECK: llama.embed %{{.*}}, %{{.*}} : (tensor<1x8xi32>, tensor<512x64xbf16>) -> tensor<1x8x64xf32>
func.func @embed(%tokens: tensor<1x8xi32>, %table: tensor<512x64xbf16>) -> tensor<1x8x64xf32> {
  %x = llama.embed %tokens, %table : (tensor<1x8xi32>, tensor<512x64xbf16>) -> tensor<1x8x64xf32>
  return %x : tensor<1x8x64xf32>
}
