// llama.rope, #llama.rope and #llama.rope_scaling.
// RUN: llama-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @rope
// CHECK: llama.rope %{{.*}} at %{{.*}} {head_dim = 16 : i64, rope = #llama.rope<theta = 5.000000e+05 : f64>} : tensor<1x8x64xf32>, tensor<1xi32>
func.func @rope(%q: tensor<1x8x64xf32>, %p: tensor<1xi32>) -> tensor<1x8x64xf32> {
  %r = llama.rope %q at %p {head_dim = 16 : i64, rope = #llama.rope<theta = 5.0e+05 : f64>}
     : tensor<1x8x64xf32>, tensor<1xi32>
  return %r : tensor<1x8x64xf32>
}

// CHECK-LABEL: @linear
// CHECK-SAME: #llama.rope<theta = 1.000000e+04 : f64, scaling = <linear, factor = 4.000000e+00 : f64>>
func.func private @linear() attributes {test = #llama.rope<theta = 1.0e+04 : f64, scaling = <linear, factor = 4.0 : f64>>}

// CHECK-LABEL: @llama3
// CHECK-SAME: #llama.rope<theta = 5.000000e+05 : f64, scaling = <llama3, factor = 8.000000e+00 : f64, low_freq_factor = 1.000000e+00 : f64, high_freq_factor = 4.000000e+00 : f64, original = 8192>>
func.func private @llama3() attributes {test = #llama.rope<theta = 5.0e+05 : f64, scaling = <llama3, factor = 8.0 : f64, low_freq_factor = 1.0 : f64, high_freq_factor = 4.0 : f64, original = 8192>>}

// CHECK-LABEL: @dynamic
// CHECK: llama.rope %{{.*}} at %{{.*}} of %{{.*}} {head_dim = 16 : i64, rope = #llama.rope<theta = 1.000000e+04 : f64, scaling = <dynamic, factor = 2.000000e+00 : f64, original = 64>>} : tensor<1x8x64xf32>, tensor<1xi32>, tensor<1xi32>
func.func @dynamic(%q: tensor<1x8x64xf32>, %p: tensor<1xi32>, %l: tensor<1xi32>) -> tensor<1x8x64xf32> {
  %r = llama.rope %q at %p of %l
       {head_dim = 16 : i64, rope = #llama.rope<theta = 1.0e+04 : f64, scaling = <dynamic, factor = 2.0 : f64, original = 64>>}
     : tensor<1x8x64xf32>, tensor<1xi32>, tensor<1xi32>
  return %r : tensor<1x8x64xf32>
}

// CHECK-LABEL: @yarn
// CHECK-SAME: scaling = <yarn, factor = 1.600000e+01 : f64, original = 4096, beta_fast = 3.200000e+01 : f64, beta_slow = 1.000000e+00 : f64, attention_factor = 1.277000e+00 : f64>>
func.func private @yarn() attributes {test = #llama.rope<theta = 1.0e+04 : f64, scaling = <yarn, factor = 16.0 : f64, original = 4096, beta_fast = 32.0 : f64, beta_slow = 1.0 : f64, attention_factor = 1.277 : f64>>}

// CHECK-LABEL: @yarn_by_parts
// CHECK-SAME: attention_factor = 1.000000e+00 : f64, truncate = false>>
func.func private @yarn_by_parts() attributes {test = #llama.rope<theta = 1.0e+04 : f64, scaling = <yarn, factor = 16.0 : f64, original = 4096, beta_fast = 32.0 : f64, beta_slow = 1.0 : f64, attention_factor = 1.0 : f64, truncate = false>>}
