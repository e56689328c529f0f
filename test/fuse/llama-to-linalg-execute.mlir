// llama-to-linalg by value, where the numbers are plain: the edges of embed,
// kv_append, sample, rope and attention.
// RUN: cat %s | %execute | FileCheck %s

func.func private @printMemrefF32(tensor<*xf32>) attributes {llvm.emit_c_interface}

llama.weight @table : tensor<3x2xf32> = dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>

func.func @main() {
  call @rows_of_the_table() : () -> ()
  call @rows_past_the_cache_are_dropped() : () -> ()
  call @ties_go_to_the_lowest_id_below_pieces() : () -> ()
  call @a_quarter_turn() : () -> ()
  call @dynamic_base() : () -> ()
  call @causal_mask_and_head_groups() : () -> ()
  call @window_and_biases() : () -> ()
  return
}

// CHECK: sizes = [1, 2, 2]
// CHECK-NEXT: {{\[\[\[}}5, 6],
// CHECK-NEXT: [1, 2]]]
func.func private @rows_of_the_table() {
  %w = llama.get_weight @table : tensor<3x2xf32>
  %t = arith.constant dense<[[2, 0]]> : tensor<1x2xi32>
  %x = llama.embed %t, %w : (tensor<1x2xi32>, tensor<3x2xf32>) -> tensor<1x2x2xf32>
  %u = tensor.cast %x : tensor<1x2x2xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

// Three tokens from position 2 into a cache of four rows.
// CHECK: sizes = [1, 4, 1, 2]
// CHECK-NEXT: {{\[\[\[\[}}9, 9]],
// CHECK-NEXT: {{\[\[}}9, 9]],
// CHECK-NEXT: {{\[\[}}1, 2]],
// CHECK-NEXT: {{\[\[}}3, 4]]]]
func.func private @rows_past_the_cache_are_dropped() {
  %c = arith.constant dense<9.0> : tensor<1x4x1x2xf32>
  %k = arith.constant dense<[[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]> : tensor<1x3x2xf32>
  %p = arith.constant dense<2> : tensor<1xi32>
  %kc, %vc = llama.kv_append %c, %c, %k, %k at %p
     : tensor<1x4x1x2xf32>, tensor<1x3x2xf32>, tensor<1xi32>
  %u = tensor.cast %kc : tensor<1x4x1x2xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

// Only the last token's row counts; id 4 is the highest but no piece.
// CHECK: sizes = [2]
// CHECK-NEXT: [1, 0]
func.func private @ties_go_to_the_lowest_id_below_pieces() {
  %l = arith.constant dense<[[[9.0, 0.0, 0.0, 0.0, 0.0], [1.0, 3.0, 2.0, 3.0, 8.0]],
                             [[0.0, 9.0, 0.0, 0.0, 0.0], [-1.0, -2.0, -1.0, -3.0, 8.0]]]>
     : tensor<2x2x5xf32>
  %n = llama.sample %l pieces 4 : (tensor<2x2x5xf32>) -> tensor<2xi32>
  %f = arith.sitofp %n : tensor<2xi32> to tensor<2xf32>
  %u = tensor.cast %f : tensor<2xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

// With theta = 1 every pair turns by the position: (1, 0) by 2 radians is
// (cos 2, sin 2). Two heads of two pairs; pair j is (j, j + 2).
// CHECK: sizes = [1, 1, 8]
// CHECK-NEXT: {{\[\[\[}}-0.416147, {{-?}}0, 0.909297, {{-?}}0, {{-?}}0, -0.909297, {{-?}}0, -0.416147]]]
func.func private @a_quarter_turn() {
  %x = arith.constant dense<[[[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]]]> : tensor<1x1x8xf32>
  %p = arith.constant dense<2> : tensor<1xi32>
  %r = llama.rope %x at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0 : f64>}
     : tensor<1x1x8xf32>, tensor<1xi32>
  %u = tensor.cast %r : tensor<1x1x8xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

// Dynamic scaling x 2 past 4 positions: a sequence of 6 has the base
// 1 * (2 * 6 / 4 - 1)^(4 / 2) = 4, so pair 1 turns by half the position. The
// other sequence is short and keeps the base of 1.
// CHECK: sizes = [2, 1, 8]
// CHECK-NEXT: {{\[\[\[}}-0.416147, {{-?}}0, 0.909297, {{-?}}0, {{-?}}0, -0.841471, {{-?}}0, 0.540302]],
// CHECK-NEXT: {{\[\[}}-0.416147, {{-?}}0, 0.909297, {{-?}}0, {{-?}}0, -0.909297, {{-?}}0, -0.416147]]]
func.func private @dynamic_base() {
  %x = arith.constant dense<[[[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]],
                             [[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]]]> : tensor<2x1x8xf32>
  %p = arith.constant dense<2> : tensor<2xi32>
  %l = arith.constant dense<[6, 3]> : tensor<2xi32>
  %r = llama.rope %x at %p of %l
       {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0 : f64, scaling = <dynamic, factor = 2.0 : f64, original = 4>>}
     : tensor<2x1x8xf32>, tensor<2xi32>, tensor<2xi32>
  %u = tensor.cast %r : tensor<2x1x8xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

// All scores are zero, so a token gets the mean of the rows up to its own
// position: rows 0..1, then rows 0..2. Heads 0 and 1 read KV head 0, heads 2 and
// 3 KV head 1.
// CHECK: sizes = [1, 2, 8]
// CHECK-NEXT: {{\[\[\[}}2, 3, 2, 3, 20, 30, 20, 30],
// CHECK-NEXT: [3, 4, 3, 4, 30, 40, 30, 40]]]
func.func private @causal_mask_and_head_groups() {
  %q = arith.constant dense<1.0> : tensor<1x2x8xf32>
  %k = arith.constant dense<0.0> : tensor<1x4x2x2xf32>
  %v = arith.constant dense<[[[[1.0, 2.0], [10.0, 20.0]], [[3.0, 4.0], [30.0, 40.0]],
                              [[5.0, 6.0], [50.0, 60.0]], [[99.0, 99.0], [99.0, 99.0]]]]>
     : tensor<1x4x2x2xf32>
  %p = arith.constant dense<1> : tensor<1xi32>
  %a = llama.attention %q, %k, %v at %p : tensor<1x2x8xf32>, tensor<1x4x2x2xf32>, tensor<1xi32>
  %u = tensor.cast %a : tensor<1x2x8xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

// The same with a window of two tokens, then with the biases of four heads: row
// j counts exp(2^(-2 (h + 1)) * (j - position)).
// CHECK: sizes = [1, 2, 8]
// CHECK-NEXT: {{\[\[\[}}2, 3, 2, 3, 20, 30, 20, 30],
// CHECK-NEXT: [4, 5, 4, 5, 40, 50, 40, 50]]]
// CHECK: sizes = [1, 2, 8]
// CHECK-NEXT: {{\[\[\[}}2.1243{{[0-9]*}}, 3.1243{{[0-9]*}}, 2.0312{{[0-9]*}}, 3.0312{{[0-9]*}}, 20.078{{[0-9]*}}, 30.078{{[0-9]*}}, 20.019{{[0-9]*}}, 30.019{{[0-9]*}}],
// CHECK-NEXT: [3.3299{{[0-9]*}}, 4.3299{{[0-9]*}}, 3.0832{{[0-9]*}}, 4.0832{{[0-9]*}}, 30.208{{[0-9]*}}, 40.208{{[0-9]*}}, 30.052{{[0-9]*}}, 40.052{{[0-9]*}}]]]
func.func private @window_and_biases() {
  %q = arith.constant dense<1.0> : tensor<1x2x8xf32>
  %k = arith.constant dense<0.0> : tensor<1x4x2x2xf32>
  %v = arith.constant dense<[[[[1.0, 2.0], [10.0, 20.0]], [[3.0, 4.0], [30.0, 40.0]],
                              [[5.0, 6.0], [50.0, 60.0]], [[99.0, 99.0], [99.0, 99.0]]]]>
     : tensor<1x4x2x2xf32>
  %p = arith.constant dense<1> : tensor<1xi32>
  %a = llama.attention %q, %k, %v at %p {window = 2 : i64} : tensor<1x2x8xf32>, tensor<1x4x2x2xf32>, tensor<1xi32>
  %u = tensor.cast %a : tensor<1x2x8xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  %b = llama.attention %q, %k, %v at %p {alibi = #llama.alibi<max_bias = 8.0 : f64>}
     : tensor<1x2x8xf32>, tensor<1x4x2x2xf32>, tensor<1xi32>
  %w = tensor.cast %b : tensor<1x2x8xf32> to tensor<*xf32>
  call @printMemrefF32(%w) : (tensor<*xf32>) -> ()
  return
}
