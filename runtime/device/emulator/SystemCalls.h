// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a driver provides to kernels: printf and assert. And the stack of
// alloca, and calls through pointers that go astray.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_SYSTEMCALLS_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_SYSTEMCALLS_H

#include "runtime/device/emulator/Machine.h"

namespace llrt::emu {

/// Bytes that a thread of a kernel with alloca may take by it.
constexpr uint32_t stackBytes = 16 << 10;

/// op[0], op[1]: local addresses of the arguments (format, values), op[2]: of
/// the result if imm. Lanes print in order, to stdout, as CUDA does.
const Inst *runPrint(const Inst *, Warp &, uint32_t);
/// op[0..4]: local addresses of message, file, line, function, character size.
const Inst *runAssertionFailure(const Inst *, Warp &, uint32_t);
/// op[0] = index of the function whose address is op[1].
const Inst *runFunctionIndex(const Inst *, Warp &, uint32_t);
const Inst *runBadCall(const Inst *, Warp &, uint32_t);
/// op[0] = address in local memory of op[1] bytes more; op[2]: bytes taken;
/// imm: alignment; aux bit 0: 64-bit address.
const Inst *runAllocate(const Inst *, Warp &, uint32_t);

} // namespace llrt::emu

#endif
