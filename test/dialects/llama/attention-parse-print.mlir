// llama.attention: grouped, multi-head and multi-query.
// RUN: llama-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @grouped
// CHECK: llama.attention %{{.*}}, %{{.*}}, %{{.*}} at %{{.*}} : tensor<1x8x64xf32>, tensor<1x128x2x16xbf16>, tensor<1xi32>
func.func @grouped(%q: tensor<1x8x64xf32>, %c: tensor<1x128x2x16xbf16>, %p: tensor<1xi32>) -> tensor<1x8x64xf32> {
  %a = llama.attention %q, %c, %c at %p : tensor<1x8x64xf32>, tensor<1x128x2x16xbf16>, tensor<1xi32>
  return %a : tensor<1x8x64xf32>
}

// CHECK-LABEL: @multi_head
func.func @multi_head(%q: tensor<1x8x64xf32>, %c: tensor<1x128x4x16xf16>, %p: tensor<1xi32>) -> tensor<1x8x64xf32> {
  %a = llama.attention %q, %c, %c at %p : tensor<1x8x64xf32>, tensor<1x128x4x16xf16>, tensor<1xi32>
  return %a : tensor<1x8x64xf32>
}

// CHECK-LABEL: @multi_query
func.func @multi_query(%q: tensor<1x8x64xf32>, %c: tensor<1x128x1x16xf32>, %p: tensor<1xi32>) -> tensor<1x8x64xf32> {
  %a = llama.attention %q, %c, %c at %p : tensor<1x8x64xf32>, tensor<1x128x1x16xf32>, tensor<1xi32>
  return %a : tensor<1x8x64xf32>
}
