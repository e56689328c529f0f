// `llama-fuse-residual`: each `llama.add` is the `residual` of the product before it.
  func.func private @decode_layer(%arg0: tensor<8x1x256xf32>, %arg1: tensor<8xi32>, %arg2: tensor<8x512x2x64xbf16>, %arg3: tensor<8x512x2x64xbf16>, %arg4: tensor<256xbf16>, %arg5: tensor<256x256xbf16>, %arg6: tensor<128x256xbf16>, %arg7: tensor<128x256xbf16>, %arg8: tensor<256x256xbf16>, %arg9: tensor<256xbf16>, %arg10: tensor<704x256xbf16>, %arg11: tensor<704x256xbf16>, %arg12: tensor<256x704xbf16>) -> (tensor<8x1x256xf32>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>) {
    %query, %key, %value = llama.fused_qkv %arg0, %arg5, %arg6, %arg7 gamma %arg4 eps 9.99999974E-6 cache %arg2, %arg3 at %arg1 {rope = #llama.rope<theta = 1.000000e+04 : f64>} : (tensor<8x1x256xf32>, tensor<256x256xbf16>, tensor<128x256xbf16>, tensor<128x256xbf16>, tensor<256xbf16>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>, tensor<8xi32>) -> (tensor<8x1x256xf32>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>)
    %0 = llama.attention %query, %key, %value at %arg1 : tensor<8x1x256xf32>, tensor<8x512x2x64xbf16>, tensor<8xi32>
    %1 = llama.fused_linear %0, %arg8 residual %arg0 : (tensor<8x1x256xf32>, tensor<256x256xbf16>, tensor<8x1x256xf32>) -> tensor<8x1x256xf32>
    %2 = llama.fused_gate_up %1, %arg10, %arg11 gamma %arg9 eps 9.99999974E-6 : (tensor<8x1x256xf32>, tensor<704x256xbf16>, tensor<704x256xbf16>, tensor<256xbf16>) -> tensor<8x1x704xf32>
    %3 = llama.fused_linear %2, %arg12 residual %1 : (tensor<8x1x704xf32>, tensor<256x704xbf16>, tensor<8x1x256xf32>) -> tensor<8x1x256xf32>
    return %3, %key, %value : tensor<8x1x256xf32>, tensor<8x512x2x64xbf16>, tensor<8x512x2x64xbf16>
  }
