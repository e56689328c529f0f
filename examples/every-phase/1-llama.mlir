// `import`: the checkpoint as the paper writes it; weights by name, one function for all layers.
module attributes {llama.model = #llama.model<hidden_size = 256, intermediate_size = 704, layers = 4, heads = 4, kv_heads = 2, head_dim = 64, vocab_size = 2048, pieces = 2048, max_seq_len = 512, max_batch = 8, rope = <theta = 1.000000e+04 : f64>, rms_norm_eps = 1.000000e-05 : f64, tied = true, storage = bf16>} {
  llama.weight @model.embed_tokens.weight : tensor<2048x256xbf16>
  llama.weight @model.layers.0.input_layernorm.weight : tensor<256xbf16>
  llama.weight @model.layers.0.self_attn.q_proj.weight : tensor<256x256xbf16>
  llama.weight @model.layers.0.self_attn.k_proj.weight : tensor<128x256xbf16>
  llama.weight @model.layers.0.self_attn.v_proj.weight : tensor<128x256xbf16>
  llama.weight @model.layers.0.self_attn.o_proj.weight : tensor<256x256xbf16>
  llama.weight @model.layers.0.post_attention_layernorm.weight : tensor<256xbf16>
  llama.weight @model.layers.0.mlp.gate_proj.weight : tensor<704x256xbf16>
  llama.weight @model.layers.0.mlp.up_proj.weight : tensor<704x256xbf16>
  llama.weight @model.layers.0.mlp.down_proj.weight : tensor<256x704xbf16>
  // ...
  llama.weight @model.norm.weight : tensor<256xbf16>
  // ...
  func.func private @decode_layer(%arg0: tensor<8x1x256xf32>, %arg1: tensor<8xi32>, %arg2: tensor<8x512x2x64xbf16>, %arg3: tensor<8x512x2x64xbf16>, %arg4: tensor<256xbf16>, %arg5: tensor<256x256xbf16>, %arg6: tensor<128x256xbf16>, %arg7: tensor<128x256xbf16>, %arg8: tensor<256x256xbf16>, %arg9: tensor<256xbf16>, %arg10: tensor<704x256xbf16>, %arg11: tensor<704x256xbf16>, %arg12: tensor<256x704xbf16>) -> (tensor<8x1x256xf32>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>) {
    %0 = llama.rms_norm %arg0, %arg4 eps 9.99999974E-6 : tensor<8x1x256xf32>, tensor<256xbf16>
    %1 = llama.linear %0, %arg5 : (tensor<8x1x256xf32>, tensor<256x256xbf16>) -> tensor<8x1x256xf32>
    %2 = llama.linear %0, %arg6 : (tensor<8x1x256xf32>, tensor<128x256xbf16>) -> tensor<8x1x128xf32>
    %3 = llama.linear %0, %arg7 : (tensor<8x1x256xf32>, tensor<128x256xbf16>) -> tensor<8x1x128xf32>
    %4 = llama.rope %1 at %arg1 {head_dim = 64 : i64, rope = #llama.rope<theta = 1.000000e+04 : f64>} : tensor<8x1x256xf32>, tensor<8xi32>
    %5 = llama.rope %2 at %arg1 {head_dim = 64 : i64, rope = #llama.rope<theta = 1.000000e+04 : f64>} : tensor<8x1x128xf32>, tensor<8xi32>
    %new_key_cache, %new_value_cache = llama.kv_append %arg2, %arg3, %5, %3 at %arg1 : tensor<8x512x2x64xbf16>, tensor<8x1x128xf32>, tensor<8xi32>
    %6 = llama.attention %4, %new_key_cache, %new_value_cache at %arg1 : tensor<8x1x256xf32>, tensor<8x512x2x64xbf16>, tensor<8xi32>
    %7 = llama.linear %6, %arg8 : (tensor<8x1x256xf32>, tensor<256x256xbf16>) -> tensor<8x1x256xf32>
    %8 = llama.add %arg0, %7 : tensor<8x1x256xf32>
    %9 = llama.rms_norm %8, %arg9 eps 9.99999974E-6 : tensor<8x1x256xf32>, tensor<256xbf16>
    %10 = llama.linear %9, %arg10 : (tensor<8x1x256xf32>, tensor<704x256xbf16>) -> tensor<8x1x704xf32>
    %11 = llama.linear %9, %arg11 : (tensor<8x1x256xf32>, tensor<704x256xbf16>) -> tensor<8x1x704xf32>
    %12 = llama.silu %10 : tensor<8x1x704xf32>
    %13 = llama.mul %12, %11 : tensor<8x1x704xf32>
    %14 = llama.linear %13, %arg12 : (tensor<8x1x704xf32>, tensor<256x704xbf16>) -> tensor<8x1x256xf32>
    %15 = llama.add %8, %14 : tensor<8x1x256xf32>
    return %15, %new_key_cache, %new_value_cache : tensor<8x1x256xf32>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>
  }
  func.func @decode(%arg0: tensor<8x1xi32>, %arg1: tensor<8xi32>, %arg2: tensor<8x512x2x64xbf16>, %arg3: tensor<8x512x2x64xbf16>, %arg4: tensor<8x512x2x64xbf16>, %arg5: tensor<8x512x2x64xbf16>, %arg6: tensor<8x512x2x64xbf16>, %arg7: tensor<8x512x2x64xbf16>, %arg8: tensor<8x512x2x64xbf16>, %arg9: tensor<8x512x2x64xbf16>) -> (tensor<8xi32>, tensor<8x1x2048xf32>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>) {
    %0 = llama.get_weight @model.embed_tokens.weight : tensor<2048x256xbf16>
    %1 = llama.embed %arg0, %0 : (tensor<8x1xi32>, tensor<2048x256xbf16>) -> tensor<8x1x256xf32>
    %2 = llama.get_weight @model.layers.0.input_layernorm.weight : tensor<256xbf16>
    %3 = llama.get_weight @model.layers.0.self_attn.q_proj.weight : tensor<256x256xbf16>
    %4 = llama.get_weight @model.layers.0.self_attn.k_proj.weight : tensor<128x256xbf16>
    %5 = llama.get_weight @model.layers.0.self_attn.v_proj.weight : tensor<128x256xbf16>
    %6 = llama.get_weight @model.layers.0.self_attn.o_proj.weight : tensor<256x256xbf16>
    %7 = llama.get_weight @model.layers.0.post_attention_layernorm.weight : tensor<256xbf16>
    %8 = llama.get_weight @model.layers.0.mlp.gate_proj.weight : tensor<704x256xbf16>
    %9 = llama.get_weight @model.layers.0.mlp.up_proj.weight : tensor<704x256xbf16>
    %10 = llama.get_weight @model.layers.0.mlp.down_proj.weight : tensor<256x704xbf16>
    %11:3 = call @decode_layer(%1, %arg1, %arg2, %arg3, %2, %3, %4, %5, %6, %7, %8, %9, %10) : (tensor<8x1x256xf32>, tensor<8xi32>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>, tensor<256xbf16>, tensor<256x256xbf16>, tensor<128x256xbf16>, tensor<128x256xbf16>, tensor<256x256xbf16>, tensor<256xbf16>, tensor<704x256xbf16>, tensor<704x256xbf16>, tensor<256x704xbf16>) -> (tensor<8x1x256xf32>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>)
    // ...
    %42 = llama.get_weight @model.norm.weight : tensor<256xbf16>
    %43 = llama.rms_norm %41#0, %42 eps 9.99999974E-6 : tensor<8x1x256xf32>, tensor<256xbf16>
    %44 = llama.get_weight @model.embed_tokens.weight : tensor<2048x256xbf16>
    %45 = llama.lm_head %43, %44 : (tensor<8x1x256xf32>, tensor<2048x256xbf16>) -> tensor<8x1x2048xf32>
    %46 = llama.sample %45 pieces 2048 : (tensor<8x1x2048xf32>) -> tensor<8xi32>
    return %46, %45, %11#1, %11#2, %21#1, %21#2, %31#1, %31#2, %41#1, %41#2 : tensor<8xi32>, tensor<8x1x2048xf32>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>
  }
}
