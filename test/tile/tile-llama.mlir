// A fused model of one layer: its packing plan, its kernels and its launches.
// RUN: llama-opt %s --tile-llama | FileCheck %s
// RUN: llama-opt %s --tile-llama --lower | FileCheck %s --check-prefix=LOWERED

// LOWERED: gpu.module @kernels
// LOWERED: llvm.func @embed
// LOWERED-SAME: nvvm.kernel
// LOWERED-NOT: gpu.func
// LOWERED: func.func @head

// CHECK: module attributes
// CHECK-SAME: tile.limits = {head_rows_max = 64 : i64, max_chunk = 128 : i64, page_bytes = 32768 : i64, weights_bytes = 166912 : i64}
// CHECK-SAME: tile.workspace = {
#rope = #llama.rope<theta = 1.0e+04 : f64>
module attributes {llama.model = #llama.model<hidden_size = 64, intermediate_size = 172, layers = 1,
    heads = 4, kv_heads = 2, head_dim = 16, vocab_size = 512, pieces = 500, max_seq_len = 128,
    max_batch = 8, rope = <theta = 1.0e+04 : f64>, rms_norm_eps = 1.0e-05 : f64, tied = true, storage = bf16>} {
  // CHECK: llama.weight @embed
  llama.weight @embed : tensor<512x64xbf16>
  llama.weight @n1 : tensor<64xbf16>
  llama.weight @q : tensor<64x64xbf16>
  llama.weight @k : tensor<32x64xbf16>
  llama.weight @v : tensor<32x64xbf16>
  llama.weight @o : tensor<64x64xbf16>
  llama.weight @n2 : tensor<64xbf16>
  llama.weight @g : tensor<172x64xbf16>
  llama.weight @u : tensor<172x64xbf16>
  llama.weight @d : tensor<64x172xbf16>
  llama.weight @norm : tensor<64xbf16>

  // The tied head has no stream of its own.
  // CHECK:      tile.stream @embedding rows(@embed) rows 512 k 64 of bf16 at 0
  // CHECK-NEXT: tile.stream @layers.0.input_norm vector(@n1) rows 1 k 64 of bf16 at 65536
  // CHECK-NEXT: tile.stream @layers.0.qkv rope_pairs(@q, @k, @v) rows 128 k 64 of bf16 at 66560 head_dim 16
  // CHECK-NEXT: tile.stream @layers.0.out_projection rows(@o) rows 64 k 64 of bf16 at 82944
  // CHECK-NEXT: tile.stream @layers.0.post_attention_norm vector(@n2) rows 1 k 64 of bf16 at 91136
  // CHECK-NEXT: tile.stream @layers.0.gate_up gate_up(@g, @u) rows 352 k 64 of bf16 at 92160
  // CHECK-NEXT: tile.stream @layers.0.down rows(@d) rows 64 k 172 of bf16 at {{[0-9]+}}
  // CHECK-NEXT: tile.stream @final_norm vector(@norm) rows 1 k 64 of bf16 at {{[0-9]+}}
  // CHECK-NOT: tile.stream

  // CHECK: gpu.module @kernels
  // CHECK: gpu.func @embed
  // CHECK: gpu.func @qkv_32
  // CHECK: gpu.func @attention_prefill
  // CHECK: gpu.func @out_projection_32
  // CHECK: gpu.func @gate_up_32
  // CHECK: gpu.func @down_32
  // CHECK: gpu.func @head_8
  // CHECK: gpu.func @qkv_8
  // CHECK: gpu.func @attention_split
  // Sequences of 128 tokens are one split: there is nothing to merge.
  // CHECK-NOT: @attention_merge
  // 500 logits are one block's: nothing is combined.
  // CHECK: gpu.func @argmax
  // CHECK: nvvm.redux.sync umax
  // CHECK: nvvm.redux.sync umin
  // CHECK-NOT: llvm.atomicrmw
  // CHECK: gpu.return

  func.func private @prefill_layer(%x: tensor<1x128x64xf32>, %p: tensor<1xi32>,
      %kc: tensor<1x128x2x16xbf16>, %vc: tensor<1x128x2x16xbf16>, %n1: tensor<64xbf16>,
      %wq: tensor<64x64xbf16>, %wk: tensor<32x64xbf16>, %wv: tensor<32x64xbf16>, %wo: tensor<64x64xbf16>,
      %n2: tensor<64xbf16>, %wg: tensor<172x64xbf16>, %wu: tensor<172x64xbf16>, %wd: tensor<64x172xbf16>)
      -> (tensor<1x128x64xf32>, tensor<1x128x2x16xbf16>, tensor<1x128x2x16xbf16>) {
    %q, %kc2, %vc2 = llama.fused_qkv %x, %wq, %wk, %wv gamma %n1 eps 1.0e-05 cache %kc, %vc at %p {rope = #rope}
      : (tensor<1x128x64xf32>, tensor<64x64xbf16>, tensor<32x64xbf16>, tensor<32x64xbf16>, tensor<64xbf16>,
         tensor<1x128x2x16xbf16>, tensor<1x128x2x16xbf16>, tensor<1xi32>)
      -> (tensor<1x128x64xf32>, tensor<1x128x2x16xbf16>, tensor<1x128x2x16xbf16>)
    %a = llama.attention %q, %kc2, %vc2 at %p : tensor<1x128x64xf32>, tensor<1x128x2x16xbf16>, tensor<1xi32>
    %x1 = llama.fused_linear %a, %wo residual %x
      : (tensor<1x128x64xf32>, tensor<64x64xbf16>, tensor<1x128x64xf32>) -> tensor<1x128x64xf32>
    %m = llama.fused_gate_up %x1, %wg, %wu gamma %n2 eps 1.0e-05
      : (tensor<1x128x64xf32>, tensor<172x64xbf16>, tensor<172x64xbf16>, tensor<64xbf16>) -> tensor<1x128x172xf32>
    %x2 = llama.fused_linear %m, %wd residual %x1
      : (tensor<1x128x172xf32>, tensor<64x172xbf16>, tensor<1x128x64xf32>) -> tensor<1x128x64xf32>
    return %x2, %kc2, %vc2 : tensor<1x128x64xf32>, tensor<1x128x2x16xbf16>, tensor<1x128x2x16xbf16>
  }
  func.func @prefill(%tokens: tensor<1x128xi32>, %p: tensor<1xi32>, %kc: tensor<1x128x2x16xbf16>, %vc: tensor<1x128x2x16xbf16>)
      -> tensor<1x128x512xf32> {
    %table = llama.get_weight @embed : tensor<512x64xbf16>
    %x = llama.embed %tokens, %table : (tensor<1x128xi32>, tensor<512x64xbf16>) -> tensor<1x128x64xf32>
    %n1 = llama.get_weight @n1 : tensor<64xbf16>
    %wq = llama.get_weight @q : tensor<64x64xbf16>
    %wk = llama.get_weight @k : tensor<32x64xbf16>
    %wv = llama.get_weight @v : tensor<32x64xbf16>
    %wo = llama.get_weight @o : tensor<64x64xbf16>
    %n2 = llama.get_weight @n2 : tensor<64xbf16>
    %wg = llama.get_weight @g : tensor<172x64xbf16>
    %wu = llama.get_weight @u : tensor<172x64xbf16>
    %wd = llama.get_weight @d : tensor<64x172xbf16>
    %y:3 = func.call @prefill_layer(%x, %p, %kc, %vc, %n1, %wq, %wk, %wv, %wo, %n2, %wg, %wu, %wd)
      : (tensor<1x128x64xf32>, tensor<1xi32>, tensor<1x128x2x16xbf16>, tensor<1x128x2x16xbf16>, tensor<64xbf16>,
         tensor<64x64xbf16>, tensor<32x64xbf16>, tensor<32x64xbf16>, tensor<64x64xbf16>, tensor<64xbf16>,
         tensor<172x64xbf16>, tensor<172x64xbf16>, tensor<64x172xbf16>)
      -> (tensor<1x128x64xf32>, tensor<1x128x2x16xbf16>, tensor<1x128x2x16xbf16>)
    %g = llama.get_weight @norm : tensor<64xbf16>
    %l = llama.lm_head %y#0, %table gamma %g eps 1.0e-05
      : (tensor<1x128x64xf32>, tensor<512x64xbf16>, tensor<64xbf16>) -> tensor<1x128x512xf32>
    return %l : tensor<1x128x512xf32>
  }
  // Without a layer function the ops stand in @decode itself.
  func.func @decode(%tokens: tensor<8x1xi32>, %p: tensor<8xi32>, %kc: tensor<8x128x2x16xbf16>, %vc: tensor<8x128x2x16xbf16>)
      -> tensor<8xi32> {
    %table = llama.get_weight @embed : tensor<512x64xbf16>
    %x = llama.embed %tokens, %table : (tensor<8x1xi32>, tensor<512x64xbf16>) -> tensor<8x1x64xf32>
    %n1 = llama.get_weight @n1 : tensor<64xbf16>
    %wq = llama.get_weight @q : tensor<64x64xbf16>
    %wk = llama.get_weight @k : tensor<32x64xbf16>
    %wv = llama.get_weight @v : tensor<32x64xbf16>
    %wo = llama.get_weight @o : tensor<64x64xbf16>
    %n2 = llama.get_weight @n2 : tensor<64xbf16>
    %wg = llama.get_weight @g : tensor<172x64xbf16>
    %wu = llama.get_weight @u : tensor<172x64xbf16>
    %wd = llama.get_weight @d : tensor<64x172xbf16>
    %q, %kc2, %vc2 = llama.fused_qkv %x, %wq, %wk, %wv gamma %n1 eps 1.0e-05 cache %kc, %vc at %p {rope = #rope}
      : (tensor<8x1x64xf32>, tensor<64x64xbf16>, tensor<32x64xbf16>, tensor<32x64xbf16>, tensor<64xbf16>,
         tensor<8x128x2x16xbf16>, tensor<8x128x2x16xbf16>, tensor<8xi32>)
      -> (tensor<8x1x64xf32>, tensor<8x128x2x16xbf16>, tensor<8x128x2x16xbf16>)
    %a = llama.attention %q, %kc2, %vc2 at %p : tensor<8x1x64xf32>, tensor<8x128x2x16xbf16>, tensor<8xi32>
    %x1 = llama.fused_linear %a, %wo residual %x
      : (tensor<8x1x64xf32>, tensor<64x64xbf16>, tensor<8x1x64xf32>) -> tensor<8x1x64xf32>
    %m = llama.fused_gate_up %x1, %wg, %wu gamma %n2 eps 1.0e-05
      : (tensor<8x1x64xf32>, tensor<172x64xbf16>, tensor<172x64xbf16>, tensor<64xbf16>) -> tensor<8x1x172xf32>
    %x2 = llama.fused_linear %m, %wd residual %x1
      : (tensor<8x1x172xf32>, tensor<64x172xbf16>, tensor<8x1x64xf32>) -> tensor<8x1x64xf32>
    %g = llama.get_weight @norm : tensor<64xbf16>
    %l = llama.lm_head %x2, %table gamma %g eps 1.0e-05
      : (tensor<8x1x64xf32>, tensor<512x64xbf16>, tensor<64xbf16>) -> tensor<8x1x512xf32>
    %next = llama.sample %l pieces 500 : (tensor<8x1x512xf32>) -> tensor<8xi32>
    return %next : tensor<8xi32>
  }
}

// CHECK-LABEL: func.func @head(
// CHECK-SAME: %[[W:.*]]: !llvm.ptr<1>, %[[S:.*]]: !llvm.ptr<1>, %[[KV:.*]]: !llvm.ptr<1>, %[[ROPE:.*]]: !llvm.ptr<1>, %[[TOKENS:.*]]: i32, %[[START:.*]]: i32, %[[ROWS:.*]]: i32, %[[SPLITS:.*]]: i32, %[[SEVERAL:.*]]: i32)
// CHECK: %[[GAMMA:.*]] = tile.place %[[W]]
// CHECK: %[[X:.*]] = tile.extent %[[ROWS]] * 1 per 8
// CHECK: %[[Y:.*]] = tile.extent * 8 per 1
// CHECK: gpu.launch_func @kernels::@head_8 blocks in (%[[X]], %[[Y]], %{{.*}}) {{.*}} args(%[[S]] : !llvm.ptr<1>, %[[GAMMA]] : !llvm.ptr<1>, %[[W]] : !llvm.ptr<1>, %{{.*}} : !llvm.ptr<1>, %[[START]] : i32, %[[ROWS]] : i32) {tile.programmatic}
// CHECK: %[[ROW:.*]] = tile.extent %[[ROWS]] * 1 per 1
// CHECK: %[[PARTS:.*]] = tile.extent * 1 per 1
// CHECK: gpu.launch_func @kernels::@argmax blocks in (%[[ROW]], %[[PARTS]], %{{.*}}) threads in (%c512{{.*}}) {{.*}} args(%{{.*}} : !llvm.ptr<1>, %{{.*}} : !llvm.ptr<1>, %{{.*}} : !llvm.ptr<1>)

// CHECK-LABEL: func.func @prefill(
// CHECK: gpu.launch_func @kernels::@embed{{.*}})
// CHECK: gpu.launch_func @kernels::@qkv_32{{.*}} {tile.layer = 0 : i64, tile.programmatic}
// CHECK: gpu.launch_func @kernels::@attention_prefill
// CHECK: gpu.launch_func @kernels::@out_projection_32
// CHECK: gpu.launch_func @kernels::@gate_up_32
// CHECK: gpu.launch_func @kernels::@down_32{{.*}} {tile.layer = 0 : i64, tile.programmatic}
// CHECK-NOT: gpu.launch_func

// CHECK-LABEL: func.func @decode(
// CHECK: gpu.launch_func @kernels::@embed
// CHECK: gpu.launch_func @kernels::@qkv_8
// CHECK: gpu.launch_func @kernels::@attention_split
// CHECK-NOT: @attention_merge
// CHECK: gpu.launch_func @kernels::@out_projection_8
// CHECK: gpu.launch_func @kernels::@gate_up_8
// CHECK: gpu.launch_func @kernels::@down_8
// CHECK-NOT: gpu.launch_func
