// #llama.model on a module.
// RUN: llama-opt %s --verify-roundtrip --split-input-file | FileCheck %s

// CHECK: module attributes {llama.model = #llama.model<hidden_size = 64, intermediate_size = 172, layers = 2,
// CHECK-SAME: heads = 4, kv_heads = 2, head_dim = 16, vocab_size = 512, pieces = 512, max_seq_len = 128, max_batch = 8,
// CHECK-SAME: rope = <theta = 1.000000e+04 : f64>, rms_norm_eps = 1.000000e-05 : f64, tied = true, storage = bf16>}
module attributes {llama.model = #llama.model<hidden_size = 64, intermediate_size = 172, layers = 2,
    heads = 4, kv_heads = 2, head_dim = 16, vocab_size = 512,
    pieces = 512, max_seq_len = 128, max_batch = 8, rope = <theta = 1.0e+04 : f64>,
    rms_norm_eps = 1.0e-05 : f64, tied = true, storage = bf16>} {
}

// -----

// CHECK: max_batch = 8, alibi = <max_bias = 8.000000e+00 : f64>, window = 32, rms_norm_eps
module attributes {llama.model = #llama.model<hidden_size = 64, intermediate_size = 172, layers = 2,
    heads = 4, kv_heads = 2, head_dim = 16, vocab_size = 512,
    pieces = 512, max_seq_len = 128, max_batch = 8, alibi = <max_bias = 8.0 : f64>, window = 32,
    rms_norm_eps = 1.0e-05 : f64, tied = true, storage = bf16>} {
}
