// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Turns of warps: rounds over the warps of a block until it ends or waits for
// others.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_BLOCKRUNNER_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_BLOCKRUNNER_H

#include "runtime/device/emulator/Scheduler.h"

namespace llrt::emu {

/// What a turn or a round of turns came to.
enum class Outcome : uint8_t {
  Done,
  Progress,
  Idle,   ///< polls, and may do something else after enough of it
  Stalled ///< cannot go on unless another block does something
};

/// Draws the order in which a schedule runs the block's warps.
void drawOrder(Block &block, Schedule &schedule);
bool hasReadySplit(const Warp &warp);
/// Throws Fault.
Outcome runBlock(Block &block, Launch &launch);

} // namespace llrt::emu

#endif
