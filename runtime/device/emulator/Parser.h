// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// PTX text into a PtxModule.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_PARSER_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_PARSER_H

#include "runtime/device/emulator/Ptx.h"

#include <memory>

namespace llrt::emu {

/// Throws PtxError: every way in which text can fail to be a module has a
/// line and a message.
std::unique_ptr<PtxModule> parsePtx(std::string_view text);

} // namespace llrt::emu

#endif
