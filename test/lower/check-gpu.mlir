// What a GPU row lacks is refused before the back end sees it.
// RUN: llama-opt %s --lower-check-gpu -split-input-file -verify-diagnostics
// RUN: not llama-opt %s --lower-check-gpu=gpu=a100-40g -split-input-file 2>&1 | FileCheck %s --check-prefix=A100
// RUN: not llama-opt %s --lower-check-gpu=gpu=rtx5090 -split-input-file 2>&1 | FileCheck %s --check-prefix=RTX
// RUN: not llama-opt %s --lower-check-gpu=gpu=abacus -split-input-file 2>&1 | FileCheck %s

// CHECK: there is no GPU row 'abacus'
// A100: takes 232448 bytes of shared memory; a100-40g has at most 166912
// A100: nvvm.cp.async.bulk.shared.cluster.global' op needs bulk copies, which a100-40g lacks
// A100: nvvm.mbarrier.try_wait.parity' op needs waiting at an mbarrier, which a100-40g lacks
// A100: nvvm.wgmma.fence.aligned' op needs products of warpgroups, which a100-40g lacks
// A100: gpu.launch_func' op needs clusters, which a100-40g lacks
// A100: nvvm.griddepcontrol' op needs launches before the end of the kernel before, which a100-40g lacks
// A100: gpu.launch_func' op starts before the end of the kernel before, which a100-40g has no way to
// RTX: takes 232448 bytes of shared memory; rtx5090 has at most 101376
// RTX-NOT: bulk copies
// RTX: nvvm.wgmma.fence.aligned' op needs products of warpgroups, which rtx5090 lacks

module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @k() kernel {
      gpu.return
    }
  }
  func.func @legal() {
    %one = arith.constant 1 : index
    %threads = arith.constant 128 : index
    %shared = arith.constant 232448 : i32
    gpu.launch_func @kernels::@k blocks in (%one, %one, %one) threads in (%threads, %one, %one)
      dynamic_shared_memory_size %shared
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @k() kernel {
      gpu.return
    }
  }
  func.func @threads() {
    %one = arith.constant 1 : index
    %threads = arith.constant 1025 : index
    // expected-error @+1 {{has 1025 threads a block; h200 has at most 1024}}
    gpu.launch_func @kernels::@k blocks in (%one, %one, %one) threads in (%threads, %one, %one)
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @k() kernel {
      gpu.return
    }
  }
  func.func @shared() {
    %one = arith.constant 1 : index
    %shared = arith.constant 232449 : i32
    // expected-error @+1 {{takes 232449 bytes of shared memory; h200 has at most 232448}}
    gpu.launch_func @kernels::@k blocks in (%one, %one, %one) threads in (%one, %one, %one)
      dynamic_shared_memory_size %shared
    return
  }
}

// -----

gpu.module @bulk {
  gpu.func @k(%to: !llvm.ptr<7>, %from: !llvm.ptr<1>, %barrier: !llvm.ptr<3>, %bytes: i32) kernel {
    nvvm.cp.async.bulk.shared.cluster.global %to, %from, %barrier, %bytes : !llvm.ptr<7>, !llvm.ptr<1>
    gpu.return
  }
}

// -----

gpu.module @wait {
  gpu.func @k(%barrier: !llvm.ptr<3>, %n: i32) kernel {
    nvvm.mbarrier.try_wait.parity %barrier, %n, %n : !llvm.ptr<3>, i32, i32
    gpu.return
  }
}

// -----

gpu.module @products {
  gpu.func @k() kernel {
    nvvm.wgmma.fence.aligned
    gpu.return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @k() kernel {
      gpu.return
    }
  }
  func.func @cluster() {
    %one = arith.constant 1 : index
    gpu.launch_func @kernels::@k clusters in (%one, %one, %one) blocks in (%one, %one, %one)
      threads in (%one, %one, %one)
    return
  }
}

// -----

gpu.module @early {
  gpu.func @k() kernel {
    nvvm.griddepcontrol wait
    gpu.return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @k() kernel {
      gpu.return
    }
  }
  func.func @early_launch() {
    %one = arith.constant 1 : index
    gpu.launch_func @kernels::@k blocks in (%one, %one, %one) threads in (%one, %one, %one) {tile.programmatic}
    return
  }
}
