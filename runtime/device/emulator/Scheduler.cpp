// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs a grid: blocks over host threads, warps of a block in turn.
#include "runtime/device/emulator/Scheduler.h"
#include "runtime/device/emulator/AsyncOperations.h"
#include "runtime/device/emulator/BlockRunner.h"
#include "runtime/device/emulator/BlockStorage.h"
#include "runtime/device/emulator/Control.h"
#include "runtime/device/emulator/Deadlock.h"
#include "runtime/device/emulator/check/CheckKind.h"

using namespace llrt;
using namespace llrt::emu;

ThreadPool::ThreadPool(unsigned count) {
  for (unsigned i = 1; i < count; ++i)
    threads.emplace_back([this, i] { work(i); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> guard(lock);
    ending = true;
  }
  wake.notify_all();
  for (std::thread &thread : threads)
    thread.join();
}

void ThreadPool::work(unsigned index) {
  uint64_t seen = 0;
  std::unique_lock<std::mutex> guard(lock);
  for (;;) {
    wake.wait(guard,
              [&] { return ending || (generation != seen && index < wanted); });
    if (ending)
      return;
    seen = generation;
    const std::function<void(unsigned)> *mine = task;
    guard.unlock();
    (*mine)(index);
    guard.lock();
    if (--running == 0)
      done.notify_all();
  }
}

void ThreadPool::run(unsigned count,
                     const std::function<void(unsigned)> &each) {
  if (count > 1) {
    std::lock_guard<std::mutex> guard(lock);
    task = &each;
    wanted = count;
    running = count - 1;
    ++generation;
    wake.notify_all();
  }
  each(0);
  if (count > 1) {
    std::unique_lock<std::mutex> guard(lock);
    done.wait(guard, [&] { return running == 0; });
    wanted = 0;
  }
}

namespace {

class GridWorker {
public:
  GridWorker(Launch &launch, WorkerStorage &storage,
             std::vector<std::atomic<uint64_t>> &stalledAt, unsigned index)
      : launch(launch), storage(storage), stalledAt(stalledAt), index(index) {
    storage.prepare(launch);
  }

  void run() {
    for (;;) {
      uint64_t generation = launch.progress.load();
      bool moved = false, idle = false;
      shuffle();
      for (size_t i = 0; i < resident.size();) {
        Outcome outcome = step(*resident[i]);
        if (outcome == Outcome::Stalled || outcome == Outcome::Idle) {
          idle |= outcome == Outcome::Idle;
          ++i;
          continue;
        }
        moved = true;
        if (outcome != Outcome::Done) {
          ++i;
          continue;
        }
        launch.executed.fetch_add(storage.finish(resident[i]));
        resident.erase(resident.begin() + static_cast<long>(i));
        launch.resident.fetch_sub(launch.clusterBlocks);
        launch.progress.fetch_add(1);
      }
      if (launch.stop.load())
        break;
      // One that waits for others: let them start.
      bool left = false;
      if (resident.empty() || !moved || startsEarly())
        moved |= start(left);
      if (resident.empty() && !left)
        break;
      if (!moved && idle)
        std::this_thread::yield();
      else if (!moved && !waitForOthers(generation))
        break;
    }
    for (Cluster *cluster : resident)
      launch.executed.fetch_add(storage.finish(cluster));
    stalledAt[index].store(~uint64_t(0));
  }

private:
  Launch &launch;
  WorkerStorage &storage;
  std::vector<std::atomic<uint64_t>> &stalledAt;
  unsigned index;
  std::vector<Cluster *> resident;

  /// Takes the next cluster if the chip has room. `left`: there is one.
  bool start(bool &left) {
    if (launch.nextBlock.load() >= launch.blocks)
      return false;
    left = true;
    uint64_t blocks = launch.clusterBlocks;
    if (launch.resident.fetch_add(blocks) + blocks > launch.residentLimit) {
      launch.resident.fetch_sub(blocks);
      return false;
    }
    uint64_t next = launch.nextBlock.fetch_add(blocks);
    if (next >= launch.blocks) {
      launch.resident.fetch_sub(blocks);
      left = false;
      return false;
    }
    uint64_t number = next / blocks;
    resident.push_back(storage.start(
        launch, launch.permutation ? (*launch.permutation)(number) : number));
    return true;
  }

  /// With a schedule: blocks in an order that changes, and more of them at once
  /// than need be.
  void shuffle() {
    if (Schedule *schedule = launch.schedule)
      for (size_t i = resident.size(); i > 1; --i)
        std::swap(resident[i - 1],
                  resident[schedule->below(static_cast<uint32_t>(i))]);
  }
  bool startsEarly() const {
    return launch.schedule && launch.nextBlock.load() < launch.blocks &&
           resident.size() < 16 && launch.schedule->oneIn(2);
  }

  Outcome step(Block &block) {
    try {
      return runBlock(block, launch);
    } catch (const Fault &fault) {
      report(block, fault);
      return Outcome::Stalled;
    }
  }

  /// Rounds over the blocks of a cluster, as runBlock does over warps.
  Outcome step(Cluster &cluster) {
    if (cluster.blocks.size() == 1)
      return step(*cluster.blocks[0]);
    bool progressed = false;
    for (;;) {
      Block *waiting = nullptr;
      bool ready = false, moved = false, idle = false;
      for (Block *block : cluster.blocks) {
        if (block->liveWarps == 0)
          continue;
        waiting = block;
        Outcome outcome = step(*block);
        moved |= outcome == Outcome::Done || outcome == Outcome::Progress;
        idle |= outcome == Outcome::Idle;
        if (launch.stop.load(std::memory_order_relaxed))
          return Outcome::Stalled;
      }
      if (!waiting)
        return Outcome::Done;
      for (Block *block : cluster.blocks)
        for (const Warp &warp : block->warps)
          ready |= hasReadySplit(warp);
      if (!moved && !ready)
        try {
          reportDeadlock(*waiting, launch);
        } catch (const Fault &fault) {
          report(*waiting, fault);
        }
      if (!moved)
        return idle         ? Outcome::Idle
               : progressed ? Outcome::Progress
                            : Outcome::Stalled;
      progressed = true;
    }
  }

  void report(const Block &block, const Fault &fault) {
    const Warp *running = nullptr;
    for (const Warp &warp : block.warps)
      if (warp.index == storage.runningWarp(block))
        running = &warp;
    std::string place = "block " + blockName(block);
    if (fault.lane >= 0 && running) {
      uint32_t thread = running->index * 32 + static_cast<uint32_t>(fault.lane);
      const Dim3 &size = launch.shape.block;
      place += ", thread (" + std::to_string(thread % size.x) + "," +
               std::to_string(thread / size.x % size.y) + "," +
               std::to_string(thread / size.x / size.y) + ")";
    }
    const Program &program = *launch.program;
    std::string message =
        "emulator: kernel '" + program.name + "', " + place + ", " +
        program.moduleName + ":" + std::to_string(fault.line) +
        sourceLine(program, fault.line) + ": " + fault.message;
    std::lock_guard<std::mutex> guard(launch.faultLock);
    if (!launch.failed || block.linear < launch.failedBlock) {
      launch.failed = true;
      launch.failedBlock = block.linear;
      launch.failure = message;
    }
    launch.stop.store(true);
  }

  /// This worker has made no way since `generation`. False: nobody can.
  bool waitForOthers(uint64_t generation) {
    if (launch.progress.load() != generation)
      return true;
    stalledAt[index].store(generation + 1);
    // One that only waits for room leaves the report to one that has blocks.
    bool all = !resident.empty();
    for (std::atomic<uint64_t> &other : stalledAt) {
      uint64_t value = other.load();
      all &= value == generation + 1 || value == ~uint64_t(0);
    }
    if (all && launch.progress.load() == generation) {
      deadlock();
      return false;
    }
    std::this_thread::yield();
    return true;
  }

  void deadlock() {
    std::lock_guard<std::mutex> guard(launch.faultLock);
    if (launch.failed)
      return;
    launch.failed = true;
    const Program &program = *launch.program;
    std::string where;
    unsigned listed = 0;
    const Inst *first = nullptr;
    for (Cluster *cluster : resident)
      for (Block *block : cluster->blocks) {
        listWaiting(*block, launch, where, listed);
        for (const Warp &warp : block->warps)
          if (!warp.splits.empty() && !first)
            first = warp.splits[0].pc;
      }
    where += moreWaiting(listed);
    if (first)
      where += "; " + program.moduleName + ":" + std::to_string(first->line) +
               sourceLine(program, first->line);
    uint64_t started = std::min(launch.nextBlock.load(), launch.blocks);
    launch.failure =
        "emulator: kernel '" + program.name +
        "': deadlock: every block waits for memory that nobody writes (" +
        std::to_string(launch.resident.load()) + " blocks resident, " +
        std::to_string(launch.blocks - started) + " of " +
        std::to_string(launch.blocks) + " not started, room for " +
        std::to_string(launch.residentLimit) + ")" +
        (where.empty() ? "" : "; " + where) + " [" +
        nameOf(CheckKind::Deadlock) + "]";
    launch.stop.store(true);
  }
};

} // namespace

Scheduler::Scheduler(unsigned threads) : pool(threads) {
  for (unsigned i = 0; i < pool.size(); ++i)
    storage.push_back(std::make_unique<WorkerStorage>());
}

Scheduler::~Scheduler() = default;

Error Scheduler::run(Launch &launch, uint64_t &executed) {
  launch.workers =
      launch.schedule ? 1
                      : static_cast<uint32_t>(std::min<uint64_t>(
                            pool.size(), launch.blocks / launch.clusterBlocks));
  std::vector<std::atomic<uint64_t>> stalledAt(launch.workers);
  for (std::atomic<uint64_t> &each : stalledAt)
    each.store(0);
  pool.run(launch.workers, [&](unsigned index) {
    GridWorker(launch, *storage[index], stalledAt, index).run();
  });
  executed += launch.executed.load();
  if (launch.failed)
    return Error(launch.failure);
  return Error::success();
}
