// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Handlers that move splits about: branches, guards, reconvergence, exits.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_CONTROL_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_CONTROL_H

#include "runtime/device/emulator/Machine.h"

namespace llrt::emu {

/// Back edges that a split takes before others have their turn, and what an
/// access that polls (volatile, relaxed, acquire, atomic) costs of them.
constexpr int32_t turnBudget = 1 << 14;
constexpr int32_t pollCost = 1 << 10;

const Inst *runBranch(const Inst *, Warp &, uint32_t);
/// op[0]: predicate; aux bit 0: negated; imm: the Inst where lanes meet again,
/// or 0.
const Inst *runConditionalBranch(const Inst *, Warp &, uint32_t);
/// op[0]: index; extra as const Inst *const *: targets; op[1]: their count.
const Inst *runJumpTable(const Inst *, Warp &, uint32_t);
/// op[0]: predicate; aux bit 0: negated. Runs the next Inst for the lanes that
/// hold.
const Inst *runGuard(const Inst *, Warp &, uint32_t);
const Inst *runReconverge(const Inst *, Warp &, uint32_t);
const Inst *runExit(const Inst *, Warp &, uint32_t);
const Inst *runConditionalExit(const Inst *, Warp &, uint32_t);
const Inst *runTrap(const Inst *, Warp &, uint32_t);
const Inst *runBreakpoint(const Inst *, Warp &, uint32_t);
const Inst *runNothing(const Inst *, Warp &, uint32_t);
const Inst *runMove32(const Inst *, Warp &, uint32_t);
const Inst *runMove64(const Inst *, Warp &, uint32_t);

/// True when all lanes of `needed` that are alive are here; else the split has
/// been put to wait for them at `inst` (return null from the handler).
bool converged(const Inst *inst, Warp &warp, uint32_t mask, uint32_t needed);
/// For .aligned instructions: every lane of the warp.
inline bool aligned(const Inst *inst, Warp &warp, uint32_t mask) {
  return __builtin_expect(mask == warp.live, 1) ||
         converged(inst, warp, mask, warp.live);
}
/// Ends the split's turn; it goes on at `next`.
const Inst *yieldAt(Warp &warp, const Inst *next);
/// An access that a loop may be polling with: rotation comes sooner.
inline void countPoll(Warp &warp) { warp.budget -= pollCost; }
/// The same, and what it has read: a turn that reads the same as the one before
/// waits for others. `hash`: of all lanes' addresses and values.
void notePoll(const Inst *inst, Warp &warp, uint64_t address, uint64_t value,
              uint64_t hash);
/// One lane's part of such a hash.
inline uint64_t pollHash(uint64_t address, uint64_t value) {
  return (address ^ value * 0x9e3779b97f4a7c15u) * 0xd1342543de82ef95u;
}

/// Lanes parked in groups go on without the others. True if there were any.
bool releaseParked(Warp &warp);
/// Picks the next split that can run, after the current one. False: none.
bool selectSplit(Warp &warp);
/// Makes the current split's mask and group those of the warp.
void loadSplit(Warp &warp);

} // namespace llrt::emu

#endif
