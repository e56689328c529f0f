// The constraints of #llama.model.
// RUN: llama-opt %s --verify-diagnostics --split-input-file

// (C1)
// expected-error @below {{expects hidden_size to be positive, found 0}}
module attributes {llama.model = #llama.model<hidden_size = 0, intermediate_size = 172, layers = 2,
    heads = 4, kv_heads = 2, head_dim = 16, vocab_size = 512,
    pieces = 512, max_seq_len = 128, max_batch = 8, rope = <theta = 1.0e+04 : f64>,
    rms_norm_eps = 1.0e-05 : f64, tied = true, storage = bf16>} {
}

// -----

// (C2)
// expected-error @below {{expects heads to be a multiple of kv_heads, found 3 and 2}}
module attributes {llama.model = #llama.model<hidden_size = 64, intermediate_size = 172, layers = 2,
    heads = 3, kv_heads = 2, head_dim = 16, vocab_size = 512,
    pieces = 512, max_seq_len = 128, max_batch = 8, rope = <theta = 1.0e+04 : f64>,
    rms_norm_eps = 1.0e-05 : f64, tied = true, storage = bf16>} {
}

// -----

// (C3)
// expected-error @below {{expects head_dim to be even, found 15}}
module attributes {llama.model = #llama.model<hidden_size = 64, intermediate_size = 172, layers = 2,
    heads = 4, kv_heads = 2, head_dim = 15, vocab_size = 512,
    pieces = 512, max_seq_len = 128, max_batch = 8, rope = <theta = 1.0e+04 : f64>,
    rms_norm_eps = 1.0e-05 : f64, tied = true, storage = bf16>} {
}

// -----

// (C4)
// expected-error @below {{expects pieces to be at most vocab_size, found 513 and 512}}
module attributes {llama.model = #llama.model<hidden_size = 64, intermediate_size = 172, layers = 2,
    heads = 4, kv_heads = 2, head_dim = 16, vocab_size = 512,
    pieces = 513, max_seq_len = 128, max_batch = 8, rope = <theta = 1.0e+04 : f64>,
    rms_norm_eps = 1.0e-05 : f64, tied = true, storage = bf16>} {
}

// -----

// (C5)
// expected-error @below {{expects rms_norm_eps to be finite and positive}}
module attributes {llama.model = #llama.model<hidden_size = 64, intermediate_size = 172, layers = 2,
    heads = 4, kv_heads = 2, head_dim = 16, vocab_size = 512,
    pieces = 512, max_seq_len = 128, max_batch = 8, rope = <theta = 1.0e+04 : f64>,
    rms_norm_eps = 0.0 : f64, tied = true, storage = bf16>} {
}

// -----

// (C6)
// expected-error @below {{expects storage to be bf16, f16 or f32, found 'f64'}}
module attributes {llama.model = #llama.model<hidden_size = 64, intermediate_size = 172, layers = 2,
    heads = 4, kv_heads = 2, head_dim = 16, vocab_size = 512,
    pieces = 512, max_seq_len = 128, max_batch = 8, rope = <theta = 1.0e+04 : f64>,
    rms_norm_eps = 1.0e-05 : f64, tied = true, storage = f64>} {
}

// -----

// (C7)
// expected-error @below {{expects one of rope and alibi}}
module attributes {llama.model = #llama.model<hidden_size = 64, intermediate_size = 172, layers = 2,
    heads = 4, kv_heads = 2, head_dim = 16, vocab_size = 512,
    pieces = 512, max_seq_len = 128, max_batch = 8, rope = <theta = 1.0e+04 : f64>, alibi = <max_bias = 8.0 : f64>,
    rms_norm_eps = 1.0e-05 : f64, tied = true, storage = bf16>} {
}

// -----

// (C7)
// expected-error @below {{expects one of rope and alibi}}
module attributes {llama.model = #llama.model<hidden_size = 64, intermediate_size = 172, layers = 2,
    heads = 4, kv_heads = 2, head_dim = 16, vocab_size = 512,
    pieces = 512, max_seq_len = 128, max_batch = 8, 
    rms_norm_eps = 1.0e-05 : f64, tied = true, storage = bf16>} {
}

// -----

// (C8)
// expected-error @below {{expects window not to be negative, found -1}}
module attributes {llama.model = #llama.model<hidden_size = 64, intermediate_size = 172, layers = 2,
    heads = 4, kv_heads = 2, head_dim = 16, vocab_size = 512,
    pieces = 512, max_seq_len = 128, max_batch = 8, rope = <theta = 1.0e+04 : f64>, window = -1,
    rms_norm_eps = 1.0e-05 : f64, tied = true, storage = bf16>} {
}

// -----

// Where it stands.
// expected-error @below {{"llama.model" belongs on a module}}
func.func private @f() attributes {llama.model = #llama.model<hidden_size = 64, intermediate_size = 172, layers = 2,
    heads = 4, kv_heads = 2, head_dim = 16, vocab_size = 512,
    pieces = 512, max_seq_len = 128, max_batch = 8, rope = <theta = 1.0e+04 : f64>,
    rms_norm_eps = 1.0e-05 : f64, tied = true, storage = bf16>}

// -----

// expected-error @below {{expects "llama.model" to be a #llama.model}}
module attributes {llama.model = 3} {
}

// -----

// expected-error @below {{has unknown attribute "llama.modle"}}
module attributes {llama.modle = 3} {
}
