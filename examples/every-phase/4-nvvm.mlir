// `lower`: only llvm and nvvm inside the gpu.module; the host functions stay as they were.
module attributes {gpu.container_module, llama.model = #llama.model<hidden_size = 256, intermediate_size = 704, layers = 4, heads = 4, kv_heads = 2, head_dim = 64, vocab_size = 2048, pieces = 2048, max_seq_len = 512, max_batch = 8, rope = <theta = 1.000000e+04 : f64>, rms_norm_eps = 1.000000e-05 : f64, tied = true, storage = bf16>, tile.limits = {head_rows_max = 64 : i64, max_chunk = 512 : i64, page_bytes = 131072 : i64, weights_bytes = 6956032 : i64}, tile.workspace = {block_table = 2382848 : i64, bytes = 2385920 : i64, logits = 1835008 : i64, next_token = 2383872 : i64, positions = 2378752 : i64, residual = 0 : i64, residual_stride = 256 : i64, slots = 2380800 : i64, tokens = 2376704 : i64}} {
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
  tile.stream @embedding rows(@model.embed_tokens.weight) rows 2048 k 256 of bf16 at 0
  tile.stream @layers.0.input_norm vector(@model.layers.0.input_layernorm.weight) rows 1 k 256 of bf16 at 1048576
  tile.stream @layers.0.qkv rope_pairs(@model.layers.0.self_attn.q_proj.weight, @model.layers.0.self_attn.k_proj.weight, @model.layers.0.self_attn.v_proj.weight) rows 512 k 256 of bf16 at 1049600 head_dim 64
  tile.stream @layers.0.out_projection rows(@model.layers.0.self_attn.o_proj.weight) rows 256 k 256 of bf16 at 1311744
  tile.stream @layers.0.post_attention_norm vector(@model.layers.0.post_attention_layernorm.weight) rows 1 k 256 of bf16 at 1442816
  tile.stream @layers.0.gate_up gate_up(@model.layers.0.mlp.gate_proj.weight, @model.layers.0.mlp.up_proj.weight) rows 1408 k 256 of bf16 at 1443840
  tile.stream @layers.0.down rows(@model.layers.0.mlp.down_proj.weight) rows 256 k 704 of bf16 at 2164736
  // ...
  tile.stream @final_norm vector(@model.norm.weight) rows 1 k 256 of bf16 at 6955008
  gpu.module @kernels {
    llvm.mlir.global external @smem() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>
    llvm.func @embed(%arg0: !llvm.ptr<1>, %arg1: !llvm.ptr<1> {llvm.noalias, llvm.readonly}, %arg2: !llvm.ptr<1>) attributes {gpu.kernel, gpu.known_block_size = array<i32: 128, 1, 1>, nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
      %0 = llvm.mlir.poison : vector<4xf32>
      %1 = llvm.mlir.constant(1 : i32) : i32
      %2 = llvm.mlir.constant(-65536 : i32) : i32
      %3 = llvm.mlir.constant(16 : i32) : i32
      %4 = llvm.mlir.constant(0 : i32) : i32
      %5 = llvm.mlir.constant(4 : i32) : i32
      %6 = llvm.mlir.constant(8192 : i32) : i32
      %7 = llvm.mlir.constant(3 : i32) : i32
      %8 = llvm.mlir.constant(128 : i32) : i32
      %9 = llvm.mlir.constant(32 : i32) : i32
      %10 = llvm.mlir.constant(1024 : i64) : i64
      %11 = llvm.mlir.constant(7 : i32) : i32
      %12 = llvm.mlir.constant(63 : i32) : i32
      %13 = llvm.mlir.constant(32768 : i64) : i64
      %14 = llvm.mlir.constant(6 : i32) : i32
      %15 = llvm.mlir.constant(2 : i32) : i32
      nvvm.griddepcontrol  launch_dependents
      nvvm.griddepcontrol  wait
      %16 = nvvm.read.ptx.sreg.ctaid.x : i32
      %17 = llvm.shl %16, %15 : i32
      %18 = llvm.zext %17 : i32 to i64
      %19 = llvm.getelementptr %arg0[%18] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %20 = llvm.load %19 {alignment = 4 : i64} : !llvm.ptr<1> -> i32
      %21 = llvm.lshr %20, %14 : i32
      %22 = llvm.zext %21 : i32 to i64
      %23 = llvm.mul %22, %13 : i64
      %24 = llvm.getelementptr %arg1[%23] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %25 = llvm.and %20, %12 : i32
      %26 = llvm.shl %25, %11 : i32
      %27 = llvm.zext %26 : i32 to i64
      %28 = llvm.getelementptr %24[%27] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %29 = llvm.zext %16 : i32 to i64
      %30 = llvm.mul %29, %10 : i64
      %31 = llvm.getelementptr %arg2[%30] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %32 = nvvm.read.ptx.sreg.tid.x : i32
      llvm.br ^bb1(%32 : i32)
    ^bb1(%33: i32):  // 2 preds: ^bb0, ^bb2
      %34 = llvm.icmp "slt" %33, %9 : i32
      llvm.cond_br %34, ^bb2, ^bb3
    ^bb2:  // pred: ^bb1
      %35 = llvm.and %33, %11 : i32
      %36 = llvm.and %20, %11 : i32
      %37 = llvm.xor %35, %36 : i32
      %38 = llvm.lshr %33, %7 : i32
      %39 = llvm.mul %38, %6 : i32
      %40 = llvm.shl %37, %5 : i32
      %41 = llvm.add %39, %40 : i32
      %42 = llvm.zext %41 : i32 to i64
      %43 = llvm.getelementptr %28[%42] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %44 = llvm.load %43 {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xi32>
      %45 = llvm.extractelement %44[%4 : i32] : vector<4xi32>
      %46 = llvm.shl %45, %3 : i32
      %47 = llvm.bitcast %46 : i32 to f32
      %48 = llvm.and %45, %2 : i32
      %49 = llvm.bitcast %48 : i32 to f32
      %50 = llvm.extractelement %44[%1 : i32] : vector<4xi32>
      %51 = llvm.shl %50, %3 : i32
      %52 = llvm.bitcast %51 : i32 to f32
      %53 = llvm.and %50, %2 : i32
      %54 = llvm.bitcast %53 : i32 to f32
      %55 = llvm.extractelement %44[%15 : i32] : vector<4xi32>
      %56 = llvm.shl %55, %3 : i32
      %57 = llvm.bitcast %56 : i32 to f32
      %58 = llvm.and %55, %2 : i32
      %59 = llvm.bitcast %58 : i32 to f32
      %60 = llvm.extractelement %44[%7 : i32] : vector<4xi32>
      %61 = llvm.shl %60, %3 : i32
      %62 = llvm.bitcast %61 : i32 to f32
      %63 = llvm.and %60, %2 : i32
      %64 = llvm.bitcast %63 : i32 to f32
      %65 = llvm.mul %33, %9 : i32
      %66 = llvm.zext %65 : i32 to i64
      %67 = llvm.getelementptr %31[%66] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %68 = llvm.insertelement %47, %0[%4 : i32] : vector<4xf32>
      %69 = llvm.insertelement %49, %68[%1 : i32] : vector<4xf32>
      %70 = llvm.insertelement %52, %69[%15 : i32] : vector<4xf32>
      %71 = llvm.insertelement %54, %70[%7 : i32] : vector<4xf32>
      llvm.store %71, %67 {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
      %72 = llvm.insertelement %57, %0[%4 : i32] : vector<4xf32>
      %73 = llvm.insertelement %59, %72[%1 : i32] : vector<4xf32>
      %74 = llvm.insertelement %62, %73[%15 : i32] : vector<4xf32>
      %75 = llvm.insertelement %64, %74[%7 : i32] : vector<4xf32>
      %76 = llvm.getelementptr %67[16] : (!llvm.ptr<1>) -> !llvm.ptr<1>, i8
      llvm.store %75, %76 {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
      %77 = llvm.add %33, %8 : i32
      llvm.br ^bb1(%77 : i32)
    ^bb3:  // pred: ^bb1
      llvm.return
    }
    // ...
  }
  // ...
  func.func @decode(%arg0: !llvm.ptr<1>, %arg1: !llvm.ptr<1>, %arg2: !llvm.ptr<1>, %arg3: !llvm.ptr<1>, %arg4: i32, %arg5: i32, %arg6: i32, %arg7: i32, %arg8: i32) {
    %0 = tile.extent %arg4 * 1 per 1
    %1 = tile.extent * 1 per 1
    %2 = tile.extent * 1 per 1
    %3 = tile.place %arg1[2376704] : !llvm.ptr<1>
    %c0_i32 = arith.constant 0 : i32
    %c128 = arith.constant 128 : index
    %c1 = arith.constant 1 : index
    %c1_0 = arith.constant 1 : index
    gpu.launch_func  @kernels::@embed blocks in (%0, %1, %2) threads in (%c128, %c1, %c1_0)  dynamic_shared_memory_size %c0_i32 args(%3 : !llvm.ptr<1>, %arg0 : !llvm.ptr<1>, %arg1 : !llvm.ptr<1>)
    %4 = tile.place %arg0[1048576] : !llvm.ptr<1>
    %5 = tile.place %arg0[1049600] : !llvm.ptr<1>
    %6 = tile.place %arg1[589824] : !llvm.ptr<1>
    %7 = tile.place %arg1[2378752] : !llvm.ptr<1>
    %8 = tile.place %arg1[2380800] : !llvm.ptr<1>
    %9 = tile.place %arg1[2382848] : !llvm.ptr<1>
    %10 = tile.extent %arg4 * 1 per 8
    %11 = tile.extent * 8 per 1
    %12 = tile.extent * 1 per 1
    %c65792_i32 = arith.constant 65792 : i32
    %c128_1 = arith.constant 128 : index
    %c1_2 = arith.constant 1 : index
    %c1_3 = arith.constant 1 : index
    gpu.launch_func  @kernels::@qkv_8 blocks in (%10, %11, %12) threads in (%c128_1, %c1_2, %c1_3)  dynamic_shared_memory_size %c65792_i32 args(%arg1 : !llvm.ptr<1>, %4 : !llvm.ptr<1>, %5 : !llvm.ptr<1>, %arg3 : !llvm.ptr<1>, %6 : !llvm.ptr<1>, %arg2 : !llvm.ptr<1>, %7 : !llvm.ptr<1>, %8 : !llvm.ptr<1>, %9 : !llvm.ptr<1>, %arg4 : i32) {tile.layer = 0 : i64, tile.programmatic}
    %13 = tile.place %arg1[589824] : !llvm.ptr<1>
    %14 = tile.place %arg1[2378752] : !llvm.ptr<1>
    %15 = tile.place %arg1[2380800] : !llvm.ptr<1>
    %16 = tile.place %arg1[2382848] : !llvm.ptr<1>
    %17 = tile.place %arg1[851968] : !llvm.ptr<1>
    %18 = tile.place %arg1[2359296] : !llvm.ptr<1>
    %19 = tile.extent %arg4 * 1 per 1
    %20 = tile.extent * 2 per 1
    %21 = tile.extent %arg7 * 1 per 1
    %c32784_i32 = arith.constant 32784 : i32
    %c32 = arith.constant 32 : index
    %c1_4 = arith.constant 1 : index
    %c1_5 = arith.constant 1 : index
    gpu.launch_func  @kernels::@attention_split blocks in (%19, %20, %21) threads in (%c32, %c1_4, %c1_5)  dynamic_shared_memory_size %c32784_i32 args(%13 : !llvm.ptr<1>, %arg2 : !llvm.ptr<1>, %14 : !llvm.ptr<1>, %15 : !llvm.ptr<1>, %16 : !llvm.ptr<1>, %18 : !llvm.ptr<1>, %17 : !llvm.ptr<1>) {tile.layer = 0 : i64, tile.programmatic}
    %22 = tile.extent %arg4 * 1 per 1
    %23 = tile.extent * 256 per 256
    %24 = tile.extent %arg8 * 1 per 1
    %c0_i32_6 = arith.constant 0 : i32
    %c128_7 = arith.constant 128 : index
    %c1_8 = arith.constant 1 : index
    %c1_9 = arith.constant 1 : index
    gpu.launch_func  @kernels::@attention_merge blocks in (%22, %23, %24) threads in (%c128_7, %c1_8, %c1_9)  dynamic_shared_memory_size %c0_i32_6 args(%18 : !llvm.ptr<1>, %14 : !llvm.ptr<1>, %17 : !llvm.ptr<1>) {tile.layer = 0 : i64, tile.programmatic}
    %25 = tile.place %arg1[851968] : !llvm.ptr<1>
    %26 = tile.place %arg0[1311744] : !llvm.ptr<1>
    %27 = tile.extent %arg4 * 1 per 8
    %28 = tile.extent * 4 per 1
    %29 = tile.extent * 1 per 1
    %c65792_i32_10 = arith.constant 65792 : i32
    %c128_11 = arith.constant 128 : index
    %c1_12 = arith.constant 1 : index
    %c1_13 = arith.constant 1 : index
    gpu.launch_func  @kernels::@out_projection_8 blocks in (%27, %28, %29) threads in (%c128_11, %c1_12, %c1_13)  dynamic_shared_memory_size %c65792_i32_10 args(%25 : !llvm.ptr<1>, %26 : !llvm.ptr<1>, %arg1 : !llvm.ptr<1>, %arg4 : i32) {tile.layer = 0 : i64, tile.programmatic}
    %30 = tile.place %arg0[1442816] : !llvm.ptr<1>
    %31 = tile.place %arg0[1443840] : !llvm.ptr<1>
    %32 = tile.place %arg1[1114112] : !llvm.ptr<1>
    %33 = tile.extent %arg4 * 1 per 8
    %34 = tile.extent * 22 per 1
    %35 = tile.extent * 1 per 1
    %c65792_i32_14 = arith.constant 65792 : i32
    %c128_15 = arith.constant 128 : index
    %c1_16 = arith.constant 1 : index
    %c1_17 = arith.constant 1 : index
    gpu.launch_func  @kernels::@gate_up_8 blocks in (%33, %34, %35) threads in (%c128_15, %c1_16, %c1_17)  dynamic_shared_memory_size %c65792_i32_14 args(%arg1 : !llvm.ptr<1>, %30 : !llvm.ptr<1>, %31 : !llvm.ptr<1>, %32 : !llvm.ptr<1>, %arg4 : i32) {tile.layer = 0 : i64, tile.programmatic}
    %36 = tile.place %arg1[1114112] : !llvm.ptr<1>
    %37 = tile.place %arg0[2164736] : !llvm.ptr<1>
    %38 = tile.extent %arg4 * 1 per 8
    %39 = tile.extent * 8 per 1
    %40 = tile.extent * 1 per 1
    %c33024_i32 = arith.constant 33024 : i32
    %c128_18 = arith.constant 128 : index
    %c1_19 = arith.constant 1 : index
    %c1_20 = arith.constant 1 : index
    gpu.launch_func  @kernels::@down_8 blocks in (%38, %39, %40) threads in (%c128_18, %c1_19, %c1_20)  dynamic_shared_memory_size %c33024_i32 args(%36 : !llvm.ptr<1>, %37 : !llvm.ptr<1>, %arg1 : !llvm.ptr<1>, %arg4 : i32) {tile.layer = 0 : i64, tile.programmatic}
    // ...
    return
  }
}
