// llama.attention: grouped, multi-head and multi-query; a window; #llama.alibi.
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

// CHECK-LABEL: @window
// CHECK: llama.attention {{.*}} {window = 32 : i64} :
func.func @window(%q: tensor<1x8x64xf32>, %c: tensor<1x128x2x16xbf16>, %p: tensor<1xi32>) -> tensor<1x8x64xf32> {
  %a = llama.attention %q, %c, %c at %p {window = 32 : i64} : tensor<1x8x64xf32>, tensor<1x128x2x16xbf16>, tensor<1xi32>
  return %a : tensor<1x8x64xf32>
}

// CHECK-LABEL: @alibi
// CHECK: llama.attention {{.*}} {alibi = #llama.alibi<max_bias = 8.000000e+00 : f64>} :
func.func @alibi(%q: tensor<1x8x64xf32>, %c: tensor<1x128x2x16xbf16>, %p: tensor<1xi32>) -> tensor<1x8x64xf32> {
  %a = llama.attention %q, %c, %c at %p {alibi = #llama.alibi<max_bias = 8.0 : f64>} : tensor<1x8x64xf32>, tensor<1x128x2x16xbf16>, tensor<1xi32>
  return %a : tensor<1x8x64xf32>
}
