// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Barriers of a block: the named ones and mbarriers in shared memory.
//
// An mbarrier is the 64-bit word in shared memory itself, as on the chip, where
// its layout is not documented. Here, from bit 0: 20 bits of pending arrivals,
// 20 of expected arrivals, 22 of transaction bytes (signed), the phase, and a
// bit that says that it has been initialised.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_BARRIERS_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_BARRIERS_H

#include "runtime/device/emulator/Machine.h"

namespace llrt::emu {

/// Threads have exited: barriers that wait for all that are left may complete.
void threadsLeft(Block &block);

struct MbarrierWord {
  uint32_t pending, expected;
  int32_t transactions;
  bool phase, valid;

  static constexpr uint32_t maxCount = (1u << 20) - 1;
  static MbarrierWord unpack(uint64_t word);
  uint64_t pack() const;
};

/// The mbarrier at a shared::cluster address; faults unless it is one.
MbarrierWord readMbarrier(const Inst *inst, Warp &warp, int lane,
                          uint32_t address);
/// Ends the phase if nothing is pending, stores the word, wakes who waits.
void writeMbarrier(const Inst *inst, Warp &warp, int lane, uint32_t address,
                   MbarrierWord word);
/// `arrivals` of pending and `expect` bytes more; both in one step.
uint64_t arrive(const Inst *inst, Warp &warp, int lane, uint32_t address,
                uint32_t arrivals, int64_t expect, bool drop);
/// `bytes` of an asynchronous copy have landed.
void completeTransaction(const Inst *inst, Warp &warp, int lane,
                         uint32_t address, int64_t bytes);

} // namespace llrt::emu

#endif
