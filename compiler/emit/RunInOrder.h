// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Threads that make items, and the caller that takes them in order.
#ifndef LLAMAC_COMPILER_EMIT_RUNINORDER_H
#define LLAMAC_COMPILER_EMIT_RUNINORDER_H

#include "runtime/Result.h"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace mlir::llama {

/// produce(i, item) runs on `threads` threads for i in [0, count), while the
/// calling thread does consume(i, item) one after the other. Items are reused:
/// there are `threads` + 2 of them, so memory does not grow with `count`. The
/// first error of consume ends it.
template <typename Item, typename Produce, typename Consume>
llrt::Error runInOrder(int64_t count, unsigned threads, const Produce &produce,
                       const Consume &consume) {
  struct Slot {
    Item item;
    bool ready = false;
  };
  std::vector<Slot> slots(threads + 2);
  std::mutex mutex;
  std::condition_variable changed;
  int64_t next = 0, consumed = 0;
  bool stopped = false;
  auto work = [&] {
    std::unique_lock<std::mutex> lock(mutex);
    while (!stopped && next < count) {
      int64_t index = next++;
      // Its slot is free once the item that was there before is consumed.
      changed.wait(lock, [&] {
        return stopped || index < consumed + int64_t(slots.size());
      });
      if (stopped)
        return;
      Slot &slot = slots[index % slots.size()];
      lock.unlock();
      produce(index, slot.item);
      lock.lock();
      slot.ready = true;
      changed.notify_all();
    }
  };
  std::vector<std::thread> workers;
  for (unsigned i = 0; i < threads && int64_t(i) < count; ++i)
    workers.emplace_back(work);
  llrt::Error result = llrt::Error::success();
  for (int64_t index = 0; index < count && !result; ++index) {
    Slot &slot = slots[index % slots.size()];
    {
      std::unique_lock<std::mutex> lock(mutex);
      changed.wait(lock, [&] { return slot.ready; });
    }
    result = consume(index, slot.item);
    std::lock_guard<std::mutex> lock(mutex);
    slot.ready = false;
    consumed = index + 1;
    stopped = bool(result);
    changed.notify_all();
  }
  for (std::thread &worker : workers)
    worker.join();
  return result;
}

} // namespace mlir::llama

#endif
