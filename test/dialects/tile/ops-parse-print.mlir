// Every tile op as its description writes it.
// RUN: llama-opt %s --verify-roundtrip | FileCheck %s

// CHECK: tile.stream @layer0.qkv rope_pairs(@q, @k, @v) rows 512 k 256 of bf16 at 0 head_dim 64
tile.stream @layer0.qkv rope_pairs(@q, @k, @v) rows 512 k 256 of bf16 at 0 head_dim 64
// CHECK: tile.stream @layer0.gate_up gate_up(@g, @u) rows 352 k 256 of f16 at 1024
tile.stream @layer0.gate_up gate_up(@g, @u) rows 352 k 256 of f16 at 1024
// CHECK: tile.stream @table rows(@t) rows 100 k 172 of f32 at 2048
tile.stream @table rows(@t) rows 100 k 172 of f32 at 2048
// CHECK: tile.stream @gamma vector(@n) rows 1 k 172 of bf16 at 4096
tile.stream @gamma vector(@n) rows 1 k 172 of bf16 at 4096

// CHECK-LABEL: func.func @host
func.func @host(%weights: !llvm.ptr<1>, %tokens: i32) {
  // CHECK: tile.place %{{.*}}[1048576] : !llvm.ptr<1>
  %w = tile.place %weights[1048576] : !llvm.ptr<1>
  // CHECK: tile.extent %{{.*}} * 1 per 32
  %y = tile.extent %tokens * 1 per 32
  // CHECK: tile.extent * 4 per 1
  %x = tile.extent * 4 per 1
  return
}

// CHECK-LABEL: func.func @ring
func.func @ring(%data: i32, %barriers: i32, %wanted: i1, %step: i32, %source: !llvm.ptr<1>) -> i32 {
  // CHECK: tile.start_next
  tile.start_next
  // CHECK: tile.await_previous
  tile.await_previous
  // CHECK: %[[R:.*]] = tile.ring %{{.*}}, %{{.*}} : !tile.ring<4 x 8192 among warp>
  %ring = tile.ring %data, %barriers : !tile.ring<4 x 8192 among warp>
  // CHECK: tile.ring_fill %[[R]][%{{.*}}], %{{.*}} if %{{.*}} : !tile.ring<4 x 8192 among warp>, !llvm.ptr<1>
  tile.ring_fill %ring[%step], %source if %wanted : !tile.ring<4 x 8192 among warp>, !llvm.ptr<1>
  // CHECK: tile.ring_fill %[[R]][%{{.*}}], %{{.*}} if %{{.*}} bytes 64 : !tile.ring<4 x 8192 among warp>, !llvm.ptr<1>
  tile.ring_fill %ring[%step], %source if %wanted bytes 64 : !tile.ring<4 x 8192 among warp>, !llvm.ptr<1>
  // CHECK: tile.ring_wait %[[R]][%{{.*}}] : !tile.ring<4 x 8192 among warp>
  %stage = tile.ring_wait %ring[%step] : !tile.ring<4 x 8192 among warp>
  // CHECK: tile.ring_release %[[R]] : !tile.ring<4 x 8192 among warp>
  tile.ring_release %ring : !tile.ring<4 x 8192 among warp>
  // CHECK: tile.ring %{{.*}}, %{{.*}} : !tile.ring<2 x 64 among block>
  %shared = tile.ring %data, %barriers : !tile.ring<2 x 64 among block>
  return %stage : i32
}

// CHECK-LABEL: func.func @products
func.func @products(%offset: i32, %c: vector<4xf32>, %x: vector<8xf32>, %m: vector<2xf32>, %l: vector<2xf32>) {
  // CHECK: tile.load_matrices %{{.*}} : vector<4xi32>
  %a = tile.load_matrices %offset : vector<4xi32>
  // CHECK: tile.load_matrices %{{.*}} transposed : vector<2xi32>
  %b = tile.load_matrices %offset transposed : vector<2xi32>
  // CHECK: tile.product %{{.*}}, %{{.*}}, %{{.*}} of bf16 : vector<4xi32>, vector<2xi32>
  %d = tile.product %a, %b, %c of bf16 : vector<4xi32>, vector<2xi32>
  // CHECK: tile.product %{{.*}}, %{{.*}}, %{{.*}} of f32 : vector<8xf32>, vector<8xf32>
  %f = tile.product %x, %x, %c of f32 : vector<8xf32>, vector<8xf32>
  // CHECK: tile.softmax_update %{{.*}}, %{{.*}} max %{{.*}} sum %{{.*}} : vector<4xf32>, vector<4xf32> -> vector<4xf32>, vector<4xf32>
  %p:2, %scale, %m1, %l1 = tile.softmax_update %d, %f max %m sum %l : vector<4xf32>, vector<4xf32> -> vector<4xf32>, vector<4xf32>
  // CHECK: tile.shared_store %{{.*}}, %{{.*}} : vector<4xf32>
  tile.shared_store %p#0, %offset : vector<4xf32>
  // CHECK: tile.shared_load %{{.*}} : f32
  %v = tile.shared_load %offset : f32
  return
}
