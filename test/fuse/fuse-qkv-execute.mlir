// llama-fuse-qkv by value: nothing is rounded otherwise, so the bits are equal.
// RUN: sed 's/STORAGE/bf16/g' %s > %t.mlir
// RUN: llama-opt %t.mlir --llama-fuse-qkv -o %t.fused.mlir
// RUN: FileCheck %s --input-file=%t.fused.mlir
// RUN: cat %t.mlir | %execute > %t.before
// RUN: cat %t.fused.mlir | %execute > %t.after
// RUN: %compare %t.before %t.after
// RUN: sed 's/base@ = [^ ]*//' %t.before > %t.before-bits
// RUN: sed 's/base@ = [^ ]*//' %t.after > %t.after-bits
// RUN: diff %t.before-bits %t.after-bits

// CHECK: llama.fused_qkv
// CHECK-NOT: llama.linear
func.func private @printMemrefF32(tensor<*xf32>) attributes {llvm.emit_c_interface}

func.func private @products(%n: tensor<2x3x8xf32>, %wq: tensor<8x8xSTORAGE>, %wk: tensor<4x8xSTORAGE>,
                            %wv: tensor<4x8xSTORAGE>, %c: tensor<2x16x1x4xf32>, %p: tensor<2xi32>)
    -> (tensor<2x3x8xf32>, tensor<2x16x1x4xf32>, tensor<2x16x1x4xf32>) {
  %q = llama.linear %n, %wq : (tensor<2x3x8xf32>, tensor<8x8xSTORAGE>) -> tensor<2x3x8xf32>
  %k = llama.linear %n, %wk : (tensor<2x3x8xf32>, tensor<4x8xSTORAGE>) -> tensor<2x3x4xf32>
  %v = llama.linear %n, %wv : (tensor<2x3x8xf32>, tensor<4x8xSTORAGE>) -> tensor<2x3x4xf32>
  %kc, %vc = llama.kv_append %c, %c, %k, %v at %p
     : tensor<2x16x1x4xf32>, tensor<2x3x4xf32>, tensor<2xi32>
  return %q, %kc, %vc : tensor<2x3x8xf32>, tensor<2x16x1x4xf32>, tensor<2x16x1x4xf32>
}

func.func @main() {
  %lo = arith.constant -1.0 : f64
  %hi = arith.constant 1.0 : f64
  %s0 = arith.constant 10 : i32
  %s1 = arith.constant 11 : i32
  %s2 = arith.constant 12 : i32
  %s3 = arith.constant 13 : i32
  %e68 = tensor.empty() : tensor<6x8xf32>
  %e88 = tensor.empty() : tensor<8x8xSTORAGE>
  %e48 = tensor.empty() : tensor<4x8xSTORAGE>
  %n2 = linalg.fill_rng_2d ins(%lo, %hi, %s0 : f64, f64, i32) outs(%e68 : tensor<6x8xf32>) -> tensor<6x8xf32>
  %wq = linalg.fill_rng_2d ins(%lo, %hi, %s1 : f64, f64, i32) outs(%e88 : tensor<8x8xSTORAGE>) -> tensor<8x8xSTORAGE>
  %wk = linalg.fill_rng_2d ins(%lo, %hi, %s2 : f64, f64, i32) outs(%e48 : tensor<4x8xSTORAGE>) -> tensor<4x8xSTORAGE>
  %wv = linalg.fill_rng_2d ins(%lo, %hi, %s3 : f64, f64, i32) outs(%e48 : tensor<4x8xSTORAGE>) -> tensor<4x8xSTORAGE>
  %n = tensor.expand_shape %n2 [[0, 1], [2]] output_shape [2, 3, 8] : tensor<6x8xf32> into tensor<2x3x8xf32>
  %c = arith.constant dense<0.5> : tensor<2x16x1x4xf32>
  %p = arith.constant dense<[0, 14]> : tensor<2xi32>
  %q, %kc, %vc = func.call @products(%n, %wq, %wk, %wv, %c, %p)
     : (tensor<2x3x8xf32>, tensor<8x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<2x16x1x4xf32>, tensor<2xi32>)
    -> (tensor<2x3x8xf32>, tensor<2x16x1x4xf32>, tensor<2x16x1x4xf32>)
  %uq = tensor.cast %q : tensor<2x3x8xf32> to tensor<*xf32>
  %uk = tensor.cast %kc : tensor<2x16x1x4xf32> to tensor<*xf32>
  %uv = tensor.cast %vc : tensor<2x16x1x4xf32> to tensor<*xf32>
  func.call @printMemrefF32(%uq) : (tensor<*xf32>) -> ()
  func.call @printMemrefF32(%uk) : (tensor<*xf32>) -> ()
  func.call @printMemrefF32(%uv) : (tensor<*xf32>) -> ()
  return
}
