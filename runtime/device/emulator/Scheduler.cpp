// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs a grid: blocks over host threads, warps of a block in turn.
#include "runtime/device/emulator/Scheduler.h"

#include "runtime/device/emulator/BlockStorage.h"
#include "runtime/device/emulator/Control.h"
#include "runtime/device/emulator/SourceLine.h"

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

/// What a turn or a round of turns came to.
enum class Outcome { Done, Progress, Stalled };

/// True when the split has changed nothing of its own since its last turn.
bool spins(Warp &warp, const Program &program) {
  Split &split = warp.split();
  size_t bytes = program.registerBytes + program.predicates * size_t(4);
  const char *registers = warp.base[0];
  bool same = split.snapshotPc == split.pc &&
              split.snapshotMask == split.mask &&
              split.snapshot.size() == bytes &&
              std::memcmp(split.snapshot.data(), registers, bytes) == 0;
  if (!same) {
    // Predicates lie right behind the registers (BlockStorage).
    split.snapshot.assign(registers, registers + bytes);
    split.snapshotPc = split.pc;
    split.snapshotMask = split.mask;
  }
  return same;
}

/// Runs the warp's splits until each has had a turn or cannot run.
Outcome runWarp(Warp &warp, const Program &program) {
  uint64_t before = warp.block->effects;
  warp.block->running = warp.index;
  bool moved = false;
  size_t turns = warp.splits.size() + 1;
  bool again = false;
  while (turns > 0) {
    if (again)
      loadSplit(warp);
    else if (!selectSplit(warp))
      break;
    if (!again)
      warp.budget = turnBudget;
    again = false;
    const Inst *pc = warp.split().pc;
    uint64_t count = 0;
    while (pc) {
      pc = pc->run(pc, warp, warp.mask);
      ++count;
    }
    warp.executed += count;
    if (warp.stop == Stop::Again) {
      again = true;
      continue;
    }
    if (warp.stop != Stop::Yield) {
      moved |= warp.stop == Stop::Gone;
      if (warp.done())
        return Outcome::Done;
      continue;
    }
    --turns;
    // Lanes that wait at a meeting point may be those that this loop waits for.
    bool released = releaseParked(warp);
    if (!spins(warp, program) || released)
      moved = true;
    if (warp.splits.size() == 1)
      break;
  }
  return moved || warp.block->effects != before ? Outcome::Progress
                                                : Outcome::Stalled;
}

bool hasReadySplit(const Warp &warp) {
  for (const Split &split : warp.splits)
    if (split.state == SplitState::Ready)
      return true;
  return false;
}

std::string lanes(uint32_t mask) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", mask);
  return text;
}

/// Who waits for what, of a block in which nobody can go on.
[[noreturn]] void reportDeadlock(const Block &block) {
  std::string message;
  const Inst *at = nullptr;
  unsigned listed = 0;
  for (const Warp &warp : block.warps)
    for (const Split &split : warp.splits) {
      // The lanes of one warp that miss each other at an aligned instruction.
      if (split.state == SplitState::Converge && !at)
        at = split.pc;
      if (++listed > 8)
        continue;
      message += std::string(message.empty() ? "" : "; ") + "warp " +
                 std::to_string(warp.index) + " lanes " + lanes(split.mask) +
                 " at line " + std::to_string(split.pc->line) + " wait ";
      if (split.state == SplitState::Barrier)
        message += "at barrier " + std::to_string(split.waitsAt);
      else if (split.state == SplitState::Mbarrier)
        message += "for the mbarrier at shared address " +
                   std::to_string(split.waitsAt);
      else if (split.state == SplitState::ClusterBarrier)
        message += "at the cluster's barrier";
      else
        message += "for lanes " + lanes(split.needed & ~split.mask) +
                   " at an aligned instruction";
    }
  if (listed > 8)
    message += "; and " + std::to_string(listed - 8) + " more";
  const Inst *place = at;
  for (const Warp &warp : block.warps)
    if (!place && !warp.splits.empty())
      place = warp.splits[0].pc;
  fault(place, -1,
        (at ? "aligned instruction with missing lanes: "
            : "deadlock: no thread of the block can go on: ") +
            message);
}

/// A warp whose lanes wait for each other and nobody else.
void checkConvergence(const Warp &warp, const Block &block) {
  bool waits = false;
  for (const Split &split : warp.splits) {
    if (split.state != SplitState::Converge)
      return;
    waits = true;
  }
  if (waits)
    reportDeadlock(block);
}

