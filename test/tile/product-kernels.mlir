// What a product kernel is made of: each warp its own ring, the norm beside the
// product, one sum of four at the end. Values: ProductTest.cpp.
// RUN: llama-opt %S/tile-llama.mlir --tile-llama | FileCheck %s

// 64 rows and 8 tokens a block: four row groups share each operand.
// CHECK-LABEL: gpu.func @head_8
// CHECK-SAME: %[[X:.*]]: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1> {llvm.noalias, llvm.readonly}, %[[W:.*]]: !llvm.ptr<1> {llvm.noalias, llvm.readonly}
// CHECK-SAME: known_block_size = array<i32: 128, 1, 1>
// CHECK-NEXT: tile.start_next
// CHECK: %[[RING:.*]] = tile.ring {{.*}} : !tile.ring<2 x 8192 among warp>
// CHECK: nvvm.bar.warp.sync
// CHECK-COUNT-2: tile.ring_fill %[[RING]]
// The weights are on their way before the kernel before has ended.
// CHECK: tile.await_previous
// CHECK: scf.for
// CHECK:   tile.ring_fill %[[RING]]
// CHECK:   %[[STAGE:.*]] = tile.ring_wait %[[RING]]
// A step of 16 elements: four loads of weights, gamma, x, one rounding of both
// halves, four products.
// CHECK-COUNT-4: tile.load_matrices
// CHECK-COUNT-2: llvm.nvvm.ff2bf16x2.rn
// CHECK-COUNT-4: tile.product {{.*}} of bf16
// CHECK:   tile.ring_release %[[RING]]
// CHECK:   scf.yield
// CHECK: nvvm.barrier0
// CHECK: scf.for
// CHECK-COUNT-4: tile.shared_load %{{.*}} : vector<4xf32>
// CHECK: llvm.nvvm.rsqrt.approx.f
// CHECK: gpu.return
