// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arithmetic and conversions in the directed rounding modes (.rz .rm .rp),
// by the processor's own modes; slow, and seldom met.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_ROUNDING_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_ROUNDING_H

#include "runtime/device/emulator/Machine.h"
#include "runtime/device/emulator/Ptx.h"

namespace llrt::emu {

enum class RoundedOperation : uint8_t { Add, Sub, Mul, Div, Fma, Rcp, Sqrt };

/// Inst::imm: roundingMode(); aux bit 0: .ftz, bit 1: .sat. Null: no such type.
Handler roundedHandler(RoundedOperation operation, Type type);
/// cvt between numbers with Inst::imm: roundingMode(); aux as above.
Handler roundedConversion(Type to, Type from);
/// "rz", "rm", "rp" (and "rn") as the host's constant.
int64_t roundingMode(std::string_view name);

} // namespace llrt::emu

#endif
