// What tile makes of llama.attention: launches whose grid follows the step, and
// kernels that walk the pages through a ring. Values: AttentionTest.cpp.
// Input: llamac --emit=fused of one layer, 4 heads on 2 KV heads of 24 dims.
// RUN: llama-opt %s --tile-llama | FileCheck %s
// RUN: llama-opt %s --tile-llama | FileCheck %s --check-prefix=LAUNCH

// A stage is K and V of a page. Four warps share the ring.
// CHECK-LABEL: gpu.func @attention_prefill
// CHECK-SAME: known_block_size = array<i32: 128, 1, 1>
// CHECK: %[[RING:.*]] = tile.ring {{.*}} : !tile.ring<2 x 16384 among block>
// CHECK-COUNT-2: tile.ring_fill %[[RING]]
// CHECK: scf.for
// CHECK: tile.ring_wait %[[RING]]
// CHECK: tile.load_matrices
// CHECK: tile.product {{.*}} of bf16
// CHECK: tile.softmax_update
// CHECK: tile.load_matrices {{.*}} transposed
// CHECK: tile.product {{.*}} of bf16
// CHECK: tile.ring_release %[[RING]]
// CHECK: tile.ring_fill %[[RING]]
// CHECK: gpu.return

// One warp, and nothing at all for a split behind the sequence's end. The only
// split of a token divides and stores 16 bits, others store f32.
// CHECK-LABEL: gpu.func @attention_split
// CHECK-SAME: known_block_size = array<i32: 32, 1, 1>
// CHECK-NOT: tile.await_previous
// CHECK: %[[BEGUN:.*]] = arith.cmpi sle
// CHECK: arith.xori %[[BEGUN]]
// CHECK-NEXT: scf.if
// CHECK-NEXT: tile.await_previous
// CHECK-NEXT: }
// CHECK-NEXT: scf.if %[[BEGUN]]
// The token's own page, and the queries, are of the launch before.
// CHECK: %[[FRESH:.*]] = arith.divui %{{.*}}, %c64
// CHECK: %[[RING:.*]] = tile.ring {{.*}} : !tile.ring<2 x 16384 among warp>
// CHECK: %[[LATE:.*]] = arith.cmpi uge, %{{.*}}, %[[FRESH]]
// CHECK-NEXT: scf.if %[[LATE]]
// CHECK-NEXT: tile.await_previous
// CHECK: tile.ring_fill %[[RING]]
// CHECK: arith.cmpi uge, %{{.*}}, %[[FRESH]]
// CHECK-NEXT: scf.if
// CHECK-NEXT: tile.await_previous
// CHECK: tile.ring_fill %[[RING]]
// CHECK-NEXT: tile.await_previous
// CHECK: tile.ring_release %[[RING]]
// CHECK: %[[ONLY:.*]] = arith.cmpi ult, %{{.*}}, %c256
// CHECK: %[[SEVERAL:.*]] = arith.xori %[[ONLY]]
// CHECK: %[[STORED:.*]] = arith.andi %{{.*}}, %[[ONLY]]
// CHECK-NEXT: scf.if %[[STORED]]
// CHECK: arith.divf
// CHECK: llvm.store {{.*}} : i32, !llvm.ptr<1>
// CHECK: %[[KEPT:.*]] = arith.andi %{{.*}}, %[[SEVERAL]]
// CHECK-NEXT: scf.if %[[KEPT]]
// CHECK: llvm.store {{.*}} : vector<2xf32>, !llvm.ptr<1>
// CHECK: gpu.return

// CHECK-LABEL: gpu.func @attention_merge
// CHECK: arith.cmpi uge, %{{.*}}, %c256
// CHECK-NOT: tile.ring
// CHECK: gpu.return

// Two query heads to a row group: 64 rows are 32 tokens.
// LAUNCH-LABEL: func.func @prefill
// LAUNCH: %[[X:.*]] = tile.extent %arg4 * 2 per 64
// LAUNCH: %[[Y:.*]] = tile.extent * 2 per 1
// LAUNCH: gpu.launch_func  @kernels::@attention_prefill blocks in (%[[X]], %[[Y]], %{{.*}})