/// Rounds over the warps until the block ends or a whole round changes nothing.
Outcome runBlock(Block &block, Launch &launch) {
  bool progressed = false;
  for (;;) {
    if (launch.stop.load(std::memory_order_relaxed))
      return Outcome::Stalled;
    bool ready = false, moved = false;
    for (Warp &warp : block.warps) {
      if (warp.done() || !hasReadySplit(warp)) {
        if (!warp.done())
          checkConvergence(warp, block);
        continue;
      }
      ready = true;
      if (runWarp(warp, *launch.program) != Outcome::Stalled)
        moved = true;
    }
    if (block.liveWarps == 0)
      return Outcome::Done;
    if (!ready) {
      for (Warp &warp : block.warps)
        moved |= releaseParked(warp);
      // In a cluster, others may let it go on (GridWorker::step).
      if (!moved && block.cluster->blocks.size() == 1)
        reportDeadlock(block);
    }
    if (!moved)
      return progressed ? Outcome::Progress : Outcome::Stalled;
    progressed = true;
    if (launch.workers > 1)
      launch.progress.fetch_add(1, std::memory_order_relaxed);
    // The blocks of a cluster take turns.
    if (block.cluster->blocks.size() > 1)
      return Outcome::Progress;
  }
}

std::string sourceLine(const Program &program, uint32_t line) {
  size_t at = 0;
  for (uint32_t i = 1; i < line && at != std::string::npos; ++i) {
    at = program.text->find('\n', at);
    at = at == std::string::npos ? at : at + 1;
  }
  if (at == std::string::npos)
    return "";
  std::string text =
      program.text->substr(at, program.text->find('\n', at) - at);
  for (char &c : text)
    c = c == '\t' ? ' ' : c;
  size_t begin = text.find_first_not_of(' ');
  std::string source = findSource(*program.text, line);
  return (begin == std::string::npos ? "" : ": " + text.substr(begin)) +
         (source.empty() ? "" : " (of " + source + ")");
}

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
      bool moved = false;
      for (size_t i = 0; i < resident.size();) {
        Outcome outcome = step(*resident[i]);
        if (outcome == Outcome::Stalled) {
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
      if (resident.empty() || !moved)
        moved |= start(left);
      if (resident.empty() && !left)
        break;
      if (!moved && !waitForOthers(generation))
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
    resident.push_back(storage.start(launch, next / blocks));
    return true;
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
      bool ready = false, moved = false;
      for (Block *block : cluster.blocks) {
        if (block->liveWarps == 0)
          continue;
        waiting = block;
        moved |= step(*block) != Outcome::Stalled;
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
          reportDeadlock(*waiting);
        } catch (const Fault &fault) {
          report(*waiting, fault);
        }
      if (!moved)
        return progressed ? Outcome::Progress : Outcome::Stalled;
      progressed = true;
    }
  }

  void report(const Block &block, const Fault &fault) {
    const Warp *running = nullptr;
    for (const Warp &warp : block.warps)
      if (warp.index == storage.runningWarp(block))
        running = &warp;
    std::string place = "block (" + std::to_string(block.index.x) + "," +
                        std::to_string(block.index.y) + "," +
                        std::to_string(block.index.z) + ")";
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
    for (Cluster *cluster : resident)
      for (Block *block : cluster->blocks) {
        for (const Warp &warp : block->warps)
          if (!warp.splits.empty() && where.empty()) {
            const Inst *pc = warp.splits[0].pc;
            where = "block (" + std::to_string(block->index.x) + "," +
                    std::to_string(block->index.y) + "," +
                    std::to_string(block->index.z) + ") warp " +
                    std::to_string(warp.index) + " spins at " +
                    program.moduleName + ":" + std::to_string(pc->line) +
                    sourceLine(program, pc->line);
          }
      }
    uint64_t started = std::min(launch.nextBlock.load(), launch.blocks);
    launch.failure =
        "emulator: kernel '" + program.name +
        "': deadlock: every block waits for memory that nobody writes (" +
        std::to_string(launch.resident.load()) + " blocks resident, " +
        std::to_string(launch.blocks - started) + " of " +
        std::to_string(launch.blocks) + " not started, room for " +
        std::to_string(launch.residentLimit) + ")" +
        (where.empty() ? "" : "; " + where);
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
  launch.workers = static_cast<uint32_t>(
      std::min<uint64_t>(pool.size(), launch.blocks / launch.clusterBlocks));
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
