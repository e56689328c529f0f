// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An asynchronous operation, from its issue to the end of the launch.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_CHECK_ASYNCWORK_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_CHECK_ASYNCWORK_H

#include "runtime/device/emulator/Observer.h"

namespace llrt::emu {

/// One instruction's, by one warp. A lane's part of it is over when the lane
/// has waited for its group (from then on it counts as what that lane did at
/// that clock), or when the phase of the mbarrier that counts it has ended
/// (from then on it is the phase's doing).
struct AsyncWork {
  AsyncKind kind = AsyncKind::Copy;
  AsyncGroup group = AsyncGroup::Copy;
  uint32_t block = 0;
  uint32_t warp = 0;
  const Inst *inst = nullptr;
  uint32_t line = 0;
  uint32_t issueClock = 0;
  uint32_t lanes = 0; ///< that issued it
  uint32_t groupNumber = 0;
  bool readsShared = false;
  uint32_t readOver = 0;  ///< lanes whose sources have been read
  uint32_t waitedFor = 0; ///< lanes that have waited for their group
  uint32_t landed = 0;    ///< lanes whose phase has ended
  uint32_t phaseBlock = 0, phase = 0, phaseClock = 0;
  uint32_t clock[32] = {}; ///< of waitedFor
  uint32_t lastClock = 0;  ///< the last of these
};

} // namespace llrt::emu

#endif
