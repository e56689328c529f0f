// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The forms of cvt that InterpretConvert.cpp does not hold.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_NARROWCONVERSION_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_NARROWCONVERSION_H

#include "runtime/device/emulator/Decoding.h"

namespace llrt::emu {

/// fp8 pairs, tf32, .satfinite and cvt.pack; false: the cvt is none of them.
bool decodeNarrowConversion(Decoding &d);

} // namespace llrt::emu

#endif
