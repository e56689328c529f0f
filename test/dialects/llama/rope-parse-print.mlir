// llama.rope and #llama.rope.
// RUN: llama-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @rope
// CHECK: llama.rope %{{.*}} at %{{.*}} {head_dim = 16 : i64, rope = #llama.rope<theta = 5.000000e+05 : f64>} : tensor<1x8x64xf32>, tensor<1xi32>
func.func @rope(%q: tensor<1x8x64xf32>, %p: tensor<1xi32>) -> tensor<1x8x64xf32> {
  %r = llama.rope %q at %p {head_dim = 16 : i64, rope = #llama.rope<theta = 5.0e+05 : f64>}
     : tensor<1x8x64xf32>, tensor<1xi32>
  return %r : tensor<1x8x64xf32>
}
