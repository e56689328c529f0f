// `llama-fuse-swiglu`: gate, up, silu and mul are one `llama.fused_gate_up`.
  func.func private @decode_layer(%arg0: tensor<8x1x256xf32>, %arg1: tensor<8xi32>, %arg2: tensor<8x512x2x64xbf16>, %arg3: tensor<8x512x2x64xbf16>, %arg4: tensor<256xbf16>, %arg5: tensor<256x256xbf16>, %arg6: tensor<128x256xbf16>, %arg7: tensor<128x256xbf16>, %arg8: tensor<256x256xbf16>, %arg9: tensor<256xbf16>, %arg10: tensor<704x256xbf16>, %arg11: tensor<704x256xbf16>, %arg12: tensor<256x704xbf16>) -> (tensor<8x1x256xf32>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>) {
    %0 = llama.rms_norm %arg0, %arg4 eps 9.99999974E-6 : tensor<8x1x256xf32>, tensor<256xbf16>
    %query, %key, %value = llama.fused_qkv %0, %arg5, %arg6, %arg7 : (tensor<8x1x256xf32>, tensor<256x256xbf16>, tensor<128x256xbf16>, tensor<128x256xbf16>) -> (tensor<8x1x256xf32>, tensor<8x1x128xf32>, tensor<8x1x128xf32>)
    %1 = llama.rope %query at %arg1 {head_dim = 64 : i64, rope = #llama.rope<theta = 1.000000e+04 : f64>} : tensor<8x1x256xf32>, tensor<8xi32>
    %2 = llama.rope %key at %arg1 {head_dim = 64 : i64, rope = #llama.rope<theta = 1.000000e+04 : f64>} : tensor<8x1x128xf32>, tensor<8xi32>
    %new_key_cache, %new_value_cache = llama.kv_append %arg2, %arg3, %2, %value at %arg1 : tensor<8x512x2x64xbf16>, tensor<8x1x128xf32>, tensor<8xi32>
    %3 = llama.attention %1, %new_key_cache, %new_value_cache at %arg1 : tensor<8x1x256xf32>, tensor<8x512x2x64xbf16>, tensor<8xi32>
    %4 = llama.linear %3, %arg8 : (tensor<8x1x256xf32>, tensor<256x256xbf16>) -> tensor<8x1x256xf32>
    %5 = llama.add %arg0, %4 : tensor<8x1x256xf32>
    %6 = llama.rms_norm %5, %arg9 eps 9.99999974E-6 : tensor<8x1x256xf32>, tensor<256xbf16>
    %7 = llama.fused_gate_up %6, %arg10, %arg11 : (tensor<8x1x256xf32>, tensor<704x256xbf16>, tensor<704x256xbf16>) -> tensor<8x1x704xf32>
    %8 = llama.linear %7, %arg12 : (tensor<8x1x704xf32>, tensor<256x704xbf16>) -> tensor<8x1x256xf32>
    %9 = llama.add %5, %8 : tensor<8x1x256xf32>
    return %9, %new_key_cache, %new_value_cache : tensor<8x1x256xf32>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>
  }
