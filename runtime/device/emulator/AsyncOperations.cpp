// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// When asynchronous operations read, write and signal.
#include "runtime/device/emulator/AsyncOperations.h"

using namespace llrt::emu;

AsyncOperations::Owner &AsyncOperations::owner(AsyncQueue queue,
                                               uint32_t index) {
  std::vector<Owner> &of = owners[static_cast<size_t>(queue)];
  if (of.size() <= index)
    of.resize(index + 1);
  return of[index];
}

void AsyncOperations::read(AsyncOperation &operation) {
  if (!operation.source)
    return;
  operation.staged.assign(operation.source, operation.source + operation.bytes);
  operation.source = nullptr;
}

void AsyncOperations::writeOut(AsyncOperation &operation) {
  if (!operation.write)
    return;
  // Without bytes to read the closure has all it needs.
  operation.write(operation.source ? operation.source
                                   : operation.staged.data());
  operation.source = nullptr;
  operation.write = nullptr;
}

void AsyncOperations::complete(Owner &of, size_t index) {
  if (of.operations[index].ordered)
    while (index > 0) {
      complete(of, 0);
      --index;
    }
  AsyncOperation operation = std::move(of.operations[index]);
  of.operations.erase(of.operations.begin() + static_cast<long>(index));
  --count;
  writeOut(operation);
  operation.signal();
  operation.warp->block->effects += 1;
}

void AsyncOperations::issue(AsyncQueue queue, AsyncOperation operation) {
  operation.id = ++issued;
  Owner &of = owner(queue, asyncOwner(*operation.warp, operation.lane, queue));
  operation.group = of.committed;
  bool ordered = operation.ordered;
  of.operations.push_back(std::move(operation));
  ++count;
  // What happens at once: nothing, mostly.
  switch (schedule.below(8)) {
  case 0:
    return complete(of, of.operations.size() - 1);
  case 1:
    if (!ordered)
      writeOut(of.operations.back());
    return;
  case 2:
  case 3:
    return read(of.operations.back());
  default:
    return;
  }
}

void AsyncOperations::commit(AsyncQueue queue, uint32_t index) {
  ++owner(queue, index).committed;
}

void AsyncOperations::wait(AsyncQueue queue, uint32_t index, uint64_t left,
                           bool onlyRead) {
  Owner &of = owner(queue, index);
  auto waited = [&](const AsyncOperation &operation) {
    return operation.group + left < of.committed;
  };
  for (size_t i = 0; i < of.operations.size();) {
    if (!waited(of.operations[i]))
      break; // groups only grow
    if (onlyRead)
      read(of.operations[i++]);
    else
      complete(of, i);
  }
}

bool AsyncOperations::completeOne() {
  if (count == 0)
    return false;
  size_t chosen = schedule.below(static_cast<uint32_t>(count));
  for (std::vector<Owner> &queue : owners)
    for (Owner &of : queue) {
      if (chosen < of.operations.size()) {
        complete(of, chosen);
        return true;
      }
      chosen -= of.operations.size();
    }
  return false;
}

bool AsyncOperations::turnEnded() {
  return count && schedule.oneIn(16) && completeOne();
}

void AsyncOperations::completeAll() {
  while (completeOne())
    ;
}

static void eachOwner(Warp &warp, uint32_t mask, AsyncQueue queue,
                      const std::function<void(uint32_t)> &each) {
  if (queue == AsyncQueue::Wgmma)
    return each(warp.index);
  for (; mask; mask &= mask - 1)
    each(asyncOwner(warp, __builtin_ctz(mask), queue));
}

void llrt::emu::commitAsync(Warp &warp, uint32_t mask, AsyncQueue queue) {
  if (AsyncOperations *pending = warp.block->async.get())
    eachOwner(warp, mask, queue,
              [&](uint32_t owner) { pending->commit(queue, owner); });
}

void llrt::emu::waitAsync(Warp &warp, uint32_t mask, AsyncQueue queue,
                          uint64_t left, bool read) {
  if (AsyncOperations *pending = warp.block->async.get())
    eachOwner(warp, mask, queue,
              [&](uint32_t owner) { pending->wait(queue, owner, left, read); });
}
