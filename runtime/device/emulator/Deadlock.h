// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Who waits for what, when nobody can go on.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_DEADLOCK_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_DEADLOCK_H

#include "runtime/device/emulator/Scheduler.h"

namespace llrt::emu {

/// The text of a line of the module, after ": "; "" when there is none.
std::string sourceLine(const Program &program, uint32_t line);
/// "(1,0,0)".
std::string blockName(const Block &block);
/// Adds a line per split that waits, up to a limit; `listed` counts all.
void listWaiting(const Block &block, const Launch &launch, std::string &message,
                 unsigned &listed);
/// "; and 3 more", or "".
std::string moreWaiting(unsigned listed);
/// Throws the Fault of a block in which nobody can go on.
[[noreturn]] void reportDeadlock(const Block &block, const Launch &launch);

} // namespace llrt::emu

#endif
