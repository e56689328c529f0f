// Where there are no bulk copies each thread copies its shares of 16 bytes.
// RUN: llama-opt %s --pass-pipeline='builtin.module(gpu.module(lower-tile-to-nvvm{gpu=rtx3090}))' -split-input-file -verify-diagnostics | FileCheck %s

gpu.module @kernels {
  // A group for each fill, wanted or not; three may be on their way while one
  // of four is waited for.
  // CHECK-LABEL: gpu.func @warp
  gpu.func @warp(%data: i32, %barriers: i32, %wanted: i1, %step: i32, %source: !llvm.ptr<1>) kernel {
    // CHECK-NOT: mbarrier
    %ring = tile.ring %data, %barriers : !tile.ring<4 x 2048 among warp>
    // CHECK: scf.if %{{.*}} {
    // CHECK-COUNT-4: nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16, cache = cg
    // CHECK-NOT: nvvm.cp.async.shared.global
    // CHECK: }
    // CHECK-NEXT: nvvm.cp.async.commit.group
    tile.ring_fill %ring[%step], %source if %wanted : !tile.ring<4 x 2048 among warp>, !llvm.ptr<1>
    // CHECK: nvvm.cp.async.wait.group 3
    // CHECK: nvvm.bar.warp.sync
    %stage = tile.ring_wait %ring[%step] : !tile.ring<4 x 2048 among warp>
    // CHECK: nvvm.bar.warp.sync
    tile.ring_release %ring : !tile.ring<4 x 2048 among warp>
    gpu.return
  }

  // 128 threads copy 2048 bytes at a time; half of them the last kilobyte.
  // CHECK-LABEL: gpu.func @block
  gpu.func @block(%data: i32, %barriers: i32, %wanted: i1, %step: i32, %source: !llvm.ptr<1>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %ring = tile.ring %data, %barriers : !tile.ring<1 x 8192 among block>
    // CHECK-COUNT-2: nvvm.cp.async.shared.global
    // CHECK: %[[KILOBYTE:.*]] = arith.constant 1024 : i32
    // CHECK: %[[REST:.*]] = arith.cmpi ult, %{{.*}}, %[[KILOBYTE]]
    // CHECK: scf.if %[[REST]]
    // CHECK: nvvm.cp.async.shared.global
    // CHECK: nvvm.cp.async.commit.group
    tile.ring_fill %ring[%step], %source if %wanted bytes 5120 : !tile.ring<1 x 8192 among block>, !llvm.ptr<1>
    // CHECK: nvvm.cp.async.wait.group 0
    // CHECK: nvvm.barrier0
    %stage = tile.ring_wait %ring[%step] : !tile.ring<1 x 8192 among block>
    gpu.return
  }

  // Nor do kernels start early there.
  // CHECK-LABEL: gpu.func @neighbours
  // CHECK-NOT: nvvm.griddepcontrol
  // CHECK: gpu.return
  gpu.func @neighbours() kernel {
    tile.start_next
    tile.await_previous
    gpu.return
  }

  // More than eight rounds are a loop of eight.
  // CHECK-LABEL: gpu.func @loop
  gpu.func @loop(%data: i32, %barriers: i32, %wanted: i1, %step: i32, %source: !llvm.ptr<1>) kernel {
    %ring = tile.ring %data, %barriers : !tile.ring<2 x 8192 among warp>
    // CHECK: scf.for
    // CHECK-COUNT-8: nvvm.cp.async.shared.global
    // CHECK-NOT: nvvm.cp.async.shared.global
    // CHECK: nvvm.cp.async.commit.group
    tile.ring_fill %ring[%step], %source if %wanted : !tile.ring<2 x 8192 among warp>, !llvm.ptr<1>
    gpu.return
  }
}

// -----

gpu.module @kernels {
  gpu.func @unknown_size(%ring: !tile.ring<2 x 8192 among block>, %wanted: i1, %step: i32, %source: !llvm.ptr<1>) kernel {
    // expected-error @+2 {{among a block needs a kernel that says its known_block_size}}
    // expected-error @+1 {{failed to legalize operation 'tile.ring_fill'}}
    tile.ring_fill %ring[%step], %source if %wanted : !tile.ring<2 x 8192 among block>, !llvm.ptr<1>
    gpu.return
  }
}