// LAUNCH-LABEL: func.func @decode
// LAUNCH: %[[Z:.*]] = tile.extent %arg7 * 1 per 1
// LAUNCH: gpu.launch_func  @kernels::@attention_split blocks in (%{{.*}}, %{{.*}}, %[[Z]])
// LAUNCH: %[[SEVERAL:.*]] = tile.extent %arg8 * 1 per 1
// LAUNCH: gpu.launch_func  @kernels::@attention_merge blocks in (%{{.*}}, %{{.*}}, %[[SEVERAL]])

module attributes {llama.model = #llama.model<hidden_size = 64, intermediate_size = 96, layers = 1, heads = 4, kv_heads = 2, head_dim = 24, vocab_size = 80, pieces = 80, max_seq_len = 512, max_batch = 2, rope = <theta = 1.000000e+04 : f64>, rms_norm_eps = 1.000000e-05 : f64, tied = true, storage = bf16>} {
  llama.weight @model.embed_tokens.weight : tensor<80x64xbf16>
  llama.weight @model.layers.0.input_layernorm.weight : tensor<64xbf16>
  llama.weight @model.layers.0.self_attn.q_proj.weight : tensor<96x64xbf16>
  llama.weight @model.layers.0.self_attn.k_proj.weight : tensor<48x64xbf16>
  llama.weight @model.layers.0.self_attn.v_proj.weight : tensor<48x64xbf16>
  llama.weight @model.layers.0.self_attn.o_proj.weight : tensor<64x96xbf16>
  llama.weight @model.layers.0.post_attention_layernorm.weight : tensor<64xbf16>
  llama.weight @model.layers.0.mlp.gate_proj.weight : tensor<96x64xbf16>
  llama.weight @model.layers.0.mlp.up_proj.weight : tensor<96x64xbf16>
  llama.weight @model.layers.0.mlp.down_proj.weight : tensor<64x96xbf16>
  llama.weight @model.norm.weight : tensor<64xbf16>
  func.func private @prefill_layer(%arg0: tensor<1x512x64xf32>, %arg1: tensor<1xi32>, %arg2: tensor<1x512x2x24xbf16>, %arg3: tensor<1x512x2x24xbf16>, %arg4: tensor<64xbf16>, %arg5: tensor<96x64xbf16>, %arg6: tensor<48x64xbf16>, %arg7: tensor<48x64xbf16>, %arg8: tensor<64x96xbf16>, %arg9: tensor<64xbf16>, %arg10: tensor<96x64xbf16>, %arg11: tensor<96x64xbf16>, %arg12: tensor<64x96xbf16>) -> (tensor<1x512x64xf32>, tensor<1x512x2x24xbf16>, tensor<1x512x2x24xbf16>) {
    %query, %key, %value = llama.fused_qkv %arg0, %arg5, %arg6, %arg7 gamma %arg4 eps 9.99999974E-6 cache %arg2, %arg3 at %arg1 {rope = #llama.rope<theta = 1.000000e+04 : f64>} : (tensor<1x512x64xf32>, tensor<96x64xbf16>, tensor<48x64xbf16>, tensor<48x64xbf16>, tensor<64xbf16>, tensor<1x512x2x24xbf16>, tensor<1x512x2x24xbf16>, tensor<1xi32>) -> (tensor<1x512x96xf32>, tensor<1x512x2x24xbf16>, tensor<1x512x2x24xbf16>)
    %0 = llama.attention %query, %key, %value at %arg1 : tensor<1x512x96xf32>, tensor<1x512x2x24xbf16>, tensor<1xi32>
    %1 = llama.fused_linear %0, %arg8 residual %arg0 : (tensor<1x512x96xf32>, tensor<64x96xbf16>, tensor<1x512x64xf32>) -> tensor<1x512x64xf32>
    %2 = llama.fused_gate_up %1, %arg10, %arg11 gamma %arg9 eps 9.99999974E-6 : (tensor<1x512x64xf32>, tensor<96x64xbf16>, tensor<96x64xbf16>, tensor<64xbf16>) -> tensor<1x512x96xf32>
    %3 = llama.fused_linear %2, %arg12 residual %1 : (tensor<1x512x96xf32>, tensor<64x96xbf16>, tensor<1x512x64xf32>) -> tensor<1x512x64xf32>
    return %3, %key, %value : tensor<1x512x64xf32>, tensor<1x512x2x24xbf16>, tensor<1x512x2x24xbf16>
  }
  func.func @prefill(%arg0: tensor<1x512xi32>, %arg1: tensor<1xi32>, %arg2: tensor<1x512x2x24xbf16>, %arg3: tensor<1x512x2x24xbf16>) -> (tensor<1x512x80xf32>, tensor<1x512x2x24xbf16>, tensor<1x512x2x24xbf16>) {
    %0 = llama.get_weight @model.embed_tokens.weight : tensor<80x64xbf16>
    %1 = llama.embed %arg0, %0 : (tensor<1x512xi32>, tensor<80x64xbf16>) -> tensor<1x512x64xf32>
    %2 = llama.get_weight @model.layers.0.input_layernorm.weight : tensor<64xbf16>
    %3 = llama.get_weight @model.layers.0.self_attn.q_proj.weight : tensor<96x64xbf16>
    %4 = llama.get_weight @model.layers.0.self_attn.k_proj.weight : tensor<48x64xbf16>
    %5 = llama.get_weight @model.layers.0.self_attn.v_proj.weight : tensor<48x64xbf16>
    %6 = llama.get_weight @model.layers.0.self_attn.o_proj.weight : tensor<64x96xbf16>
    %7 = llama.get_weight @model.layers.0.post_attention_layernorm.weight : tensor<64xbf16>
    %8 = llama.get_weight @model.layers.0.mlp.gate_proj.weight : tensor<96x64xbf16>
    %9 = llama.get_weight @model.layers.0.mlp.up_proj.weight : tensor<96x64xbf16>
    %10 = llama.get_weight @model.layers.0.mlp.down_proj.weight : tensor<64x96xbf16>
    %11:3 = call @prefill_layer(%1, %arg1, %arg2, %arg3, %2, %3, %4, %5, %6, %7, %8, %9, %10) : (tensor<1x512x64xf32>, tensor<1xi32>, tensor<1x512x2x24xbf16>, tensor<1x512x2x24xbf16>, tensor<64xbf16>, tensor<96x64xbf16>, tensor<48x64xbf16>, tensor<48x64xbf16>, tensor<64x96xbf16>, tensor<64xbf16>, tensor<96x64xbf16>, tensor<96x64xbf16>, tensor<64x96xbf16>) -> (tensor<1x512x64xf32>, tensor<1x512x2x24xbf16>, tensor<1x512x2x24xbf16>)
    %12 = llama.get_weight @model.norm.weight : tensor<64xbf16>
    %13 = llama.get_weight @model.embed_tokens.weight : tensor<80x64xbf16>
    %14 = llama.lm_head %11#0, %13 gamma %12 eps 9.99999974E-6 : (tensor<1x512x64xf32>, tensor<80x64xbf16>, tensor<64xbf16>) -> tensor<1x512x80xf32>
    return %14, %11#1, %11#2 : tensor<1x512x80xf32>, tensor<1x512x2x24xbf16>, tensor<1x512x2x24xbf16>
  }
  func.func private @decode_layer(%arg0: tensor<2x1x64xf32>, %arg1: tensor<2xi32>, %arg2: tensor<2x512x2x24xbf16>, %arg3: tensor<2x512x2x24xbf16>, %arg4: tensor<64xbf16>, %arg5: tensor<96x64xbf16>, %arg6: tensor<48x64xbf16>, %arg7: tensor<48x64xbf16>, %arg8: tensor<64x96xbf16>, %arg9: tensor<64xbf16>, %arg10: tensor<96x64xbf16>, %arg11: tensor<96x64xbf16>, %arg12: tensor<64x96xbf16>) -> (tensor<2x1x64xf32>, tensor<2x512x2x24xbf16>, tensor<2x512x2x24xbf16>) {
    %query, %key, %value = llama.fused_qkv %arg0, %arg5, %arg6, %arg7 gamma %arg4 eps 9.99999974E-6 cache %arg2, %arg3 at %arg1 {rope = #llama.rope<theta = 1.000000e+04 : f64>} : (tensor<2x1x64xf32>, tensor<96x64xbf16>, tensor<48x64xbf16>, tensor<48x64xbf16>, tensor<64xbf16>, tensor<2x512x2x24xbf16>, tensor<2x512x2x24xbf16>, tensor<2xi32>) -> (tensor<2x1x96xf32>, tensor<2x512x2x24xbf16>, tensor<2x512x2x24xbf16>)
    %0 = llama.attention %query, %key, %value at %arg1 : tensor<2x1x96xf32>, tensor<2x512x2x24xbf16>, tensor<2xi32>
    %1 = llama.fused_linear %0, %arg8 residual %arg0 : (tensor<2x1x96xf32>, tensor<64x96xbf16>, tensor<2x1x64xf32>) -> tensor<2x1x64xf32>
    %2 = llama.fused_gate_up %1, %arg10, %arg11 gamma %arg9 eps 9.99999974E-6 : (tensor<2x1x64xf32>, tensor<96x64xbf16>, tensor<96x64xbf16>, tensor<64xbf16>) -> tensor<2x1x96xf32>
    %3 = llama.fused_linear %2, %arg12 residual %1 : (tensor<2x1x96xf32>, tensor<64x96xbf16>, tensor<2x1x64xf32>) -> tensor<2x1x64xf32>
    return %3, %key, %value : tensor<2x1x64xf32>, tensor<2x512x2x24xbf16>, tensor<2x512x2x24xbf16>
  }
  func.func @decode(%arg0: tensor<2x1xi32>, %arg1: tensor<2xi32>, %arg2: tensor<2x512x2x24xbf16>, %arg3: tensor<2x512x2x24xbf16>) -> (tensor<2xi32>, tensor<2x1x80xf32>, tensor<2x512x2x24xbf16>, tensor<2x512x2x24xbf16>) {
    %0 = llama.get_weight @model.embed_tokens.weight : tensor<80x64xbf16>
    %1 = llama.embed %arg0, %0 : (tensor<2x1xi32>, tensor<80x64xbf16>) -> tensor<2x1x64xf32>
    %2 = llama.get_weight @model.layers.0.input_layernorm.weight : tensor<64xbf16>
    %3 = llama.get_weight @model.layers.0.self_attn.q_proj.weight : tensor<96x64xbf16>
    %4 = llama.get_weight @model.layers.0.self_attn.k_proj.weight : tensor<48x64xbf16>
    %5 = llama.get_weight @model.layers.0.self_attn.v_proj.weight : tensor<48x64xbf16>
    %6 = llama.get_weight @model.layers.0.self_attn.o_proj.weight : tensor<64x96xbf16>
    %7 = llama.get_weight @model.layers.0.post_attention_layernorm.weight : tensor<64xbf16>
    %8 = llama.get_weight @model.layers.0.mlp.gate_proj.weight : tensor<96x64xbf16>
    %9 = llama.get_weight @model.layers.0.mlp.up_proj.weight : tensor<96x64xbf16>
    %10 = llama.get_weight @model.layers.0.mlp.down_proj.weight : tensor<64x96xbf16>
    %11:3 = call @decode_layer(%1, %arg1, %arg2, %arg3, %2, %3, %4, %5, %6, %7, %8, %9, %10) : (tensor<2x1x64xf32>, tensor<2xi32>, tensor<2x512x2x24xbf16>, tensor<2x512x2x24xbf16>, tensor<64xbf16>, tensor<96x64xbf16>, tensor<48x64xbf16>, tensor<48x64xbf16>, tensor<64x96xbf16>, tensor<64xbf16>, tensor<96x64xbf16>, tensor<96x64xbf16>, tensor<64x96xbf16>) -> (tensor<2x1x64xf32>, tensor<2x512x2x24xbf16>, tensor<2x512x2x24xbf16>)
    %12 = llama.get_weight @model.norm.weight : tensor<64xbf16>
    %13 = llama.get_weight @model.embed_tokens.weight : tensor<80x64xbf16>
    %14 = llama.lm_head %11#0, %13 gamma %12 eps 9.99999974E-6 : (tensor<2x1x64xf32>, tensor<80x64xbf16>, tensor<64xbf16>) -> tensor<2x1x80xf32>
    %15 = llama.sample %14 pieces 80 : (tensor<2x1x80xf32>) -> tensor<2xi32>
    return %15, %14, %11#1, %11#2 : tensor<2xi32>, tensor<2x1x80xf32>, tensor<2x512x2x24xbf16>, tensor<2x512x2x24xbf16>
  }
}

