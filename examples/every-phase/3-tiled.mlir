// `tile`: weights become streams with a place, ops become kernels, functions become lists of launches.
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
    gpu.func @embed(%arg0: !llvm.ptr<1>, %arg1: !llvm.ptr<1> {llvm.noalias, llvm.readonly}, %arg2: !llvm.ptr<1>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
      tile.start_next
      tile.await_previous
      %0 = nvvm.read.ptx.sreg.ctaid.x : i32
      %c2_i32 = arith.constant 2 : i32
      %1 = arith.shli %0, %c2_i32 : i32
      %2 = arith.extui %1 : i32 to i64
      %3 = llvm.getelementptr %arg0[%2] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %4 = llvm.load %3 {alignment = 4 : i64} : !llvm.ptr<1> -> i32
      %c6_i32 = arith.constant 6 : i32
      %5 = arith.shrui %4, %c6_i32 : i32
      %6 = arith.extui %5 : i32 to i64
      %c32768_i64 = arith.constant 32768 : i64
      %7 = arith.muli %6, %c32768_i64 : i64
      %8 = llvm.getelementptr %arg1[%7] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %c63_i32 = arith.constant 63 : i32
      %9 = arith.andi %4, %c63_i32 : i32
      %c7_i32 = arith.constant 7 : i32
      %10 = arith.shli %9, %c7_i32 : i32
      %11 = arith.extui %10 : i32 to i64
      %12 = llvm.getelementptr %8[%11] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %13 = arith.extui %0 : i32 to i64
      %c1024_i64 = arith.constant 1024 : i64
      %14 = arith.muli %13, %c1024_i64 : i64
      %15 = llvm.getelementptr %arg2[%14] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %16 = nvvm.read.ptx.sreg.tid.x : i32
      %c32_i32 = arith.constant 32 : i32
      %c128_i32 = arith.constant 128 : i32
      scf.for %arg3 = %16 to %c32_i32 step %c128_i32  : i32 {
        %c7_i32_0 = arith.constant 7 : i32
        %17 = arith.andi %arg3, %c7_i32_0 : i32
        %c7_i32_1 = arith.constant 7 : i32
        %18 = arith.andi %4, %c7_i32_1 : i32
        %19 = arith.xori %17, %18 : i32
        %c3_i32 = arith.constant 3 : i32
        %20 = arith.shrui %arg3, %c3_i32 : i32
        %c8192_i32 = arith.constant 8192 : i32
        %21 = arith.muli %20, %c8192_i32 : i32
        %c4_i32 = arith.constant 4 : i32
        %22 = arith.shli %19, %c4_i32 : i32
        %23 = arith.addi %21, %22 : i32
        %24 = arith.extui %23 : i32 to i64
        %25 = llvm.getelementptr %12[%24] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
        %26 = llvm.load %25 {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xi32>
        %c0_i32 = arith.constant 0 : i32
        %27 = llvm.extractelement %26[%c0_i32 : i32] : vector<4xi32>
        %c16_i32 = arith.constant 16 : i32
        %28 = arith.shli %27, %c16_i32 : i32
        %29 = llvm.bitcast %28 : i32 to f32
        %c-65536_i32 = arith.constant -65536 : i32
        %30 = arith.andi %27, %c-65536_i32 : i32
        %31 = llvm.bitcast %30 : i32 to f32
        %c1_i32 = arith.constant 1 : i32
        %32 = llvm.extractelement %26[%c1_i32 : i32] : vector<4xi32>
        %c16_i32_2 = arith.constant 16 : i32
        %33 = arith.shli %32, %c16_i32_2 : i32
        %34 = llvm.bitcast %33 : i32 to f32
        %c-65536_i32_3 = arith.constant -65536 : i32
        %35 = arith.andi %32, %c-65536_i32_3 : i32
        %36 = llvm.bitcast %35 : i32 to f32
        %c2_i32_4 = arith.constant 2 : i32
        %37 = llvm.extractelement %26[%c2_i32_4 : i32] : vector<4xi32>
        %c16_i32_5 = arith.constant 16 : i32
        %38 = arith.shli %37, %c16_i32_5 : i32
        %39 = llvm.bitcast %38 : i32 to f32
        %c-65536_i32_6 = arith.constant -65536 : i32
        %40 = arith.andi %37, %c-65536_i32_6 : i32
        %41 = llvm.bitcast %40 : i32 to f32
        %c3_i32_7 = arith.constant 3 : i32
        %42 = llvm.extractelement %26[%c3_i32_7 : i32] : vector<4xi32>
        %c16_i32_8 = arith.constant 16 : i32
        %43 = arith.shli %42, %c16_i32_8 : i32
        %44 = llvm.bitcast %43 : i32 to f32
        %c-65536_i32_9 = arith.constant -65536 : i32
        %45 = arith.andi %42, %c-65536_i32_9 : i32
        %46 = llvm.bitcast %45 : i32 to f32
        %c32_i32_10 = arith.constant 32 : i32
        %47 = arith.muli %arg3, %c32_i32_10 : i32
        %48 = arith.extui %47 : i32 to i64
        %49 = llvm.getelementptr %15[%48] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
        %50 = llvm.mlir.poison : vector<4xf32>
        %c0_i32_11 = arith.constant 0 : i32
        %51 = llvm.insertelement %29, %50[%c0_i32_11 : i32] : vector<4xf32>
        %c1_i32_12 = arith.constant 1 : i32
        %52 = llvm.insertelement %31, %51[%c1_i32_12 : i32] : vector<4xf32>
        %c2_i32_13 = arith.constant 2 : i32
        %53 = llvm.insertelement %34, %52[%c2_i32_13 : i32] : vector<4xf32>
        %c3_i32_14 = arith.constant 3 : i32
        %54 = llvm.insertelement %36, %53[%c3_i32_14 : i32] : vector<4xf32>
        llvm.store %54, %49 {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
        %55 = llvm.mlir.poison : vector<4xf32>
        %c0_i32_15 = arith.constant 0 : i32
        %56 = llvm.insertelement %39, %55[%c0_i32_15 : i32] : vector<4xf32>
        %c1_i32_16 = arith.constant 1 : i32
        %57 = llvm.insertelement %41, %56[%c1_i32_16 : i32] : vector<4xf32>
        %c2_i32_17 = arith.constant 2 : i32
        %58 = llvm.insertelement %44, %57[%c2_i32_17 : i32] : vector<4xf32>
        %c3_i32_18 = arith.constant 3 : i32
        %59 = llvm.insertelement %46, %58[%c3_i32_18 : i32] : vector<4xf32>
        %c16_i64 = arith.constant 16 : i64
        %60 = llvm.getelementptr %49[%c16_i64] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
        llvm.store %59, %60 {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
      }
      gpu.return
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
