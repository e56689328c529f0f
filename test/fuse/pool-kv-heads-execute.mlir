// llama-pool-kv-heads by value. The two heads of @same and @same_bias are equal, so the pooled model gives the same;
// those of @mean and @bias are not, and what comes out is what their means give:
// numpy.array([[1, 2], [3, 4], [0, 2], [-2, -1]]).reshape(1, 2, 2, 2).mean(axis=1).
// RUN: llama-opt %s --llama-pool-kv-heads=kv-heads=1 -o %t.pooled.mlir
// RUN: FileCheck %s --check-prefix=IR --input-file=%t.pooled.mlir
// RUN: cat %s | %execute | FileCheck %s --check-prefixes=CHECK,BEFORE
// RUN: cat %t.pooled.mlir | %execute | FileCheck %s --check-prefixes=CHECK,AFTER

// IR: llama.weight @same : tensor<2x2xf32> = dense<{{\[\[}}1.000000e+00, 2.000000e+00], [3.000000e+00, -4.000000e+00]]>
// IR: llama.weight @same_bias : tensor<2xf32> = dense<[1.000000e+00, 2.000000e+00]>
// IR: llama.weight @mean : tensor<2x2xf32> = dense<{{\[\[}}5.000000e-01, 2.000000e+00], [5.000000e-01, 1.500000e+00]]>
// IR: llama.weight @bias : tensor<2xf32> = dense<[7.500000e-01, 1.000000e+00]>
module attributes {llama.model = #llama.model<hidden_size = 2, intermediate_size = 2, layers = 1, heads = 2,
    kv_heads = 2, head_dim = 2, vocab_size = 8, pieces = 8, max_seq_len = 1, max_batch = 1,
    rope = <theta = 1.0e+04 : f64>, rms_norm_eps = 1.0e-05 : f64, tied = true, storage = f32>} {
  llama.weight @same : tensor<4x2xf32> = dense<[[1.0, 2.0], [3.0, -4.0], [1.0, 2.0], [3.0, -4.0]]> : tensor<4x2xf32>
  llama.weight @same_bias : tensor<4xf32> = dense<[1.0, 2.0, 1.0, 2.0]> : tensor<4xf32>
  llama.weight @mean : tensor<4x2xf32> = dense<[[1.0, 2.0], [3.0, 4.0], [0.0, 2.0], [-2.0, -1.0]]> : tensor<4x2xf32>
  llama.weight @bias : tensor<4xf32> = dense<[1.0, 2.0, 0.5, 0.0]> : tensor<4xf32>
  func.func private @printMemrefF32(tensor<*xf32>) attributes {llvm.emit_c_interface}

  // One token attends to itself alone, so each head gives its value.
  func.func private @attend(%wk: tensor<4x2xf32>, %wv: tensor<4x2xf32>, %bv: tensor<4xf32>, %c: tensor<1x1x2x2xf32>)
      -> tensor<1x1x4xf32> {
    %n = arith.constant dense<[[[1.0, 10.0]]]> : tensor<1x1x2xf32>
    %q = arith.constant dense<1.0> : tensor<1x1x4xf32>
    %p = arith.constant dense<0> : tensor<1xi32>
    %k = llama.linear %n, %wk : (tensor<1x1x2xf32>, tensor<4x2xf32>) -> tensor<1x1x4xf32>
    %v = llama.linear %n, %wv bias %bv : (tensor<1x1x2xf32>, tensor<4x2xf32>, tensor<4xf32>) -> tensor<1x1x4xf32>
    %kc, %vc = llama.kv_append %c, %c, %k, %v at %p : tensor<1x1x2x2xf32>, tensor<1x1x4xf32>, tensor<1xi32>
    %a = llama.attention %q, %kc, %vc at %p : tensor<1x1x4xf32>, tensor<1x1x2x2xf32>, tensor<1xi32>
    return %a : tensor<1x1x4xf32>
  }

  // CHECK: sizes = [1, 1, 4]
  // CHECK-NEXT: {{\[\[\[}}22, -35, 22, -35]]]
  // CHECK: sizes = [1, 1, 4]
  // BEFORE-NEXT: {{\[\[\[}}22, 45, 20.5, -12]]]
  // AFTER-NEXT:  {{\[\[\[}}21.25, 16.5, 21.25, 16.5]]]
  func.func @main() {
    %c = tensor.empty() : tensor<1x1x2x2xf32>
    %s = llama.get_weight @same : tensor<4x2xf32>
    %t = llama.get_weight @same_bias : tensor<4xf32>
    %m = llama.get_weight @mean : tensor<4x2xf32>
    %b = llama.get_weight @bias : tensor<4xf32>
    %x = call @attend(%s, %s, %t, %c)
      : (tensor<4x2xf32>, tensor<4x2xf32>, tensor<4xf32>, tensor<1x1x2x2xf32>) -> tensor<1x1x4xf32>
    %y = call @attend(%s, %m, %b, %c)
      : (tensor<4x2xf32>, tensor<4x2xf32>, tensor<4xf32>, tensor<1x1x2x2xf32>) -> tensor<1x1x4xf32>
    %ux = tensor.cast %x : tensor<1x1x4xf32> to tensor<*xf32>
    call @printMemrefF32(%ux) : (tensor<*xf32>) -> ()
    %uy = tensor.cast %y : tensor<1x1x4xf32> to tensor<*xf32>
    call @printMemrefF32(%uy) : (tensor<*xf32>) -> ()
    return
  }
}
