// llama.rms_norm.
// RUN: llama-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @rms_norm
// CHECK: llama.rms_norm %{{.*}}, %{{.*}} eps 2.000000e+00 : tensor<1x8x64xf32>, tensor<64xbf16>
func.func @rms_norm(%x: tensor<1x8x64xf32>, %g: tensor<64xbf16>) -> tensor<1x8x64xf32> {
  %n = llama.rms_norm %x, %g eps 2.0 : tensor<1x8x64xf32>, tensor<64xbf16>
  return %n : tensor<1x8x64xf32>
}
