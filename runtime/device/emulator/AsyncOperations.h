// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Asynchronous operations: cp.async, bulk copies and reductions, st.async,
// wgmma. Each is issued, then reads its source, then writes its target, then
// tells an mbarrier or its group.
//
// Without a schedule all of that happens at the issue, which is one of the
// legal times. With one, each operation draws what happens early; the rest
// waits for the last legal moment: the wait_group that asks for it, or, for an
// mbarrier, the moment at which no warp of the block can go on without it (and
// now and then a moment before). A stage that is reused too early, a source
// that is overwritten, a flag that overtakes the data it promises then change
// the result. Waits never block: what they ask for is done then and there.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_ASYNCOPERATIONS_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_ASYNCOPERATIONS_H

#include "runtime/device/emulator/Machine.h"
#include "runtime/device/emulator/Schedule.h"

#include <deque>
#include <functional>

namespace llrt::emu {

/// What a thread waits for, and who owns it.
enum class AsyncQueue : uint8_t {
  Copy,      ///< cp.async groups of a thread
  BulkGroup, ///< cp.async.bulk groups of a thread
  Wgmma,     ///< wgmma groups of a warp; carried out in order
  Mbarrier   ///< a transaction: of no group
};

struct AsyncOperation {
  uint64_t id = 0; ///< from 1, in a block
  const Inst *inst = nullptr;
  Warp *warp = nullptr;
  int lane = 0;
  uint64_t group = 0;
  /// Carried out after all that its thread issued before it.
  bool ordered = false;
  const char *source = nullptr; ///< null once it has been read
  uint32_t bytes = 0;
  std::vector<char> staged;
  std::function<void(const char *)> write; ///< empty once it has been written
  std::function<void()> signal;
};

/// What has been issued in a block and is not over.
class AsyncOperations {
public:
  explicit AsyncOperations(Schedule &schedule) : schedule(schedule) {}

  void issue(AsyncQueue queue, AsyncOperation operation);
  void commit(AsyncQueue queue, uint32_t owner);
  /// All but the last `left` committed groups of an owner are over; `read`:
  /// only their sources have been read.
  void wait(AsyncQueue queue, uint32_t owner, uint64_t left, bool read);
  /// Nobody can go on: one of them is carried out. False: there is none.
  bool completeOne();
  /// A turn has ended: now and then one is carried out. True: so it was.
  bool turnEnded();
  /// The block has ended.
  void completeAll();
  bool empty() const { return count == 0; }

private:
  struct Owner {
    std::deque<AsyncOperation> operations; ///< in the order of their issue
    uint64_t committed = 0;
  };
  Schedule &schedule;
  std::vector<Owner> owners[4]; ///< by AsyncQueue, then thread, warp or 0
  size_t count = 0;
  uint64_t issued = 0;

  Owner &owner(AsyncQueue queue, uint32_t index);
  static void read(AsyncOperation &operation);
  static void writeOut(AsyncOperation &operation);
  void complete(Owner &owner, size_t index);
};

/// The owner of what a lane issues.
inline uint32_t asyncOwner(const Warp &warp, int lane, AsyncQueue queue) {
  return queue == AsyncQueue::Mbarrier ? 0
         : queue == AsyncQueue::Wgmma
             ? warp.index
             : warp.index * 32 + static_cast<uint32_t>(lane);
}

/// Issues an operation whose checks have passed. `write(data)` gets `source`,
/// or a copy of its `bytes` that was taken at a legal time; both closures
/// outlive the call, so they capture by value.
template <class Write, class Signal>
void issueAsync(const Inst *inst, Warp &warp, int lane, AsyncQueue queue,
                const char *source, uint32_t bytes, Write write, Signal signal,
                bool ordered = false) {
  AsyncOperations *pending = warp.block->async.get();
  if (!pending) {
    write(source);
    signal();
    return;
  }
  AsyncOperation operation;
  operation.inst = inst;
  operation.warp = &warp;
  operation.lane = lane;
  operation.ordered = ordered || queue == AsyncQueue::Wgmma;
  operation.source = source;
  operation.bytes = bytes;
  operation.write = write;
  operation.signal = signal;
  pending->issue(queue, std::move(operation));
}

/// The open group of each lane's owner is closed.
void commitAsync(Warp &warp, uint32_t mask, AsyncQueue queue);
void waitAsync(Warp &warp, uint32_t mask, AsyncQueue queue, uint64_t left,
               bool read = false);

} // namespace llrt::emu

#endif
