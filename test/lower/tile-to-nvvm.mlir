// Each tile op becomes its instructions; shared memory is one external array.
// RUN: llama-opt %s --pass-pipeline='builtin.module(gpu.module(lower-tile-to-nvvm))' | FileCheck %s

// CHECK: llvm.mlir.global external @smem() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>
gpu.module @kernels {
  // CHECK-LABEL: gpu.func @shared
  gpu.func @shared(%offset: i32) kernel {
    // CHECK: %[[BASE:.*]] = llvm.mlir.addressof @smem : !llvm.ptr<3>
    // CHECK: %[[A:.*]] = llvm.getelementptr %[[BASE]][%{{.*}}] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
    // CHECK: llvm.load %[[A]] {alignment = 4 : i64} : !llvm.ptr<3> -> f32
    %v = tile.shared_load %offset : f32
    %w = tile.shared_load %offset : vector<4xf32>
    // CHECK: llvm.store %{{.*}}, %{{.*}} {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<3>
    tile.shared_store %w, %offset : vector<4xf32>
    gpu.return
  }

  // CHECK-LABEL: gpu.func @neighbours
  gpu.func @neighbours() kernel {
    // CHECK: nvvm.griddepcontrol launch_dependents
    tile.start_next
    // CHECK-NEXT: nvvm.griddepcontrol wait
    tile.await_previous
    gpu.return
  }

  // By bulk copies: one lane of a warp orders them.
  // CHECK-LABEL: gpu.func @ring
  gpu.func @ring(%data: i32, %barriers: i32, %wanted: i1, %step: i32, %source: !llvm.ptr<1>) kernel {
    // CHECK: %[[LANE:.*]] = arith.andi
    // CHECK: %[[FIRST:.*]] = arith.cmpi eq, %[[LANE]]
    // CHECK: scf.if %[[FIRST]]
    // CHECK-COUNT-2: nvvm.mbarrier.init
    // CHECK: nvvm.fence.mbarrier.init
    // CHECK: nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
    %ring = tile.ring %data, %barriers : !tile.ring<2 x 2048 among warp>
    // CHECK: %[[ORDERS:.*]] = arith.andi %{{.*}}, %{{.*}} : i1
    // CHECK: scf.if %[[ORDERS]]
    // CHECK: %[[BYTES:.*]] = arith.constant 512 : i32
    // CHECK: nvvm.mbarrier.arrive.expect_tx %{{.*}}, %[[BYTES]]
    // CHECK: nvvm.cp.async.bulk.shared.cluster.global %{{.*}}, %{{.*}}, %{{.*}}, %[[BYTES]]
    tile.ring_fill %ring[%step], %source if %wanted bytes 512 : !tile.ring<2 x 2048 among warp>, !llvm.ptr<1>
    // CHECK: nvvm.mbarrier.try_wait.parity
    %stage = tile.ring_wait %ring[%step] : !tile.ring<2 x 2048 among warp>
    // CHECK: nvvm.bar.warp.sync
    tile.ring_release %ring : !tile.ring<2 x 2048 among warp>
    %shared = tile.ring %data, %barriers : !tile.ring<2 x 2048 among block>
    // CHECK: nvvm.barrier0
    tile.ring_release %shared : !tile.ring<2 x 2048 among block>
    gpu.return
  }

  // CHECK-LABEL: gpu.func @products
  gpu.func @products(%offset: i32, %c: vector<4xf32>, %x: vector<8xf32>) kernel {
    // CHECK: nvvm.ldmatrix %{{.*}} {{{.*}}layout = #nvvm.mma_layout<row>, num = 4
    %a = tile.load_matrices %offset : vector<4xi32>
    // CHECK: nvvm.ldmatrix %{{.*}} {{{.*}}layout = #nvvm.mma_layout<col>, num = 2
    %b = tile.load_matrices %offset transposed : vector<2xi32>
    // CHECK: nvvm.mma.sync {{.*}}multiplicandAPtxType = #nvvm.mma_type<bf16>
    %d = tile.product %a, %b, %c of bf16 : vector<4xi32>, vector<2xi32>
    // CHECK: nvvm.mma.sync {{.*}}shape = #nvvm.shape<m = 16, n = 8, k = 16>
    // CHECK-SAME: vector<2xf16>
    %e = tile.product %a, %b, %d of f16 : vector<4xi32>, vector<2xi32>
    // CHECK-COUNT-16: llvm.intr.fma
    // CHECK-NOT: llvm.intr.fma
    %f = tile.product %x, %x, %e of f32 : vector<8xf32>, vector<8xf32>
    tile.shared_store %f, %offset : vector<4xf32>
    gpu.return
  }

  // Two maxima over four lanes; a scale and two probabilities for each row.
  // CHECK-LABEL: gpu.func @softmax
  gpu.func @softmax(%s: vector<4xf32>, %m: vector<2xf32>, %l: vector<2xf32>, %offset: i32) kernel {
    // CHECK-COUNT-2: nvvm.shfl.sync bfly
    // CHECK-COUNT-3: "llvm.nvvm.ex2.approx.ftz"
    // CHECK-COUNT-2: nvvm.shfl.sync bfly
    // CHECK-COUNT-3: "llvm.nvvm.ex2.approx.ftz"
    // CHECK-NOT: tile.softmax_update
    %p, %scale, %m1, %l1 = tile.softmax_update %s max %m sum %l : vector<4xf32> -> vector<4xf32>
    tile.shared_store %p, %offset : vector<4xf32>
    gpu.return
  }
}
