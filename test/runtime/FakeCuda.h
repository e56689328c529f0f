// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A libcuda.so.1 without a GPU behind it: keeps a log of the calls, checks what
// the driver would refuse, holds "device" memory on the host and runs the toy
// model's kernels in C++. It shows that the calls are right, not that a GPU
// runs.
#ifndef LLAMAC_TEST_RUNTIME_FAKECUDA_H
#define LLAMAC_TEST_RUNTIME_FAKECUDA_H

#include <cstdint>
#include <string>
#include <vector>

struct FakeCuda {
  // What it pretends to be. Also from the environment, for whole executables:
  // FAKE_CUDA_VERSION, FAKE_CUDA_COUNT, FAKE_CUDA_SM, FAKE_CUDA_INIT,
  // FAKE_CUDA_NAME, FAKE_CUDA_MULTIPROCESSORS, FAKE_CUDA_MEMORY (bytes).
  int initStatus = 0, version = 13000, count = 1, major = 9, minor = 0;
  std::string moduleLog;        ///< not empty: the assembler refuses with this
  uint64_t memory = 1ull << 32; ///< bytes of the device
  int multiprocessors = 132;
  std::string name = "Fake H200";
  bool pinnedMemory = true;

  std::vector<std::string> log; ///< "cuMemAlloc 4096"
  std::string
      misuse; ///< the first call that the driver would refuse, or a leak
  uint64_t inUse = 0;
  int liveStreams = 0, liveEvents = 0, liveModules = 0, livePinned = 0,
      liveGraphs = 0;
};

/// The state, exported by the library.
using FakeCudaState = FakeCuda *();
#define FAKE_CUDA_STATE "fakeCudaState"

#endif
