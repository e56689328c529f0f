// `fuse`: five ops a layer.
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
    %query, %key, %value = llama.fused_qkv %arg0, %arg5, %arg6, %arg7 gamma %arg4 eps 9.99999974E-6 cache %arg2, %arg3 at %arg1 {rope = #llama.rope<theta = 1.000000e+04 : f64>} : (tensor<8x1x256xf32>, tensor<256x256xbf16>, tensor<128x256xbf16>, tensor<128x256xbf16>, tensor<256xbf16>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>, tensor<8xi32>) -> (tensor<8x1x256xf32>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>)
    %0 = llama.attention %query, %key, %value at %arg1 : tensor<8x1x256xf32>, tensor<8x512x2x64xbf16>, tensor<8xi32>
    %1 = llama.fused_linear %0, %arg8 residual %arg0 : (tensor<8x1x256xf32>, tensor<256x256xbf16>, tensor<8x1x256xf32>) -> tensor<8x1x256xf32>
    %2 = llama.fused_gate_up %1, %arg10, %arg11 gamma %arg9 eps 9.99999974E-6 : (tensor<8x1x256xf32>, tensor<704x256xbf16>, tensor<704x256xbf16>, tensor<256xbf16>) -> tensor<8x1x704xf32>
    %3 = llama.fused_linear %2, %arg12 residual %1 : (tensor<8x1x704xf32>, tensor<256x704xbf16>, tensor<8x1x256xf32>) -> tensor<8x1x256xf32>
    return %3, %key, %value : tensor<8x1x256xf32>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>
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
    %43 = llama.get_weight @model.embed_tokens.weight : tensor<2048x256xbf16>
    %44 = llama.lm_head %41#0, %43 gamma %42 eps 9.99999974E-6 : (tensor<8x1x256xf32>, tensor<2048x256xbf16>, tensor<256xbf16>) -> tensor<8x1x2048xf32>
    %45 = llama.sample %44 pieces 2048 : (tensor<8x1x2048xf32>) -> tensor<8xi32>
    return %45, %44, %11#1, %11#2, %21#1, %21#2, %31#1, %31#2, %41#1, %41#2 : tensor<8xi32>, tensor<8x1x2048xf32>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>
  }
}
