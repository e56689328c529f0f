// llama.sample.
// RUN: llama-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @sample
// CHECK: llama.sample %{{.*}} pieces 500 : (tensor<8x1x512xf32>) -> tensor<8xi32>
func.func @sample(%l: tensor<8x1x512xf32>) -> tensor<8xi32> {
  %next = llama.sample %l pieces 500 : (tensor<8x1x512xf32>) -> tensor<8xi32>
  return %next : tensor<8xi32>
}
