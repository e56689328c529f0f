// What a GPU row lacks is refused before the back end sees it.
// RUN: llama-opt %s --lower-check-gpu -split-input-file -verify-diagnostics
// RUN: not llama-opt %s --lower-check-gpu=gpu=abacus -split-input-file 2>&1 | FileCheck %s

// CHECK: there is no GPU row 'abacus'

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
