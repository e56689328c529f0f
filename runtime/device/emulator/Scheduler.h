// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs a grid: blocks over host threads, warps of a block in turn.
//
// A worker runs one block until it ends or can make no way by itself (its
// warps poll global memory); then it starts another block, as long as the
// chip's resident limit allows, and rotates. Blocks of a grid that exchange
// nothing are thus run one after the other with everything in the cache.
//
// Deadlock: a block all of whose warps wait for barriers or mbarriers can only
// be released from inside, so that is reported at once. Polling warps are
// stuck when a whole turn read the same words with the same values, and either
// left the registers as they were or was one of thousands; when all are, and
// nothing in the grid writes anything, that is reported too.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_SCHEDULER_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_SCHEDULER_H

#include "runtime/device/emulator/Program.h"
#include "runtime/device/emulator/Schedule.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace llrt::emu {

struct Launch {
  const Program *program = nullptr;
  const Memory *memory = nullptr;
  Observer *observer = nullptr;
  LaunchShape shape;
  std::vector<char> parameters;
  uint32_t sharedBytes = 0; ///< static and dynamic
  uint32_t multiprocessors = 1;
  uint64_t workspace = 0; ///< of a cooperative grid
  uint64_t blocks = 1;
  uint64_t clusterBlocks = 1;   ///< of one cluster
  uint64_t residentLimit = 1;   ///< blocks
  Schedule *schedule = nullptr; ///< null: plain rotation, all host threads
  std::optional<Permutation> permutation; ///< of the clusters' order

  std::atomic<uint64_t> nextBlock{0};
  std::atomic<uint64_t> resident{0};
  std::atomic<uint64_t> progress{
      0}; ///< bumped by every turn that changed something
  std::atomic<uint32_t> stalled{0}; ///< workers that can make no way
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> executed{0};
  uint32_t workers = 1;
  std::mutex faultLock;
  bool failed = false;
  uint64_t failedBlock = ~uint64_t(0);
  std::string failure;
};

/// Host threads that stay for the life of the device.
class ThreadPool {
public:
  explicit ThreadPool(unsigned threads);
  ~ThreadPool();
  unsigned size() const { return static_cast<unsigned>(threads.size()) + 1; }
  /// Runs task(0) .. task(count-1) at once, task(0) on the caller.
  void run(unsigned count, const std::function<void(unsigned)> &task);

private:
  void work(unsigned index);
  std::vector<std::thread> threads;
  std::mutex lock;
  std::condition_variable wake, done;
  const std::function<void(unsigned)> *task = nullptr;
  unsigned wanted = 0, running = 0;
  uint64_t generation = 0;
  bool ending = false;
};

/// What a worker keeps from launch to launch: room for warps and shared memory.
class WorkerStorage;

class Scheduler {
public:
  explicit Scheduler(unsigned threads);
  ~Scheduler();
  /// The message of the fault, or success. Adds the executed instructions.
  Error run(Launch &launch, uint64_t &executed);

private:
  ThreadPool pool;
  std::vector<std::unique_ptr<WorkerStorage>> storage;
};

} // namespace llrt::emu

#endif
