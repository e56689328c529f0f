// llama.kv_append.
// RUN: llama-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @kv_append
// CHECK: llama.kv_append %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} at %{{.*}} : tensor<1x128x2x16xbf16>, tensor<1x8x32xf32>, tensor<1xi32>
func.func @kv_append(%kc: tensor<1x128x2x16xbf16>, %k: tensor<1x8x32xf32>, %p: tensor<1xi32>)
    -> (tensor<1x128x2x16xbf16>, tensor<1x128x2x16xbf16>) {
  %kc1, %vc1 = llama.kv_append %kc, %kc, %k, %k at %p
     : tensor<1x128x2x16xbf16>, tensor<1x8x32xf32>, tensor<1xi32>
  return %kc1, %vc1 : tensor<1x128x2x16xbf16>, tensor<1x128x2x16xbf16>
}
