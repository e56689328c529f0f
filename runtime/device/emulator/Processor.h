// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Whether this processor can run the interpreter, which is x86-64-v3 code.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_PROCESSOR_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_PROCESSOR_H

namespace llrt::emu {

/// Null, or what is missing. Built for any x86-64.
const char *missingProcessorFeature();

} // namespace llrt::emu

#endif
