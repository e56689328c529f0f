// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operands of asynchronous copies, and their groups.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_COPYADDRESS_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_COPYADDRESS_H

#include "runtime/device/emulator/Access.h"
#include "runtime/device/emulator/AsyncOperations.h"
#include "runtime/device/emulator/Observer.h"

namespace llrt::emu {

/// One lane's operand as a generic address; `shared`: it names shared memory.
template <class A>
LLRT_INLINE uint64_t laneAddress(Warp &warp, uint32_t operand, int lane,
                                 int64_t offset, bool shared) {
  uint64_t address = warp.in<A>(operand)[lane] + static_cast<uint64_t>(offset);
  return shared && address < windowBytes ? address + sharedWindow : address;
}

/// Checked host address of [address, address+bytes), a generic address; with
/// `interval`, Inst::aux is a cached interval.
char *hostRange(const Inst *inst, Warp &warp, int lane, uint64_t address,
                uint64_t bytes, AccessKind kind, bool interval);

/// The operation's completion is a transaction of the mbarrier there.
void observeMbarrier(AsyncEvent &event, uint64_t address);

/// Whether an address in brackets has 8-byte lanes.
bool isWide(Decoding &d, const Operand &memory);

template <AsyncQueue Queue>
const Inst *runCommit(const Inst *inst, Warp &warp, uint32_t mask) {
  commitAsync(warp, mask, Queue);
  return inst + 1;
}

/// imm: groups that may be left; aux bit 0: wait_all, bit 1: .read.
template <AsyncQueue Queue>
const Inst *runWaitGroup(const Inst *inst, Warp &warp, uint32_t mask) {
  if (inst->aux & 1)
    commitAsync(warp, mask, Queue);
  waitAsync(warp, mask, Queue, static_cast<uint64_t>(inst->imm), inst->aux & 2);
  return inst + 1;
}

template <AsyncQueue Queue> void decodeWaitGroup(Decoding &d) {
  bool read = Queue == AsyncQueue::BulkGroup && d.take("read");
  d.expectOperands(1, 1);
  uint64_t left = d.constant(d.operand(0));
  d.emit(runWaitGroup<Queue>);
  d.inst().imm = static_cast<int64_t>(left);
  d.inst().aux = read ? 2 : 0;
}

/// cp.async.bulk.. and cp.reduce.async.bulk.., after those words.
void decodeBulk(Decoding &d);
void decodeBulkReduction(Decoding &d);
/// st.async and red.async, after those words.
void decodeStoreAsync(Decoding &d);
void decodeReduceAsync(Decoding &d);

} // namespace llrt::emu

#endif
