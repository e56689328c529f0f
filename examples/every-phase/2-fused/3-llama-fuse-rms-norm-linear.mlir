// `llama-fuse-rms-norm-linear`: each `llama.rms_norm` is an operand, `gamma`, of the op behind it.
  func.func private @decode_layer(%arg0: tensor<8x1x256xf32>, %arg1: tensor<8xi32>, %arg2: tensor<8x512x2x64xbf16>, %arg3: tensor<8x512x2x64xbf16>, %arg4: tensor<256xbf16>, %arg5: tensor<256x256xbf16>, %arg6: tensor<128x256xbf16>, %arg7: tensor<128x256xbf16>, %arg8: tensor<256x256xbf16>, %arg9: tensor<256xbf16>, %arg10: tensor<704x256xbf16>, %arg11: tensor<704x256xbf16>, %arg12: tensor<256x704xbf16>) -> (tensor<8x1x256xf32>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>) {
    %query, %key, %value = llama.fused_qkv %arg0, %arg5, %arg6, %arg7 gamma %arg4 eps 9.99999974E-6 : (tensor<8x1x256xf32>, tensor<256x256xbf16>, tensor<128x256xbf16>, tensor<128x256xbf16>, tensor<256xbf16>) -> (tensor<8x1x256xf32>, tensor<8x1x128xf32>, tensor<8x1x128xf32>)
    %0 = llama.rope %query at %arg1 {head_dim = 64 : i64, rope = #llama.rope<theta = 1.000000e+04 : f64>} : tensor<8x1x256xf32>, tensor<8xi32>
    %1 = llama.rope %key at %arg1 {head_dim = 64 : i64, rope = #llama.rope<theta = 1.000000e+04 : f64>} : tensor<8x1x128xf32>, tensor<8xi32>
    %new_key_cache, %new_value_cache = llama.kv_append %arg2, %arg3, %1, %value at %arg1 : tensor<8x512x2x64xbf16>, tensor<8x1x128xf32>, tensor<8xi32>
    %2 = llama.attention %0, %new_key_cache, %new_value_cache at %arg1 : tensor<8x1x256xf32>, tensor<8x512x2x64xbf16>, tensor<8xi32>
    %3 = llama.linear %2, %arg8 : (tensor<8x1x256xf32>, tensor<256x256xbf16>) -> tensor<8x1x256xf32>
    %4 = llama.add %arg0, %3 : tensor<8x1x256xf32>
    %5 = llama.fused_gate_up %4, %arg10, %arg11 gamma %arg9 eps 9.99999974E-6 : (tensor<8x1x256xf32>, tensor<704x256xbf16>, tensor<704x256xbf16>, tensor<256xbf16>) -> tensor<8x1x704xf32>
    %6 = llama.linear %5, %arg12 : (tensor<8x1x704xf32>, tensor<256x704xbf16>) -> tensor<8x1x256xf32>
    %7 = llama.add %4, %6 : tensor<8x1x256xf32>
    return %7, %new_key_cache, %new_value_cache : tensor<8x1x256xf32>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>
  }
