// llama.lm_head.
// RUN: llama-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @lm_head
// CHECK: llama.lm_head %{{.*}}, %{{.*}} : (tensor<1x8x64xf32>, tensor<512x64xbf16>) -> tensor<1x8x512xf32>
// CHECK: llama.lm_head %{{.*}}, %{{.*}} gamma %{{.*}} eps 1.000000e+00
func.func @lm_head(%x: tensor<1x8x64xf32>, %w: tensor<512x64xbf16>, %g: tensor<64xbf16>)
    -> (tensor<1x8x512xf32>, tensor<1x8x512xf32>) {
  %l = llama.lm_head %x, %w : (tensor<1x8x64xf32>, tensor<512x64xbf16>) -> tensor<1x8x512xf32>
  %m = llama.lm_head %x, %w gamma %g eps 1.0
     : (tensor<1x8x64xf32>, tensor<512x64xbf16>, tensor<64xbf16>) -> tensor<1x8x512xf32>
  return %l, %m : tensor<1x8x512xf32>, tensor<1x8x512xf32>
}
