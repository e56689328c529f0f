// llama.linear.
// RUN: llama-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @linear
// CHECK: llama.linear %{{.*}}, %{{.*}} : (tensor<1x8x64xf32>, tensor<32x64xf16>) -> tensor<1x8x32xf32>
func.func @linear(%x: tensor<1x8x64xf32>, %w: tensor<32x64xf16>) -> tensor<1x8x32xf32> {
  %y = llama.linear %x, %w : (tensor<1x8x64xf32>, tensor<32x64xf16>) -> tensor<1x8x32xf32>
  return %y : tensor<1x8x32xf32>
}

// CHECK-LABEL: @with_bias
// CHECK: llama.linear %{{.*}}, %{{.*}} bias %{{.*}} : (tensor<1x8x64xf32>, tensor<32x64xf16>, tensor<32xf16>) -> tensor<1x8x32xf32>
func.func @with_bias(%x: tensor<1x8x64xf32>, %w: tensor<32x64xf16>, %b: tensor<32xf16>) -> tensor<1x8x32xf32> {
  %y = llama.linear %x, %w bias %b
     : (tensor<1x8x64xf32>, tensor<32x64xf16>, tensor<32xf16>) -> tensor<1x8x32xf32>
  return %y : tensor<1x8x32xf32>
}
